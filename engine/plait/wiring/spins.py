"""Spins: one step alone, on what a past task had before it, beside the runs and not among them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from plait.base.clock import SystemClock
from plait.base.layout import SPINS, code_key, run_prefix
from plait.base.pathspec import AttemptKey, RunKey, parameters_key
from plait.base.records import ArtifactRef
from plait.base.settings import StoreChoice
from plait.runtime.options import RunOptions, RunOutcome
from plait.runtime.reporter import Event, Reporter, RunBegan, RunOver
from plait.storage.errors import storage_error
from plait.upkeep.claim import share_values
from plait.wiring.overlay import Below, lay_over, leave_out_decorators, open_below
from plait.wiring.packages import keep_code
from plait.wiring.stores import Stores, find_root, open_stores
from plait.wiring.workers import SPAWN_SECONDS, check_workers, open_workers

if TYPE_CHECKING:
    from plait.artifacts.store import ArtifactStore, SealedAttempt
    from plait.flow.definition import FlowDefinition

_SCRATCH = "scratch"


@dataclass(frozen=True, slots=True)
class Spun:
    """What came of a spin, to be read while its store is open.

    Args:
        outcome: How it ended.
        sealed: What the task left.
        before: What it had before it, by name; for a join, the run's constants.
        artifacts: The values.
        place: The folder of the store, which stays; None if it goes.
    """

    outcome: RunOutcome
    sealed: SealedAttempt
    before: Mapping[str, ArtifactRef]
    artifacts: ArtifactStore
    place: str | None


@contextmanager
def spun_task(  # noqa: PLR0913  # what a person may choose, each by its name
    definition: FlowDefinition,
    past: AttemptKey,
    options: RunOptions,
    choice: StoreChoice,
    reporter: Reporter,
    *,
    highest: int,
    given: Mapping[str, Any],
    persist: bool,
    plain: bool,
    keep_in: str | None = None,
) -> Iterator[Spun]:
    """Run one step's task in a process of its own, in a store of its own.

    Args:
        definition: The flow as it is written now.
        past: The attempt whose inputs it has.
        options: How it runs: workers, size of the log.
        choice: The stores of *past*.
        reporter: Who is told what the task prints.
        highest: The highest id of a run of the flow.
        given: Values in place of what the inputs hold, by name.
        persist: Whether the store stays.
        plain: Whether the step's decorators are left out.
        keep_in: A folder that is not there yet, for the store to stay in where it does not stay
            among those that a person wanted kept; None for none.

    Yields:
        What came of it.

    Raises:
        PlaitError: It could not start.
    """
    below_root = find_root(choice.root)
    options, _ = check_workers(options)
    if plain:
        definition = leave_out_decorators(definition)
    name = f"{definition.name}-{os.getpid()}-{os.urandom(4).hex()}"
    passing = keep_in or os.path.join(below_root, _SCRATCH, name)
    place = _claim(below_root) if persist else passing
    stays = persist or keep_in is not None
    own = RunKey(definition.name, str(highest + 1))
    below = Below(below_root, run_prefix(own), plain, choice.datastore)
    options = replace(options, command=_move(options.command, place))
    shared = share_values(below_root, definition.name)
    kept: str | None = None
    try:
        with _open(place, name, below, persist=stays) as stores:
            spun = _spin(definition, past, options, stores, reporter, below, own, given)
            if stays:
                _bring_along(stores, own, below)
                kept = place
            yield replace(spun, place=kept)
    finally:
        if kept is None:
            shutil.rmtree(place, ignore_errors=True)
        if shared is not None:
            os.close(shared)


def _spin(
    definition: FlowDefinition,
    past: AttemptKey,
    options: RunOptions,
    stores: Stores,
    reporter: Reporter,
    below: Below,
    own: RunKey,
    given: Mapping[str, Any],
) -> Spun:
    from plait.flow.parameters import resolve_parameters
    from plait.runtime.creation import announce, create_run
    from plait.runtime.scheduler import RunPlaces, Scheduler
    from plait.runtime.spin import SpinState, adopt_inputs, make_order, read_origin

    workers = open_workers(definition, options, stores, below)
    try:
        before = open_below(below).artifacts(definition.name)
        origin, facts = read_origin(before, past)
        new = [name for name in definition.parameters if name not in origin.constants]
        parameters = resolve_parameters(definition, {}, {}, only=new)
        code, _ = keep_code(definition, options, stores.storage)
        quietly = replace(options, announce_file=None)
        key = create_run(
            definition, parameters, quietly, stores, code=code, above=int(own.run) - 1,
            carried=origin.find_parameters(definition),
        )  # fmt: skip
        assert key == own, f"the first run of a new store is {key}"
        order = make_order(definition.graph[past.step], facts, own)
        adopt_inputs(origin, order, before, stores, given)
        if options.announce_file:
            announce(options.announce_file, order.key.task_key, stores.metadata.place)
        artifacts = stores.artifacts(definition.name)
        scheduler = Scheduler(
            own,
            SpinState(own, definition, order),
            workers,
            RunPlaces(artifacts, stores.logs, stores.metadata, _Lines(reporter), SystemClock()),
            max_log_bytes=options.max_log_bytes,
            start_seconds=SPAWN_SECONDS if options.workers == "spawn" else 0.0,
        )
        outcome = scheduler.run()
        first = (
            order.inputs[0] if order.inputs and not definition.graph[past.step].is_join else None
        )
        constants = parameters_key(own)
        source = (
            constants if first is None else AttemptKey(*own, first.step, first.task, first.attempt)
        )
        return Spun(
            outcome, artifacts.get(order.key), artifacts.get(source).artifacts, artifacts, None
        )
    finally:
        workers.close()
        stores.storage.sweep()


class _Lines:
    """A reporter that passes on what is of the task; that a run begins and ends is no news here."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter

    def report(self, event: Event) -> None:
        if not isinstance(event, (RunBegan, RunOver)):
            self._reporter.report(event)


