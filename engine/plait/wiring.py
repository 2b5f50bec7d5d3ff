"""The one file that names concrete classes: settings in; stores, metadata and workers out."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from plait.artifacts.store import ArtifactStore
from plait.base.clock import SystemClock
from plait.base.errors import PlaitError, UsageError
from plait.base.exits import FAILED
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey
from plait.base.records import TaskOrder
from plait.base.settings import resolve
from plait.logs.store import LogStore
from plait.metadata.protocol import MetadataStore
from plait.runtime.options import RunOptions, RunOutcome
from plait.runtime.reporter import Reporter, RunBegan
from plait.storage.local import LocalStorage

if TYPE_CHECKING:
    from plait.flow.definition import FlowDefinition
    from plait.runtime.origin import Origin
    from plait.runtime.scheduler import Adopt
    from plait.runtime.workers.protocol import Workers
    from plait.storage.protocol import Storage

STORE_FOLDER = ".plait"
"""The folder that a local store is kept in."""

DATABASE = "metadata.db"
"""The file of the local store of facts, in that folder."""

_LOCAL = "local"


class NoSuchStore(UsageError):
    """`metadata(...)` or an option names a store that there is not."""

    slug = "no-such-store"

    def __init__(self, spec: str, why: str) -> None:
        super().__init__(
            f"there is no store '{spec}'",
            why=why,
            fix="name the folder in which a flow has run, such as local@/home/ada/project",
        )


@dataclass(frozen=True, slots=True)
class Stores:
    """What is open in one process: values, facts and logs that belong together.

    The database is opened at its first use, so that a process which needs values only, as a task
    does, does not pay for it.
    """

    root: str
    scratch: str
    storage: Storage
    logs: LogStore
    _open: dict[str, Any] = field(default_factory=dict)

    @property
    def metadata(self) -> MetadataStore:
        """The store of facts."""
        if _LOCAL not in self._open:
            from plait.metadata.sqlite import SQLiteMetadata

            self._open[_LOCAL] = SQLiteMetadata(os.path.join(self.root, DATABASE))
        found: MetadataStore = self._open[_LOCAL]
        return found

    def artifacts(self, flow: str) -> ArtifactStore:
        """Give the store of the values of *flow*; the same one each time."""
        name = f"artifacts of {flow}"
        if name not in self._open:
            self._open[name] = ArtifactStore(self.storage, flow)
        found: ArtifactStore = self._open[name]
        return found

    def close(self) -> None:
        """Close what is open."""
        metadata = self._open.pop(_LOCAL, None)
        if metadata is not None:
            metadata.close()


def find_root(given: str | None = None) -> str:
    """Give the folder of the local store, which may not be there yet.

    Args:
        given: What an option said; else PLAIT_DATASTORE_ROOT holds, else the nearest `.plait`
            above the working directory, else a new one in it.
    """
    root = given or resolve("datastore-root").value
    if root:
        return os.path.abspath(os.path.expanduser(root))
    here = os.getcwd()
    folder = here
    while True:
        candidate = os.path.join(folder, STORE_FOLDER)
        if os.path.isdir(candidate):
            return candidate
        parent = os.path.dirname(folder)
        if parent == folder:
            return os.path.join(here, STORE_FOLDER)
        folder = parent


def open_stores(root: str | None = None, *, scratch: str | None = None) -> Stores:
    """Open the local stores; touches no disk yet.

    Args:
        root: As for `find_root`.
        scratch: The name under which unfinished uploads lie; those of one run share it.
    """
    folder = find_root(root)
    name = scratch or f"pid-{os.getpid()}"
    storage = LocalStorage(os.path.join(folder, "store"), os.path.join(folder, "scratch", name))
    return Stores(folder, name, storage, LogStore(storage))


def open_source(spec: str | None) -> Stores:
    """Open what the client reads.

    Args:
        spec: What `metadata(...)` was given: `local`, `local@PATH`, where PATH is a `.plait`
            folder, one that holds such a folder, or its database; or None for the default.

    Raises:
        NoSuchStore: It names nothing that can be read.
    """
    if spec is None:
        resolve("metadata")
        return open_stores()
    kind, _, path = spec.partition("@")
    if kind != _LOCAL:
        raise NoSuchStore(spec, f"'{kind}' is no kind of store; there is: {_LOCAL}")
    if not path:
        return open_stores()
    path = os.path.abspath(os.path.expanduser(path))
    if os.path.basename(path) == DATABASE:
        path = os.path.dirname(path)
    inner = os.path.join(path, STORE_FOLDER)
    if os.path.isdir(inner):
        path = inner
    if not os.path.isdir(path):
        raise NoSuchStore(spec, f"'{path}' is not a folder")
    return open_stores(path)


# Running


def run_flow(
    definition: FlowDefinition,
    given: Mapping[str, object],
    options: RunOptions,
    root: str | None,
    reporter: Reporter,
) -> RunOutcome:
    """Run a flow to its end.

    Args:
        definition: The flow.
        given: Values of parameters as the command line or a program gave them, by name.
        options: The choices of this run.
        root: As for `find_root`.
        reporter: Who is told what happens.

    Raises:
        PlaitError: The run could not start: parameters, a store that can't be written, ...
    """
    from plait.flow.parameters import resolve_parameters

    parameters = resolve_parameters(definition, given, os.environ)
    return _run(definition, lambda _stores: (parameters, None), options, root, reporter)


def resume_flow(
    definition: FlowDefinition,
    given: Mapping[str, object],
    options: RunOptions,
    root: str | None,
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
        root: As for `find_root`.
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

    return _run(definition, begin, options, root, reporter)


def _run(
    definition: FlowDefinition,
    begin: Callable[[Stores], tuple[Mapping[str, object], Origin | None]],
    options: RunOptions,
    root: str | None,
    reporter: Reporter,
) -> RunOutcome:
    from plait.runtime.creation import create_run, record_break
    from plait.runtime.scheduler import RunPlaces, Scheduler
    from plait.runtime.state import RunState

    options, notes = _check_workers(options)
    stores = open_stores(root, scratch=f"{definition.name}-{os.getpid()}-{os.urandom(4).hex()}")
    # The workers come first: a keeper is forked while this process has no database open. What
    # its children need and only the run's start can tell, they read from the run's file.
    workers = _open_workers(definition, options, stores)
    try:
        parameters, origin = begin(stores)
        key = create_run(definition, parameters, options, stores, origin)
        try:
            clock = SystemClock()
            reporter.report(
                RunBegan(
                    key,
                    clock.now(),
                    tuple(definition.graph.nodes),
                    stores.root,
                    options.workers,
                    None if origin is None else origin.key.run,
                    notes,
                )
            )
            state = RunState(
                key,
                definition.graph,
                definition.plans,
                max_workers=options.max_workers,
                max_num_splits=options.max_num_splits,
                clones=None if origin is None else origin.clones,
            )
            artifacts = stores.artifacts(definition.name)
            places = RunPlaces(
                artifacts,
                stores.logs,
                stores.metadata,
                reporter,
                clock,
                adopt=_adopter(origin, artifacts, key),
            )
            scheduler = Scheduler(key, state, workers, places, max_log_bytes=options.max_log_bytes)
            return scheduler.run()
        except BaseException as error:
            record_break(stores.metadata, key, error)
            raise
    finally:
        workers.close()
        stores.storage.sweep()
        stores.close()


def _adopter(origin: Origin | None, artifacts: ArtifactStore, key: RunKey) -> Adopt:
    """Give what turns the artifacts of the origin's tasks into those of the run *key*."""
    if origin is None:
        return dict
    constants = artifacts.get(AttemptKey(*key, PARAMETERS_STEP, "0", 0)).artifacts
    return lambda left: origin.adopt(left, constants)


