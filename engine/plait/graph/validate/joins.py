"""Rules about splits and joins: each split is joined once, in order, by one join."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plait.base.errors import Finding
from plait.base.records import TransitionKind
from plait.graph.nesting import Arrival, places
from plait.graph.validate.subject import Subject, listed


def join_without_split(subject: Subject) -> Iterator[Finding]:
    """A join joins something."""
    for name in subject.nesting.splitless:
        step = subject.steps[name]
        yield Finding(
            "join-without-split",
            f"step '{name}' is written as a join, but there is nothing to join",
            f"it takes ({', '.join(step.arguments)}), and a second argument makes a step a join; "
            + (
                f"a run begins at '{name}', with no split before it"
                if name == subject.start
                else "no branch or foreach is open where it stands"
                + (
                    "; the cases of a switch meet in a plain step"
                    if _is_meeting(subject, name)
                    else ""
                )
            ),
            f"write `def {name}({step.arguments[0]}):`"
            + ("" if name == subject.start else "; what the step before it set is in self"),
            step.where,
        )


def join_of_unrelated_splits(subject: Subject) -> Iterator[Finding]:
    """A join joins the parts of one split, the innermost."""
    for name, arrivals in subject.nesting.unrelated.items():
        splits = {a.split: a for a in sorted(arrivals, key=lambda a: len(a.stack))}
        inner = [s for s, a in splits.items() if s and len(a.stack) == _deepest(arrivals)]
        yield Finding(
            "join-of-unrelated-splits",
            f"step '{name}' joins parts of different splits",
            f"{_origins(subject, arrivals)}; splits are joined one by one, the innermost first",
            f"join {' and '.join(_describe(subject, s) for s in inner)} in "
            f"{'a step of its own' if len(inner) == 1 else 'steps of their own'} before '{name}'",
            subject.steps[name].where,
        )


def missing_inputs(subject: Subject) -> Iterator[Finding]:
    """Where parts of a split come together, a join takes them in."""
    for name, arrivals in subject.nesting.merging.items():
        step = subject.steps[name]
        yield Finding(
            "missing-inputs",
            f"several steps lead to '{name}', which takes no inputs",
            f"{_origins(subject, arrivals)}; it would run once for each of them",
            f"make it a join: `def {name}({step.arguments[0]}, inputs):`",
            step.where,
        )


def split_into_join(subject: Subject) -> Iterator[Finding]:
    """Between a split and its join there is at least one step."""
    for split, join in subject.nesting.direct:
        if _is_foreach(subject, split):
            what, why = "the foreach", "nothing would run for its elements"
            fix = (
                f"put a step between: self.next(self.STEP, foreach='...') in '{split}', and "
                f"self.next(self.{join}) in that step"
            )
        else:
            what, why = "a branch", "every branch has at least one step of its own"
            fix = (
                f"put a step between '{split}' and '{join}'; or write `def {join}(self):`, if it "
                "is no join"
            )
        yield Finding(
            "split-into-join",
            f"{what} of '{split}' runs straight into its join '{join}'",
            why,
            fix,
            subject.at_next(split),
        )


def split_not_joined(subject: Subject) -> Iterator[Finding]:
    """Every split is joined before `end`."""
    for split, ends in _open_splits(subject):
        if places(ends) == (subject.end,):
            yield Finding(
                "split-not-joined",
                f"{_describe(subject, split)} {'is' if _is_foreach(subject, split) else 'are'} not "
                f"joined before '{subject.end}'",
                f"{_parts(subject, split, ends)} "
                f"{'lead' if len(ends) > 1 else 'leads'} to '{subject.end}', which runs only once",
                f"add a join before '{subject.end}', and let them lead to it:\n"
                f"@step\ndef join(self, inputs):\n    self.next(self.{subject.end})",
                subject.at_next(split),
            )


def incomplete_join(subject: Subject) -> Iterator[Finding]:
    """All parts of a split lead to one join."""
    for split, ends in _open_splits(subject):
        if len(places(ends)) > 1:
            groups: dict[tuple[str, ...], list[int]] = {}
            for index in sorted(ends):
                groups.setdefault(ends[index], []).append(index)
            ways = (
                f"{_parts(subject, split, indices)} {'goes' if len(indices) == 1 else 'go'} to "
                + listed(group, last="or")
                + (", as a switch chooses" if len(group) > 1 else "")
                for group, indices in groups.items()
            )
            is_foreach = _is_foreach(subject, split)
            yield Finding(
                "incomplete-join",
                f"{_describe(subject, split)} {'is' if is_foreach else 'are'} not joined in one "
                "place",
                "; ".join(ways),
                f"let all {'ways' if is_foreach else 'of them'} lead to "
                f"'{next(place for place in places(ends) if place != subject.end)}'",
                subject.at_next(split),
            )


def _open_splits(subject: Subject) -> Iterator[tuple[str, dict[int, tuple[str, ...]]]]:
    for split, ends in subject.nesting.ends_at.items():
        if split not in subject.nesting.settled:
            yield split, ends


def _parts(subject: Subject, split: str, indices: Iterable[int]) -> str:
    names = subject.outline.forms[split].named
    return listed(names[index] for index in sorted(indices))


def _is_meeting(subject: Subject, name: str) -> bool:
    """Tell whether several steps lead to *name*."""
    return sum(edge.target == name for ways in subject.outline.edges.values() for edge in ways) > 1


def _is_foreach(subject: Subject, split: str) -> bool:
    return subject.outline.forms[split].kind is TransitionKind.FOREACH


def _describe(subject: Subject, split: str) -> str:
    return f"the {'foreach' if _is_foreach(subject, split) else 'branches'} of '{split}'"


def _origins(subject: Subject, arrivals: tuple[Arrival, ...]) -> str:
    return "; ".join(f"'{a.parent}' is in {_origin(subject, a.split)}" for a in arrivals)


def _origin(subject: Subject, split: str | None) -> str:
    if split is None:
        return "no split"
    return f"{'the foreach' if _is_foreach(subject, split) else 'a branch'} of '{split}'"


def _deepest(arrivals: tuple[Arrival, ...]) -> int:
    return max(len(arrival.stack) for arrival in arrivals)
