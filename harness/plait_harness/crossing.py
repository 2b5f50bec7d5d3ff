"""What a case is: one context x executor x graph x template that fit each other, and its judges."""

from __future__ import annotations

from dataclasses import dataclass

from plait_harness.contexts import CheckSpec, ContextSpec
from plait_harness.fit import Fit
from plait_harness.graphs import GraphSpec
from plait_harness.sources import CheckerSource
from plait_harness.templates import TemplateSpec


@dataclass(frozen=True, slots=True)
class Case:
    """One context x executor x graph x template that fits, and its judges with their files.

    Args:
        context: The context.
        executor: How the flow is run.
        fit: The template and the graph.
        judges: Who judges it.
        turn: Which time it is that it runs, from 0; see `--repeat`.
    """

    context: ContextSpec
    executor: str
    fit: Fit
    judges: tuple[tuple[CheckSpec, CheckerSource], ...]
    turn: int = 0

    @property
    def template(self) -> TemplateSpec:
        """The template."""
        return self.fit.template

    @property
    def graph(self) -> GraphSpec:
        """The graph."""
        return self.fit.graph

    @property
    def id(self) -> str:
        """`Template[graph-context-executor]`."""
        return f"{self.template.name}[{self.graph.name}-{self.context.name}-{self.executor}]"

    @property
    def folder(self) -> str:
        """The name of its folder: the id without what a shell would stumble over."""
        parts = (self.template.name, self.graph.name, self.context.name, self.executor)
        # Turns of one case may run side by side.
        return ".".join(parts) + (f"-{self.turn + 1}" if self.turn else "")
