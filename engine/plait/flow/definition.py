"""A flow class as one record, everything about it checked at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from plait.base.errors import Finding, InvalidFlow, UsageError, Where, shown_path
from plait.base.records import TransitionKind
from plait.flow.bound import is_constant, make_bound
from plait.flow.config import ConfigDeclaration, is_later
from plait.flow.declarations import check_configs, check_parameters
from plait.flow.decorate import parse_with
from plait.flow.errors import FixedName
from plait.flow.flow_decorate import flow_findings_of
from plait.flow.members import FREE_NAMES, OWN_NAMES, class_attributes
from plait.flow.parameters import Parameter
from plait.flow.plans import plan_attempts
from plait.flow.realise import Realiser, read_configs
from plait.flow.spec import FlowSpec
from plait.flow.step import MisplacedDecorator, decorators_of, findings_of, is_step
from plait.graph.build import analyse
from plait.graph.model import Graph, Node
from plait.hooks.flow import FlowChecked, FlowDecorator
from plait.hooks.step import MAX_ATTEMPTS, AttemptPlan, StepChecked, StepDecorator


@dataclass(frozen=True, slots=True)
class FlowDefinition:
    """A valid flow, as its class says it.

    Args:
        cls: The class.
        name: The flow's name.
        file: The file that the class is written in; empty if in none, such as in a notebook.
        graph: Its steps.
        parameters: Its parameters, by the names that steps use, in the order of the source.
        configs: Its configs, by the names that steps use.
        config_values: Their values, by the same names; None for one that has none.
        flow_decorators: The decorators of the flow itself, outermost first.
        constants: The data among its class attributes, by name.
        decorators: The decorators of each step, outermost first.
        plans: What the decorators of each step ask for, together.
        bound: The class of the objects that steps run on.
        class_names: Names of the class that an artifact of the same name has to hide.
    """

    cls: type
    name: str
    file: str
    graph: Graph
    parameters: Mapping[str, Parameter]
    constants: Mapping[str, object]
    decorators: Mapping[str, tuple[StepDecorator, ...]]
    plans: Mapping[str, AttemptPlan]
    bound: type = field(repr=False, compare=False)
    class_names: frozenset[str] = field(repr=False, compare=False)
    configs: Mapping[str, ConfigDeclaration] = field(default_factory=dict)
    config_values: Mapping[str, Any] = field(default_factory=dict)
    flow_decorators: tuple[FlowDecorator, ...] = ()

    def configs_by_name(self) -> Any:
        """Give the values of the configs by the names that the command line uses, read-only."""
        if not self.configs:
            return {}
        from plait.flow.config_value import freeze

        named = {d.name: self.config_values[attribute] for attribute, d in self.configs.items()}
        return freeze(named, "configs")


class NotAFlow(UsageError):
    """Something that should be a flow class is not one."""

    slug = "not-a-flow"

    def __init__(self, given: object) -> None:
        super().__init__(
            f"{given!r} is not a flow",
            why="a flow is a class that is derived from FlowSpec",
            fix="write class MyFlow(FlowSpec), and call it as MyFlow()",
        )


def read_definition(
    cls: type,
    *,
    with_: Sequence[str] = (),
    configs: Mapping[str, Any] | None = None,
    lint: bool = True,
) -> FlowDefinition:
    """Read a flow class and check everything about it that can be checked before it runs.

    Args:
        cls: The class, derived from FlowSpec.
        with_: Decorators for every step that does not have them in the code and can have them, or
            for the flow, as `--with` takes them.
        configs: The values of the flow's configs, by the names that steps use, read-only; by
            default those that the source gives them.
        lint: Whether to look as well for mistakes in the graph that a run can do without finding.

    Raises:
        NotAFlow: *cls* is no flow.
        InvalidConfigs: The source gives a config no value that can be read.
        InvalidFlow: With everything that is wrong with it.
        BadWith, UnknownDecorator, BadDecorator: One of *with_* can't be used.
    """
    if not (isinstance(cls, type) and issubclass(cls, FlowSpec) and cls is not FlowSpec):
        raise NotAFlow(cls)
    members = class_attributes(cls, FlowSpec)
    declared = read_configs(members)
    values = give_configs(cls, {}) if configs is None else configs
    realiser = Realiser(cls, declared, values)
    parameters = {n: realiser.read_parameter(p) for n, p in _read_parameters(members).items()}
    constants = realiser.read_constants({n: v for n, v in members.items() if is_constant(n, v)})
    extra = [parse_with(text) for text in with_]
    flow_decorators = realiser.read_flow_decorators(cls)
    flow_names = {decorator.name for decorator in flow_decorators}
    flow_decorators += tuple(
        d for d in extra if isinstance(d, FlowDecorator) and d.name not in flow_names
    )
    step_extra = [decorator for decorator in extra if isinstance(decorator, StepDecorator)]
    decorators = {
        name: _add_extra(realiser.read_decorators(member), step_extra)
        for name, member in members.items()
        if is_step(member)
    }
    graph, findings = analyse(cls, parameters=_all_parameters(cls), lint=lint)
    if graph is not None:
        # Without lint there may be steps that nothing leads to, which are none of the graph's.
        decorators = {name: found for name, found in decorators.items() if name in graph.nodes}
        decorators = _leave_out(cls.__name__, graph, parameters, decorators)
    findings = [
        *findings,
        *check_parameters(parameters),
        *check_configs(declared),
        *realiser.findings,
        *flow_findings_of(cls),
        *_check_flow(cls.__name__, graph, parameters, flow_decorators),
        *_check_members(members),
        *_check_decorators(cls.__name__, graph, parameters, decorators, members),
    ]
    if findings or graph is None:
        raise InvalidFlow(cls.__name__, findings)
    hidden = [*parameters, *declared, *constants, *graph.nodes, *vars(FlowSpec)]
    return FlowDefinition(
        cls=cls,
        name=cls.__name__,
        file=_file_of(cls),
        graph=graph,
        parameters=parameters,
        constants=constants,
        decorators={step: decorators[step] for step in graph.nodes},
        plans={step: plan_attempts(decorators[step]) for step in graph.nodes},
        bound=make_bound(cls, FlowSpec, constants),
        class_names=frozenset(dir(cls)).difference(hidden) | (FREE_NAMES - members.keys()),
        configs=declared,
        config_values={name: values.get(name) for name in declared},
        flow_decorators=flow_decorators,
    )


def read_declared(cls: type) -> tuple[dict[str, Parameter], dict[str, ConfigDeclaration]]:
    """Give the parameters and the configs of a flow as they are declared, nothing of it checked.

    Args:
        cls: The flow; any class.

    Returns:
        Both by the names that steps use.
    """
    members = class_attributes(cls, FlowSpec)
    return _read_parameters(members), read_configs(members)


def _read_parameters(members: Mapping[str, object]) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for name, member in members.items():
        if isinstance(member, Parameter):
            # Python does this itself, but not for an attribute added to a finished class.
            member.__set_name__(type(member), name)
            found[name] = member
    return found


def give_configs(cls: type, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give the values of a flow's configs for what a program gave, else by their defaults.

    Args:
        cls: The flow.
        given: Dicts, or texts of them, by the names that steps or the command line use.

    Raises:
        InvalidConfigs: With everything that is wrong.
    """
    _, declared = read_declared(cls)
    if not declared and not given:
        return {}
    from plait.flow.config_load import load_configs
    from plait.flow.config_source import GivenConfigs

    names = {attribute: config.name for attribute, config in declared.items()}
    values = tuple((names.get(name, name), value) for name, value in given.items())
    return load_configs(cls.__name__, declared, GivenConfigs(values=values), {})


