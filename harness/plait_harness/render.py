"""Rendering a fitted template to `flow.py` and `check.py`: same specifications, same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from plait_harness.bodies import names_in
from plait_harness.engines import PLAIT, Engine
from plait_harness.fit import Fit
from plait_harness.graphs import NodeSpec
from plait_harness.home import home_path
from plait_harness.mistakes import Mistake
from plait_harness.templates import StepBody, TemplateSpec

EXPECT_NAMES = (
    "ExpectationFailed",
    "ResumeFromHere",
    "TestRetry",
    "assert_equals",
    "assert_exception",
    "carry_turns",
    "is_resumed",
    "next_turn",
    "origin_run_id_for_resume",
)
"""What bodies and checks may use besides the engine's names; imported where it is mentioned."""

CHECK_NAMES = {
    "plait_harness.checker": ("NotOffered", "assert_same"),
    "plait_harness.checking": ("judge",),
    "plait_harness.expect": EXPECT_NAMES,
    "plait_harness.model": ("TaskId", "predict"),
    "plait_harness.outcomes": ("plan_clones", "predict_attempts", "predict_outcome"),
    "plait_harness.scopes": ("predict_scopes",),
}
"""What checks may use, by the module it comes from."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The programs of a case, as text: the flow, as it is when resumed, and the check."""

    flow_name: str
    flow: str
    resumed: str
    check: str


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    function: str
    quals: tuple[str, ...]
    join: bool
    tags: tuple[str, ...]
    source: str
    foreach_var: str | None
    foreach_value: str | None
    condition: str | None
    condition_value: str | None
    counts_turns: bool
    carries_turns: bool
    transition: str


@dataclass(frozen=True, slots=True)
class _Declaration:
    name: str
    attribute: str
    kind: str
    arguments: tuple[tuple[str, str], ...]


def render(fit: Fit, engine: Engine = PLAIT) -> Rendered:
    """Render a template on a graph.

    Args:
        fit: The template and the graph.
        engine: Whose flow it is to be.

    Raises:
        Mistake: A piece of source in the template is not Python, or what it says is to change is
            not there.
    """
    template, graph = fit.template, fit.graph
    counts = any(_counts_turns(node) for node in graph)
    steps = [_step_of(node, fit.chosen[node.name], counts=counts) for node in graph]
    declarations = list(_declarations_of(template))
    mentioned = _mentioned_in_flow(template, steps)
    checked = _names(template, "check_results", _as_function(template.check_source))
    checked |= _names(template, "HEADER", template.header)
    header = engine.translate(template.header.strip("\n"))
    shared = {"template": template, "graph": graph, "header": header}
    flow_name = f"{template.name}Flow"
    flow = _environment().get_template("flow.py.j2")
    check = _environment().get_template("check.py.j2")
    rendered = flow.render(
        **shared,
        flow_name=flow_name,
        engine_imports=engine.import_lines(_engine_names(mentioned | {"step"})),
        expect=engine.expect,
        harness_names=sorted({*_among(EXPECT_NAMES, mentioned), *_own_names(engine, steps)}),
        count_inputs=engine.inputs,
        bases=", ".join(template.bases),
        flow_decorators=template.flow_decorators,
        configs=list(_declared("Config", template.configs)),
        class_vars=[(name, _source(value)) for name, value in template.class_vars.items()],
        declarations=declarations,
        steps=steps,
    )
    return Rendered(
        flow_name=flow_name,
        flow=rendered,
        resumed=_change(template, rendered),
        check=check.render(
            **shared,
            engine_imports=engine.import_lines(_engine_names(checked)),
            imports=[
                (module, among)
                for module, names in CHECK_NAMES.items()
                if (among := _among(names, checked | {"judge"}))
            ],
        ),
    )


def _change(template: TemplateSpec, flow: str) -> str:
    for old, new in template.resume_changes.items():
        if old not in flow:
            raise Mistake(
                f"{template.file}: template '{template.name}': RESUME_CHANGES has {old!r}",
                "write what stands in its flow.py",
            )
        flow = flow.replace(old, new)
    return flow


