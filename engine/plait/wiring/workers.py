"""What a task's process does, and the workers that start such processes."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from plait.base.clock import SystemClock
from plait.base.errors import PlaitError
from plait.base.exits import FAILED
from plait.base.pathspec import AttemptKey, RunKey, parameters_key
from plait.base.records import TaskOrder
from plait.base.settings import StoreChoice
from plait.runtime.options import RunOptions
from plait.upkeep.claim import share_values
from plait.wiring.measuring import measured_command, save_piece
from plait.wiring.overlay import Below, lay_over, leave_out_decorators
from plait.wiring.stores import Stores, open_source, open_stores

if TYPE_CHECKING:
    from plait.artifacts.run_file import RunFile
    from plait.flow.definition import FlowDefinition
    from plait.runtime.workers.protocol import Workers

_SCRATCH_VARIABLE = "PLAIT_INTERNAL_SCRATCH"
"""Tells spawned tasks the scratch name of their run, so that the run can sweep up after them."""


_BELOW_VARIABLE = "PLAIT_INTERNAL_BELOW"
"""Tells the process of a task that is spun which store lies below its own."""

SPAWN_SECONDS = 10.0
"""How long a spawned task may import the flow's module before a time limit counts."""


def run_one_attempt(definition: FlowDefinition, order: TaskOrder, choice: StoreChoice) -> int:
    """Run one attempt in this process, as `python flow.py step` does.

    Returns:
        The exit code for this process.
    """
    from plait.task.streams import open_streams

    open_streams()
    scratch = os.environ.pop(_SCRATCH_VARIABLE, None)
    stores = open_stores(choice, scratch=scratch)
    below = Below.from_text(os.environ.pop(_BELOW_VARIABLE, None))
    if below is not None:
        stores = lay_over(stores, below)
        definition = leave_out_decorators(definition) if below.plain else definition
    shared = share_values(stores.root, definition.name)
    try:
        return _task_runner(definition, stores, _loader(stores), own_process=True)(order)
    finally:
        if shared is not None:
            os.close(shared)


def check_workers(options: RunOptions) -> tuple[RunOptions, tuple[str, ...]]:
    """Spawn where a fork would not be safe, and say why."""
    threads = [t.name for t in threading.enumerate() if t is not threading.current_thread()]
    if options.workers != "fork" or not threads:
        return options, ()
    note = (
        f"tasks are spawned, not forked, because the flow's module started threads when it was "
        f"imported ({', '.join(threads)}); start them in a step to have fast starts"
    )
    return replace(options, workers="spawn"), (note,)


def open_workers(
    definition: FlowDefinition, options: RunOptions, stores: Stores, below: Below | None = None
) -> Workers:
    """Give the workers that *options* ask for; with `fork` and `spawn`, their keeper has begun.

    Args:
        definition: The flow.
        options: The choices of the run.
        stores: Where tasks read and write.
        below: What *stores* lie over, if anything, for processes that open them anew.
    """
    # All that a task needs is imported here, once, and not in each fork.
    import plait.flow.merge
    import plait.flow.transition  # noqa: F401  # loaded for the forks, named nowhere here
    from plait.runtime.workers.inline import InlineWorkers
    from plait.runtime.workers.processes import ProcessWorkers
    from plait.runtime.workers.respawn import respawn_command
    from plait.task.randomness import reseed
    from plait.task.streams import open_streams

    if options.workers == "fork":
        stores.warm()
    load_run = _loader(stores)
    own_process = options.workers != "inline"
    run_task = _task_runner(definition, stores, load_run, own_process=own_process)
    if options.workers == "inline":
        return InlineWorkers(run_task)
    if options.workers == "spawn":
        environment = {_SCRATCH_VARIABLE: stores.scratch}
        if below is not None:
            environment[_BELOW_VARIABLE] = below.to_text()
        command = respawn_command(measured_command(options.command))
        return ProcessWorkers(
            run_task,
            command=command,
            environment=environment,
            # Before the flow's module is imported, which may read them.
            variables=lambda order: definition.plans[order.key.step].environment,
        )

    def run_forked(order: TaskOrder) -> int:
        open_streams()
        reseed()
        code = run_task(order)
        save_piece()
        return code

    def prepare(order: TaskOrder) -> None:
        # What is read here is shared by every child: what the run's tasks have in common, and the
        # one seal that a wide foreach splits. A join's many are not: one child only reads them.
        # What goes wrong here goes wrong in the child, which can tell.
        with suppress(PlaitError):
            run = order.key.run_key
            load_run(run)
            artifacts = stores.artifacts(definition.name)
            artifacts.find(parameters_key(run))
            if len(order.inputs) == 1:
                ref = order.inputs[0]
                artifacts.find(AttemptKey(*run, ref.step, ref.task, ref.attempt))

    return ProcessWorkers(run_forked, prepare=prepare)


def _loader(stores: Stores) -> Callable[[RunKey], RunFile]:
    """Give what reads a run's file, which never changes: of the last run, once."""
    from plait.artifacts.run_file import load_run_file

    return lru_cache(maxsize=1)(partial(load_run_file, stores.storage))


def _task_runner(
    definition: FlowDefinition,
    stores: Stores,
    load_run: Callable[[RunKey], RunFile],
    *,
    own_process: bool,
) -> Callable[[TaskOrder], int]:
    """Give what a task's process does with its order."""
    from plait.client.source import default_opened_by
    from plait.task.attempt import AttemptPlace, run_attempt

    def open_own(spec: str | None) -> Stores:
        """Open for the client: what is not said is the store of this run, wherever that is."""
        if spec is not None:
            return open_source(spec)
        # One in memory is nowhere else; of others, a fork must not use what its parent opened.
        return open_stores(stores.choice) if os.path.isabs(stores.root) else stores

    def run_task(order: TaskOrder) -> int:
        try:
            run = load_run(order.key.run_key)
            place = AttemptPlace(
                definition=definition,
                artifacts=stores.artifacts(definition.name),
                clock=SystemClock(),
                tags=run.tags,
                namespace=run.namespace,
                username=run.user,
                current=run.current,
            )
            with default_opened_by(open_own):
                return run_attempt(place, order, own_process=own_process)
        except PlaitError as error:
            # What an attempt itself gets wrong is sealed. Here the store could not be read or
            # written, so the log is the only place left to say it.
            print(error.format(), file=sys.stderr, flush=True)
            return FAILED

    return run_task
