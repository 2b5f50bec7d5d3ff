"""`Config`: settings of the flow itself, and expressions over them that are evaluated later."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, Self, overload

from plait.base.errors import PlaitError, UsageError, Where
from plait.flow.source import find_caller

Parser = str | Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class ConfigDeclaration:
    """What stands in the source about a config.

    Args:
        name: Its name on the command line.
        default: The path of its file, or a function of a `DeployContext` that gives one; None
            for none.
        default_value: Its value where there is no file: a dict, the text of one, or a function of a
            `DeployContext` that gives either; None for none.
        help: What it is for.
        required: Whether a run can't do without it.
        parser: What makes a dict of a text: a function, or where to import it from.
        where: Where it is declared.
    """

    name: str
    default: Any
    default_value: Any
    help: str
    required: bool
    parser: Parser | None
    where: Where

    @property
    def file_variable(self) -> str:
        """The environment variable that gives the path of its file."""
        return "PLAIT_CONFIG_" + self.name.upper().replace("-", "_")

    @property
    def value_variable(self) -> str:
        """The environment variable that gives its value."""
        return "PLAIT_CONFIG_VALUE_" + self.name.upper().replace("-", "_")


class ConfigNotReady(PlaitError, TypeError):
    """The class's own code used a value that a config has only once the command line is read."""

    slug = "config-not-ready"

    def __init__(self, text: str, use: str) -> None:
        super().__init__(
            f"{text} has no value yet, so that it cannot be {use} here",
            why="a config is read when the flow's program starts, after the class is made; until "
            "then it can only be handed to a decorator or a default",
            fix=f'write the whole expression as text, such as config_expr("{text} ..."), or use '
            "it in a step",
            where=find_caller(),
        )


class BadConfigExpression(UsageError):
    """An expression over configs has no value."""

    slug = "bad-config-expression"

    def __init__(self, text: str, why: str, where: Where | None) -> None:
        super().__init__(
            f"the config expression {text} has no value",
            why=why,
            fix="mend the expression, or what the config is read from",
            where=where,
        )


class _Later:
    """What has no value while the class is being made; every use of it but passing on is refused.

    Its own facts are all in `_plait`, since any other name may be a key of the config.
    """

    __slots__ = ("_plait",)
    _plait: Any

    def __getattr__(self, name: str) -> ConfigExpression:
        if name.startswith("__"):
            raise AttributeError(name)
        return ConfigExpression(_step_into(self, f".{name}", name))

    def __getitem__(self, key: Any) -> ConfigExpression:
        return ConfigExpression(_step_into(self, f"[{key!r}]", key))

    def _too_early(self, use: str) -> NoReturn:
        raise ConfigNotReady(self._plait.text, use)

    def __iter__(self) -> Iterator[Any]:
        self._too_early("gone through")

    def __len__(self) -> int:  # noqa: PLE0303  # it never returns
        self._too_early("counted")

    def __bool__(self) -> bool:  # noqa: PLE0304  # the same
        self._too_early("asked whether it is true")

    def __contains__(self, item: object) -> bool:
        self._too_early("searched")

    def __format__(self, spec: str) -> str:
        self._too_early("put into a text")

    def __eq__(self, other: object) -> bool:
        self._too_early("compared")

    def __hash__(self) -> int:
        return id(self)

    def _calculate(self, *_: object) -> NoReturn:
        self._too_early("calculated with")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = _calculate
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __neg__ = _calculate
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __index__ = _calculate

    def __repr__(self) -> str:
        return f"<{self._plait.text}, later>"


@dataclass(frozen=True, slots=True)
class _Path:
    """A part of one config."""

    config: Config
    text: str
    keys: tuple[Any, ...]
    where: Where


@dataclass(frozen=True, slots=True)
class _Source:
    """A whole expression, as Python."""

    text: str
    where: Where
    keys: tuple[Any, ...] = ()


class ConfigExpression(_Later):
    """A value that is known once the flow's configs are: what `cfg.a` and `config_expr` give."""

    __slots__ = ()

    def __init__(self, facts: _Path | _Source) -> None:
        self._plait = facts


class Config(_Later):
    """Settings of a flow that decorators, defaults and steps use; a class attribute of the flow.

    Its value is a dict from a file (JSON, TOML or YAML, by the file's suffix) or given as text,
    which is JSON. It is read when the flow's program starts, before anything that uses it, kept
    with every run, and read-only. In the class, `cfg.key` and `cfg["key"]` stand for values that
    are not known yet; in steps `self.cfg.key` and `self.cfg["key"]` are the values.

    Args:
        name: What the command line calls it: `--config NAME PATH` and `--config-value NAME VALUE`.
        default: The path of its file if none is given, from the working directory on; or a function
            of a context that gives one.
        default_value: Its value if nothing is given and there is no file at *default*: a dict, a
            text, or a function of a context that gives either.
        help: What it is for.
        required: Whether a run needs it; by default it is None if nothing gives it a value.
        parser: What makes a dict of the text of a file or of a value, instead of its format: a
            function, or its name as text, such as `"package.module.function"`.
    """

    __slots__ = ()

    def __init__(
        self,
        name: str,
        default: str | Callable[..., str] | None = None,
        default_value: Any = None,
        help: str | None = None,  # noqa: A002  # the name that users of workflow engines know
        required: bool | None = None,
        parser: Parser | None = None,
    ) -> None:
        where = find_caller()
        self._plait = _Declared(
            ConfigDeclaration(
                name, default, default_value, help or "", bool(required), parser, where
            )
        )

    def __set_name__(self, owner: type, name: str) -> None:
        self._plait.attribute = name

    @overload
    def __get__(self, flow: None, owner: type) -> Self: ...

    @overload
    def __get__(self, flow: object, owner: type) -> Any: ...

    def __get__(self, flow: object | None, owner: type) -> Any:
        scope = getattr(flow, "_plait", None)
        return self if scope is None else scope.parameter(self._plait.attribute)

    def __set__(self, flow: object, value: object) -> None:
        from plait.flow.config_value import ReadOnlyConfig

        raise ReadOnlyConfig(self._plait.attribute)

    def __delete__(self, flow: object) -> None:
        self.__set__(flow, None)


