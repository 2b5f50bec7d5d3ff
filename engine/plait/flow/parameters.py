"""Parameters: how they are declared, described, and given their values when a run starts."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, overload

from plait.base.errors import Finding, PlaitError, UsageError, nearest
from plait.flow.source import find_caller

if TYPE_CHECKING:
    from plait.flow.definition import FlowDefinition  # it imports this module
    from plait.flow.types import ValueKind  # needed only once a parameter is looked at

ENV_PREFIX = "PLAIT_RUN_"


@dataclass(frozen=True, slots=True)
class DeployContext:
    """What the function of a default is called with.

    Args:
        flow_name: The name of the flow.
        user_name: Who starts the run.
        parameter_name: The parameter, or config, whose value is asked for.
        configs: The values of the flow's configs by name, read-only: `context.configs.cfg.key`.
    """

    flow_name: str
    user_name: str
    parameter_name: str
    configs: Any = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParameterHelp:
    """How a command line offers a parameter.

    Args:
        name: The parameter's name; its option is `--name`.
        attribute: What it is called in steps.
        env: The environment variable that gives it a value.
        words: What kind of value it takes, for a person.
        choices: The texts it takes, if they are few.
        default: The default as text, or None if there is none to show.
        help: What it is for; may be empty.
        required: Whether a run needs a value for it.
    """

    name: str
    attribute: str
    env: str
    words: str
    choices: tuple[str, ...]
    default: str | None
    help: str
    required: bool


class ReadOnlyParameter(PlaitError, AttributeError):
    """A step set or deleted a parameter."""

    slug = "read-only-parameter"

    def __init__(self, parameter: Parameter, action: str) -> None:
        name = parameter.attribute
        super().__init__(
            f"a step cannot {action} parameter '{name}'",
            why="parameters have the same value in every task of a run",
            fix=f"use another name, such as self.{name}_used",
            where=find_caller(),
        )


class InvalidParameters(UsageError):
    """Values of parameters are missing, unknown or of the wrong kind; holds all findings."""

    slug = "invalid-parameters"

    def __init__(self, flow: str, findings: Iterable[Finding]) -> None:
        found = tuple(findings)
        super().__init__(f"flow '{flow}' cannot run with these parameters")
        self.findings = found


class BadParameterValue(UsageError):
    """A value, whichever way it was given, is not one that a parameter takes."""

    slug = "bad-parameter-value"

    def __init__(self, parameter: Parameter, value: object, why: str, source: str) -> None:
        text = repr(value)
        shown = text if len(text) <= 60 else text[:57] + "..."
        words = parameter.kind.words
        super().__init__(
            f"parameter '{parameter.name}' cannot be {shown}" + (source and f", from {source}"),
            why=why,
            fix=f"set {source} to {words}" if source else f"give {words}: --{parameter.name} VALUE",
        )


class Parameter:
    """A value that whoever starts a run may choose; a class attribute of a flow.

    Args:
        name: What the command line calls it, as `--name`. Steps use the attribute's own name.
        default: Its value when none is given: a value, or a function of a `DeployContext`.
        type: `str`, `int`, `float`, `bool`, `JSONType`, an Enum or a Literal. By default that of
            the default, else `str`.
        help: What it is for.
        required: Whether a value has to be given. Has no effect beside a default.
        show_default: Whether help shows the default.
        separator: Makes it a list, written with this between the elements.
    """

    def __init__(
        self,
        name: str,
        default: Any = None,
        type: Any = None,  # noqa: A002  # the name that users of workflow engines know
        help: str | None = None,  # noqa: A002  # the same
        required: bool | None = None,
        show_default: bool | None = None,
        separator: str | None = None,
    ) -> None:
        self.name = name
        self.default = default
        self.type = type
        self.help = help or ""
        self.required = bool(required) and default is None
        self.show_default = show_default is not False
        self.separator = separator
        self.attribute = ""
        self.where = find_caller()

    @property
    def kind(self) -> ValueKind:
        """What kind of value it has. Raises BadValue, if of none."""
        from plait.flow.types import infer_kind

        return infer_kind(self.type, self.default, self.separator)

    @property
    def env(self) -> str:
        """The environment variable that gives it a value."""
        return ENV_PREFIX + self.name.upper().replace("-", "_")

    @property
    def has_function(self) -> bool:
        """Whether its default is a function."""
        return callable(self.default)

    def check_default(self) -> object:
        """Give the default as a value, unless it is a function. Raises BadValue if it is none."""
        if self.default is None or self.has_function:
            return None
        from plait.flow.types import convert

        return convert(self.kind, self.default)

    def shown_default(self) -> str | None:
        """Give the default as the text that help shows, or None."""
        if self.default is None or not self.show_default:
            return None
        if self.has_function:
            return f"given by {getattr(self.default, '__name__', 'a function')}()"
        return self.kind.format(self.check_default())

    def read(self, value: object, source: str = "") -> object:
        """Make the value that steps see of what was given.

        Args:
            value: Text or an object.
            source: The environment variable that it comes from, if it does.

        Raises:
            BadParameterValue: It is not one that this parameter takes.
        """
        from plait.flow.types import BadValue, convert

        try:
            return convert(self.kind, value)
        except BadValue as error:
            raise BadParameterValue(self, value, str(error), source) from None

    def __set_name__(self, owner: type, name: str) -> None:
        self.attribute = name

    @overload
    def __get__(self, flow: None, owner: type) -> Self: ...

    @overload
    def __get__(self, flow: object, owner: type) -> Any: ...

    def __get__(self, flow: object | None, owner: type) -> Any:
        scope = getattr(flow, "_plait", None)
        return self if scope is None else scope.parameter(self.attribute)

    def __set__(self, flow: object, value: object) -> None:
        raise ReadOnlyParameter(self, "set")

    def __delete__(self, flow: object) -> None:
        raise ReadOnlyParameter(self, "delete")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def fold_name(name: str) -> str:
    """Give the form in which two names are one to a shell: no case, and `-` for `_`."""
    return name.casefold().replace("_", "-")


def describe(parameter: Parameter) -> ParameterHelp:
    """Say how a command line offers *parameter*."""
    return ParameterHelp(
        name=parameter.name,
        attribute=parameter.attribute,
        env=parameter.env,
        words=parameter.kind.words,
        choices=parameter.kind.choices,
        default=parameter.shown_default(),
        help=parameter.help,
        required=parameter.required,
    )


def resolve_parameters(
    definition: FlowDefinition,
    given: Mapping[str, object],
    environ: Mapping[str, str] | None = None,
    *,
    only: Collection[str] | None = None,
) -> dict[str, object]:
    """Decide every parameter of a run: as given, else from the environment, else its default.

    Args:
        definition: The flow.
        given: Values by parameter name, as text or as objects; `_` and `-` are the same in it.
        environ: The environment; the process's own by default. An empty variable counts as unset.
        only: The parameters to decide, by the names that steps use; all by default.

    Returns:
        The values by the names that steps use.

    Raises:
        InvalidParameters: With everything that is wrong.
    """
    environ = os.environ if environ is None else environ
    findings: list[Finding] = []
    wanted = {fold_name(name): value for name, value in given.items()}
    values: dict[str, object] = {}
    for attribute, parameter in definition.parameters.items():
        if only is not None and attribute not in only:
            continue
        try:
            values[attribute] = _resolve(definition, parameter, wanted, environ)
        except UsageError as error:
            findings.extend(error.findings)
    known = {fold_name(p.name): p.name for p in definition.parameters.values()}
    findings.extend(
        Finding(
            slug="unknown-parameter",
            what=f"flow '{definition.name}' has no parameter '{name}'",
            why=nearest(name, known.values()),
            fix=f"leave it out, or add {name.replace('-', '_')} = Parameter('{name}') to the flow",
        )
        for name in given
        if fold_name(name) not in known
    )
    if findings:
        raise InvalidParameters(definition.name, findings)
    return values


class MissingParameter(UsageError):
    """A required parameter has no value."""

    slug = "missing-parameter"

    def __init__(self, parameter: Parameter) -> None:
        super().__init__(
            f"parameter '{parameter.name}' needs a value",
            why="it is required and has no default",
            fix=f"give {parameter.kind.words}: --{parameter.name} VALUE, or set {parameter.env}",
            where=parameter.where,
        )


class DefaultFailed(UsageError):
    """The function of a parameter's default raised, or gave what the parameter does not take."""

    slug = "parameter-default-failed"

    def __init__(self, parameter: Parameter, why: str) -> None:
        super().__init__(
            f"the function that gives parameter '{parameter.name}' its default failed",
            why=why,
            fix=f"mend it, or give a value yourself: --{parameter.name} VALUE",
            where=parameter.where,
        )


def _resolve(
    definition: FlowDefinition,
    parameter: Parameter,
    given: Mapping[str, object],
    environ: Mapping[str, str],
) -> object:
    key = fold_name(parameter.name)
    if given.get(key) is not None:
        return parameter.read(given[key])
    if environ.get(parameter.env):
        return parameter.read(environ[parameter.env], parameter.env)
    if parameter.has_function:
        return _call_default(definition, parameter)
    if parameter.default is not None:
        return parameter.read(parameter.default)
    if parameter.required:
        raise MissingParameter(parameter)
    return None


def _call_default(definition: FlowDefinition, parameter: Parameter) -> object:
    from plait.base.identity import user_name

    function: Callable[[DeployContext], object] = parameter.default
    configs = definition.configs_by_name()
    context = DeployContext(definition.name, user_name(), parameter.name, configs)
    try:
        value = function(context)
    except Exception as error:  # whatever the user's function may raise
        raise DefaultFailed(parameter, f"{type(error).__name__}: {error}") from error
    if value is None:
        return None
    try:
        return parameter.read(value)
    except UsageError as error:
        raise DefaultFailed(parameter, error.findings[0].why) from error
