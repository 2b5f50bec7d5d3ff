"""Where each config of a flow gets its value from, decided from what was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from plait.base.errors import Finding, nearest
from plait.flow.config import ConfigDeclaration


@dataclass(frozen=True, slots=True)
class GivenConfigs:
    """What whoever starts a flow's program said about its configs.

    Args:
        files: Name and path of each, as `--config NAME PATH` gave them.
        values: Name and value of each: text, as `--config-value NAME VALUE` gave it, or a dict.
    """

    files: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class ConfigSource:
    """Where one config's value is to be read.

    Args:
        declaration: The config.
        file: The path of its file, or a function that gives one; None if it is in none.
        value: Its value: text, a dict, or a function that gives either; None for none.
        origin: What gave it, for messages: an option, a variable, or its default.
        may_be_missing: Whether *value* holds where there is no such file.
    """

    declaration: ConfigDeclaration
    file: Any = None
    value: Any = None
    origin: str = ""
    may_be_missing: bool = False


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """The sources of a flow's configs by the names that steps use, and all that is wrong."""

    sources: Mapping[str, ConfigSource] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def plan_configs(
    flow: str,
    declarations: Mapping[str, ConfigDeclaration],
    given: GivenConfigs,
    environ: Mapping[str, str],
) -> ConfigPlan:
    """Decide where the value of each config comes from.

    What the command line says holds, else the environment, else the default. A file holds before a
    value among the defaults, if there is one.

    Args:
        flow: The flow's name.
        declarations: Its configs, by the names that steps use.
        given: What the command line, or a program, gave.
        environ: The environment. Variables for configs that the flow does not have are another
            flow's business; an empty one counts as unset.
    """
    sources: dict[str, ConfigSource] = {}
    findings = [*_find_unknown(flow, declarations, given)]
    for attribute, declaration in declarations.items():
        files = [path for name, path in given.files if name == declaration.name]
        values = [value for name, value in given.values if name == declaration.name]
        options = ("--config", "--config-value")
        if not files and not values:
            options = (declaration.file_variable, declaration.value_variable)
            files = [v for v in [environ.get(declaration.file_variable)] if v]
            values = [v for v in [environ.get(declaration.value_variable)] if v]
        if len(files) + len(values) > 1:
            findings.append(_twice(declaration, options, files, values))
        elif files:
            sources[attribute] = ConfigSource(declaration, file=files[0], origin=options[0])
        elif values:
            sources[attribute] = ConfigSource(declaration, value=values[0], origin=options[1])
        elif declaration.default is not None or declaration.default_value is not None:
            sources[attribute] = ConfigSource(
                declaration,
                file=declaration.default,
                value=declaration.default_value,
                origin="its default",
                may_be_missing=declaration.default_value is not None,
            )
        elif declaration.required:
            findings.append(missing_config(declaration))
    return ConfigPlan(sources, tuple(findings))


def missing_config(declaration: ConfigDeclaration) -> Finding:
    """Say that a config which has to have a value has none."""
    name = declaration.name
    return Finding(
        slug="missing-config",
        what=f"config '{name}' needs a value",
        why="it is required and has no default",
        fix=f"give a file before the command: --config {name} PATH; or a value: "
        f"--config-value {name} '{{...}}'; or set {declaration.file_variable}",
        where=declaration.where,
    )


def _find_unknown(
    flow: str, declarations: Mapping[str, ConfigDeclaration], given: GivenConfigs
) -> Iterator[Finding]:
    known = [declaration.name for declaration in declarations.values()]
    for name, _ in (*given.files, *given.values):
        if name not in known:
            yield Finding(
                slug="unknown-config",
                what=f"flow '{flow}' has no config '{name}'",
                why=nearest(name, known) or "it has no configs at all",
                fix=f"leave it out, or add {name.replace('-', '_')} = Config('{name}') to the flow",
            )


def _twice(
    declaration: ConfigDeclaration, options: tuple[str, str], files: list[str], values: list[Any]
) -> Finding:
    by = [*options[:1] * len(files), *options[1:] * len(values)]
    return Finding(
        slug="config-given-twice",
        what=f"config '{declaration.name}' is given by {' and by '.join(by)}",
        why="it has one value, and nothing says which of them",
        fix="leave all but one of them out",
    )