@cache
def _environment() -> Any:
    # Imported here: the processes that only run checks never render.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(home_path("templates")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # it makes Python, in which `&lt;` would be wrong
    )


@cache
def _public_names() -> frozenset[str]:
    # What a user imports from `plait` is what bodies may mention without importing it.
    import plait

    return frozenset(getattr(plait, "__all__", ()))


def _engine_names(mentioned: frozenset[str] | set[str]) -> list[str]:
    always = {"step"} & set(mentioned)
    return sorted((_public_names() & mentioned) | always)


def _among(names: Iterable[str], mentioned: frozenset[str] | set[str]) -> list[str]:
    return sorted(set(names) & mentioned)


def _own_names(engine: Engine, steps: Iterable[_Step]) -> set[str]:
    return {engine.inputs} if engine.inputs and any(step.join for step in steps) else set()


def _mentioned_in_flow(template: TemplateSpec, steps: Iterable[_Step]) -> frozenset[str]:
    found = set(_names(template, "HEADER", template.header))
    for step in steps:
        found |= _names(template, step.function, _as_function(step.source))
        found |= {"next_turn"} if step.counts_turns else set()
        found |= {"carry_turns"} if step.carries_turns else set()
        for tag in step.tags:
            found |= _names(template, f"@tag of {step.function}", tag)
    for base in template.bases:
        found |= _names(template, "BASES", base)
    for decorator in template.flow_decorators:
        found |= _names(template, "FLOW_DECORATORS", decorator)
    for name, value in template.class_vars.items():
        found |= _names(template, f"CLASS_VARS['{name}']", _source(value))
    declared = [*_declared("Config", template.configs), *_declarations_of(template)]
    for declaration in declared:
        found.add(declaration.kind)
        for key, value in declaration.arguments:
            found |= _names(template, f"{key} of {declaration.kind} '{declaration.name}'", value)
    return frozenset(found)


def _names(template: TemplateSpec, part: str, source: str) -> frozenset[str]:
    return names_in(source, where=f"{template.file}: template '{template.name}': {part}")


def _as_function(body: str) -> str:
    return f"if True:\n{body}"


def _source(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _counts_turns(node: NodeSpec) -> bool:
    """Tell whether a switch has to know how often it ran before."""
    source = node.condition_default or "None"
    return "turn" in names_in(source, where=f"condition_default of '{node.name}'")


def _step_of(node: NodeSpec, body: StepBody, *, counts: bool) -> _Step:
    return _Step(
        name=node.name,
        function=body.name,
        quals=tuple(sorted(node.quals & body.rule.quals)),
        join=node.join,
        tags=body.tags,
        source=body.source,
        foreach_var=node.foreach_var,
        foreach_value=node.foreach_var_default,
        condition=node.condition,
        condition_value=node.condition_default,
        counts_turns=_counts_turns(node),
        carries_turns=counts and node.join,
        transition=_transition_of(node),
    )


def _transition_of(node: NodeSpec) -> str:
    if node.kind == "switch":
        cases = ", ".join(f"{key!r}: self.{to}" for key, to in (node.cases or {}).items())
        return f'{{{cases}}}, condition="{node.condition}"'
    targets = ", ".join(f"self.{target}" for target in node.targets)
    if node.kind == "foreach":
        return f'{targets}, foreach="{node.foreach_var}"'
    return targets


def _declarations_of(template: TemplateSpec) -> Iterable[_Declaration]:
    yield from _declared("Parameter", template.parameters)
    yield from _declared("IncludeFile", template.include_files)


def _declared(kind: str, given: Mapping[str, Mapping[str, Any]]) -> Iterable[_Declaration]:
    for name, arguments in given.items():
        yield _Declaration(name, _attribute_of(name), kind, _arguments_of(arguments))


def _attribute_of(name: str) -> str:
    # A parameter may have a name with dashes on the command line; its attribute can't.
    return name.replace("-", "_")


def _arguments_of(arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key, _source(value)) for key, value in arguments.items())
