"""Runs, from a flow and a person's choices to how they ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from plait.artifacts.store import ArtifactStore
from plait.base.clock import SystemClock
from plait.base.pathspec import RunKey, parameters_key
from plait.base.settings import StoreChoice
from plait.runtime.options import RunOptions, RunOutcome
from plait.runtime.reporter import Reporter, RunBegan
from plait.storage.reserve import Reserve
from plait.upkeep.claim import share_values
from plait.wiring.packages import keep_code
from plait.wiring.sidecars import find_sidecars, sidecars_told
from plait.wiring.stores import Stores, open_stores
from plait.wiring.workers import SPAWN_SECONDS, check_workers, open_workers

if TYPE_CHECKING:
    from plait.flow.config import ConfigDeclaration
    from plait.flow.definition import FlowDefinition
    from plait.runtime.origin import Origin
    from plait.runtime.scheduler import TakeOver


def run_flow(
    definition: FlowDefinition,
    given: Mapping[str, object],
    options: RunOptions,
    choice: StoreChoice,
    reporter: Reporter,
    *,
    stores: Stores | None = None,
) -> RunOutcome:
    """Run a flow to its end.

    Args:
        definition: The flow.
        given: Values of parameters as the command line or a program gave them, by name.
        options: The choices of this run.
        choice: Which stores it is written to.
        reporter: Who is told what happens.
        stores: Where the run is written instead of *choice*; open before and after.

    Raises:
        PlaitError: The run could not start: parameters, a store that can't be written, ...
    """
    from plait.flow.parameters import resolve_parameters

    parameters = resolve_parameters(definition, given, os.environ)
    return _run(definition, lambda _stores: (parameters, None), options, choice, reporter, stores)


def resume_flow(
    definition: FlowDefinition,
    given: Mapping[str, object],
    options: RunOptions,
    choice: StoreChoice,
    reporter: Reporter,
    *,
    origin_run: str | None = None,
    step: str | None = None,
) -> RunOutcome:
    """Run a flow again from where an earlier run failed, or from a step.

    Args:
        definition: The flow as it is written now.
        given: Parameters that somebody gave, which is a mistake: they come from the origin.
        options: The choices of this run.
        choice: Which stores it is written to.
        reporter: Who is told what happens.
        origin_run: The id of the run to resume; None for the flow's latest.
        step: The step that runs again, with all after it; None for what did not finish.

    Raises:
        PlaitError: The run could not start, as for `run_flow`, or there is nothing to resume.
    """
    from plait.flow.parameters import resolve_parameters
    from plait.runtime.origin import ParameterInResume, load_origin

    if given:
        raise ParameterInResume(given)

    def begin(stores: Stores) -> tuple[Mapping[str, object], Origin | None]:
        origin = load_origin(definition, stores, run=origin_run, step=step)
        # A parameter that is newer than the origin has its default.
        new = [name for name in definition.parameters if name not in origin.constants]
        return resolve_parameters(definition, {}, {}, only=new), origin

    return _run(definition, begin, options, choice, reporter)


def load_origin_configs(
    flow: str, declarations: Mapping[str, ConfigDeclaration], choice: StoreChoice, run: str | None
) -> dict[str, Any]:
    """Give the values that a flow's configs had in the run to resume.

    Args:
        flow: The flow's name.
        declarations: Its configs as it is written now, by the names that steps use.
        choice: Where that run is.
        run: The run's id; None for the flow's latest.

    Raises:
        NothingToResume: There is no such run.
        InvalidConfigs: A config is newer than that run, and its default can't be read.
    """
    from plait.runtime.origin import find_origin

    stores = open_stores(choice)
    try:
        key = find_origin(flow, stores, run).key
    finally:
        stores.close()
    return load_run_configs(key, declarations, choice)


def load_run_configs(
    run: RunKey, declarations: Mapping[str, ConfigDeclaration], choice: StoreChoice
) -> dict[str, Any]:
    """Give the values that a flow's configs have in a run.

    Args:
        run: The run.
        declarations: The configs as the flow is written now, by the names that steps use.
        choice: Where that run is.

    Raises:
        InvalidConfigs: A config is newer than the run, and its default can't be read.
    """
    from plait.flow.config_load import load_configs
    from plait.flow.config_source import GivenConfigs

    # Opened and closed here: nothing may be open when the run's keeper is forked.
    stores = open_stores(choice)
    try:
        artifacts = stores.artifacts(run.flow)
        constants = artifacts.get(parameters_key(run)).artifacts
        kept = {n: artifacts.load(constants[n], name=n) for n in declarations if n in constants}
    finally:
        stores.close()
    new = {n: declared for n, declared in declarations.items() if n not in kept}
    return {**kept, **load_configs(run.flow, new, GivenConfigs(), {})}


def _run(
    definition: FlowDefinition,
    begin: Callable[[Stores], tuple[Mapping[str, object], Origin | None]],
    options: RunOptions,
    choice: StoreChoice,
    reporter: Reporter,
    given_stores: Stores | None = None,
) -> RunOutcome:
    from plait.runtime.creation import create_run, record_break
    from plait.runtime.interrupts import raised
    from plait.runtime.machine import describe_excess, find_capacity
    from plait.runtime.scheduler import RunPlaces, Scheduler, take_over_nothing
    from plait.runtime.state import RunState

    # Before anything is started: a name that is none is a mistake of whoever wrote it.
    sidecars = find_sidecars(options)
    options, notes = check_workers(options)
    capacity = find_capacity(definition.plans)
    scratch = f"{definition.name}-{os.getpid()}-{os.urandom(4).hex()}"
    stores = given_stores or open_stores(choice, scratch=scratch)
    # The workers come first: a keeper is forked while this process has no database open. What
    # its children need and only the run's start can tell, they read from the run's file.
    # Before that, so that the keeper shares it and a task that outlives this process keeps it, too.
    shared = share_values(stores.root, definition.name) if os.path.isdir(stores.root) else None
    workers = open_workers(definition, options, stores)
    reserve = None
    heeding = ExitStack()
    try:
        parameters, origin = begin(stores)
        if origin is not None:
            notes = (*notes, *origin.describe())
        if shared is None and given_stores is None:
            shared = share_values(stores.root, definition.name)
        # Not before the lock on the flow's values is had: until the run is recorded, only that
        # keeps its code from being cleaned away.
        code, said = keep_code(definition, options, stores.storage)
        # The run ends with this room given back, so that its end can be recorded on a full disk.
        reserve = Reserve(stores.root) if stores.metadata.place.startswith("local@") else None
        heeding.enter_context(raised())
        key = create_run(definition, parameters, options, stores, origin, code=code)
        with sidecars_told(sidecars, reporter) as watching:
            try:
                clock = SystemClock()
                watching.report(
                    RunBegan(
                        key,
                        clock.now(),
                        tuple(definition.graph.nodes),
                        stores.root,
                        options.workers,
                        None if origin is None else origin.key.run,
                        (*notes, *said, *describe_excess(definition.plans, capacity)),
                    )
                )
                state = RunState(
                    key,
                    definition.graph,
                    definition.plans,
                    max_workers=options.max_workers,
                    max_num_splits=options.max_num_splits,
                    clones=None if origin is None else origin.clones,
                    capacity=capacity,
                )
                artifacts = stores.artifacts(definition.name)
                places = RunPlaces(
                    artifacts,
                    stores.logs,
                    stores.metadata,
                    watching,
                    clock,
                    take_over=(
                        take_over_nothing if origin is None else _taker(origin, artifacts, key)
                    ),
                )
                scheduler = Scheduler(
                    key,
                    state,
                    workers,
                    places,
                    max_log_bytes=options.max_log_bytes,
                    start_seconds=SPAWN_SECONDS if options.workers == "spawn" else 0.0,
                )
                return scheduler.run()
            except BaseException as error:
                # All tasks have ended then, so that what they sealed is all there is.
                workers.close()
                if reserve is not None:
                    reserve.release()
                record_break(stores.metadata, key, error, stores.artifacts(definition.name))
                raise
    finally:
        heeding.close()
        if reserve is not None:
            reserve.release()
        workers.close()
        stores.storage.sweep()
        if stores is not given_stores:
            stores.close()
        if shared is not None:
            os.close(shared)


def _taker(origin: Origin, artifacts: ArtifactStore, key: RunKey) -> TakeOver:
    """Give what turns the origin's attempts into those of the run *key*."""
    constants = artifacts.get(parameters_key(key)).artifacts
    return lambda attempt: origin.take_over(attempt, artifacts, constants)


def init_run(
    definition: FlowDefinition,
    given: Mapping[str, object],
    options: RunOptions,
    choice: StoreChoice,
) -> RunKey:
    """Create a run, with its parameters, and start nothing; for remote compute.

    Raises:
        PlaitError: As for `run_flow`.
    """
    from plait.flow.parameters import resolve_parameters
    from plait.runtime.creation import create_run

    parameters = resolve_parameters(definition, given, os.environ)
    stores = open_stores(choice)
    shared = share_values(stores.root, definition.name)
    try:
        code, _ = keep_code(definition, options, stores.storage)
        return create_run(definition, parameters, options, stores, attended=False, code=code)
    finally:
        stores.storage.sweep()
        stores.close()
        if shared is not None:
            os.close(shared)
