"""The rules: what each finds, and what it leaves to the rule whose mistake is the cause."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest

from plait.base.errors import Finding, Where
from plait.graph.nesting import find_nesting
from plait.graph.outline import draw_outline
from plait.graph.source import FlowSource
from plait.graph.validate import RULES, validate
from plait.graph.validate.subject import Subject

FindingsOf = Callable[..., list[Finding]]
MistakesIn = Callable[..., list[tuple[str, int | None]]]


def flow(*steps: str, head: str = "class F(FlowSpec):") -> str:
    """Give a flow's source from steps such as `start: self.next(self.a)`, one a line."""
    lines = [head]
    for text in steps:
        name, _, body = text.partition(":")
        name, _, arguments = name.partition("(")
        arguments = f"self, {arguments}".rstrip(", )")
        is_step = not name.startswith("!")
        lines += ["    @step"] if is_step else []
        body = body.lstrip(" ") or "pass"
        body = body if body.startswith("\n") else f" {body}"
        lines += [f"    def {name.lstrip('!')}({arguments}):{body}"]
    return "\n".join(lines)


def to(*targets: str) -> str:
    """Give the call of `self.next` that leads to *targets*."""
    return f"self.next({', '.join('self.' + target for target in targets)})"


def each(target: str) -> str:
    """Give the call of `self.next` that fans out to *target*."""
    return f"self.next(self.{target}, foreach='items')"


END = "end: pass"


def test_each_rule_has_a_sentence_and_gives_its_own_slug(findings_of: FindingsOf) -> None:
    """Rules can be read as a list; their slugs are their names."""
    for rule in RULES:
        assert rule.__doc__
        assert len(rule.__doc__.splitlines()) == 1
        slug = rule.__name__.replace("_", "-")
        assert f'"{slug}"' in inspect.getsource(rule) or rule.__name__ in ("no_start", "no_end")


