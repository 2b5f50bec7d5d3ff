"""Rules about `self.next` as it is written: where it stands, and what it is given."""

from __future__ import annotations

from collections.abc import Iterator

from plait.base.errors import Finding, nearest
from plait.graph.names import RESERVED_NAMES
from plait.graph.source import Argument, NextCall, Shape, StepSource
from plait.graph.validate.subject import Subject, find_last, listed

_FORMS = (
    "self.next(self.a), self.next(self.a, self.b), self.next(self.a, foreach='items') or "
    "self.next({'x': self.a, 'y': self.b}, condition='kind')"
)

_KEYWORDS = ("foreach", "condition")

_EXAMPLES = {"foreach": "items", "condition": "kind"}


def no_next(subject: Subject) -> Iterator[Finding]:
    """Every step but `end` says where it goes."""
    adrift = [name for name in subject.outline.adrift if name != subject.end]
    for step in subject.steps.values():
        if step.is_step and step.name != subject.end and not step.calls and not step.missing:
            if step is find_last(subject):
                continue  # with another name for `end`, which is said there
            follower = next((name for name in adrift if name != step.name), subject.end)
            yield Finding(
                "no-next",
                f"step '{step.name}' does not say what comes after it",
                f"every step but '{subject.end}' closes with self.next(...)",
                f"add as its last line: self.next(self.{follower})",
                step.where,
            )


def end_has_next(subject: Subject) -> Iterator[Finding]:
    """Nothing comes after `end`."""
    end = subject.steps.get(subject.end)
    if end is not None and end.calls:
        yield Finding(
            "end-has-next",
            f"'{subject.end}' calls self.next",
            f"'{subject.end}' is the last step of the flow",
            f"remove the call, or rename this step and add an '{subject.end}' after it",
            end.at(end.calls[0].line),
        )


def next_twice(subject: Subject) -> Iterator[Finding]:
    """The graph has one way on from a step, and it is known before anything runs."""
    for step in subject.steps.values():
        if step.name != subject.end and len(step.calls) > 1:
            lines = [str(call.line) for call in step.calls]
            yield Finding(
                "next-twice",
                f"step '{step.name}' calls self.next {len(lines)} times",
                f"it does so in lines {', '.join(lines[:-1])} and {lines[-1]}; a step has one "
                "self.next, as its last statement, so that the graph is known before it runs",
                f"to choose by an artifact, write one switch: {_as_switch(step)}",
                step.at(step.calls[1].line),
            )


def next_not_last(subject: Subject) -> Iterator[Finding]:
    """`self.next` is the last statement, in no block."""
    for step, call in subject.single_calls():
        if not call.is_last:
            place = f"inside of {call.within}" if call.within else "followed by other statements"
            yield Finding(
                "next-not-last",
                f"self.next of step '{step.name}' is not its last statement",
                f"it is {place}; where a step goes must not depend on what happens in it",
                _way_out(call),
                step.at(call.line),
            )


def next_without_target(subject: Subject) -> Iterator[Finding]:
    """`self.next` names at least one step."""
    for step, call in subject.single_calls():
        is_empty = _is_plain_switch(call) and not call.arguments[0].items
        if is_empty or (not call.arguments and "condition" not in dict(call.keywords)):
            yield Finding(
                "next-without-target",
                f"self.next of step '{step.name}' names no step",
                f"the forms are {_FORMS}",
                "name the step that comes next: self.next(self.STEP)",
                step.at(call.line),
            )


def bad_next_argument(subject: Subject) -> Iterator[Finding]:
    """A target is written as `self.STEP`, so that it can be read without running anything."""
    for step, call in subject.single_calls():
        if _is_switch(call) and not _is_plain_switch(call):
            continue
        for argument in _list_cases(call) if _is_switch(call) else call.arguments:
            if argument.shape is not Shape.STEP:
                yield Finding(
                    "bad-next-argument",
                    f"step '{step.name}' hands {argument.text} to self.next",
                    "a target is written as self.STEP, because the graph is read from the source",
                    _better_argument(subject, argument),
                    step.at(call.line),
                )


