"""Measures which lines a prepared process and all its forks run, at a price that each can pay.

coverage.py traces; but where it would write a database for each process, this appends one record
to a file, since a forked task lives for a few milliseconds only. `measure` reads the records.
"""

from __future__ import annotations

import atexit
import marshal
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

FEATURE_VARIABLE = "PLAIT_HARNESS_FEATURE"
"""The environment variable that says which template a process works for."""

IMPORTING = "(import)"
"""The feature of what runs when the engine is imported, for no template yet."""

Arc = tuple[int, int]


class Sink:
    """Takes the place of coverage.py's database: keeps arcs in memory, and writes them once.

    Args:
        path: The file to append to.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.arcs: dict[str, set[Arc]] = {}

    def add_arcs(self, arcs: Mapping[str, Iterable[Arc]]) -> None:
        """Take what was traced since the last time."""
        for file, found in arcs.items():
            self.arcs.setdefault(file, set()).update(found)

    def add_file_tracers(self, tracers: Mapping[str, str]) -> None:
        """Take nothing: these are about templates in other languages."""

    def set_context(self, context: str | None) -> None:
        """Take nothing: a process knows its feature from its environment."""

    def write(self) -> None:
        """Append what was taken as one record, whole, and forget it."""
        traced = {file: list(arcs) for file, arcs in self.arcs.items() if arcs}
        self.arcs = {}
        if traced:
            feature = os.environ.get(FEATURE_VARIABLE, IMPORTING)
            data = marshal.dumps((feature, traced))
            # One write to a file opened for appending: records of other processes stay whole.
            target = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
            os.write(target, len(data).to_bytes(8, "little") + data)
            os.close(target)


def begin(options: Mapping[str, Any]) -> None:
    """Trace this process and every process that is forked from it.

    Args:
        options: `records`, the file to append to; `package`, the package to trace.
    """
    import coverage

    tracing = coverage.Coverage(
        data_file=None, config_file=False, branch=True, source_pkgs=[options["package"]]
    )
    # It would say, in every process that happens to run none of it, that nothing was collected.
    tracing._warn_no_data = False  # noqa: SLF001  # there is no option for it
    tracing.start()
    # There is no public way to what is traced without writing it; hence `Any`.
    collector: Any = tracing._collector  # noqa: SLF001  # see above
    sink = Sink(options["records"])
    collector.use_data(sink, None)

    def finish() -> None:
        # Stopped first: while it flushes it holds a lock, for which it would wait for ever where a
        # signal's handler comes in between and is traced.
        tracing.stop()
        collector.flush_data()
        sink.write()

    def forget() -> None:
        # In place, since frames that are running hold on to these sets.
        for arcs in collector.data.values():
            arcs.clear()

    # A child tells only of itself. Not flushed before a fork, for the reason given above.
    os.register_at_fork(after_in_child=forget)
    leave = os._exit

    def write_and_leave(code: int) -> None:
        finish()
        leave(code)

    os._exit = write_and_leave  # type: ignore[assignment]  # it never returns either
    atexit.register(finish)


def iter_records(path: str) -> Iterator[tuple[str, dict[str, list[Arc]]]]:
    """Give every record of a file: a feature, and for each source file its arcs."""
    with open(path, "rb") as source:
        while head := source.read(8):
            size = int.from_bytes(head, "little")
            feature, traced = marshal.loads(source.read(size))  # noqa: S302  # written by `Sink`
            yield feature, traced
