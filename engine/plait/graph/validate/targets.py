"""Rules about where `self.next` leads: to steps that exist, forward, and to all of them."""

from __future__ import annotations

from collections.abc import Iterator

from plait.base.errors import Finding, nearest
from plait.graph.validate.loops import is_lost
from plait.graph.validate.subject import Subject, leading, line_of, listed


def unknown_target(subject: Subject) -> Iterator[Finding]:
    """A target exists."""
    for target, names in _targets(subject).items():
        if (
            target in subject.steps
            or target in subject.source.others
            or target in (subject.start, subject.end)  # their own rules say that they are missing
        ):
            continue
        inputs = "self, inputs" if len(names) > 1 else "self"
        yield Finding(
            "unknown-target",
            f"{leading(names)} to '{target}', which does not exist",
            nearest(target, [s for s in subject.steps if s not in (*names, subject.start)]),
            f"correct the name, or add\n@step\ndef {target}({inputs}):\n    self.next(...)",
            line_of(subject, names[0], target),
        )


def target_not_a_step(subject: Subject) -> Iterator[Finding]:
    """A target is a step, not just an attribute of the class."""
    for target, names in _targets(subject).items():
        step = subject.steps.get(target)
        if step is None and target in subject.source.others:
            what = subject.source.others[target]
            fix = f"name a step, or make it one: @step above `def {target}`"
        elif step is not None and not step.is_step and target not in (subject.start, subject.end):
            what = f"a method without @step at {step.where}"
            fix = f"put @step above `def {target}`"
        else:
            continue
        yield Finding(
            "target-not-a-step",
            f"{leading(names)} to '{target}', which is not a step",
            f"'{target}' is {what}",
            fix,
            line_of(subject, names[0], target),
        )


def next_to_start(subject: Subject) -> Iterator[Finding]:
    """Nothing comes before `start`."""
    for edge in subject.outline.back:
        if edge.target == subject.start:
            yield Finding(
                "next-to-start",
                f"step '{edge.source}' leads back to '{subject.start}'",
                f"a run begins at '{subject.start}', once",
                f"put what is done again in a step behind '{subject.start}', and lead to that"
                if subject.outline.is_switch(edge.source)
                else "to do something again for many values, use foreach='...'",
                line_of(subject, edge.source, subject.start),
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
    if gaps and subject.end in heads:
        heads.remove(subject.end)  # nobody forgets about `end`: it is behind what is missing
    lost = [e for e in outline.back if e.source in outline.order and is_lost(subject, e)]
    ends = len(blind) + len(lost)
    if len(heads) <= ends:
        return []
    return [heads] if gaps or ends else [[head] for head in heads]
