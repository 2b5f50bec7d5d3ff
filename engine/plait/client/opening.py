"""From a pathspec to what it names: found, or said why not, and only what the namespace shows."""

from __future__ import annotations

from plait.base.errors import nearest
from plait.base.pathspec import AttemptKey, RunKey, parse_pathspec
from plait.client.errors import ArtifactNotFound, PlaitNamespaceMismatch, PlaitNotFound
from plait.client.namespaces import get_namespace, is_seen, tags_seen
from plait.client.opened_run import OpenedRun
from plait.client.opened_task import OpenedArtifact, OpenedStep, OpenedTask
from plait.client.source import Connection


class OpenedFlow:
    """A flow that has runs."""

    __slots__ = ("connection", "name")

    chosen = None
    """The attempt asked for; flows have none."""

    def __init__(self, connection: Connection, name: str) -> None:
        self.connection = connection
        self.name = name

    @property
    def components(self) -> tuple[str, ...]:
        """The parts of its pathspec."""
        return (self.name,)

    def is_seen(self) -> bool:
        """Whether the namespace shows any of its runs."""
        return bool(self.connection.metadata().list_runs(self.name, tags=tags_seen(), limit=1))


OpenedInRun = OpenedRun | OpenedStep | OpenedTask | OpenedArtifact
Opened = OpenedFlow | OpenedInRun


def open_flow(connection: Connection, pathspec: str, *, any_namespace: bool = False) -> OpenedFlow:
    """Give the flow that *pathspec* names: `Flow`.

    Args:
        connection: Where to look.
        pathspec: What somebody wrote.
        any_namespace: Whether to give what the namespace does not show.

    Raises:
        BadPathspec: It is not of that form.
        PlaitNotFound: The flow has no runs.
        PlaitNamespaceMismatch: It has none that the namespace shows.
    """
    (name,) = _split(pathspec, "Flow")
    flow = find_flow(connection, name, any_namespace=any_namespace)
    if flow is None:
        hint = nearest(name, connection.metadata().iter_flows())
        raise PlaitNotFound("flow", name, place=connection.place, hint=hint)
    return flow


def find_flow(
    connection: Connection, name: str, *, any_namespace: bool = False
) -> OpenedFlow | None:
    """Give a flow, or None if it has no runs. Raises PlaitNamespaceMismatch."""
    flow = OpenedFlow(connection, name)
    newest = connection.metadata().list_runs(name, limit=1)
    if newest and not any_namespace and not flow.is_seen():
        raise PlaitNamespaceMismatch(name, str(get_namespace()), newest[0].system_tags)
    return flow if newest else None


def open_run(connection: Connection, pathspec: str, *, any_namespace: bool = False) -> OpenedRun:
    """Give the run that *pathspec* names: `Flow/run`. Otherwise as `open_flow`."""
    key = RunKey(*_split(pathspec, "Flow/run"))
    return _get_run(connection, key, any_namespace=any_namespace)


def open_step(connection: Connection, pathspec: str, *, any_namespace: bool = False) -> OpenedStep:
    """Give the step that *pathspec* names: `Flow/run/step`. Otherwise as `open_flow`."""
    flow, number, name = _split(pathspec, "Flow/run/step")
    return get_step(_get_run(connection, RunKey(flow, number), any_namespace=any_namespace), name)


def get_step(run: OpenedRun, name: str) -> OpenedStep:
    """Give a step of *run*. Raises PlaitNotFound."""
    steps = {record.step: record for record in run.list_steps()}
    if name not in steps:
        hint = nearest(name, steps)
        raise PlaitNotFound("step", f"{run.key}/{name}", place=run.connection.place, hint=hint)
    return OpenedStep(run, steps[name])


def open_task(
    connection: Connection,
    pathspec: str,
    attempt: int | None = None,
    *,
    any_namespace: bool = False,
) -> OpenedTask:
    """Give the task that *pathspec* names: `Flow/run/step/task`. Otherwise as `open_flow`.

    Args:
        connection: Where to look.
        pathspec: What somebody wrote.
        attempt: The attempt to show, from 0; by default the last one that finished.
        any_namespace: Whether to give what the namespace does not show.

    Raises:
        PlaitNotFound: There is no such task, or *attempt* was not begun.
    """
    parts = _split(pathspec, "Flow/run/step/task")
    return _get_task(connection, parts, attempt, any_namespace=any_namespace)