def test_a_finding_without_a_line_comes_first_in_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is of the whole file, even of its first line."""
    first = Finding("first", "x", where=Where("f.py", 1))
    whole = Finding("whole", "x", where=Where("f.py"))
    monkeypatch.setattr("plait.graph.validate.RULES", (lambda _: [first], lambda _: [whole]))
    outline = draw_outline(FlowSource("F", first.where, "", {}, {}))

    assert validate(Subject(outline, find_nesting(outline))) == [whole, first]


# ------------------------------------------------------------------ several mistakes at once


def test_every_mistake_is_found_at_once_in_the_order_of_the_source(
    mistakes_in: MistakesIn,
) -> None:
    """Mistakes in different places are independent of each other."""
    source = flow(
        f"start: {to('split')}",
        "split: self.next(self.a, self.b, self.nowhere)",
        f"a: {to('j')}; print()",
        f"b: {to('j')}",
        f"j(inputs): {to('end')}",
        f"orphan: {to('end')}",
        "twin: self.next('a')",
        "end: self.next()",
    )

    assert mistakes_in(source) == [
        ("unknown-target", 5),
        ("next-not-last", 7),
        ("unreachable-step", 13),
        ("bad-next-argument", 15),
        ("end-has-next", 17),
    ]


def test_a_class_without_steps_is_one_mistake(findings_of: FindingsOf) -> None:
    """Without any step, `end` is not missed too."""
    (finding,) = findings_of("class F(FlowSpec): pass")

    assert finding.slug == "no-start"
    assert "no steps at all" in finding.why
    assert finding.fix.endswith("self.next(self.end)")


def test_a_step_is_not_told_to_go_to_itself(findings_of: FindingsOf) -> None:
    """A step that nothing leads to, and that goes nowhere, is no way on from itself."""
    findings = findings_of(flow("start: self.next(self.end)", "lost: pass", END))
    (finding,) = [each for each in findings if each.slug == "no-next"]

    assert finding.fix.endswith("self.next(self.end)")


def test_start_and_end_can_both_be_missing(mistakes_in: MistakesIn) -> None:
    """The flow is checked all the same, from the step that leads and is not led to."""
    source = flow(
        "begin: self.next(self.a, self.b)", f"a: {to('c')}", f"b: {to('c')}", f"c: {to('end')}"
    )

    assert mistakes_in(source) == [("no-start", 1), ("no-end", 1), ("missing-inputs", 9)]


def test_without_start_and_with_several_beginnings_nothing_is_guessed(
    mistakes_in: MistakesIn,
) -> None:
    """Which of them was meant to be `start` is open."""
    assert mistakes_in(flow(f"a: {to('end')}", f"b: {to('end')}", END)) == [("no-start", 1)]


# ------------------------------------------------------------------ declarations


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("Load", "load"),
        ("loadData", "load_data"),
        ("_load", "load"),
        ("größe", "gr_e"),
        ("数", "work"),
        ("a__B", "a_b"),
    ],
)
def test_names_of_steps_are_plain(findings_of: FindingsOf, name: str, better: str) -> None:
    """The message gives a name that would do."""
    (finding,) = findings_of(flow(f"start: {to(name)}", f"{name}: {to('end')}", END))

    assert (finding.slug, finding.fix) == ("bad-step-name", f"call it '{better}'")


@pytest.mark.parametrize("name", ["start", "end"])
def test_a_forgotten_decorator_on_start_or_end_is_named(findings_of: FindingsOf, name: str) -> None:
    """The method is there, and the rest of the flow is fine."""
    mark = {"start": "", "end": ""} | {name: "!"}
    (finding,) = findings_of(flow(f"{mark['start']}start: {to('end')}", f"{mark['end']}end: pass"))

    assert finding.slug == f"no-{name}"
    assert finding.fix == f"put @step above `def {name}(self):`"


def test_start_that_is_something_else_is_said_so(findings_of: FindingsOf) -> None:
    """An attribute of the name is described."""
    (finding,) = findings_of(flow(END) + "\n    start = 5")

    assert finding.why == "a run begins at 'start'; 'start' is an int"


@pytest.mark.parametrize(
    ("text", "oddity"),
    [
        ("    @staticmethod\n    @step\n    def a(self): ", "a static method"),
        ("    @classmethod\n    @step\n    def a(cls): ", "a class method"),
        ("    @step\n    async def a(self): ", "an async function"),
        ("    @step\n    def a(self): yield; ", "a generator"),
        ("    @step\n    async def a(self): yield; ", "an async function"),
    ],
)
def test_a_step_is_a_plain_method(findings_of: FindingsOf, text: str, oddity: str) -> None:
    """What only looks like one is named."""
    own = "cls" if "cls" in text else "self"
    source = flow("start: self.next(self.a)", END)
    (finding,) = findings_of(f"{source}\n{text}{own}.next({own}.end)")

    assert (finding.slug, finding.what) == ("not-a-plain-method", f"step 'a' is {oddity}")


def test_a_lambda_is_no_step(findings_of: FindingsOf) -> None:
    """It has no `def` that could be read."""
    source = (
        flow("start: self.next(self.a)", END) + "\n    a = step(lambda self: self.next(self.end))"
    )

    assert [f.slug for f in findings_of(source)] == ["source-not-found", "not-a-plain-method"]


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ("()", "()"),
        ("(self, a, b)", "(self, a, b)"),
        ("(self, *inputs)", "(self, ...)"),
        ("(self, **k)", "(self, ...)"),
        ("(self, *, k=1)", "(self, ...)"),
        ("(*all)", "(...)"),
    ],
)
def test_steps_take_self_or_self_and_inputs(
    findings_of: FindingsOf, arguments: str, shown: str
) -> None:
    """Nothing else is handed over, and nothing else is found of it."""
    source = flow("start: self.next(self.a)", END)
    source += f"\n    @step\n    def a{arguments}: self.next(self.end)"
    (finding,) = findings_of(source)

    assert finding.slug == "wrong-arguments"
    assert finding.what == f"step 'a' takes {shown}"


@pytest.mark.parametrize("split", ["self.next(self.a, self.b)", "self.next(self.a, foreach='x')"])
def test_a_join_with_wrong_arguments_is_one_mistake(findings_of: FindingsOf, split: str) -> None:
    """Whether it joins is left open, and so is all behind it."""
    steps = [f"start: {split}", "a: self.next(self.j)", "j(inputs, more): self.next(self.end)"]
    steps += ["b: self.next(self.j)"] if "b" in split else []
    (finding,) = findings_of(flow(*steps, END))

    assert finding.slug == "wrong-arguments"


def test_a_parameter_of_a_base_class_is_seen(findings_of: FindingsOf) -> None:
    """A step may replace it in a derived class."""
    source = "class B(FlowSpec):\n    train = Parameter('train')\n"
    (finding,) = findings_of(
        source + flow(f"start: {to('train')}", f"train: {to('end')}", END, head="class F(B):")
    )

    assert finding.slug == "step-is-parameter"
    assert finding.why == "the Parameter is at flow.py:2; self.train can be only one of them"


def test_what_a_step_replaces_in_a_class_body_is_seen(findings_of: FindingsOf) -> None:
    """Python has forgotten it; the source has not."""
    source = flow(f"start: {to('a')}", f"a: {to('b')}", f"b: {to('end')}", END).splitlines()
    source[1:1] = [
        "    a: object = Config('a')",
        "    b = 5",
    ]
    (finding,) = findings_of("\n".join(source))

    assert (finding.slug, finding.what) == ("step-is-parameter", "'a' is both a step and a Config")


def test_parameters_of_one_name_are_told(findings_of: FindingsOf) -> None:
    """Equal names clash as those do that differ in case."""
    source = flow(f"start: {to('end')}", END)
    source += "\n    a = Parameter('x-y')\n    b = Parameter('x-y')\n    c = Parameter('X-Y')"
    same, differs = findings_of(source)

    assert same.what == "two Parameters are called 'x-y'"
    assert differs.what == "Parameters 'x-y' and 'X-Y' differ only in case"


def test_one_function_under_two_names_is_one_mistake(mistakes_in: MistakesIn) -> None:
    """The name that nothing leads to is not reported as adrift."""
    source = flow(f"start: {to('b')}", f"a: {to('end')}", END) + "\n    b = a"

    assert mistakes_in(source) == [("step-alias", 5)]


# ------------------------------------------------------------------ self.next


@pytest.mark.parametrize(
    ("body", "within"),
    [
        ("\n        if 1: self.next(self.end)", "inside of an `if`"),
        ("\n        for i in (): self.next(self.end)", "inside of a `for`"),
        ("\n        while 0: self.next(self.end)", "inside of a `while`"),
        ("\n        try: self.next(self.end)\n        finally: pass", "inside of a `try`"),
        ("\n        with x: self.next(self.end)", "inside of a `with`"),
        ("\n        match 1:\n            case 1: self.next(self.end)", "inside of a `match`"),
        ("\n        def f(): self.next(self.end)\n        f()", "inside of a function"),
        ("f = lambda: self.next(self.end)", "inside of a `lambda`"),
        ("return self.next(self.end)", "inside of a `return`"),
        ("x = self.next(self.end)", "inside of another expression"),
        ("self.next(self.end); print()", "followed by other statements"),
        ("self.next(self.end); return", "followed by other statements"),
    ],
)
def test_self_next_is_the_last_statement(findings_of: FindingsOf, body: str, within: str) -> None:
    """The message says what is around it, and nothing else is found."""
    (finding,) = findings_of(flow(f"start: {body}", END))

    assert finding.slug == "next-not-last"
    assert finding.why.startswith(f"it is {within};")


def test_two_calls_are_one_mistake_and_both_lead_on(mistakes_in: MistakesIn) -> None:
    """Steps that only one of them names are not adrift."""
    source = flow(
        f"start:\n        if 1: {to('a')}\n        else: {to('b')}",
        f"a: {to('end')}",
        f"b: {to('end')}",
        END,
    )

    assert mistakes_in(source) == [("next-twice", 5)]


def test_the_lines_of_all_calls_are_told(findings_of: FindingsOf) -> None:
    """Each once."""
    calls = "".join(f"\n        {to('end')}" for _ in range(3))
    finding = next(f for f in findings_of(flow(f"start:{calls}", END)) if f.slug == "next-twice")

    assert finding.why == (
        "it does so in lines 4, 5 and 6; a step has one self.next, as its last statement, so that "
        "the graph is known before it runs"
    )


@pytest.mark.parametrize(
    ("argument", "fix"),
    [
        ("'a'", "write self.a"),
        ("'aa'", "write self.STEP; did you mean 'a'?"),
        ("a", "write self.a"),
        ("self.a()", "do not call the step: self.a"),
        ("[self.a, self.a]", "write the steps one by one: self.next(self.a, self.a)"),
        ("*targets", "the forms are self.next(self.a)"),
        ("getattr(self, 'a')", "the forms are self.next(self.a)"),
        ("()", "the forms are self.next(self.a)"),
        ("self.pick()", "the forms are self.next(self.a)"),
        ("self.x.a", "the forms are self.next(self.a)"),
        (f"[{', '.join(['1'] * 50)}][0]", "the forms are self.next(self.a)"),
    ],
)
def test_a_target_is_self_and_a_step(findings_of: FindingsOf, argument: str, fix: str) -> None:
    """Every other expression gets the form it should have, as far as that can be told."""
    source = flow(f"start: self.next({argument})", f"a: {to('end')}", "!pick: return 1", END)
    first, *more = findings_of(source)

    assert first.slug == "bad-next-argument"
    assert first.fix.startswith(fix)
    assert len(first.what) < 120
    assert {f.slug for f in more} <= {"duplicate-target"}


@pytest.mark.parametrize(
    ("call", "slugs"),
    [
        ("self.next(self.a, for_each='items')", ["unknown-next-keyword"]),
        ("self.next(self.a, num_parallel=4)", ["unknown-next-keyword"]),
        ("self.next(self.a, **more)", ["unknown-next-keyword"]),
        ("self.next(foreach='items')", ["next-without-target"]),
        ("self.next(self.a, self.j, foreach='items')", ["mixed-next"]),
        ("self.next(self.a, self.a, foreach='items')", ["mixed-next"]),
        ("self.next([self.a, self.j], foreach='items')", ["bad-next-argument", "mixed-next"]),
        ("self.next(self.a, foreach='items', condition='x')", ["mixed-next"]),
        ("self.next({'x': self.a}, foreach='items', condition='x')", ["mixed-next"]),
        ("self.next({'x': self.a, 'y': self.j})", ["mixed-next"]),
        ("self.next({'x': self.a}, self.j, condition='x')", ["mixed-next"]),
        ("self.next(self.a, self.j, condition='x')", ["mixed-next"]),
        ("self.next(condition='x')", ["mixed-next"]),
        ("self.next({}, condition='x')", ["next-without-target"]),
    ],
)
def test_a_call_has_one_form(mistakes_in: MistakesIn, call: str, slugs: list[str]) -> None:
    """A mistake in the form is not followed by findings of what the form leaves open."""
    source = flow(f"start: {call}", f"a: {to('j')}", f"j(inputs): {to('end')}", END)

    assert mistakes_in(source) == [(slug, 3) for slug in slugs]


@pytest.mark.parametrize(
    ("value", "why", "fix"),
    [
        ("self.items", "the artifact's name, not its value", "write foreach='items'"),
        ("'self.items'", "the artifact's name alone", "write foreach='items'"),
        ("items", "a literal string", "set self.items in step 'start', and write foreach='items'"),
        ("[1, 2]", "a literal string", "set self.items"),
        ("f'x'", "a literal string", "set self.items"),
        ("None", "a literal string", "set self.items"),
        ("''", "the name of an attribute", "set self.items"),
        ("'a.b'", "the name of an attribute", "set self.items"),
        ("'input'", "self.input belongs to plait", "keep it first, self.items = self.input"),
        ("'a'", "'a' is a step", "set self.items"),
        ("'helper'", "'helper' is a method", "set self.items"),
        ("'size'", "'size' is a property", "set self.items"),
    ],
)
def test_foreach_names_an_artifact(findings_of: FindingsOf, value: str, why: str, fix: str) -> None:
    """It is one mistake, and the fan-out is taken as meant."""
    source = flow(
        f"start: self.next(self.a, foreach={value})", f"a: {to('j')}", f"j(inputs): {to('end')}",
        END, "!helper: pass",
    )  # fmt: skip
    (finding,) = findings_of(source + "\n    @property\n    def size(self): return 1")

    assert finding.slug == "bad-foreach"
    assert why in finding.why
    assert finding.fix.startswith(fix)


@pytest.mark.parametrize("name", ["items", "größe", "_private", "config", "numbers"])
def test_foreach_over_parameters_constants_and_any_artifact(
    mistakes_in: MistakesIn, name: str
) -> None:
    """What an artifact holds is not known before the run."""
    source = flow(
        f"start: self.next(self.a, foreach={name!r})",
        f"a: {to('j')}",
        f"j(inputs): {to('end')}",
        END,
    )

    assert mistakes_in(source + "\n    config = Parameter('c')\n    numbers = [1]") == []


# ------------------------------------------------------------------ where it leads


def test_a_target_without_decorator_is_read_on(findings_of: FindingsOf) -> None:
    """What lies behind it is reached, and checked."""
    source = flow(
        f"start: {to('a')}", f"!a: {to('b')}", f"b: {to('c')}", f"c(inputs): {to('end')}", END
    )
    first, second = findings_of(source)

    assert (first.slug, first.fix) == ("target-not-a-step", "put @step above `def a`")
    assert (second.slug, second.where and second.where.line) == ("join-without-split", 8)


@pytest.mark.parametrize(
    ("extra", "what"),
    [
        ("!a: return 1", "a method"),
        ("", "an int"),
    ],
)
def test_a_target_that_is_no_step_at_all(findings_of: FindingsOf, extra: str, what: str) -> None:
    """A helper or an attribute is named as what it is."""
    steps = [f"start: {to('a')}", *([extra] if extra else []), END]
    (finding,) = findings_of(flow(*steps) + ("" if extra else "\n    a = 1"))

    assert (finding.slug, finding.why) == ("target-not-a-step", f"'a' is {what}")


def test_a_method_of_flowspec_is_no_step(mistakes_in: MistakesIn) -> None:
    """Its source is plait's own and is not read."""
    assert mistakes_in(flow(f"start: {to('merge_artifacts')}", END)) == [("target-not-a-step", 3)]


