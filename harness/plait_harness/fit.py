"""Fitting templates to graphs: for every node the function with the lowest precedence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from plait_harness.graphs import BUILT_IN_QUALS, GraphSpec, NodeSpec
from plait_harness.mistakes import Mistake, UnknownName, suggest
from plait_harness.templates import StepBody, TemplateSpec


@dataclass(frozen=True, slots=True)
class Fit:
    """A template on a graph it fits: the function chosen for each node, by step name."""

    template: TemplateSpec
    graph: GraphSpec
    chosen: Mapping[str, StepBody]


@dataclass(frozen=True, slots=True)
class Misfit:
    """A template on a graph it is not combined with.

    Args:
        why: What does not fit, or the *because* of an exclusion.
        excluded: Whether somebody excluded it, although it might fit.
    """

    template: TemplateSpec
    graph: GraphSpec
    why: str
    excluded: bool = False


def fit(template: TemplateSpec, graph: GraphSpec) -> Fit | Misfit:
    """Choose a function for every node.

    Raises:
        Mistake: Two functions of equal precedence fit one node, so that nothing says which.
    """
    because = _find_exclusion(template, graph)
    if because is not None:
        return Misfit(template, graph, because, excluded=True)
    if template.resume_step is not None and template.resume_step not in graph.nodes:
        return Misfit(template, graph, f"no step '{template.resume_step}' to resume from")
    chosen: dict[str, StepBody] = {}
    for node in graph:
        body = choose(template, node)
        if body is None:
            return Misfit(
                template,
                graph,
                f"no function for step '{node.name}' ({', '.join(sorted(node.quals))})",
            )
        chosen[node.name] = body
    used = {body.name for body in chosen.values()}
    for body in template.bodies:
        if body.rule.required and body.name not in used:
            quals = ", ".join(sorted(body.rule.quals))
            return Misfit(template, graph, f"'{body.name}' is required: no step for it ({quals})")
    return Fit(template, graph, chosen)


def choose(template: TemplateSpec, node: NodeSpec) -> StepBody | None:
    """Give the function for a node, or None: lowest precedence of those sharing a qualifier.

    Raises:
        Mistake: Two have the same precedence.
    """
    offered = [body for body in template.bodies if body.rule.quals & node.quals]
    if not offered:
        return None
    best = min(body.rule.precedence for body in offered)
    winners = [body for body in offered if body.rule.precedence == best]
    if len(winners) > 1:
        names = " and ".join(f"'{body.name}'" for body in winners)
        raise Mistake(
            f"template '{template.name}': {names} both have precedence {best} "
            f"for a step '{node.name}' ({', '.join(sorted(node.quals))})",
            f"give one of them another number; it stands in {template.file}",
        )
    return winners[0]


def check_names(templates: Sequence[TemplateSpec], known: Sequence[GraphSpec]) -> None:
    """Check that the qualifiers and graphs that templates name are those of some graph.

    Args:
        templates: The templates.
        known: Every graph there is, whether or not it is selected.

    Raises:
        Mistake: A name is nobody's, so that it would silently do nothing.
    """
    quals = set(BUILT_IN_QUALS).union(*(node.quals for graph in known for node in graph))
    graphs = {graph.name for graph in known}
    for template in templates:
        for body in template.bodies:
            for qual in sorted(body.rule.quals - quals):
                raise Mistake(
                    f"template '{template.name}': no graph has the qualifier '{qual}' "
                    f"that '{body.name}' asks for",
                    suggest(qual, quals),
                )
        for name in (*template.only_graphs, *template.skip_graphs):
            if name not in graphs:
                raise UnknownName(f"graph, named by template '{template.name}',", name, graphs)


def find_lonely(fits: Sequence[Fit | Misfit]) -> Iterator[tuple[str, str, str]]:
    """Find the templates that fit no graph, and the graphs that no template fits.

    Yields:
        `template` or `graph`, its name, and a sentence with the first reason.
    """
    for kind, other_kind in (("template", "graph"), ("graph", "template")):
        fitting = {_name(each, kind) for each in fits if isinstance(each, Fit)}
        reasons: dict[str, str] = {}
        for each in fits:
            if isinstance(each, Misfit):
                reasons.setdefault(_name(each, kind), f"{_name(each, other_kind)}: {each.why}")
        for name, reason in reasons.items():
            if name not in fitting:
                yield kind, name, f"{kind} '{name}' fits no {other_kind}; on {reason}"


def _name(each: Fit | Misfit, kind: str) -> str:
    return each.template.name if kind == "template" else each.graph.name


def _find_exclusion(template: TemplateSpec, graph: GraphSpec) -> str | None:
    if template.only_graphs and graph.name not in template.only_graphs:
        return f"only on {_list(template.only_graphs)}"
    if graph.only_tests and template.name not in graph.only_tests:
        return f"the graph is only for {_list(graph.only_tests)}"
    return template.skip_graphs.get(graph.name)


def _list(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in reasons.items())
