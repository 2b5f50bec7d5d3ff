"""What can be wrong with a flow's parameters as they are declared; one function a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plait.base.errors import Finding
from plait.flow.config import ConfigDeclaration
from plait.flow.parameters import Parameter, fold_name
from plait.flow.types import BadValue

RESERVED_NAMES = frozenset(
    {
        "help",
        "max-log-size",
        "max-num-splits",
        "max-workers",
        "namespace",
        "origin-run-id",
        "run-id-file",
        "announce-file",
        "parameters-file",
        "tag",
        "with",
    }
)
"""Options of `run` and `resume`, which no parameter can be called."""


def check_parameters(parameters: Mapping[str, Parameter]) -> Iterator[Finding]:
    """Find what is wrong with the declarations of a flow's parameters, by the names in steps."""
    seen: dict[str, str] = {}
    for attribute, parameter in parameters.items():
        name = parameter.name
        if attribute.startswith("_"):
            yield Finding(
                slug="bad-parameter-name",
                what=f"parameter '{name}' is the private attribute '{attribute}'",
                why="a parameter is seen by everybody who reads the run",
                fix=f"call it {attribute.lstrip('_')}",
                where=parameter.where,
            )
        if not _is_name(name):
            yield Finding(
                slug="bad-parameter-name",
                what=f"a parameter cannot be called {name!r}",
                why="it is an option of the command line and a variable of the environment",
                fix="use letters, digits, '_' and '-', a letter first",
                where=parameter.where,
            )
            continue
        if fold_name(name) in RESERVED_NAMES:
            yield Finding(
                slug="reserved-parameter-name",
                what=f"parameter '{name}' has the name of an option of plait's own",
                why=f"--{fold_name(name)} is an option of the run command",
                fix=f"keep the attribute and change the name: {attribute} = "
                f"Parameter('{name}-value')",
                where=parameter.where,
            )
        other = seen.setdefault(fold_name(name), attribute)
        # Attributes that differ only in case are found with the graph.
        if other.casefold() != attribute.casefold():
            yield Finding(
                slug="clashing-parameters",
                what=f"parameters '{parameters[other].name}' and '{name}' cannot be told apart",
                why=f"both are set by {parameter.env}; case, '-' and '_' make no difference",
                fix="rename one of them",
                where=parameter.where,
            )
        yield from _check_value(parameter)


def check_configs(configs: Mapping[str, ConfigDeclaration]) -> Iterator[Finding]:
    """Find what is wrong with the declarations of a flow's configs, by the names in steps."""
    seen: dict[str, str] = {}
    for attribute, config in configs.items():
        name = config.name
        if attribute.startswith("_") or not _is_name(name) or fold_name(name).startswith("value-"):
            shown = attribute if attribute.startswith("_") else name
            yield Finding(
                slug="bad-config-name",
                what=f"a config cannot be called {shown!r}",
                why="it is seen by everybody who reads the run, and named by the variables "
                "PLAIT_CONFIG_<NAME> and PLAIT_CONFIG_VALUE_<NAME>",
                fix="use letters, digits, '_' and '-', a letter first, and not 'value_' in front",
                where=config.where,
            )
            continue
        other = seen.setdefault(fold_name(name), attribute)
        if other != attribute:
            yield Finding(
                slug="clashing-configs",
                what=f"configs '{configs[other].name}' and '{name}' cannot be told apart",
                why=f"both are set by {config.file_variable}; case, '-' and '_' make no difference",
                fix="rename one of them",
                where=config.where,
            )


def _check_value(parameter: Parameter) -> Iterator[Finding]:
    name = parameter.name
    try:
        words = parameter.kind.words
    except BadValue as error:
        yield Finding(
            slug="bad-parameter-type",
            what=f"parameter '{name}' has a type that parameters cannot have",
            why=str(error),
            fix="use str, int, float, bool, JSONType, an Enum or a Literal as type=",
            where=parameter.where,
        )
        return
    try:
        parameter.check_default()
    except BadValue as error:
        yield Finding(
            slug="bad-parameter-default",
            what=f"parameter '{name}' has a default that it could not be given",
            why=str(error),
            fix=f"make the default {words}, or change type=",
            where=parameter.where,
        )


def _is_name(name: object) -> bool:
    if not isinstance(name, str) or name.startswith("_"):
        return False
    return name.replace("-", "_").isidentifier() and not name.startswith("-")