def test_an_unknown_target_explains_the_step_that_it_meant(mistakes_in: MistakesIn) -> None:
    """A step of a similar name is not adrift, but one of quite another name is."""
    source = flow(f"start: {to('lod_data')}", f"load_data: {to('end')}", f"zip: {to('end')}", END)

    assert mistakes_in(source) == [("unknown-target", 3), ("unreachable-step", 7)]


def test_a_target_of_quite_another_name_puts_all_adrift_together(mistakes_in: MistakesIn) -> None:
    """A split was removed, say, and all its branches are adrift."""
    source = flow(
        f"start: {to('fetch')}",
        f"load: {to('z')}",
        f"save: {to('z')}",
        f"z(inputs): {to('end')}",
        END,
    )

    assert mistakes_in(source) == [("unknown-target", 3), ("unreachable-step", 5)]


def test_a_target_that_several_steps_miss_is_one_mistake(findings_of: FindingsOf) -> None:
    """A join was removed, say."""
    source = flow(f"start: {to('a', 'b')}", f"a: {to('j')}", f"b: {to('j')}", END)
    (finding,) = findings_of(source)

    assert finding.what == "steps 'a' and 'b' lead to 'j', which does not exist"
    assert "def j(self, inputs):" in finding.fix


def test_a_start_or_end_of_another_name_is_said_to_be_it(findings_of: FindingsOf) -> None:
    """The step that nothing leads to, and the one that leads to nothing."""
    start, end = findings_of(flow(f"begin: {to('finish')}", "finish: pass"))

    assert start.fix.startswith("rename 'begin' to 'start', or add\n")
    assert end.fix.startswith("rename 'finish' to 'end', or add\n")