def init_run(
    definition: FlowDefinition, given: Mapping[str, object], options: RunOptions, root: str | None
) -> RunKey:
    """Create a run, with its parameters, and start nothing; for remote compute.

    Raises:
        PlaitError: As for `run_flow`.
    """
    from plait.flow.parameters import resolve_parameters
    from plait.runtime.creation import create_run

    parameters = resolve_parameters(definition, given, os.environ)
    stores = open_stores(root)
    try:
        return create_run(definition, parameters, options, stores)
    finally:
        stores.storage.sweep()
        stores.close()


def run_one_attempt(definition: FlowDefinition, order: TaskOrder, root: str | None) -> int:
    """Run one attempt in this process, as `python flow.py step` does.

    Returns:
        The exit code for this process.
    """
    from plait.task.streams import open_streams

    open_streams()
    scratch = os.environ.pop(_SCRATCH_VARIABLE, None)
    return _task_runner(definition, open_stores(root, scratch=scratch), own_process=True)(order)


_SCRATCH_VARIABLE = "PLAIT_INTERNAL_SCRATCH"
"""Tells spawned tasks the scratch name of their run, so that the run can sweep up after them."""


def _check_workers(options: RunOptions) -> tuple[RunOptions, tuple[str, ...]]:
    """Spawn where a fork would not be safe, and say why."""
    threads = [t.name for t in threading.enumerate() if t is not threading.current_thread()]
    if options.workers != "fork" or not threads:
        return options, ()
    note = (
        f"tasks are spawned, not forked, because the flow's module started threads when it was "
        f"imported ({', '.join(threads)}); start them in a step to have fast starts"
    )
    return replace(options, workers="spawn"), (note,)


