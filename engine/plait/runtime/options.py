"""What a person may choose about one run, and what they get back when it ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.base.errors import PlaitError, Where
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import Failure
from plait.metadata.protocol import Status

if TYPE_CHECKING:
    from plait.graph.model import Node


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The choices of one run.

    Args:
        workers: How tasks' processes start: `fork`, `spawn` or `inline`.
        max_workers: The most tasks at once, from 1.
        max_num_splits: The widest foreach allowed.
        max_log_bytes: The most that is kept of one attempt's log; None for all.
        tags: User tags.
        namespace: The namespace that steps see in `current`; the user's own if None.
        run_id_file: A file to write the run's id to as soon as it is known.
        package_suffixes: Suffixes of more files that belong to the flow's code, `.csv,.txt`.
        keep_code: Whether the run keeps the code that it ran with.
        environment: What the tasks run in: `local`, this Python.
        announce_file: The same for a program: a file for the run's flow, id and store, as JSON.
        command: For `spawn`: the arguments that start this flow's program, up to and without the
            command, such as `(python, flow.py, --with, retry)`.
        event_logger: The sidecar that is told events, as `NAME` or `NAME:ARGUMENT`; `null` is none.
        monitor: The sidecar that is told measurements, in the same form.
        flow_options: What was given for the options of the flow's own decorators, by name.
    """

    workers: str = "fork"
    max_workers: int = 16
    max_num_splits: int = 100
    max_log_bytes: int | None = None
    tags: frozenset[str] = frozenset()
    namespace: str | None = None
    run_id_file: str | None = None
    package_suffixes: str = ""
    keep_code: bool = True
    environment: str = "local"
    announce_file: str | None = None
    command: tuple[str, ...] = ()
    event_logger: str = "null"
    monitor: str = "null"
    flow_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended; `failure` is its first one, in the attempt `failed`."""

    key: RunKey
    status: Status
    failure: Failure | None = None
    failed: AttemptKey | None = None


class TooManySplits(PlaitError):
    """A foreach is wider than the run allows."""

    slug = "too-many-splits"

    def __init__(self, node: Node, width: int, limit: int) -> None:
        super().__init__(
            f"step '{node.name}' fans out over '{node.foreach}' into {width} tasks, "
            f"more than {limit}",
            why="a run stops at a foreach wider than --max-num-splits, which is often a mistake",
            fix=f"if it is meant, run again with --max-num-splits {width}",
            where=Where(node.file, node.next_line),
        )
