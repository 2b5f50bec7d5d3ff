"""Rules about where `self.next` leads: to steps that exist, forward, and to all of them."""

from __future__ import annotations

from collections.abc import Iterator

from plait.base.errors import Finding, Where, nearest
from plait.graph.names import END, START
from plait.graph.source import Shape
from plait.graph.validate.subject import Subject, leading, listed


def unknown_target(subject: Subject) -> Iterator[Finding]:
    """A target exists."""
    for target, names in _targets(subject).items():
        if (
            target in subject.steps
            or target in subject.source.others
            or target in (START, END)  # their own rules say that they are missing
        ):
            continue
        inputs = "self, inputs" if len(names) > 1 else "self"
        yield Finding(
            "unknown-target",
            f"{leading(names)} to '{target}', which does not exist",
            nearest(target, [s for s in subject.steps if s not in (*names, START)]),
            f"correct the name, or add\n@step\ndef {target}({inputs}):\n    self.next(...)",
            _line_of(subject, names[0], target),
        )


def target_not_a_step(subject: Subject) -> Iterator[Finding]:
    """A target is a step, not just an attribute of the class."""
    for target, names in _targets(subject).items():
        step = subject.steps.get(target)
        if step is None and target in subject.source.others:
            what = subject.source.others[target]
            fix = f"name a step, or make it one: @step above `def {target}`"
        elif step is not None and not step.is_step and target not in (START, END):
            what = f"a method without @step at {step.where}"
            fix = f"put @step above `def {target}`"
        else:
            continue
        yield Finding(
            "target-not-a-step",
            f"{leading(names)} to '{target}', which is not a step",
            f"'{target}' is {what}",
            fix,
            _line_of(subject, names[0], target),
        )


def next_to_start(subject: Subject) -> Iterator[Finding]:
    """Nothing comes before `start`."""
    for edge in subject.outline.back:
        if edge.target == START:
            yield Finding(
                "next-to-start",
                f"step '{edge.source}' leads back to 'start'",
                "a run begins at 'start', once",
                "to do something again for many values, use foreach='...'",
                _line_of(subject, edge.source, START),
            )


def loop(subject: Subject) -> Iterator[Finding]:
    """A graph without switches has no way back."""
    if subject.outline.has_switch:
        return
    for edge in subject.outline.back:
        if edge.target == START:
            continue
        if edge.source == edge.target:
            what = f"step '{edge.source}' leads to itself"
        else:
            what = f"step '{edge.source}' leads back to '{edge.target}'"
        yield Finding(
            "loop",
            what,
            f"the steps {' -> '.join(_way(subject, edge.target, edge.source))} -> {edge.target} "
            "would go round for ever",
            "let it lead to a later step; to do something for many values, use foreach='...'",
            _line_of(subject, edge.source, edge.target),
        )


def unreachable_step(subject: Subject) -> Iterator[Finding]:
    """Every step is reached from `start`."""
    for heads in _find_adrift(subject):
        behind = [name for head in heads for name in subject.outline.adrift[head]]
        one = len(heads) == 1
        yield Finding(
            "unreachable-step",
            f"nothing leads to {'step' if one else 'steps'} {listed(heads)}",
            f"no self.next names {'it' if one else 'them'}, so that {'it' if one else 'they'} "
            f"would never run{', nor ' if behind else ''}{listed(behind, last='or')}",
            f"name {'it' if one else 'each'} where it belongs: self.next(self.{heads[0]}), "
            "or remove it",
            subject.steps[heads[0]].where,
        )


def _targets(subject: Subject) -> dict[str, list[str]]:
    """Give each target with the steps that lead to it, so that one mistake is one finding."""
    found: dict[str, list[str]] = {}
    for name, form in subject.outline.forms.items():
        for target in form.targets:
            found.setdefault(target, []).append(name)
    return found


def _find_adrift(subject: Subject) -> list[list[str]]:
    """Give the steps that nothing leads to, those together that one mistake may have cut off.

    What a mistake elsewhere surely explains is left out: a step whose name was misspelt where it
    is named, or the one behind a step that does not say where it goes.
    """
    from difflib import get_close_matches

    outline, steps = subject.outline, subject.steps
    blind = [steps[name] for name, form in outline.forms.items() if form.is_blind]
    if outline.entry is None or any(s.missing or any(c.arguments for c in s.calls) for s in blind):
        return []  # a step whose targets can't be read may lead anywhere
    functions = [step.function_name for step in steps.values()]
    heads = [head for head in outline.adrift if functions.count(head) < 2]  # not itself, an alias
    gaps = [target for target in _targets(subject) if target not in steps]
    for gap in gaps:
        meant = get_close_matches(gap, heads, n=1)
        if meant:
            heads.remove(meant[0])
    if gaps and END in heads:
        heads.remove(END)  # nobody forgets about `end`: it is behind what is missing
    ends = len(blind) + sum(edge.source in outline.order for edge in outline.back)
    if len(heads) <= ends:
        return []
    return [heads] if gaps or ends else [[head] for head in heads]


def _way(subject: Subject, first: str, last: str) -> list[str]:
    """Give the steps of a way from *first* to *last*."""
    before: dict[str, str] = {first: ""}
    waiting = [first]
    for name in waiting:
        for edge in subject.outline.edges[name]:
            if edge.target not in before:
                before[edge.target] = name
                waiting.append(edge.target)
    way = [last]
    while before[way[-1]]:
        way.append(before[way[-1]])
    return way[::-1]


def _line_of(subject: Subject, name: str, target: str) -> Where:
    step = subject.steps[name]
    for call in step.calls:
        for argument in call.arguments:
            for item in (argument, *argument.items):
                if item.name == target and item.shape is not Shape.OTHER:
                    return step.at(call.line)
    return subject.at_next(name)
