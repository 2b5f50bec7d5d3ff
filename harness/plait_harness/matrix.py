"""The matrix: contexts x executors x graphs x templates that fit, in a fixed order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from plait_harness.contexts import ContextSpec
from plait_harness.cover import LARGEST, choose_cover
from plait_harness.crossing import Case
from plait_harness.fit import Fit, Misfit, check_names, find_lonely, fit
from plait_harness.grammar import generate_graphs
from plait_harness.graphs import GraphSpec
from plait_harness.mistakes import Mistake, UnknownName, collect, refuse
from plait_harness.shapes import Shape
from plait_harness.sources import (
    BUILTIN,
    CheckerSource,
    Chosen,
    choose_checkers,
    choose_contexts,
    choose_graphs,
    choose_templates,
)
from plait_harness.templates import TemplateSpec

EXECUTORS = ("cli", "api")
"""The ways to run a flow that there are: `cli` is `python flow.py run`, `api` is `Runner.run`."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What the command line chose, as it was written; an empty tuple is all.

    Args:
        seed: Cases of equal priority run in an order drawn from it; None keeps that of the names.
        generate: How many graphs to make from the seed, instead of choosing some; None makes none.
        cover: How many values the combinations have that all occur in what runs; None runs all.
    """

    contexts: tuple[str, ...] = ()
    graphs: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    checkers: tuple[str, ...] = ()
    executors: tuple[str, ...] = ()
    seed: int | None = None
    generate: int | None = None
    cover: int | None = None


@dataclass(frozen=True, slots=True)
class Excluded:
    """A combination that is not run, and why."""

    context: str
    template: str
    graph: str
    why: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Everything chosen.

    Args:
        cases: What runs, in the order in which it runs.
        excluded: What does not, and why.
        not_run: Contexts that this machine lacks something for: name -> what.
        lonely: A sentence for each template that fits no graph and graph that no template fits.
        full: The contexts all of whose cases are there: nothing was left out by an option.
        shapes: The shapes of the graphs that were generated, by name.
        whole: All cases that there would be, had a cover not been drawn; else the same as *cases*.
    """

    cases: tuple[Case, ...]
    excluded: tuple[Excluded, ...] = ()
    not_run: dict[str, str] = field(default_factory=dict)
    lonely: tuple[str, ...] = ()
    full: frozenset[str] = frozenset()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    whole: tuple[Case, ...] = ()


@cache
def build_matrix(selection: Selection) -> Matrix:
    """Load what is selected and cross it.

    Raises:
        Mistake: A specification is wrong, or a name is unknown.
    """
    contexts: Chosen[ContextSpec]
    graphs: Chosen[GraphSpec]
    shapes: dict[str, Shape]
    templates: Chosen[TemplateSpec]
    checkers: Chosen[CheckerSource]
    wanted: frozenset[str]
    contexts, (graphs, shapes), templates, checkers, wanted, _ = collect(
        lambda: choose_contexts(selection.contexts),
        lambda: _choose_graphs(selection),
        lambda: choose_templates(selection.tests),
        lambda: choose_checkers(selection.checkers),
        lambda: _wanted_executors(selection.executors),
        lambda: _check_strength(selection.cover),
    )
    if selection.generate is not None and not selection.tests:
        templates = _for_any_graph(templates)
    check_names(list(templates.specs.values()), list(graphs.known.values()))
    for context in contexts.specs.values():
        _check_context(context, set(templates.known), set(checkers.known), set(graphs.known))
    _check_graphs(graphs.specs.values(), templates)

    fits = [
        fit(template, graph)
        for template in templates.specs.values()
        for graph in graphs.specs.values()
    ]
    cases: list[Case] = []
    excluded: list[Excluded] = []
    not_run: dict[str, str] = {}
    for context in contexts.specs.values():
        missing = context.missing()
        if missing is not None:
            not_run[context.name] = missing
            continue
        judges = tuple(
            (check, checkers.known[check.checker])
            for check in context.checks
            if check.checker in checkers.specs
        )
        executors = [each for each in context.executors if not wanted or each in wanted]
        runs: Counter[str] = Counter()
        for each in _in_wanted_order(fits, context):
            why = _find_reason(context, each)
            if why is None and context.graphs_each:
                runs[each.template.name] += 1
                if runs[each.template.name] > context.graphs_each:
                    why = f"{context.name} runs a template on {context.graphs_each} of its graphs"
            if why is not None:
                excluded.append(Excluded(context.name, each.template.name, each.graph.name, why))
                continue
            assert isinstance(each, Fit)
            cases.extend(Case(context, executor, each, judges) for executor in executors)
    is_narrowed = graphs.narrowed or templates.narrowed or checkers.narrowed or bool(wanted)
    is_narrowed = is_narrowed or selection.cover is not None
    own = {} if is_narrowed else choose_contexts(()).known
    whole = tuple(_in_order(cases, selection.seed))
    return Matrix(
        cases=_choose_covering(whole, selection),
        excluded=tuple(excluded),
        not_run=not_run,
        # Who names templates or graphs wants these, and knows that the others are left out.
        lonely=tuple(_find_lonely(fits, selection)),
        full=frozenset(n for n, c in contexts.specs.items() if n in own and own[n] == c),
        shapes=shapes,
        whole=whole,
    )