def _all_parameters(cls: type) -> list[tuple[str, Where | None]]:
    """Give every parameter by the name that steps use, also where another class replaces it."""
    found: dict[str, Where | None] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            if isinstance(member, Parameter):
                found[name] = member.where
    return list(found.items())


def _add_extra(
    own: tuple[StepDecorator, ...], extra: Sequence[StepDecorator]
) -> tuple[StepDecorator, ...]:
    names = {decorator.name for decorator in own}
    added = [
        type(decorator)(decorator.attributes)
        for decorator in extra
        if decorator.name not in names or decorator.allow_multiple
    ]
    return (*added, *own)


def _check_members(members: Mapping[str, Any]) -> Iterator[Finding]:
    """Find names that are taken, decorators that failed, and decorators on what is no step."""
    for name, member in members.items():
        # A step of such a name is found with the graph.
        if name in OWN_NAMES and not is_step(member):
            yield Finding(
                slug=FixedName.slug,
                what=f"'{name}' cannot be an attribute of a flow",
                why=f"every flow has self.{name}, which steps could then not use",
                fix="give it another name",
                where=member.where if isinstance(member, Parameter) else _where(member),
            )
        if is_later(member):
            continue  # it would take a question about decorators for one about a key
        yield from findings_of(member)
        if not is_step(member):
            for decorator in decorators_of(member):
                yield Finding(
                    slug=MisplacedDecorator.slug,
                    what=f"@{decorator.name} is on method '{name}', which is not a step",
                    why="the method is not marked by @step",
                    fix=f"add @step between @{decorator.name} and def {name}; if it is only called "
                    f"by a step, put @{decorator.name} on that step",
                    where=decorator.where,
                )


