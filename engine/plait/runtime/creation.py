"""How a run comes to be: it gets an id, claims its place, and has its parameters sealed."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from plait.artifacts.run_file import CLAIM, DATASTORE, RunFile, claim_folder, name_datastore
from plait.artifacts.seal import Encoded
from plait.artifacts.store import ArtifactStore
from plait.base.clock import SystemClock
from plait.base.errors import PlaitError
from plait.base.identity import host_name, platform_name, system_tags, user_name
from plait.base.layout import runs_prefix
from plait.base.pathspec import RunKey, TaskKey, parameters_key
from plait.base.process import describe_process
from plait.base.records import ArtifactRef, AttemptFacts, Failure, FailureKind
from plait.base.version import VERSION
from plait.flow.definition import FlowDefinition
from plait.graph.draw import to_json
from plait.hooks.flow import RunPlanned, RunTraits
from plait.metadata.protocol import Fact, MetadataStore, NewRun, RunEnded, Status
from plait.runtime.options import RunOptions
from plait.storage.protocol import Storage

if TYPE_CHECKING:
    from plait.runtime.origin import Origin


_SPREAD = 8
"""So many next numbers are chosen among by chance, where several took one at the same instant."""
_TRIES = 10
"""How often a new run looks for a free number, where others take numbers at the same time."""


class RunFolderTaken(PlaitError):
    """A new run's id is in use in the store of values, and so was each that was tried before."""

    slug = "run-folder-taken"

    def __init__(self, key: RunKey, place: str) -> None:
        super().__init__(
            f"run '{key}' has results in {place} already",
            why="others who keep their runs there were faster at each number that was tried",
            fix="try again; or give each store of facts a place of its own, by --datastore-root or "
            "PLAIT_DATASTORE_SYSROOT_S3",
        )


class UnwritableRunIdFile(PlaitError):
    """The file that `--run-id-file` names cannot be written."""

    slug = "unwritable-run-id-file"

    def __init__(self, path: str, error: OSError) -> None:
        super().__init__(
            f"the run's id cannot be written to '{path}'",
            why=error.strerror or str(error),
            fix="give --run-id-file a file in a folder that is there and can be written to",
        )


class RunStores(Protocol):
    """The stores that a new run is written to."""

    @property
    def root(self) -> str:
        """The folder of the local store."""
        ...

    @property
    def storage(self) -> Storage:
        """Bytes."""
        ...

    @property
    def metadata(self) -> MetadataStore:
        """Facts."""
        ...

    def artifacts(self, flow: str) -> ArtifactStore:
        """Values."""
        ...


def create_run(  # noqa: PLR0913  # what differs between a run, a resumed, a remote and a spun one
    definition: FlowDefinition,
    parameters: Mapping[str, object],
    options: RunOptions,
    stores: RunStores,
    origin: Origin | None = None,
    *,
    attended: bool = True,
    code: str | None = None,
    above: int | None = None,
    carried: Mapping[str, ArtifactRef] | None = None,
) -> RunKey:
    """Create a run, ready for its first task.

    Args:
        definition: The flow.
        parameters: The value of every parameter that does not come from *origin*.
        options: The choices of this run.
        stores: Where it is written.
        origin: The run that it resumes, if any.
        attended: Whether this process stays with the run to its end, so that the run is lost when
            the process is gone.
        code: The address of the code package that it runs with, which is in the store; None if
            none is kept.
        carried: Parameters that come by reference, where there is no *origin* that has them.
        above: Its id is higher than this; None for no more than what the stores say.

    Raises:
        NothingToResume: *origin* has been removed since it was read.
        RunFolderTaken: Its folder holds another run's results.
        UnwritableRunIdFile: `run_id_file` cannot be written.
        UnpicklableArtifact: A parameter or class attribute cannot be kept.
        UsageError: A decorator of the flow cannot be used as it is.
    """
    clock = SystemClock()
    now = clock.now()
    if options.run_id_file:
        _check_writable(options.run_id_file)
    artifacts = stores.artifacts(definition.name)
    if carried is None:
        carried = {} if origin is None else origin.find_parameters(definition)
    configs = {n: v for n, v in definition.config_values.items() if n not in carried}
    values: dict[str, Encoded] = {
        name: artifacts.encode(name, value)
        for name, value in {**definition.constants, **configs, **parameters}.items()
    }
    user = user_name()
    traits = plan_run(definition, user, options.flow_options)
    tags = frozenset(system_tags(now)) | traits.tags
    facts: dict[str, Any] = {
        "script": definition.file,
        "arguments": sys.argv,
        "host": host_name(),
        "pid": os.getpid(),
        "python": sys.version.split()[0],
        "platform": platform_name(),
        "plait": VERSION,
        "environment": options.environment,
        "parameters": sorted(definition.parameters),
        "graph": to_json(definition.graph),
        "workers": options.workers,
    }
    if code is not None:
        facts["code"] = code
    if attended:
        facts["process"] = describe_process()
    origin_run = None if origin is None else origin.key.run
    new = NewRun(definition.name, now, options.tags, tags, origin_run, facts)
    namespace = options.namespace or f"user:{user}"
    given = options.tags | tags
    file = RunFile(
        RunKey(definition.name, ""), now, user, namespace, given, traits.current, code=code
    )
    key = _take_number(new, file, stores, above)
    try:
        if origin is not None:
            _check_still_there(origin, stores)
        constants_key = parameters_key(key)
        sealed = AttemptFacts(key=constants_key, ok=True, started=now, finished=clock.now())
        artifacts.seal(sealed, values, carried)
        if options.run_id_file:
            _write_whole(options.run_id_file, key.run)
        if options.announce_file:
            announce(options.announce_file, key, stores.metadata.place)
    except BaseException as error:
        record_break(stores.metadata, key, error)
        raise
    return key