def test_a_split_that_is_left_out_explains_the_joins_behind_it(mistakes_in: MistakesIn) -> None:
    """The step with the split is what is adrift."""
    branch = flow(
        f"start: {to('a')}", f"split: {to('a', 'b')}", f"a: {to('j')}", f"b: {to('j')}",
        f"j(inputs): {to('end')}", END,
    )  # fmt: skip
    foreach = flow(
        f"start: {to('a')}", f"split: {each('a')}", f"a: {to('j')}", f"j(inputs): {to('end')}", END
    )

    assert mistakes_in(branch) == [("unreachable-step", 5)]
    assert mistakes_in(foreach) == [("unreachable-step", 5)]


def test_a_way_back_out_of_a_split_is_one_mistake(mistakes_in: MistakesIn) -> None:
    """With the other way gone, it would be no branch."""
    source = flow(f"start: {to('a')}", f"a: {to('b', 'start')}", f"b: {to('end')}", END)

    assert mistakes_in(source) == [("next-to-start", 5)]


def test_inputs_too_many_or_a_step_too_few(mistakes_in: MistakesIn) -> None:
    """A step that takes inputs right behind a split is the one mistake, whichever it is."""
    branch = flow(
        f"start: {to('a', 'b')}",
        f"a(inputs): {to('j')}",
        f"b: {to('j')}",
        f"j(inputs): {to('end')}",
        END,
    )
    foreach = flow(
        f"start: {each('m')}", f"m: {each('j')}", f"j(inputs): {to('z')}", f"z: {to('end')}", END
    )

    assert mistakes_in(branch) == [("split-into-join", 3)]
    assert mistakes_in(foreach) == [("split-into-join", 5)]


