"""How a run comes to be: it gets an id, claims its place, and has its parameters sealed."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self

from plait.artifacts.seal import Encoded
from plait.artifacts.store import ArtifactStore
from plait.base.clock import SystemClock
from plait.base.errors import PlaitError
from plait.base.identity import host_name, platform_name, system_tags, user_name
from plait.base.layout import RUN_FILE, run_file_key, runs_prefix
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


class RunFolderTaken(PlaitError):
    """A new run's id is in use in the store of values, though the store of facts gave it."""

    slug = "run-folder-taken"

    def __init__(self, key: RunKey, place: str) -> None:
        super().__init__(
            f"run '{key}' has results in {place} already",
            why="the values are kept there by more than one store of facts",
            fix="give each store of facts a --datastore-root of its own",
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


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a run's file says.

    Args:
        key: The run.
        created: Seconds since 1970.
        user: Who started it.
        namespace: The namespace it was started in.
        tags: All its tags at the start.
        current: What decorators of the flow give `current`, by name.
    """

    key: RunKey
    created: float
    user: str
    namespace: str
    tags: frozenset[str]
    current: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Give the file's content as JSON values."""
        return {
            "flow": self.key.flow,
            "run": self.key.run,
            "created": self.created,
            "user": self.user,
            "namespace": self.namespace,
            "tags": sorted(self.tags),
            "current": dict(self.current),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        key = RunKey(data["flow"], data["run"])
        tags = frozenset(data["tags"])
        # Runs of earlier versions have none.
        current = data.get("current", {})
        return cls(key, data["created"], data["user"], data["namespace"], tags, current)


def load_run_file(storage: Storage, key: RunKey) -> RunFile:
    """Read the file of a run. Raises MissingKey."""
    return RunFile.from_json(json.loads(storage.get(run_file_key(key, RUN_FILE))))


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
    if above is None:
        above = _highest_claimed(definition.name, stores)
    origin_run = None if origin is None else origin.key.run
    new = NewRun(definition.name, now, options.tags, tags, origin_run, facts)
    key = stores.metadata.create_run(new, above=above)
    try:
        if origin is not None:
            _check_still_there(origin, stores)
        namespace = options.namespace or f"user:{user}"
        file = RunFile(key, now, user, namespace, options.tags | tags, traits.current)
        claim = json.dumps(file.to_json()).encode()
        _claim_folder(stores.storage, key, claim)
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

    The store of facts may be what is broken. Then the run stays as it is, and *error*, which the
    caller raises on, is what is told.

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
    try:
        ended = RunEnded(key, SystemClock().now(), status, None if interrupted else failure)
        missing: list[Fact] = []
        if artifacts is not None:
            from plait.upkeep.rescue import find_unrecorded

            missing = find_unrecorded(key, metadata, artifacts)
        metadata.record([*missing, ended])
    except PlaitError as second:
        error.add_note(f"and this could not be recorded: {second.findings[0].what}")


def _check_still_there(origin: Origin, stores: RunStores) -> None:
    # A run that resumes it keeps an origin from being removed. But that run has only now begun.
    if stores.metadata.find_run(origin.key) is None:
        from plait.runtime.origin import NothingToResume

        raise NothingToResume(*origin.key, (), stores.root)


def _claim_folder(storage: Storage, key: RunKey, claim: bytes) -> None:
    if not storage.put(run_file_key(key, RUN_FILE), [claim]):
        raise RunFolderTaken(key, storage.place)


def _highest_claimed(flow: str, stores: RunStores) -> int:
    """Give the highest run id in the store of values, if that of facts knows no run at all.

    So that removing the database, or putting a new one beside old values, loses none of them.
    """
    if stores.metadata.list_runs(flow, limit=1):
        return 0
    ids = stores.storage.iter_folders(runs_prefix(flow))
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
