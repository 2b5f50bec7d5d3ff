"""Rules about what the class declares: which steps, their names and arguments, its Parameters."""

from __future__ import annotations

from collections.abc import Iterator

from plait.base.errors import Finding, Where, nearest
from plait.base.pathspec import STEP_NAME
from plait.graph.names import RESERVED_NAMES
from plait.graph.validate.subject import Subject, find_last, listed


def source_not_found(subject: Subject) -> Iterator[Finding]:
    """The graph is read from source, so each step has to have one."""
    by_reason: dict[str, list[str]] = {}
    for step in subject.steps.values():
        if step.missing:
            by_reason.setdefault(step.missing, []).append(step.name)
    for reason, names in by_reason.items():
        yield Finding(
            "source-not-found",
            f"cannot read the source of {_steps(names)}",
            f"{reason}; plait reads the graph from the source, without running it",
            "write the flow in a file or a notebook's cell, and load it anew if the file changed",
            subject.steps[names[0]].where,
        )


def no_start(subject: Subject) -> Iterator[Finding]:
    """A run needs a place to begin."""
    first = subject.outline.entry
    for texts in _missing(
        subject, subject.start, "begins", first, f"self.next(self.{first or subject.end})"
    ):
        yield Finding("no-start", *texts)


def no_end(subject: Subject) -> Iterator[Finding]:
    """A run needs a place to end."""
    last = find_last(subject)
    if subject.steps:
        for texts in _missing(subject, subject.end, "ends", last.name if last else None, "pass"):
            yield Finding("no-end", *texts)


def bad_step_name(subject: Subject) -> Iterator[Finding]:
    """Names of steps are part of paths and pathspecs."""
    for step in subject.steps.values():
        if not STEP_NAME.match(step.name):
            yield Finding(
                "bad-step-name",
                f"'{step.name}' is not a name for a step",
                "a step's name begins with a lower-case letter and has only lower-case letters "
                "a-z, digits and underscores, because it is part of pathspecs and file names",
                f"call it '{_better_name(step.name)}'",
                step.where,
            )


def reserved_step_name(subject: Subject) -> Iterator[Finding]:
    """A step may not hide what `FlowSpec` offers inside of steps."""
    for step in subject.steps.values():
        if step.name in RESERVED_NAMES:
            yield Finding(
                "reserved-step-name",
                f"a step cannot be called '{step.name}'",
                f"self.{step.name} is part of every flow, and this step would hide it",
                f"call it '{step.name}_step', for example; reserved are "
                + ", ".join(sorted(RESERVED_NAMES)),
                step.where,
            )


def step_alias(subject: Subject) -> Iterator[Finding]:
    """A step has one name: the one in its `def`."""
    for step in subject.steps.values():
        if step.function_name not in ("", step.name) and not _is_lambda(step.function_name):
            yield Finding(
                "step-alias",
                f"step '{step.name}' is another name for the function '{step.function_name}'",
                "a step is known by the name in its `def`, in self.next and in results",
                f"name '{step.function_name}' instead, or give '{step.name}' a `def` of its own",
                step.where,
            )


def step_defined_twice(subject: Subject) -> Iterator[Finding]:
    """Python keeps the last of two methods of one name, without a word."""
    for lost in subject.source.lost:
        if lost.what == "step":
            winner = subject.steps[lost.name].where
            yield Finding(
                "step-defined-twice",
                f"step '{lost.name}' is written twice in one class",
                f"the one in line {winner.line} replaces this one",
                "give one of them another name, or remove it",
                lost.where,
            )


def step_is_parameter(subject: Subject) -> Iterator[Finding]:
    """A step and a Parameter would be one attribute of the flow."""
    given = dict(subject.parameters)
    hidden = {lost.name: lost for lost in subject.source.lost if lost.what != "step"}
    for step in subject.steps.values():
        if step.name in given or step.name in hidden:
            what = hidden[step.name].what if step.name in hidden else "Parameter"
            place = hidden[step.name].where if step.name in hidden else given[step.name]
            yield Finding(
                "step-is-parameter",
                f"'{step.name}' is both a step and a {what}",
                f"the {what} is at {place}; self.{step.name} can be only one of them"
                if place
                else f"self.{step.name} can be only one of them",
                "give the step another name",
                step.where,
            )


def parameter_names_clash(subject: Subject) -> Iterator[Finding]:
    """Environment variables know no case, so Parameters must differ in more."""
    first: dict[str, str] = {}
    for name, where in subject.parameters:
        other = first.get(name.casefold())
        first.setdefault(name.casefold(), name)
        if other is not None:
            yield Finding(
                "parameter-names-clash",
                f"two Parameters are called '{name}'"
                if other == name
                else f"Parameters '{other}' and '{name}' differ only in case",
                "upper and lower case are one in the environment variable that sets a Parameter",
                "give one of them another name",
                where,
            )