@pytest.mark.parametrize("call", ["self.next(*x)", "self.next(x)", "self.next(self.end, x())"])
def test_a_step_that_may_lead_anywhere_explains_all(mistakes_in: MistakesIn, call: str) -> None:
    """What it was meant to lead to is not known, so that nothing is said to be adrift."""
    found = mistakes_in(flow(f"start: {call}", f"a: {to('end')}", f"b: {to('end')}", END))

    assert [line for _, line in found] == [3]


@pytest.mark.parametrize("call", ["pass", "self.next()"])
def test_a_step_that_leads_nowhere_explains_one(findings_of: FindingsOf, call: str) -> None:
    """Which of two it was meant to lead to is open, so they are named together."""
    one = findings_of(flow(f"start: {call}", f"a: {to('end')}", END))
    two = findings_of(flow(f"start: {call}", f"a: {to('end')}", f"b: {to('end')}", END))

    assert len(one) == 1
    assert [f.what for f in two[1:]] == ["nothing leads to steps 'a' and 'b'"]


def test_a_step_without_next_is_offered_the_step_that_is_adrift(findings_of: FindingsOf) -> None:
    """It most likely is what was forgotten."""
    (finding,) = findings_of(flow("start: pass", f"load: {to('end')}", END))

    assert finding.fix == "add as its last line: self.next(self.load)"