def _leave_out(
    flow: str,
    graph: Graph,
    parameters: Mapping[str, Parameter],
    decorators: Mapping[str, tuple[StepDecorator, ...]],
) -> dict[str, tuple[StepDecorator, ...]]:
    """Take decorators of `--with` off the steps that can't have them, if others can.

    One that no step can have stays on all, so that the reasons are told.
    """
    added: dict[str, dict[str, bool]] = {}
    for step, found in decorators.items():
        checked = _checked(flow, graph, step, found, parameters)
        for decorator in found:
            if decorator.where is None:
                refused = bool(list(decorator.check(checked)))
                added.setdefault(decorator.name, {})[step] = refused
    left_out = {
        (step, name)
        for name, steps in added.items()
        if not all(steps.values())
        for step, refused in steps.items()
        if refused
    }
    return {
        step: tuple(decorator for decorator in found if (step, decorator.name) not in left_out)
        for step, found in decorators.items()
    }


def _checked(
    flow: str,
    graph: Graph,
    step: str,
    decorators: Sequence[StepDecorator],
    parameters: Mapping[str, Parameter],
) -> StepChecked:
    node = graph[step]
    return StepChecked(
        flow=flow,
        step=step,
        transition=_kind(node),
        is_join=node.is_join,
        decorators=tuple(decorator.name for decorator in decorators),
        where=Where(node.file, node.line),
        steps=tuple(graph.nodes),
        parameters=tuple(parameters),
    )


def _check_flow(
    flow: str,
    graph: Graph | None,
    parameters: Mapping[str, Parameter],
    decorators: Sequence[FlowDecorator],
) -> Iterator[Finding]:
    checked = FlowChecked(
        flow=flow,
        steps=() if graph is None else tuple(graph.nodes),
        parameters=tuple(parameters),
        decorators=tuple(decorator.name for decorator in decorators),
    )
    for decorator in decorators:
        yield from decorator.check(checked)


def _check_decorators(
    flow: str,
    graph: Graph | None,
    parameters: Mapping[str, Parameter],
    decorators: Mapping[str, tuple[StepDecorator, ...]],
    members: Mapping[str, Any],
) -> Iterator[Finding]:
    for step, found in decorators.items():
        node = None if graph is None else graph[step]
        where = _where(members[step]) if node is None else Where(node.file, node.line)
        yield from _check_count(step, found)
        yield from _check_attempts(step, found, where)
        # Without a valid graph nobody knows where a step goes, which is what checks ask about.
        if graph is not None and node is not None:
            checked = _checked(flow, graph, step, found, parameters)
            for decorator in found:
                yield from decorator.check(checked)


def _check_count(step: str, found: Sequence[StepDecorator]) -> Iterator[Finding]:
    seen: dict[str, StepDecorator] = {}
    for decorator in found:
        first = seen.setdefault(decorator.name, decorator)
        if first is not decorator and not decorator.allow_multiple:
            place = "" if first.where is None else f" the first is at {first.where}"
            yield Finding(
                slug="duplicate-decorator",
                what=f"step '{step}' has @{decorator.name} twice",
                why=f"a step has at most one @{decorator.name};{place}".rstrip(";"),
                fix="remove one of them",
                where=decorator.where,
            )


def _check_attempts(
    step: str, found: Sequence[StepDecorator], where: Where | None
) -> Iterator[Finding]:
    plan = plan_attempts(found)
    attempts = 1 + plan.retries + plan.fallback
    if attempts > MAX_ATTEMPTS:
        fallback = ", and one for the fallback of @catch" if plan.fallback else ""
        yield Finding(
            slug="too-many-attempts",
            what=f"step '{step}' would have up to {attempts} attempts",
            why=f"a task has at most {MAX_ATTEMPTS}; these are the first, {plan.retries} "
            f"retries{fallback}",
            fix=f"write times={MAX_ATTEMPTS - 1 - plan.fallback} or less",
            where=where,
        )


def _kind(node: Node) -> TransitionKind | str:
    return "" if node.kind is None else node.kind


def _where(function: Any) -> Where | None:
    code = getattr(function, "__code__", None)
    return None if code is None else Where(shown_path(code.co_filename), code.co_firstlineno)


def _file_of(cls: type) -> str:
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    return os.path.abspath(file) if file else ""
