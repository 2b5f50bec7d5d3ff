"""`@resources`: what a step needs of the machine that it runs on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from plait.base.errors import Where
from plait.flow.decorate import decorate
from plait.hooks.step import AttemptPlan, BadDecorator, Needs, StepDecorator


class Resources(StepDecorator):
    """Says what each task of a step needs.

    On one machine, tasks of such steps wait rather than take more than it has. Steps without it
    take nothing into account but `--max-workers`.

    Attributes:
        cpu: Cores, more than 0; parts of one are allowed.
        gpu: Graphics cards, a whole number.
        memory: Memory in MB, more than 0.
    """

    name: ClassVar[str] = "resources"
    defaults: ClassVar[Mapping[str, Any]] = {"cpu": 1, "gpu": 0, "memory": 4000}

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        cpu, gpu, memory = (self._read(key) for key in self.defaults)
        for key, value in (("cpu", cpu), ("memory", memory)):
            if value == 0:
                raise self._refuse(key, "every task takes some")
        if gpu != int(gpu):
            raise self._refuse("gpu", "it is a whole number")
        self._needs = Needs(cpu=cpu, memory=memory, gpu=int(gpu))

    def plan_attempts(self) -> AttemptPlan:
        """Ask for the resources."""
        return AttemptPlan(needs=self._needs)

    def _read(self, key: str) -> float:
        value = self.attributes[key]
        try:
            # Numbers written as text are common in flows that were written for other engines.
            number = float(value) if type(value) in (int, float, str) else math.nan
        except (ValueError, OverflowError):
            number = math.nan
        if not 0 <= number < math.inf:
            raise self._refuse(key, "it is a number")
        return number

    def _refuse(self, key: str, why: str) -> BadDecorator:
        units = {"cpu": "cores", "gpu": "graphics cards", "memory": "MB"}[key]
        return BadDecorator(
            self.name,
            f"{key}={self.attributes[key]!r} is not a number of {units}",
            why=why,
            fix=f"write @resources({key}={self.defaults[key] or 1})",
        )


def _attributes(
    *, cpu: float | str = 1, gpu: int | str = 0, memory: float | str = 4000
) -> None: ...


resources = decorate(Resources, _attributes)
