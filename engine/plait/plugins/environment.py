"""`@environment`: environment variables that a step has and the next one has not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from plait.base.errors import Where
from plait.flow.decorate import decorate
from plait.hooks.step import AttemptPlan, BadDecorator, StepDecorator


class Environment(StepDecorator):
    """Gives a step environment variables, which are gone after it.

    They are set before anything of the attempt begins, and what the step starts inherits them.

    Attributes:
        vars: The variables, name to value, both text.
    """

    name: ClassVar[str] = "environment"
    defaults: ClassVar[Mapping[str, Any]] = {"vars": {}}

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        given = self.attributes["vars"]
        if not isinstance(given, Mapping):
            raise BadDecorator(
                self.name,
                f"vars={given!r} does not give names values",
                why="it is a dict of variables; on the command line, an object of JSON",
                fix="write @environment(vars={'LEVEL': 'debug'}), or "
                """--with 'environment:vars={"LEVEL": "debug"}'""",
            )
        for name, value in given.items():
            if not isinstance(name, str) or not name or not name.isprintable() or "=" in name:
                raise BadDecorator(
                    self.name,
                    f"{name!r} is not the name of a variable",
                    why="a name is text, with no '=' in it",
                    fix="write @environment(vars={'LEVEL': 'debug'})",
                )
            if not isinstance(value, str) or "\0" in value:
                raise BadDecorator(
                    self.name,
                    f"variable '{name}' cannot be {value!r}",
                    why="an environment holds text, which has no zero character",
                    fix=f"write @environment(vars={{'{name}': {str(value)!r}}})"
                    if "\0" not in str(value)
                    else "leave the zero character out",
                )
        # A copy, because the dict may be changed by whoever wrote it.
        self._variables = dict(given)

    def plan_attempts(self) -> AttemptPlan:
        """Ask for the variables."""
        return AttemptPlan(environment=self._variables)


def _attributes(*, vars: Mapping[str, str] = {}) -> None: ...  # noqa: A002  # as users write it, and only its type is read


environment = decorate(Environment, _attributes)