def _open_workers(definition: FlowDefinition, options: RunOptions, stores: Stores) -> Workers:
    # All that a task needs is imported here, once, and not in each fork.
    import plait.flow.merge
    import plait.flow.transition  # noqa: F401  # loaded for the forks, named nowhere here
    from plait.runtime.workers.inline import InlineWorkers
    from plait.runtime.workers.processes import ProcessWorkers
    from plait.task.randomness import reseed
    from plait.task.streams import open_streams

    run_task = _task_runner(definition, stores, own_process=options.workers != "inline")
    if options.workers == "inline":
        return InlineWorkers(run_task)
    if options.workers == "spawn":
        environment = {_SCRATCH_VARIABLE: stores.scratch}
        return ProcessWorkers(run_task, command=options.command, environment=environment)

    def run_forked(order: TaskOrder) -> int:
        open_streams()
        reseed()
        return run_task(order)

    def prepare(order: TaskOrder) -> None:
        # One seal read here is shared by every child of a wide foreach. A join's many are not:
        # they are read by one child only. What goes wrong here goes wrong in the child, which
        # can tell.
        if len(order.inputs) == 1:
            ref = order.inputs[0]
            artifacts = stores.artifacts(definition.name)
            try:
                artifacts.find(
                    AttemptKey(order.key.flow, order.key.run, ref.step, ref.task, ref.attempt)
                )
            except PlaitError:
                pass  # the child meets the same damage and seals it as its failure

    return ProcessWorkers(run_forked, prepare=prepare)


def _task_runner(
    definition: FlowDefinition, stores: Stores, *, own_process: bool
) -> Callable[[TaskOrder], int]:
    """Give what a task's process does with its order."""
    from plait.runtime.creation import load_run_file
    from plait.task.attempt import AttemptPlace, run_attempt

    def run_task(order: TaskOrder) -> int:
        try:
            run = load_run_file(stores.storage, RunKey(order.key.flow, order.key.run))
            place = AttemptPlace(
                definition=definition,
                artifacts=stores.artifacts(definition.name),
                clock=SystemClock(),
                tags=run.tags,
                namespace=run.namespace,
                username=run.user,
            )
            return run_attempt(place, order, own_process=own_process)
        except PlaitError as error:
            # What an attempt itself gets wrong is sealed. Here the store could not be read or
            # written, so the log is the only place left to say it.
            print(error.format(), file=sys.stderr, flush=True)
            return FAILED

    return run_task
