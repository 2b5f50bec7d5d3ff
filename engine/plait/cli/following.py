"""Following logs while tasks write them, until there is nothing more to come."""

from __future__ import annotations

import time
from collections.abc import Callable

from plait.base.pathspec import AttemptKey
from plait.cli.reading import NoSuchStep, find_tasks, get_run, short_name
from plait.cli.session import Session
from plait.client.opened_run import OpenedRun
from plait.client.opened_task import OpenedTask
from plait.client.source import Connection
from plait.logs.lines import LogLine

PAUSE_SECONDS = 0.2
"""How long to wait before looking again."""

Show = Callable[[str, list[LogLine]], None]
"""Takes a task's name and lines of it."""


def follow(
    session: Session,
    connection: Connection,
    pathspec: str,
    show: Show,
    *,
    attempt: int | None = None,
    pause: Callable[[], None] = lambda: time.sleep(PAUSE_SECONDS),
) -> None:
    """Show what tasks have printed and go on until they have ended.

    Of a task, that is its own end. Of a step or a run, it is that of the run, for a loop or another
    branch may bring more tasks of a step.

    Args:
        session: Says which flow.
        connection: The store to look in.
        pathspec: As for `find_tasks`; the step of a run that goes on may not have begun yet.
        show: Takes what is new.
        attempt: Only this attempt of each task; by default each from the running one on.
        pause: Waits a moment.

    Raises:
        PlaitError: As for `find_tasks`.
    """
    name, _, rest = pathspec.removeprefix(f"{session.flow_name}/").partition("/")
    run = get_run(session, connection, name)
    many = "/" not in rest
    logs = _Followed(connection, show, attempt)
    while True:
        # Asked first: what is read after the end is all there is.
        over = run.has_ended
        tasks = _find(session, connection, pathspec, run, waiting=many and not over)
        for task in tasks:
            logs.show_new(task)
        if over or not (many or logs.going):
            return
        pause()


class _Followed:
    """How far the log of each attempt has been shown."""

    def __init__(self, connection: Connection, show: Show, attempt: int | None) -> None:
        self._metadata = connection.metadata()
        self._show = show
        self._only = attempt
        self._offsets: dict[AttemptKey, int] = {}
        self._first: dict[str, int] = {}
        self._done: set[str] = set()
        self.going = True
        """Whether there is more to come of the task that was looked at last."""

    def show_new(self, task: OpenedTask) -> None:
        """Show what the attempts at *task* have printed since the last time."""
        if task.key.task in self._done:
            return
        # Asked first, see `follow`.
        self.going = not self._has_ended(task)
        if not self.going:
            self._done.add(task.key.task)
        last = max(task.record.attempts - 1, 0)
        if self._only is not None:
            attempts = range(self._only, self._only + 1)
        else:
            attempts = range(self._first.setdefault(task.key.task, last), last + 1)
        for attempt in attempts:
            key = AttemptKey(*task.key, attempt)
            if task.record.origin is not None:
                # A task that was taken over printed nothing here; the attempt that ran it did.
                facts = task.run.find_facts(key)
                key = key if facts is None or facts.origin is None else facts.origin
            logs = task.run.logs()
            lines, self._offsets[key] = logs.read_from(key, self._offsets.get(key, 0))
            if not lines and not self.going and not self._offsets[key]:
                task.find_facts()  # whether it printed nothing, or is not here
            if lines:
                self._show(short_name(task), lines)

    def _has_ended(self, task: OpenedTask) -> bool:
        # As the run's process reported it, and not as the seal says: an attempt is sealed before
        # its last lines have come out of the pipe.
        record = self._metadata.find_task(task.key)
        if record is None:
            return False
        if record.finished is not None:
            return True
        only = self._only
        return only is not None and (record.attempts > only + 1 or record.attempt == only)


def _find(
    session: Session, connection: Connection, pathspec: str, run: OpenedRun, *, waiting: bool
) -> list[OpenedTask]:
    try:
        return list(find_tasks(session, connection, pathspec))
    except NoSuchStep:
        step = pathspec.rpartition("/")[2]
        steps = run.record.facts.get("graph", {}).get("steps", {})
        if waiting and step in steps:
            return []  # it has not begun yet
        raise