def test_steps_behind_one_that_is_adrift_are_named_with_it(findings_of: FindingsOf) -> None:
    """Only the first of them is a finding."""
    source = flow(
        f"start: {to('end')}", f"a: {to('b', 'c')}", f"b: {to('d')}", f"c: {to('d')}",
        f"d(inputs): {to('end')}", END,
    )  # fmt: skip
    (finding,) = findings_of(source)

    assert finding.slug == "unreachable-step"
    assert finding.why.endswith("it would never run, nor 'b', 'c' or 'd'")


def test_an_unreachable_loop_is_both(mistakes_in: MistakesIn) -> None:
    """Leading to it would not mend that it is a loop."""
    source = flow(f"start: {to('end')}", f"a: {to('b')}", f"b: {to('a')}", f"z: {to('end')}", END)

    assert mistakes_in(source) == [
        ("unreachable-step", 5),
        ("loop", 7),
        ("unreachable-step", 9),
    ]


def test_a_loop_says_its_way(findings_of: FindingsOf) -> None:
    """The steps are those of the shortest way round."""
    source = flow(f"start: {to('a')}", f"a: {to('b')}", f"b: {to('c')}", f"c: {to('a')}", END)
    (finding,) = findings_of(source)

    assert (finding.slug, finding.what) == ("loop", "step 'c' leads back to 'a'")
    assert finding.why.startswith("the steps a -> b -> c -> a would")


