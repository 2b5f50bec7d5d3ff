"""What a class says once its configs are known: decorators, defaults and constants as values."""

from __future__ import annotations

import copy
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plait.base.errors import Finding, UsageError
from plait.flow.config import Config, ConfigDeclaration, KnownConfigs, declaration_of, is_later
from plait.flow.flow_decorate import flow_decorators_of
from plait.flow.parameters import Parameter
from plait.flow.step import PendingDecorator, decorators_of
from plait.hooks.flow import FlowDecorator
from plait.hooks.step import StepDecorator


def read_configs(members: Mapping[str, object]) -> dict[str, ConfigDeclaration]:
    """Give the configs among the attributes of a class, by the names that steps use."""
    found: dict[str, ConfigDeclaration] = {}
    for name, member in members.items():
        if isinstance(member, Config):
            # Python does this itself, but not for an attribute added to a finished class.
            member.__set_name__(type(member), name)
            found[name] = declaration_of(member)
    return found


class Realiser:
    """Replaces expressions over configs by values, and keeps what goes wrong.

    Args:
        cls: The flow, whose module the expressions may refer to.
        declarations: Its configs, by the names that steps use.
        values: Their values, by the same names.
    """

    def __init__(
        self,
        cls: type,
        declarations: Mapping[str, ConfigDeclaration],
        values: Mapping[str, Any],
    ) -> None:
        module = sys.modules.get(cls.__module__)
        self._known = KnownConfigs(values, declarations, {} if module is None else vars(module))
        self.findings: list[Finding] = []

    def read_decorators(self, function: object) -> tuple[StepDecorator, ...]:
        """Give the decorators of a step; those that could not be made are left out."""
        made = self._make(decorators_of(function))
        return tuple(one for one in made if isinstance(one, StepDecorator))

    def read_flow_decorators(self, cls: type) -> tuple[FlowDecorator, ...]:
        """Give the decorators of the flow; those that could not be made are left out."""
        made = self._make(flow_decorators_of(cls))
        return tuple(one for one in made if isinstance(one, FlowDecorator))

    def read_parameter(self, parameter: Parameter) -> Parameter:
        """Give a parameter whose default is a value."""
        if not is_later(parameter.default):
            return parameter
        # A copy, because the class may be read again with other configs.
        known = copy.copy(parameter)
        known.default = self._evaluate(parameter.default)
        return known

    def read_constants(self, constants: Mapping[str, Any]) -> dict[str, Any]:
        """Give class attributes as values."""
        return {n: self._evaluate(v) if is_later(v) else v for n, v in constants.items()}

    def _make(
        self, decorators: Iterable[StepDecorator | FlowDecorator | PendingDecorator]
    ) -> Iterator[StepDecorator | FlowDecorator]:
        for decorator in decorators:
            if not isinstance(decorator, PendingDecorator):
                yield decorator
                continue
            try:
                attributes = self._known.evaluate(dict(decorator.attributes))
                yield decorator.decorator(attributes, where=decorator.where)
            except UsageError as error:
                self._keep(error, decorator.where)

    def _evaluate(self, value: Any) -> Any:
        try:
            return self._known.evaluate(value)
        except UsageError as error:
            self._keep(error)
            return None

    def _keep(self, error: UsageError, where: Any = None) -> None:
        for f in error.findings:
            self.findings.append(Finding(f.slug, f.what, f.why, f.fix, f.where or where))
