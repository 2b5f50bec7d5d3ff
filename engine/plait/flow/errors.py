"""What can go wrong with the names of a flow object: no such artifact, a name that is taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from plait.base.errors import Finding, PlaitError, nearest
from plait.flow.source import find_caller


class LateFinding(Sequence[Finding]):
    """The one finding of an error, made only when somebody reads it.

    `hasattr(self, "x")` raises an error for each `x` that is not there, and looking for the nearest
    names each time would cost a hundred times what asking costs.

    Args:
        make: A function of a module, so that the error can be pickled.
        facts: What it is called with.
    """

    def __init__(self, make: Callable[..., Finding], *facts: Any) -> None:
        self._make = make
        self._facts = facts

    @overload
    def __getitem__(self, index: int) -> Finding: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Finding]: ...

    def __getitem__(self, index: int | slice) -> Finding | Sequence[Finding]:
        return (self._make(*self._facts),)[index]

    def __len__(self) -> int:
        return 1


class UnsetArtifact(PlaitError, AttributeError):
    """A step asked for an artifact that does not come down to it."""

    slug = "unset-artifact"

    def __init__(
        self, name: str, step: str, known: tuple[str, ...], inputs: tuple[str, ...] | None = None
    ) -> None:
        """Build it.

        Args:
            name: What was asked for.
            step: Who asked.
            known: What there is.
            inputs: For a join: the steps that its inputs come from.
        """
        Exception.__init__(self, f"step '{step}' has no artifact '{name}'")
        self.findings = LateFinding(_find_unset, name, step, known, inputs)


def _find_unset(
    name: str, step: str, known: tuple[str, ...], inputs: tuple[str, ...] | None
) -> Finding:
    why = nearest(name, [n for n in known if not n.startswith("_")])
    fix = f"set self.{name} in this step, or in one on the way to it"
    if inputs is not None:
        is_branch = len(inputs) > 1 and len(set(inputs)) == len(inputs)
        read = f"inputs.{inputs[0]}.{name}" if is_branch else f"[i.{name} for i in inputs]"
        why = "a join begins without the artifacts of its branches"
        fix = f"read it as {read}, or call self.merge_artifacts(inputs) first"
    return Finding(UnsetArtifact.slug, f"step '{step}' has no artifact '{name}'", why, fix)


class FixedName(PlaitError, AttributeError):
    """A step tried to set or delete something of the flow that is no artifact."""

    slug = "fixed-name"

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"self.{name} cannot be an artifact",
            why=f"'{name}' is {what}",
            fix=f"use another name, such as self.{name}_value",
            where=find_caller(),
        )


class OutsideRun(PlaitError):
    """Something that only a running step can do was called on a flow object outside a run."""

    slug = "outside-run"

    def __init__(self, call: str) -> None:
        super().__init__(
            f"{call} works only inside a step of a run",
            why="this object of the flow runs no step",
            fix="call it in a method under @step, and run the flow: python FLOW.py run",
            where=find_caller(),
        )
