"""The mistakes of a test that runs a step, and the failure of what it runs."""

from __future__ import annotations

from collections.abc import Iterable

from plait.base.errors import PlaitError, UsageError, nearest
from plait.base.records import Failure


class WhichFlow(UsageError):
    """What is to be run is no step, or it is not clear of which flow."""

    slug = "which-flow"

    def __init__(self, given: object, flows: Iterable[str]) -> None:
        name = getattr(given, "__qualname__", None) or repr(given)
        names = sorted(set(flows))
        if names:
            what = f"'{name}' is a step of more than one flow"
            why = f"it is inherited by {', '.join(names)}"
            fix = f"say which: run_step(..., flow={names[0]})"
        else:
            what = f"'{name}' is not a step of a flow"
            why = "a step is a method marked by @step, of a class that is derived from FlowSpec"
            fix = "give it as the class has it: run_step(MyFlow.train)"
        super().__init__(what, why=why, fix=fix)


class BadStepSetting(UsageError):
    """A step is given something that it cannot have where it stands in its flow."""

    slug = "bad-step-setting"

    def __init__(self, step: str, given: str, why: str, fix: str) -> None:
        super().__init__(f"step '{step}' cannot be run with {given}", why=why, fix=fix)


class StepFailed(PlaitError):
    """A step's code ended, and what it left is no result.

    Attributes:
        failure: Why.
    """

    slug = "step-failed"

    def __init__(self, step: str, failure: Failure) -> None:
        super().__init__(
            f"step '{step}' failed: {failure.summary}",
            why="its code ran through; what it left cannot be the end of a task",
            fix="what is wrong with it was printed to standard error",
        )
        self.failure = failure


def unknown_input(step: str, name: str, known: Iterable[str]) -> BadStepSetting:
    """Say that an input is of a step that does not lead to the join."""
    known = tuple(known)
    return BadStepSetting(
        step,
        f"an input from '{name}'",
        nearest(name, known),
        f"give one for each of: {', '.join(known)}",
    )
