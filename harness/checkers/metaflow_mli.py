"""Reads runs of an installed Metaflow back through its Python client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plait_harness.checker import Checker, Stream, TaskSeen


class MetaflowMliChecker(Checker):
    """What a program sees that imports `metaflow`."""

    name = "metaflow-mli"

    def get_run(self) -> Any | None:
        """Give the run, whatever namespace it is in; None if there is none."""
        from metaflow import Run, namespace  # type: ignore[import-not-found]  # only where it is

        if self.run_id is None:
            return None
        namespace(None)
        return Run(f"{self.run.flow}/{self.run_id}")

    def read_step(self, step: str) -> list[TaskSeen]:
        """Read every task with its values."""
        run = self._get_run()
        if step not in run:
            return []
        # It does not promise an order of `parent_tasks`, and keeps the flow's name as an artifact.
        return [
            TaskSeen(
                step=step,
                task=task.id,
                values={a.id: a.data for a in task if a.id != "name"},
                attempt=task.current_attempt,
                index=task.index,
                origin=task.origin_pathspec,
            )
            for task in run[step]
        ]

    def read_log(self, step: str, stream: Stream) -> dict[str, str]:
        """Read every task's log."""
        run = self._get_run()
        return {task.id: getattr(task, stream) for task in run[step]} if step in run else {}

    def get_user_tags(self) -> frozenset[str]:
        """Give the run's user tags, read afresh."""
        return frozenset(self._get_run().user_tags)

    def get_system_tags(self) -> frozenset[str]:
        """Give the run's system tags."""
        return frozenset(self._get_run().system_tags)

    def add_tags(self, tags: Sequence[str]) -> None:
        """Add user tags."""
        self._get_run().add_tags(list(tags))

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove user tags."""
        self._get_run().remove_tags(list(tags))

    def replace_tags(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Replace user tags."""
        self._get_run().replace_tags(list(old), list(new))

    def _get_run(self) -> Any:
        run = self.get_run()
        if run is None:
            raise AssertionError("the command failed before there was a run")
        return run