def _choose_covering(whole: tuple[Case, ...], selection: Selection) -> tuple[Case, ...]:
    if selection.cover is None:
        return whole
    # From the order of the names, so that the seed alone says which.
    drawn = choose_cover(_in_order([*whole], None), selection.cover, selection.seed or 0)
    chosen = {case.id for case in drawn}
    return tuple(case for case in whole if case.id in chosen)


def _check_strength(strength: int | None) -> None:
    if strength is not None and not 1 <= strength <= LARGEST:
        raise Mistake(f"--cover {strength} is not a number from 1 to {LARGEST}")


def _choose_graphs(selection: Selection) -> tuple[Chosen[GraphSpec], dict[str, Shape]]:
    if selection.generate is None:
        return choose_graphs(selection.graphs), {}
    if selection.generate < 1:
        raise Mistake(f"--generate {selection.generate} is not a number of graphs", "from 1 on")
    if selection.graphs:
        raise Mistake("--generate makes the graphs, so that --graphs chooses none", "leave one out")
    made = generate_graphs(selection.seed or 0, selection.generate)
    graphs = {name: graph for name, (_, graph) in made.items()}
    known = {**choose_graphs(()).known, **graphs}
    shapes = {name: shape for name, (shape, _) in made.items()}
    return Chosen(graphs, known, narrowed=True), shapes


def _for_any_graph(templates: Chosen[TemplateSpec]) -> Chosen[TemplateSpec]:
    chosen = {name: spec for name, spec in templates.specs.items() if spec.generated}
    return Chosen(chosen, templates.known, narrowed=True)


def _find_lonely(fits: Sequence[Fit | Misfit], selection: Selection) -> Iterator[str]:
    for kind, name, sentence in find_lonely(fits):
        # A graph that none of the *named* templates fits is no mistake, nor the other way round,
        # unless it was itself asked for.
        if kind == "template" and (
            not selection.graphs or _asks_for(selection.tests, name, choose_templates)
        ):
            yield sentence
        if kind == "graph" and (
            not selection.tests or _asks_for(selection.graphs, name, choose_graphs)
        ):
            yield sentence


def _asks_for(
    wanted: Sequence[str], name: str, choose: Callable[[Sequence[str]], Chosen[Any]]
) -> bool:
    # Whoever says `builtin` takes what fits of it; all else was chosen one by one.
    names = {each.rpartition("::")[2].lower() for each in wanted}
    return bool(wanted) and (
        BUILTIN not in names or name.lower() in names or name not in choose(()).known
    )


def _find_reason(context: ContextSpec, each: Fit | Misfit) -> str | None:
    name = each.template.name
    for pattern, because in context.disabled_tests.items():
        if fnmatchcase(name, pattern):
            return f"disabled in {context.name}: {because}"
    if context.only_graphs and each.graph.name not in context.only_graphs:
        return f"{context.name} runs only graphs {', '.join(context.only_graphs)}"
    if context.enabled_tests and name not in context.enabled_tests:
        listed = "; ".join(f"{test}: {why}" for test, why in context.enabled_tests.items())
        return f"{context.name} runs only {listed}"
    return each.why if isinstance(each, Misfit) else None


def _in_wanted_order(fits: Sequence[Fit | Misfit], context: ContextSpec) -> Sequence[Fit | Misfit]:
    places = {name: place for place, name in enumerate(context.only_graphs)}
    if not context.graphs_each:
        return fits
    return sorted(fits, key=lambda each: places.get(each.graph.name, len(places)))


def _in_order(cases: list[Case], seed: int | None) -> list[Case]:
    if seed is not None:
        random.Random(seed).shuffle(cases)  # noqa: S311  # an order, not a secret
        return sorted(cases, key=lambda case: case.template.priority)
    return sorted(
        cases,
        key=lambda case: (
            case.template.priority,
            case.template.name,
            case.graph.name,
            case.context.name,
            case.executor,
        ),
    )


def _wanted_executors(names: tuple[str, ...]) -> frozenset[str]:
    refuse(UnknownName("executor", n, EXECUTORS) for n in names if n.lower() not in EXECUTORS)
    return frozenset(name.lower() for name in names)


def _check_graphs(graphs: Iterable[GraphSpec], templates: Chosen[TemplateSpec]) -> None:
    if templates.narrowed:
        return  # a kept graph may be of a template that is not among those
    for graph in graphs:
        for name in graph.only_tests:
            if name not in templates.known:
                raise UnknownName(f"test, named by graph '{graph.name}',", name, templates.known)


def _check_context(
    context: ContextSpec, templates: set[str], checkers: set[str], graphs: set[str]
) -> None:
    where = f", named by context '{context.name}',"
    for executor in context.executors:
        if executor not in EXECUTORS:
            raise UnknownName(f"executor{where}", executor, EXECUTORS)
    for check in context.checks:
        if check.checker not in checkers:
            raise UnknownName(f"checker{where}", check.checker, checkers)
    for name in context.only_graphs:
        if name not in graphs:
            raise UnknownName(f"graph{where}", name, graphs)
    for name in (*context.disabled_tests, *context.enabled_tests):
        if not any(fnmatchcase(template, name) for template in templates):
            raise UnknownName(f"test{where}", name, templates)
    if context.disabled_tests and context.enabled_tests:
        raise Mistake(f"context '{context.name}' both enables and disables tests", "choose one")
