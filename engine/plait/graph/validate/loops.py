"""Rules about ways back: only a switch may choose one, and it must leave a way out."""

from __future__ import annotations

from collections.abc import Iterator

from plait.base.errors import Finding
from plait.graph.nesting import Stack, behind
from plait.graph.outline import Edge
from plait.graph.validate.subject import Subject, line_of, listed


def loop(subject: Subject) -> Iterator[Finding]:
    """A loop has a switch in it."""
    for edge in subject.outline.back:
        if edge.target != subject.start and _is_fixed(subject, edge):
            yield Finding(
                "loop",
                _describe(edge),
                f"the steps {' -> '.join(_way(subject, edge.target, edge.source))} -> "
                f"{edge.target} would go round for ever",
                "let it lead to a later step, or let a switch choose between back and on: "
                f"self.next({{True: self.{edge.target}, False: self.STEP}}, condition='again'); "
                "to do something for many values, use foreach='...'",
                line_of(subject, edge.source, edge.target),
            )


def endless_loop(subject: Subject) -> Iterator[Finding]:
    """A loop has a way out."""
    told: set[str] = set()
    for edge in subject.outline.back:
        if (
            edge.target == subject.start
            or _is_fixed(subject, edge)
            or not _is_endless(subject, edge)
        ):
            continue
        steps = _reach(subject, edge.target)
        if told.isdisjoint(steps):
            told |= steps
            way = _way(subject, edge.target, edge.source)
            switch = next(name for name in reversed(way) if subject.outline.is_switch(name))
            yield Finding(
                "endless-loop",
                f"no way leads out of the loop of {listed(n for n in subject.steps if n in steps)}",
                f"the switch of '{switch}' chooses among steps of the loop alone, so that the run "
                f"would never come to '{subject.end}'",
                f"give the switch of '{switch}' a case that leads on, to '{subject.end}' in the "
                "end",
                subject.at_next(switch),
            )


def loop_across_split(subject: Subject) -> Iterator[Finding]:
    """A loop stays within the part of a split that it is in, or goes round the split as a whole."""
    for edge in subject.nesting.across:
        if _is_fixed(subject, edge) or _is_endless(subject, edge):
            continue
        here = behind(subject.outline, subject.nesting, edge)
        there = subject.nesting.stacks[edge.target]
        joined = subject.nesting.joins.get(edge.target)
        left = _first_other(here, there)
        if joined is not None:
            why = f"'{edge.target}' is the join of '{joined}', and its parts have all come already"
            fix = f"lead back to '{joined}', or to a step before it, to do all of it again"
        elif left is not None:
            why = f"a part of '{left}' would leave it, and its join would wait for ever"
            fix = f"lead back to a step behind '{left}', or decide after the join of '{left}'"
        else:
            entered = _first_other(there, here)
            why = f"'{edge.target}' is in a part of '{entered}', which only '{entered}' can begin"
            fix = f"lead back to '{entered}', or to a step before it, to do all of it again"
        yield Finding(
            "loop-across-split",
            f"{_describe(edge)}, across a split",
            why,
            fix,
            line_of(subject, edge.source, edge.target),
        )


def is_lost(subject: Subject, edge: Edge) -> bool:
    """Tell whether a way back is a mistake, so that it may have been meant to lead elsewhere."""
    return edge.target == subject.start or _is_fixed(subject, edge) or _is_endless(subject, edge)


def _describe(edge: Edge) -> str:
    if edge.source == edge.target:
        return f"step '{edge.source}' leads to itself"
    return f"step '{edge.source}' leads back to '{edge.target}'"


def _is_fixed(subject: Subject, edge: Edge) -> bool:
    """Tell whether the loop that a way back closes can be gone round without any switch."""
    is_switch = subject.outline.is_switch
    return not is_switch(edge.source) and edge.source in _reach(
        subject, edge.target, without_switches=True
    )


def _is_endless(subject: Subject, edge: Edge) -> bool:
    """Tell whether no way from the end of *edge* leads anywhere but round."""
    forms = subject.outline.forms
    reached = _reach(subject, edge.target)
    return subject.end not in reached and not any(
        forms[name].is_blind or any(target not in subject.steps for target in forms[name].named)
        for name in reached
    )


def _reach(subject: Subject, first: str, *, without_switches: bool = False) -> set[str]:
    reached = {first}
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if without_switches and subject.outline.is_switch(name):
            continue
        for target in subject.outline.forms[name].named:
            if target in subject.steps and target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached


def _way(subject: Subject, first: str, last: str) -> list[str]:
    """Give the steps of a way forward from *first* to *last*."""
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


def _first_other(stack: Stack, other: Stack) -> str | None:
    """Give the outermost split of *stack* that *other* is not in the same part of."""
    return next((part.split for part in stack if part not in other), None)
