"""What every rule is handed: a flow's source and shape, with the phrases that messages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from plait.base.errors import Where
from plait.graph.nesting import Nesting
from plait.graph.outline import Outline
from plait.graph.source import FlowSource, NextCall, Shape, StepSource


class Subject(NamedTuple):
    """A flow to be judged.

    Args:
        outline: Its shape.
        nesting: Its splits and joins.
        parameters: The names of its Parameters, with where each is written.
    """

    outline: Outline
    nesting: Nesting
    parameters: Sequence[tuple[str, Where | None]] = ()

    @property
    def source(self) -> FlowSource:
        """What was read of the flow."""
        return self.outline.source

    @property
    def steps(self) -> Mapping[str, StepSource]:
        """The steps by name."""
        return self.outline.source.steps

    @property
    def start(self) -> str:
        """The name of the step at which a run begins, whether there is one or not."""
        return self.outline.source.start

    @property
    def end(self) -> str:
        """The name of the step at which a run ends, whether there is one or not."""
        return self.outline.source.end

    def at_next(self, name: str) -> Where:
        """Give the line of a step's `self.next`, or of its `def` if it has none."""
        step = self.steps[name]
        return step.at(step.calls[-1].line) if step.calls else step.where

    def single_calls(self) -> Iterable[tuple[StepSource, NextCall]]:
        """Give each step that has one `self.next`, in place or not, and has it by right."""
        for step in self.steps.values():
            if step.name != self.end and len(step.calls) == 1:
                yield step, step.calls[0]


def listed(names: Iterable[str], *, last: str = "and") -> str:
    """Give names as `'a', 'b' and 'c'`."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def leading(names: Sequence[str]) -> str:
    """Give `step 'a' leads` or `steps 'a' and 'b' lead`."""
    if len(names) == 1:
        return f"step {listed(names)} leads"
    return f"steps {listed(names)} lead"


def line_of(subject: Subject, name: str, target: str) -> Where:
    """Give the line of the `self.next` in which the step *name* names *target*."""
    step = subject.steps[name]
    for call in step.calls:
        for argument in call.arguments:
            for item in (argument, *argument.items):
                if item.name == target and item.shape is not Shape.OTHER:
                    return step.at(call.line)
    return subject.at_next(name)


def find_last(subject: Subject) -> StepSource | None:
    """Give the step that `end` was probably meant to be; None if there is an `end`, or no such."""
    if subject.end in subject.steps:
        return None
    silent = [s for s in subject.steps.values() if not s.calls and not s.missing]
    return silent[0] if len(silent) == 1 and silent[0].name != subject.start else None