def test_a_step_that_leads_to_itself(findings_of: FindingsOf) -> None:
    """The smallest loop."""
    (finding,) = findings_of(flow(f"start: {to('a')}", f"a: {to('a')}", END))

    assert finding.what == "step 'a' leads to itself"


def test_two_ways_back_are_two_mistakes(mistakes_in: MistakesIn) -> None:
    """Each is in a line of its own."""
    source = flow(
        f"start: {to('a', 'b')}", f"a: {to('a2')}", f"a2: {to('a')}", f"b: {to('start')}", END
    )

    assert sorted(mistakes_in(source)) == [("loop", 7), ("next-to-start", 9)]


# ------------------------------------------------------------------ splits and joins


def test_a_start_that_takes_inputs(findings_of: FindingsOf) -> None:
    """There is nothing before it."""
    (finding,) = findings_of(flow(f"start(inputs): {to('end')}", END))

    assert (finding.slug, finding.fix) == ("join-without-split", "write `def start(self):`")


def test_end_that_takes_inputs_joins_as_far_as_the_rest_goes(mistakes_in: MistakesIn) -> None:
    """Only a split around that one is found open too."""
    inner = flow(f"start: {to('a')}", f"a: {each('b')}", f"b: {to('end')}", "end(inputs): pass")
    outer = flow(f"start: {each('a')}", f"a: {each('b')}", f"b: {to('end')}", "end(inputs): pass")

    assert mistakes_in(inner) == [("end-takes-inputs", 9)]
    assert mistakes_in(outer) == [("split-not-joined", 3), ("end-takes-inputs", 9)]


def test_splits_that_are_not_joined_are_each_found(mistakes_in: MistakesIn) -> None:
    """A foreach and a branch within it each need a join."""
    source = flow(
        f"start: {each('a')}", f"a: {to('b', 'c')}", f"b: {to('end')}", f"c: {to('end')}", END
    )

    assert mistakes_in(source) == [("split-not-joined", 3), ("split-not-joined", 5)]


def test_what_of_a_split_leads_to_end_is_told(findings_of: FindingsOf) -> None:
    """One step of a foreach, or all the branches."""
    (fan,) = findings_of(flow(f"start: {each('a')}", f"a: {to('end')}", END))
    (branch,) = findings_of(
        flow(f"start: {to('a', 'b')}", f"a: {to('end')}", f"b: {to('end')}", END)
    )

    assert fan.why == "'a' leads to 'end', which runs only once"
    assert branch.why == "'a' and 'b' lead to 'end', which runs only once"


def test_branches_joined_all_at_once(findings_of: FindingsOf) -> None:
    """Nested branches are joined by pairs, and the message names both splits."""
    source = flow(
        f"start: {to('a', 'b')}", f"a: {to('c', 'd')}", f"b: {to('e', 'f')}",
        *(f"{name}: {to('j')}" for name in "cdef"), f"j(inputs): {to('end')}", END,
    )  # fmt: skip
    (finding,) = findings_of(source)

    assert finding.slug == "join-of-unrelated-splits"
    assert finding.fix == (
        "join the branches of 'a' and the branches of 'b' in steps of their own before 'j'"
    )


def test_a_join_of_a_branch_and_of_what_is_before_its_split(findings_of: FindingsOf) -> None:
    """Something beside the split comes in."""
    source = flow(
        f"start: {to('a')}", f"a: {to('b', 'c')}", f"b: {to('j')}", f"c: {to('j')}",
        f"j(inputs): {to('end')}", f"orphan: {to('j')}", END,
    )  # fmt: skip

    assert [f.slug for f in findings_of(source)] == ["unreachable-step"]