@contextmanager
def _open(place: str, name: str, below: Below, *, persist: bool) -> Iterator[Stores]:
    stores = lay_over(open_stores(StoreChoice(place, "local", "local"), scratch=name), below)
    if not persist:
        from plait.metadata.memory import MemoryMetadata

        stores = replace(stores, _open={"local": MemoryMetadata()})
    try:
        yield stores
    finally:
        stores.close()


def _claim(root: str) -> str:
    """Make the folder of a new spin and give its path; its name is a number."""
    folder = os.path.join(root, SPINS)
    try:
        os.makedirs(folder, exist_ok=True)
        number = max((int(name) for name in os.listdir(folder) if name.isdecimal()), default=0)
        while True:
            number += 1
            path = os.path.join(folder, str(number))
            try:
                os.mkdir(path)
            except FileExistsError:
                continue  # another spin was first
            return path
    except OSError as error:
        raise storage_error(error, folder, "write") from error


def _move(command: tuple[str, ...], place: str) -> tuple[str, ...]:
    """Give the command that starts the flow again, on the store in *place*."""
    own = ("--metadata=local", "--datastore=local", f"--datastore-root={place}")
    return (*command, *own) if command else ()


def _bring_along(stores: Stores, run: RunKey, below: Below) -> None:
    """Copy what the run refers to into its own store, so that this can be read by itself."""
    from plait.upkeep.plan import find_references

    own = open_stores(stores.choice, scratch=f"{stores.scratch}-copy").storage
    lower = open_below(below).storage
    artifacts = stores.artifacts(run.flow)
    for attempt in list(artifacts.iter_attempts(run.run)):
        for key in sorted(find_references(artifacts.get(attempt), run.flow)):
            if not own.has(key) and lower.has(key):
                own.put(key, [lower.view(key)])
    record = stores.metadata.find_run(run)
    code = None if record is None else record.facts.get("code")
    if code is not None and not own.has(code_key(run.flow, code)):
        own.put(code_key(run.flow, code), [lower.view(code_key(run.flow, code))])
    own.sweep()
