"""Template files: classes in, records of step bodies and expectations out."""

from __future__ import annotations

import importlib.util
import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

from plait_harness.bodies import body_of
from plait_harness.mistakes import Mistake, UnknownName
from plait_harness.template import FlowTest, StepRule


@dataclass(frozen=True, slots=True)
class StepBody:
    """A template function: the body it offers, and to which steps.

    Args:
        name: The function's name.
        rule: What `@steps` said.
        tags: Decorators that its steps get, outermost first.
        source: The body, indented as a method's.
    """

    name: str
    rule: StepRule
    tags: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class TemplateSpec:
    """A template, read: its attributes are those of `FlowTest`, in lower case.

    Args:
        name: The class's name.
        doc: The first line of its docstring.
        file: Where it stands.
        bodies: Its functions under `@steps`, in the order of the file.
        check_source: The body of its `check_results`.
    """

    name: str
    doc: str
    file: str
    bodies: tuple[StepBody, ...]
    check_source: str
    priority: int
    parameters: Mapping[str, Mapping[str, Any]]
    include_files: Mapping[str, Mapping[str, Any]]
    configs: Mapping[str, Mapping[str, Any]]
    flow_decorators: tuple[str, ...]
    bases: tuple[str, ...]
    class_vars: Mapping[str, Any]
    header: str
    required_files: Mapping[str, str | bytes]
    top_options: tuple[str, ...]
    run_options: tuple[str, ...]
    env: Mapping[str, str]
    timeout: float | None
    should_fail: int
    leaves: tuple[str, ...]
    resume: int
    resume_step: str | None
    resume_options: tuple[str, ...]
    resume_changes: Mapping[str, str]
    generated: bool
    only_graphs: Mapping[str, str]
    skip_graphs: Mapping[str, str]


def load_templates(path: str) -> dict[str, TemplateSpec]:
    """Read every template of a file: name -> template, in the order of the file.

    A class whose name begins with an underscore is a base of others, and no template itself.

    Raises:
        Mistake: The file can't be imported, or a template in it is not one.
    """
    module = _import_file(path)
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, FlowTest)
        and each.__module__ == module.__name__
        and not each.__name__.startswith("_")
    ]
    return {each.__name__: _read_template(each, path) for each in found if _has_bodies(each)}


def _import_file(path: str) -> ModuleType:
    stem = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(f"harness_tests.{stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Mistake(f"{path} can't be imported", f"{type(error).__name__}: {error}") from error
    return module


def _has_bodies(cls: type[FlowTest]) -> bool:
    return any(hasattr(each, "harness_rule") for each in _functions(cls).values())


def _functions(cls: type[FlowTest]) -> dict[str, FunctionType]:
    # By name from the base down, so that a subclass's function takes the place of its base's.
    found: dict[str, FunctionType] = {}
    for each in reversed(cls.__mro__):
        own = vars(each).items()
        found.update((name, value) for name, value in own if isinstance(value, FunctionType))
    return found


def _read_template(cls: type[FlowTest], file: str) -> TemplateSpec:
    where = f"{file}: template '{cls.__name__}'"
    _check_attributes(cls, where)
    functions = _functions(cls)
    if functions["check_results"] is FlowTest.check_results:
        raise Mistake(f"{where} has no check_results", "nothing would judge its runs")
    bodies = tuple(
        StepBody(
            name, function.harness_rule, getattr(function, "harness_tags", ()), body_of(function)
        )
        for name, function in functions.items()
        if hasattr(function, "harness_rule")
    )
    doc = inspect.cleandoc(cls.__doc__ or "")
    if not doc:
        raise Mistake(f"{where} has no docstring", "its first line is one sentence: what it shows")
    facts = {name.lower(): getattr(cls, name) for name in _ATTRIBUTES}
    for name in (
        *("top_options", "run_options", "resume_options", "leaves"),
        *("flow_decorators", "bases"),
    ):
        facts[name] = tuple(facts[name])
    for name in ("should_fail", "resume"):
        facts[name] = int(facts[name])
    return TemplateSpec(
        name=cls.__name__,
        doc=doc.splitlines()[0],
        file=file,
        bodies=bodies,
        check_source=body_of(functions["check_results"], checked=False),
        **facts,
    )


_ATTRIBUTES = tuple(name for name in vars(FlowTest) if name.isupper())

_SHAPES: Mapping[str, tuple[type, str]] = {
    "PRIORITY": (int, "a number"),
    "PARAMETERS": (dict, "a dict of name -> keyword arguments"),
    "INCLUDE_FILES": (dict, "a dict of name -> keyword arguments"),
    "CONFIGS": (dict, "a dict of name -> keyword arguments"),
    "FLOW_DECORATORS": (tuple, "a tuple of decorators"),
    "BASES": (tuple, "a tuple of names"),
    "CLASS_VARS": (dict, "a dict of name -> source"),
    "HEADER": (str, "a string of source"),
    "REQUIRED_FILES": (dict, "a dict of path -> content"),
    "TOP_OPTIONS": (tuple, "a tuple of arguments"),
    "RUN_OPTIONS": (tuple, "a tuple of arguments"),
    "ENV": (dict, "a dict of variable -> value"),
    "SHOULD_FAIL": (int, "True, False or an exit code"),
    "LEAVES": (tuple, "a tuple of paths"),
    "RESUME": (int, "True, False or how often"),
    "RESUME_OPTIONS": (tuple, "a tuple of arguments"),
    "RESUME_CHANGES": (dict, "a dict of source -> source"),
    "GENERATED": (bool, "True or False"),
    "ONLY_GRAPHS": (dict, "a dict of graph -> because"),
    "SKIP_GRAPHS": (dict, "a dict of graph -> because"),
}


def _check_attributes(cls: type[FlowTest], where: str) -> None:
    for each in cls.__mro__[:-2]:
        for name in vars(each):
            if name.isupper() and name not in _ATTRIBUTES:
                raise UnknownName(f"attribute of a template, in {where}:", name, _ATTRIBUTES)
    for name, (kind, shape) in _SHAPES.items():
        value = getattr(cls, name)
        given = tuple(value) if kind is tuple and isinstance(value, list) else value
        if not isinstance(given, kind):
            raise Mistake(f"{where}: {name} is {shape}, not {value!r}")
    _check_entries(cls, where)


def _check_entries(cls: type[FlowTest], where: str) -> None:
    for name in ("ONLY_GRAPHS", "SKIP_GRAPHS"):
        for graph, because in getattr(cls, name).items():
            if not isinstance(because, str) or not because.strip():
                raise Mistake(f"{where}: {name} has no because for '{graph}'")
    for name in ("PARAMETERS", "INCLUDE_FILES", "CONFIGS"):
        for parameter, arguments in getattr(cls, name).items():
            if not isinstance(arguments, dict):
                raise Mistake(f"{where}: {name}['{parameter}'] is not a dict of keyword arguments")