def not_a_plain_method(subject: Subject) -> Iterator[Finding]:
    """A step is called with the flow, once, and is done when it returns."""
    for step in subject.steps.values():
        oddity = "a lambda" if _is_lambda(step.function_name) else step.oddity
        if oddity:
            yield Finding(
                "not-a-plain-method",
                f"step '{step.name}' is {oddity}",
                "a step is a plain method: it is called with the flow as `self`, and is done when "
                "it returns",
                f"write it as `def {step.name}(self):`"
                + (", and call asyncio.run(...) in it" if "async" in oddity else "")
                + (", without `yield`" if "generator" in oddity else ""),
                step.where,
            )


def wrong_arguments(subject: Subject) -> Iterator[Finding]:
    """A step takes `self`; a join takes `inputs` too."""
    for step in subject.steps.values():
        if step.missing or (len(step.arguments) in (1, 2) and not step.takes_more):
            continue
        if step.oddity in ("a static method", "a class method"):
            continue
        given = ", ".join(step.arguments) + (", ..." if step.takes_more else "")
        yield Finding(
            "wrong-arguments",
            f"step '{step.name}' takes ({given.removeprefix(', ')})",
            "a step is called with `self`, and a join with `self` and `inputs`; nothing else is "
            "handed over",
            f"write `def {step.name}(self):`, or `def {step.name}(self, inputs):` for a join; "
            "values travel as artifacts, self.x",
            step.where,
        )


def end_takes_inputs(subject: Subject) -> Iterator[Finding]:
    """`end` is the step after the last join, never a join itself."""
    end = subject.steps.get(subject.end)
    if end is not None and not end.missing and len(end.arguments) > 1:
        yield Finding(
            "end-takes-inputs",
            f"'{end.name}' takes inputs",
            f"'{end.name}' joins nothing: a run's results are what it sees, so there must be one "
            "of it",
            f"rename it to 'join', let it go on with self.next(self.{end.name}), and add\n"
            f"@step\ndef {end.name}(self):\n    pass",
            end.where,
        )


def two_firsts(subject: Subject) -> Iterator[Finding]:
    """A run begins at one step."""
    for texts in _marked_twice(subject, subject.source.first, "start", "begins"):
        yield Finding("two-firsts", *texts)


def two_lasts(subject: Subject) -> Iterator[Finding]:
    """A run ends at one step."""
    for texts in _marked_twice(subject, subject.source.last, "end", "ends"):
        yield Finding("two-lasts", *texts)


def _marked_twice(
    subject: Subject, names: tuple[str, ...], mark: str, verb: str
) -> Iterator[tuple[str, str, str, Where]]:
    for name in names[1:]:
        yield (
            f"steps '{names[0]}' and '{name}' are both marked by @step({mark}=True)",
            f"a run {verb} at one step",
            f"leave {mark}=True out at one of them",
            subject.steps[name].where,
        )


def _better_name(name: str) -> str:
    """Give a name of the right form: `load_data` for `loadData`."""
    letters = [f"_{c.lower()}" if c.isupper() else c for c in name]
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in "".join(letters))
    words = [word for word in plain.lstrip("0123456789_").split("_") if word]
    return "_".join(words) or "work"


def _missing(
    subject: Subject, name: str, verb: str, meant: str | None, body: str
) -> Iterator[tuple[str, str, str, Where | None]]:
    """Say that there is no step *name*, in the parts of a finding.

    Args:
        subject: The flow.
        name: `start` or `end`.
        verb: What a run does there.
        meant: The step that probably was meant to be it.
        body: What to write in a new one.
    """
    step = subject.steps.get(name)
    flow = subject.source
    what = f"flow '{flow.name}' has no step '{name}'"
    why = f"a run {verb} at '{name}'"
    if step is not None and not step.is_step:
        why += "; there is a method of that name, but without @step"
        yield what, why, f"put @step above `def {name}(self):`", step.where
    elif step is None:
        names = [s for s in subject.steps if s not in (subject.start, subject.end)]
        add = f"add\n@step\ndef {name}(self):\n    {body}"
        if name in flow.others:
            why += f"; '{name}' is {flow.others[name]}"
        elif names:
            why += f"; {nearest(name, names)}"
        elif not subject.steps:
            why += "; the class has no steps at all"
        fix = (
            add
            if meant in (None, subject.start, subject.end)
            else f"rename '{meant}' to '{name}', or {add}"
        )
        yield what, why, fix, flow.where


def _steps(names: list[str]) -> str:
    return f"step {listed(names)}" if len(names) == 1 else f"steps {listed(names)}"


def _is_lambda(name: str) -> bool:
    return name == "<lambda>"
