"""What `dump` and `logs` read: the tasks that `run[/step[/task]]` names, in order of their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from plait.base.errors import UsageError, nearest
from plait.base.pathspec import RunKey, parse_pathspec
from plait.cli.session import Session
from plait.client.opened_run import OpenedRun
from plait.client.opened_task import OpenedTask
from plait.client.source import Connection
from plait.metadata.rules import get_number

FORM = "run[/step[/task]]"
"""How a person names the tasks to read."""

_SHOWN = 12


class NoSuchRun(UsageError):
    """The flow has no run of that id in this store."""

    slug = "no-such-run"

    def __init__(self, key: RunKey, known: Iterable[str], place: str, program: str) -> None:
        latest = list(known)
        if key.run and not key.run.isdecimal():
            # Most likely another flow's name, or a step's.
            super().__init__(
                f"'{key.run}' is no run of {key.flow}",
                why=f"a run's id is a number; {_sentence('the latest are', latest) or 'none yet'}",
                fix=f"write RUN, RUN/STEP or RUN/STEP/TASK; '{program}' reads only {key.flow}",
            )
            return
        super().__init__(
            f"{key.flow} has no run '{key.run}'" if key.run else f"{key.flow} has no run",
            why=f"{_sentence('its latest runs are', latest) or 'it has not run yet'}; "
            f"looked in {place}",
            fix="write the id of one of them, or name another store with --datastore-root"
            if latest
            else f"'{program} run' runs it; --datastore-root names another store",
        )


class NoSuchStep(UsageError):
    """A run has no task of that step."""

    slug = "no-such-step"

    def __init__(self, key: RunKey, step: str, known: Iterable[str]) -> None:
        names = list(known)
        super().__init__(
            f"run '{key.run}' has no task of a step '{step}'",
            why=nearest(step, names) or "no step of it has begun",
            fix=f"write {key.run}/STEP with the name of a step that has begun",
        )


class NoSuchTask(UsageError):
    """A step of a run has no task of that id."""

    slug = "no-such-task"

    def __init__(self, key: RunKey, step: str, task: str, known: Iterable[str]) -> None:
        ids = list(known)
        super().__init__(
            f"step '{step}' of run '{key.run}' has no task '{task}'",
            why=_sentence("its tasks are", ids),
            fix=f"write {key.run}/{step} for all of them",
        )


class NoSuchAttempt(UsageError):
    """A task has no attempt of that number."""

    slug = "no-such-attempt"

    def __init__(self, task: OpenedTask, attempt: int) -> None:
        count = task.record.attempts
        super().__init__(
            f"task '{short_name(task)}' has no attempt {attempt}",
            why=f"it has had {count} {'attempt' if count == 1 else 'attempts'}, counted from 0",
            fix=f"write a number up to {max(count - 1, 0)}, or leave it out for the last one",
        )


@contextmanager
def open_store(session: Session) -> Iterator[Connection]:
    """Open the store that *session* is about, and close it again.

    Raises:
        NoSuchStore: `--datastore-root` names none.
    """
    from plait.wiring.stores import open_source

    stores = open_source(None, session.choices.stores)
    try:
        yield Connection(lambda _: stores, None)
    finally:
        stores.close()


def find_tasks(
    session: Session, connection: Connection, pathspec: str, attempt: int | None = None
) -> Iterator[OpenedTask]:
    """Give the tasks that *pathspec* names, those of a step or of a run in order of their ids.

    Namespaces don't matter here: who names a run by its id means that run.

    Args:
        session: Says which flow.
        connection: The store to look in.
        pathspec: `run`, `run/step` or `run/step/task`; a first part with the flow's name may be
            there.
        attempt: The attempt to show of each; by default the last one that finished.

    Raises:
        BadPathspec: It is of another form.
        NoSuchRun, NoSuchStep, NoSuchTask, NoSuchAttempt: It names nothing.
    """
    own = f"{session.flow_name}/"
    parts = parse_pathspec(pathspec.removeprefix(own), parts=(1, 3), form=FORM)
    run = get_run(session, connection, parts[0])
    step = parts[1] if len(parts) > 1 else ""
    if not step:
        every = [record for each in run.list_steps() for record in run.iter_tasks(each.step)]
        records = sorted(every, key=lambda record: get_number(record.key.task))
    elif len(parts) == 3:
        record = run.find_task(step, parts[2])
        if record is None:
            _refuse_step(run, step)
            # Newest first is how they are listed; the first ones are what a person tries.
            ids = [task.key.task for task in run.iter_tasks(step)]
            raise NoSuchTask(run.key, step, parts[2], reversed(ids))
        records = [record]
    else:
        records = list(run.iter_tasks(step))[::-1]
        if not records:
            _refuse_step(run, step)
    for record in records:
        task = OpenedTask(run, record, attempt)
        if attempt is not None and not 0 <= attempt < record.attempts:
            raise NoSuchAttempt(task, attempt)
        yield task


def short_name(task: OpenedTask) -> str:
    """Give a task's name as the console shows it: `run/step/task`."""
    key = task.key
    return f"{key.run}/{key.step}/{key.task}"


def get_run(session: Session, connection: Connection, name: str | None) -> OpenedRun:
    """Give a run of the flow by its id; None for the latest. Raises NoSuchRun."""
    latest = connection.metadata().list_runs(session.flow_name, limit=_SHOWN + 1)
    if name is None and latest:
        return OpenedRun(connection, latest[0])
    key = RunKey(session.flow_name, name or "")
    record = connection.metadata().find_run(key)
    if record is None:
        known = [run.key.run for run in latest]
        raise NoSuchRun(key, known, connection.place, session.program)
    return OpenedRun(connection, record)


def _refuse_step(run: OpenedRun, step: str) -> None:
    """Raise NoSuchStep if *run* has no task of *step*."""
    names = [record.step for record in run.list_steps()]
    if step not in names:
        raise NoSuchStep(run.key, step, names)


def _sentence(beginning: str, names: list[str]) -> str:
    if not names:
        return ""
    more = ", ..." if len(names) > _SHOWN else ""
    return f"{beginning} {', '.join(names[:_SHOWN])}{more}"