def open_artifact(
    connection: Connection,
    pathspec: str,
    attempt: int | None = None,
    *,
    any_namespace: bool = False,
) -> OpenedArtifact:
    """Give the artifact that *pathspec* names, as `open_task` does a task."""
    *parts, name = _split(pathspec, "Flow/run/step/task/artifact")
    task = _get_task(connection, tuple(parts), attempt, any_namespace=any_namespace)
    return get_artifact(task, name)


def get_artifact(task: OpenedTask, name: str) -> OpenedArtifact:
    """Give an artifact of *task*. Raises ArtifactNotFound."""
    ref = task.find_ref(name)
    if ref is None:
        raise ArtifactNotFound(
            "/".join(task.key), name, task.names(), finished=task.find_attempt() is not None
        )
    return OpenedArtifact(task, name, ref)


def open_any(connection: Connection, pathspec: str, attempt: int | None) -> Opened:
    """Give what *pathspec* names, by its number of parts, whatever the namespace."""
    depth = pathspec.count("/")
    if depth == 0:
        return open_flow(connection, pathspec, any_namespace=True)
    if depth == 1:
        return open_run(connection, pathspec, any_namespace=True)
    if depth == 2:
        return open_step(connection, pathspec, any_namespace=True)
    if depth == 3:
        return open_task(connection, pathspec, attempt, any_namespace=True)
    return open_artifact(connection, pathspec, attempt, any_namespace=True)


def _split(pathspec: str, form: str) -> tuple[str, ...]:
    count = form.count("/") + 1
    return parse_pathspec(pathspec, parts=(count, count), form=form)


def find_run(
    connection: Connection, key: RunKey, *, any_namespace: bool = False
) -> OpenedRun | None:
    """Give a run, or None if there is none. Raises PlaitNamespaceMismatch."""
    record = connection.metadata().find_run(key)
    if record is None:
        return None
    if not any_namespace and not is_seen(record.user_tags | record.system_tags):
        raise PlaitNamespaceMismatch(str(key), str(get_namespace()), record.system_tags)
    return OpenedRun(connection, record)


def _get_run(connection: Connection, key: RunKey, *, any_namespace: bool) -> OpenedRun:
    run = find_run(connection, key, any_namespace=any_namespace)
    if run is not None:
        return run
    metadata = connection.metadata()
    newest = metadata.list_runs(key.flow, limit=1)
    if newest:
        hint = f"the latest run of that flow is '{newest[0].key}'"
    else:
        hint = nearest(key.flow, metadata.iter_flows())
    raise PlaitNotFound("run", str(key), place=connection.place, hint=hint)


def _get_task(
    connection: Connection, parts: tuple[str, ...], attempt: int | None, *, any_namespace: bool
) -> OpenedTask:
    flow, number, step, name = parts
    run = _get_run(connection, RunKey(flow, number), any_namespace=any_namespace)
    record = run.find_task(step, name)
    if record is None:
        steps = {found.step: found.tasks for found in run.list_steps()}
        if step in steps:
            count = "1 task" if steps[step] == 1 else f"{steps[step]} tasks"
            hint = f"step '{step}' has {count}; list them: list(Step('{run.key}/{step}'))"
        else:
            hint = nearest(step, steps)
        raise PlaitNotFound("task", "/".join(parts), place=connection.place, hint=hint)
    if attempt is not None and not _was_begun(run, OpenedTask(run, record), attempt):
        last = record.attempts - 1
        raise PlaitNotFound(
            f"attempt {attempt} of task",
            "/".join(parts),
            place=connection.place,
            hint="its only attempt is 0" if last == 0 else f"its attempts are 0 to {last}",
        )
    return OpenedTask(run, record, attempt)


def _was_begun(run: OpenedRun, task: OpenedTask, attempt: int) -> bool:
    if 0 <= attempt < task.record.attempts:
        return True
    # An attempt that a killed run's process did not report may still have sealed.
    return attempt >= 0 and run.find_facts(AttemptKey(*task.key, attempt)) is not None