@dataclass(slots=True)
class _Declared:
    """A config's facts, the name that steps use among them once the class is made."""

    declaration: ConfigDeclaration
    attribute: str = ""

    @property
    def text(self) -> str:
        return self.attribute or self.declaration.name


def config_expr(expression: str) -> Any:
    """Give the value of a Python expression over configs, once these are known.

    For decorators of the class, which stand above it and can't name its attributes, and for all
    that is more than one key: `@retry(times=config_expr("cfg.retries + 1"))`.

    Args:
        expression: Python. Configs go by the names that steps use; what the flow's module defines
            and Python's built-in functions can be used as well.
    """
    return ConfigExpression(_Source(expression, find_caller()))


def _step_into(later: _Later, text: str, key: Any) -> _Path | _Source:
    facts = later._plait  # noqa: SLF001  # it is plait's own, and any other name is a key
    if isinstance(facts, _Source):
        return _Source(f"{facts.text}{text}", facts.where)
    if isinstance(later, Config):
        return _Path(later, f"{facts.text}{text}", (key,), find_caller())
    return _Path(facts.config, f"{facts.text}{text}", (*facts.keys, key), facts.where)


@dataclass(frozen=True, slots=True)
class KnownConfigs:
    """The values of a flow's configs.

    Args:
        values: By the names that steps use; None for a config that has none.
        declarations: The configs, by the same names.
        module: What the flow's module defines.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    declarations: Mapping[str, ConfigDeclaration] = field(default_factory=dict)
    module: Mapping[str, Any] = field(default_factory=dict)

    def evaluate(self, value: Any) -> Any:
        """Give *value* with each expression over configs in it, at any depth, as its value.

        Raises:
            BadConfigExpression: One has none.
        """
        if isinstance(value, _Later):
            return self._evaluate(value)
        if type(value) is dict:
            return {self.evaluate(k): self.evaluate(v) for k, v in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self.evaluate(part) for part in value)
        return value

    def _evaluate(self, later: _Later) -> Any:
        if isinstance(later, Config):
            declaration = declaration_of(later)
            return self._find(declaration.name, str(later._plait.text), declaration.where)  # noqa: SLF001  # plait's own
        facts: _Path | _Source = later._plait  # noqa: SLF001  # the same
        if isinstance(facts, _Source):
            return self._run(facts)
        value = self._find(declaration_of(facts.config).name, facts.text, facts.where)
        if value is None:
            why = "the config has no value: nothing was given for it, and it has no default"
            raise BadConfigExpression(facts.text, why, facts.where)
        try:
            for key in facts.keys:
                value = value[key]
        except Exception as error:  # noqa: BLE001  # a parser may put any object into a config
            raise BadConfigExpression(facts.text, _why(error), facts.where) from None
        return value

    def _find(self, name: str, text: str, where: Where) -> Any:
        for attribute, declaration in self.declarations.items():
            if declaration.name == name:
                return self.values[attribute]
        raise BadConfigExpression(
            text, f"the flow has no config '{name}'; make it an attribute of the class", where
        )

    def _run(self, facts: _Source) -> Any:
        names = {d.name: self.values[a] for a, d in self.declarations.items()}
        try:
            # The user's own source, in the place where they wrote it as text.
            return eval(facts.text, {**self.module}, {**names, **self.values})  # noqa: S307  # see above
        except Exception as error:  # noqa: BLE001  # whatever the user's expression may raise
            raise BadConfigExpression(facts.text, _why(error), facts.where) from None


def _why(error: Exception) -> str:
    if isinstance(error, PlaitError):
        finding = error.findings[0]
        return f"{finding.what}; {finding.why}".removesuffix("; ")
    return f"{type(error).__name__}: {error}"


def declaration_of(config: Config) -> ConfigDeclaration:
    """Give what stands in the source about *config*."""
    declaration: ConfigDeclaration = config._plait.declaration  # noqa: SLF001  # plait's own
    return declaration


def is_later(value: Any) -> bool:
    """Say whether *value* is, or holds at any depth, something that only configs will give."""
    if isinstance(value, _Later):
        return True
    if type(value) is dict:
        return any(is_later(part) for pair in value.items() for part in pair)
    return type(value) in (list, tuple) and any(is_later(part) for part in value)