def unknown_next_keyword(subject: Subject) -> Iterator[Finding]:
    """`self.next` takes few keywords."""
    for step, call in subject.single_calls():
        for keyword, value in call.keywords:
            if keyword not in _KEYWORDS:
                written = f"{keyword}=" if keyword else f"**{value.text}"
                yield Finding(
                    "unknown-next-keyword",
                    f"self.next of step '{step.name}' does not know {written}",
                    nearest(keyword, _KEYWORDS),
                    f"the forms are {_FORMS}",
                    step.at(call.line),
                )


def mixed_next(subject: Subject) -> Iterator[Finding]:
    """A call of `self.next` has one form."""
    for step, call in subject.single_calls():
        keywords = dict(call.keywords)
        targets = [argument.text for argument in call.arguments]
        if "foreach" in keywords and "condition" in keywords:
            why = "it has both foreach= and condition="
        elif "foreach" in keywords and len(_flat(call)) > 1:
            why = f"it fans out with foreach=, but to {len(_flat(call))} steps"
        elif _is_switch(call) and not _is_plain_switch(call):
            why = "a switch is given one dict of steps and condition=, and nothing else"
        else:
            continue
        yield Finding(
            "mixed-next",
            f"self.next of step '{step.name}' mixes two forms",
            why,
            f"fan out to one step, self.next({targets[0]}, foreach='...'), and branch there"
            if "foreach" in keywords and targets
            else f"the forms are {_FORMS}",
            step.at(call.line),
        )


def bad_foreach(subject: Subject) -> Iterator[Finding]:
    """`foreach=` names an artifact by a string."""
    for step, call in subject.single_calls():
        value = dict(call.keywords).get("foreach")
        if value is None:
            continue
        why, fix = _judge_artifact(subject, step, "foreach", value)
        if why:
            yield Finding(
                "bad-foreach",
                f"foreach={value.text} in step '{step.name}' does not name an artifact",
                why,
                fix,
                step.at(call.line),
            )


def bad_condition(subject: Subject) -> Iterator[Finding]:
    """`condition=` names an artifact by a string."""
    for step, call in subject.single_calls():
        if not _is_plain_switch(call):
            continue
        value = dict(call.keywords)["condition"]
        why, fix = _judge_artifact(subject, step, "condition", value)
        if why:
            yield Finding(
                "bad-condition",
                f"condition={value.text} in step '{step.name}' does not name an artifact",
                why,
                fix,
                step.at(call.line),
            )


def bad_case(subject: Subject) -> Iterator[Finding]:
    """The keys of a switch are literals, so that it can be read without running anything."""
    for step, call in subject.single_calls():
        for key in call.arguments[0].keys if _is_plain_switch(call) else ():
            if key.value is None:
                yield Finding(
                    "bad-case",
                    f"step '{step.name}' has a switch with the case {key.text}",
                    "a case is a literal text, whole number, True or False, because the graph is "
                    "read from the source",
                    "write the cases one by one, such as {'x': self.a, 'y': self.b}",
                    step.at(call.line),
                )


def duplicate_case(subject: Subject) -> Iterator[Finding]:
    """A value leads to one step."""
    for step, call in subject.single_calls():
        keys = call.arguments[0].keys if _is_plain_switch(call) else ()
        first: dict[str | int, str] = {}
        for key in keys:
            if key.value is None:
                continue
            other = first.setdefault(key.value, key.text)
            if other is not key.text:
                yield Finding(
                    "duplicate-case",
                    f"step '{step.name}' has a switch with the case {key.text} twice"
                    if other == key.text
                    else f"step '{step.name}' has a switch with the cases {other} and {key.text}",
                    "of two equal keys of a dict, Python keeps the last"
                    + ("" if other == key.text else f"; {other} == {key.text}"),
                    "remove one of them",
                    step.at(call.line),
                )