def announce(file: str, key: RunKey | TaskKey, place: str) -> None:
    """Tell the program that started a run, or a task alone, that it begins.

    Args:
        file: What that program looks for.
        key: The run or the task.
        place: Where its facts are.
    """
    _write_whole(file, json.dumps({**key._asdict(), "metadata": place}))


def plan_run(definition: FlowDefinition, user: str, options: Mapping[str, Any]) -> RunTraits:
    """Give what the decorators of a flow give a run, together; of two, the inner one's holds.

    Args:
        definition: The flow.
        user: Who starts the run.
        options: What was given for the decorators' options, by name.
    """
    tags: frozenset[str] = frozenset()
    current: dict[str, Any] = {}
    for decorator in definition.flow_decorators:
        own = {o.key: options[o.key] for o in decorator.options if o.key in options}
        traits = decorator.plan_run(RunPlanned(definition.name, user, own))
        tags |= traits.tags
        current.update(traits.current)
    return RunTraits(tags, current)


def record_break(
    metadata: MetadataStore,
    key: RunKey,
    error: BaseException,
    artifacts: ArtifactStore | None = None,
) -> None:
    """Record that a run ended by an error outside of its tasks, such as a full disk.

    The store of values may be what is broken: then its end is recorded nevertheless. Or the store
    of facts: then the run stays as it is. *error*, which the caller raises on, is what is told.

    Args:
        metadata: Where to.
        key: The run.
        error: What went wrong.
        artifacts: The values of its flow, where tasks may have ended that were not recorded yet.
    """
    interrupted = isinstance(error, KeyboardInterrupt)
    status = Status.INTERRUPTED if interrupted else Status.FAILED
    what = error.findings[0].what if isinstance(error, PlaitError) else str(error)
    failure = Failure(FailureKind.LAUNCH, f"{type(error).__name__}: {what}")
    ended = RunEnded(key, SystemClock().now(), status, None if interrupted else failure)
    missing: list[Fact] = []
    if artifacts is not None:
        from plait.upkeep.rescue import find_unrecorded

        try:
            missing = find_unrecorded(key, metadata, artifacts)
        except PlaitError as second:
            what = second.findings[0].what
            error.add_note(f"and what its last tasks did could not be read: {what}")
    try:
        metadata.record([*missing, ended])
    except PlaitError as second:
        error.add_note(f"and this could not be recorded: {second.findings[0].what}")


def _check_still_there(origin: Origin, stores: RunStores) -> None:
    # A run that resumes it keeps an origin from being removed. But that run has only now begun.
    if stores.metadata.find_run(origin.key) is None:
        from plait.runtime.origin import NothingToResume

        raise NothingToResume(*origin.key, (), stores.root)


def _take_number(new: NewRun, file: RunFile, stores: RunStores, above: int | None) -> RunKey:
    """Record a run under a number whose folder is free, and claim that folder.

    Others may keep their runs at the same place and count them by facts of their own. So a number
    that the facts give may be taken there; then the facts forget it, and count on from the highest.

    Args:
        new: What is recorded.
        file: What is written into the folder; its number comes from the facts.
        stores: Where to.
        above: The number is higher than this; None for no more than what the stores say.
    """
    metadata, storage = stores.metadata, stores.storage
    if above is None:
        above = 0 if metadata.list_runs(new.flow, limit=1) else _highest_claimed(new.flow, storage)
    for again in range(_TRIES, -1, -1):
        word = os.urandom(16).hex()
        facts = {**(new.facts or {}), CLAIM: word, DATASTORE: name_datastore(storage.place)}
        key = metadata.create_run(replace(new, facts=facts, request=word), above=above)
        try:
            if claim_folder(storage, replace(file, key=key, claim=word)):
                return key
        except BaseException as error:
            record_break(metadata, key, error)
            raise
        taken = RunFolderTaken(key, storage.place)
        record_break(metadata, key, taken)
        if not again:
            raise taken
        metadata.delete_run(key)
        above = max(int(key.run), _highest_claimed(new.flow, storage))
        if not storage.excludes():
            # Those who got in each other's way would do so again at the next number.
            above += os.urandom(1)[0] % _SPREAD
    raise AssertionError("the last time round either gives or raises")


def _highest_claimed(flow: str, storage: Storage) -> int:
    """Give the highest number of a run of *flow* among the values, whoever's it is; 0 for none."""
    ids = storage.iter_folders(runs_prefix(flow))
    return max((int(run) for run in ids if run.isdecimal()), default=0)


def _check_writable(path: str) -> None:
    """Refuse a run whose id could not be told, before there is one."""
    draft = f"{path}.{os.getpid()}.tmp"
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with open(draft, "w", encoding="utf-8"):
            pass
        os.unlink(draft)
    except OSError as error:
        raise UnwritableRunIdFile(path, error) from error


def _write_whole(path: str, text: str) -> None:
    # Whoever waits for the file must not read half of it.
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(unfinished, path)
    except OSError as error:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise UnwritableRunIdFile(path, error) from error
