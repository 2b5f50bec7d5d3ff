"""Reading the values of configs: files and texts in, read-only values or findings out."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from plait.base.errors import Finding, UsageError
from plait.flow.config import ConfigDeclaration, KnownConfigs
from plait.flow.config_source import ConfigSource, GivenConfigs, missing_config, plan_configs
from plait.flow.config_value import freeze
from plait.flow.include import look_around
from plait.flow.parameters import DeployContext


class InvalidConfigs(UsageError):
    """Configs are missing, unknown or cannot be read; holds all findings."""

    slug = "invalid-configs"

    def __init__(self, flow: str, findings: list[Finding]) -> None:
        super().__init__(f"flow '{flow}' cannot be read with these configs")
        self.findings = tuple(findings)


class UnreadableConfig(UsageError):
    """The file of a config is not there or cannot be read."""

    slug = "unreadable-config"

    def __init__(self, source: ConfigSource, path: str, why: str) -> None:
        name = source.declaration.name
        beside = os.path.join(os.path.dirname(source.declaration.where.file), path)
        fix = f"give a file that can be read: --config {name} PATH"
        if os.path.isfile(beside):
            fix = f"paths begin in the folder that you are in; give --config {name} {beside}"
        super().__init__(
            f"the file of config '{name}' cannot be read: '{path}', from {source.origin}",
            why=f"{why}; {look_around(path)}",
            fix=fix,
            where=source.declaration.where,
        )


class BadConfigSyntax(UsageError):
    """What a config is read from is not of its format."""

    slug = "bad-config-syntax"

    def __init__(self, source: ConfigSource, place: str, line: int | None, why: str) -> None:
        at = f", line {line}" if line is not None else ""
        super().__init__(
            f"config '{source.declaration.name}' cannot be read from {place}{at}",
            why=why,
            fix="mend it there; a file is read as its suffix says (.json, .toml, .yaml or .yml), "
            "anything else as JSON, unless the config has parser=",
        )


class BadConfigValue(UsageError):
    """What a config is read from is no dict."""

    slug = "bad-config-value"

    def __init__(self, source: ConfigSource, place: str, value: object) -> None:
        super().__init__(
            f"config '{source.declaration.name}' has no keys: {place} gives "
            f"{type(value).__name__} {str(value)[:60]!r}",
            why="a config is an object of names and values, so that it can be read by name",
            fix='put it under a name, as in {"items": [1, 2]}',
        )


class MissingYAML(UsageError):
    """A config is YAML, and the library that reads it is not installed."""

    slug = "missing-yaml"

    def __init__(self, source: ConfigSource, place: str) -> None:
        super().__init__(
            f"config '{source.declaration.name}' is YAML, which cannot be read here: {place}",
            why="plait reads YAML by the library PyYAML, which is not installed",
            fix="pip install 'plait[yaml]', or write the config as JSON or TOML",
        )


class ConfigFunctionFailed(UsageError):
    """A function that gives a config its default, or its parser, raised or cannot be imported."""

    slug = "config-function-failed"

    def __init__(self, source: ConfigSource, what: str, error: Exception) -> None:
        name = source.declaration.name
        super().__init__(
            f"the {what} of config '{name}' failed",
            why=f"{type(error).__name__}: {error}",
            fix=f"mend it, or give the config another way: --config-value {name} '{{...}}'",
            where=source.declaration.where,
        )


def load_configs(
    flow: str,
    declarations: Mapping[str, ConfigDeclaration],
    given: GivenConfigs,
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """Give the value of every config, by the names that steps use; None for what has none.

    Args:
        flow: The flow's name.
        declarations: Its configs.
        given: What the command line, or a program, gave.
        environ: The environment.

    Raises:
        InvalidConfigs: With everything that is wrong.
    """
    plan = plan_configs(flow, declarations, given, environ)
    findings = list(plan.findings)
    values: dict[str, Any] = dict.fromkeys(declarations)
    for attribute, source in plan.sources.items():
        try:
            content = _load(flow, source, KnownConfigs(values, declarations))
        except UsageError as error:
            findings.extend(error.findings)
            continue
        if content is None and source.declaration.required:
            findings.append(missing_config(source.declaration))
        values[attribute] = freeze(content, attribute)
    if findings:
        raise InvalidConfigs(flow, findings)
    return values


def _load(flow: str, source: ConfigSource, known: KnownConfigs) -> Any:
    path = _call(flow, source, source.file, "default", known)
    if path is not None:
        content = _read_file(source, os.path.expanduser(os.fspath(path)))
        if content is not None:
            return content
    value = _call(flow, source, source.value, "default_value", known)
    place = f"the value of {source.origin}"
    if isinstance(value, str):
        return _parse(source, value, place, "json")
    if value is not None and not isinstance(value, Mapping):
        raise BadConfigValue(source, place, value)
    return value


def _call(flow: str, source: ConfigSource, given: Any, what: str, known: KnownConfigs) -> Any:
    if not callable(given):
        return given
    from plait.base.identity import user_name

    configs = freeze({d.name: known.values[a] for a, d in known.declarations.items()}, "configs")
    try:
        return given(DeployContext(flow, user_name(), source.declaration.name, configs))
    except Exception as error:  # whatever the user's function may raise
        raise ConfigFunctionFailed(source, f"function for {what}", error) from error


def _read_file(source: ConfigSource, path: str) -> Any:
    """Give what a file holds; None if there is none and that is no mistake."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except FileNotFoundError as error:
        if source.may_be_missing:
            return None
        raise UnreadableConfig(source, path, error.strerror or str(error)) from None
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a NUL in the path
        why = getattr(error, "strerror", None) or str(error)
        raise UnreadableConfig(source, path, why) from None
    return _parse(source, text, f"'{path}'", os.path.splitext(path)[1].lstrip(".").lower())


def _parse(source: ConfigSource, text: str, place: str, form: str) -> Any:
    parser = source.declaration.parser
    if parser is not None:
        content = _call_parser(source, text)
    else:
        content = _PARSERS.get(form, _parse_json)(source, text, place)
    if not isinstance(content, Mapping):
        raise BadConfigValue(source, place, content)
    return content


def _call_parser(source: ConfigSource, text: str) -> Any:
    import pkgutil

    parser: Any = source.declaration.parser
    try:
        function = pkgutil.resolve_name(parser) if isinstance(parser, str) else parser
        return function(text)
    except Exception as error:  # whatever the user's parser may raise
        raise ConfigFunctionFailed(source, "parser", error) from error


def _parse_json(source: ConfigSource, text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        why = f"as JSON: {error.msg}, at character {error.colno}"
        raise BadConfigSyntax(source, place, error.lineno, why) from None


def _parse_toml(source: ConfigSource, text: str, place: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise BadConfigSyntax(source, place, line, f"as TOML: {error}") from None


def _parse_yaml(source: ConfigSource, text: str, place: str) -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingYAML(source, place) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = getattr(error, "problem", None) or str(error)
        line = None if mark is None else mark.line + 1
        raise BadConfigSyntax(source, place, line, f"as YAML: {why}") from None


_PARSERS: Mapping[str, Callable[[ConfigSource, str, str], Any]] = {
    "toml": _parse_toml,
    "yaml": _parse_yaml,
    "yml": _parse_yaml,
}