def duplicate_target(subject: Subject) -> Iterator[Finding]:
    """A branch leads to different steps."""
    for step, call in subject.single_calls():
        names = [argument.name for argument in _flat(call) if argument.name]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice and not _is_switch(call) and "foreach" not in dict(call.keywords):
            yield Finding(
                "duplicate-target",
                f"self.next of step '{step.name}' names {listed(twice)} more than once",
                "a branch runs each step it names once",
                "name each once; to run one step many times, use foreach='...'",
                step.at(call.line),
            )


def _is_switch(call: NextCall) -> bool:
    return "condition" in dict(call.keywords) or any(
        argument.shape is Shape.CASES for argument in call.arguments
    )


def _is_plain_switch(call: NextCall) -> bool:
    shapes = [argument.shape for argument in call.arguments]
    return shapes == [Shape.CASES] and [name for name, _ in call.keywords] == ["condition"]


def _list_cases(call: NextCall) -> list[Argument]:
    """Give what the cases of a switch lead to, without what `bad_case` is about."""
    cases = call.arguments[0]
    pairs = zip(cases.keys, cases.items, strict=True)
    return [item for key, item in pairs if not key.text.startswith("**")]


def _flat(call: NextCall) -> list[Argument]:
    return [item for argument in call.arguments for item in argument.items or (argument,)]


def _as_switch(step: StepSource) -> str:
    """Give one `self.next` that leads wherever the calls of *step* do."""
    targets = [a.text for call in step.calls for a in call.arguments if a.shape is Shape.STEP]
    named = list(dict.fromkeys(targets)) or ["self.STEP"]
    cases = ", ".join(f"'{chr(ord('a') + place)}': {name}" for place, name in enumerate(named))
    return f"self.next({{{cases}}}, condition='ARTIFACT')"


def _way_out(call: NextCall) -> str:
    if call.within == "a `return`":
        return "write it without `return`"
    if not call.within or call.within == "a `with`":
        return "move it to the end of the step"
    return "move it to the end of the step, and keep what was decided in an artifact"


def _better_argument(subject: Subject, argument: Argument) -> str:
    steps = subject.steps
    if argument.shape is Shape.CALLED and argument.name in steps:
        return f"do not call the step: self.{argument.name}"
    if argument.shape in (Shape.TEXT, Shape.NAME):
        if argument.name in steps:
            return f"write self.{argument.name}"
        known = nearest(argument.name, steps)
        return f"write self.STEP; {known}"
    if argument.shape is Shape.ITEMS and argument.items:
        targets = ", ".join(item.text for item in argument.items)
        return f"write the steps one by one: self.next({targets})"
    return f"the forms are {_FORMS}"


def _judge_artifact(
    subject: Subject, step: StepSource, keyword: str, value: Argument
) -> tuple[str, str]:
    """Give why *value* names no artifact, and what to write; empty if it may name one."""
    if value.shape is Shape.STEP:
        return "it takes the artifact's name, not its value", f"write {keyword}='{value.name}'"
    if value.shape is Shape.TEXT:
        return _judge_artifact_name(subject, step, keyword, value.name)
    example = value.name or _EXAMPLES[keyword]
    why = "the artifact's name must be a literal string, because the graph is read from the source"
    return why, f"set self.{example} in step '{step.name}', and write {keyword}='{example}'"


def _judge_artifact_name(
    subject: Subject, step: StepSource, keyword: str, name: str
) -> tuple[str, str]:
    plain = name.removeprefix("self.")
    other = subject.source.others.get(name)
    example = _EXAMPLES[keyword]
    set_items = f"set self.{example} in step '{step.name}', and write {keyword}='{example}'"
    if plain != name and plain.isidentifier():
        return "it takes the artifact's name alone", f"write {keyword}='{plain}'"
    if not name.isidentifier():
        return "an artifact has the name of an attribute of self", set_items
    if name in RESERVED_NAMES:
        keep = f"keep it first, self.{example} = self.{name}, and write {keyword}='{example}'"
        return f"self.{name} belongs to plait and is not an artifact", keep
    if name in subject.steps:
        return f"'{name}' is a step", set_items
    if other in ("a method", "a property"):
        return f"'{name}' is {other}", set_items
    return "", ""