def test_joins_crossed_over_are_found_once(mistakes_in: MistakesIn) -> None:
    """Each of two joins takes one branch of each of two splits."""
    source = flow(
        f"start: {to('a', 'b')}", f"a: {to('c', 'd')}", f"b: {to('e', 'f')}",
        f"c: {to('i')}", f"e: {to('i')}", f"d: {to('k')}", f"f: {to('k')}",
        f"i(inputs): {to('j')}", f"k(inputs): {to('j')}", f"j(inputs): {to('end')}", END,
    )  # fmt: skip

    assert [slug for slug, _ in mistakes_in(source)] == ["join-of-unrelated-splits"] * 2


def test_a_partial_join_is_one_mistake(findings_of: FindingsOf) -> None:
    """Three branches of which two are joined first: the later join is not a second mistake."""
    source = flow(
        f"start: {to('a', 'b', 'c')}", f"a: {to('i')}", f"b: {to('i')}", f"c: {to('j')}",
        f"i(inputs): {to('j')}", f"j(inputs): {to('end')}", END,
    )  # fmt: skip
    (finding,) = findings_of(source)

    assert finding.slug == "incomplete-join"
    assert finding.why == "'a' and 'b' go to 'i'; 'c' goes to 'j'"


def test_branches_that_split_run_into_the_join(findings_of: FindingsOf) -> None:
    """A branch without a step of its own."""
    (finding,) = findings_of(
        flow(f"start: {to('a', 'j')}", f"a: {to('j')}", f"j(inputs): {to('end')}", END)
    )

    assert finding.slug == "split-into-join"
    assert finding.fix == (
        "put a step between 'start' and 'j'; or write `def j(self):`, if it is no join"
    )


def test_what_a_broken_branch_leaves_open_is_not_guessed(mistakes_in: MistakesIn) -> None:
    """One branch is lost by a mistake; that its join misses it is no second one."""
    lost = flow(
        f"start: {to('a', 'b')}",
        f"a: {to('nowhere')}",
        f"b: {to('j')}",
        f"j(inputs): {to('end')}",
        END,
    )
    blind = flow(
        f"start: {to('a', 'b')}", "a: self.next(self.j, oops=1)", f"b: {to('j')}",
        f"j(inputs): {to('end')}", END,
    )  # fmt: skip

    assert mistakes_in(lost) == [("unknown-target", 5)]
    assert mistakes_in(blind) == [("unknown-next-keyword", 5)]


def test_a_join_behind_a_missing_one_is_not_a_second_mistake(mistakes_in: MistakesIn) -> None:
    """A step that should be a join is taken as if it were."""
    source = flow(
        f"start: {each('m')}", f"m: {to('a', 'b')}", f"a: {to('c')}", f"b: {to('c')}",
        f"c: {to('z')}", f"z(inputs): {to('end')}", END,
    )  # fmt: skip

    assert mistakes_in(source) == [("missing-inputs", 11)]


def test_a_step_that_merges_different_splits(findings_of: FindingsOf) -> None:
    """A foreach's inside and the branch beside it lead to one plain step."""
    source = flow(
        f"start: {to('a', 'b')}",
        f"a: {each('c')}",
        f"c: {to('d')}",
        f"b: {to('d')}",
        f"d: {to('end')}",
        END,
    )
    (finding,) = findings_of(source)

    assert finding.slug == "missing-inputs"
    assert finding.why.startswith("'c' is in the foreach of 'a'; 'b' is in a branch of 'start'")


def test_unknown_source_of_a_mixin_leaves_the_rest_to_be_checked(
    mistakes_in: MistakesIn,
) -> None:
    """A step without source may lead anywhere, but the others' mistakes are found."""
    names: dict[str, type] = {}
    exec(
        "class Mixin:\n    def a(self): self.next(self.j)\n    a.is_step = True",
        {"__name__": "x"},
        names,
    )
    source = flow(
        f"start: {to('a', 'b')}", f"b: {to('gone')}", f"j(inputs): {to('end')}", END,
        head="class F(FlowSpec, Mixin):",
    )  # fmt: skip

    assert mistakes_in(source, Mixin=names["Mixin"]) == [
        ("unknown-target", 5),
        ("source-not-found", 2),
    ]
