"""Reads runs of an installed Metaflow back through its command line: `dump` and `logs`."""

from __future__ import annotations

import os
import pickle

from plait_harness.checker import Checker, Stream, TaskSeen


class MetaflowCliChecker(Checker):
    """What a person sees who types commands."""

    name = "metaflow-cli"

    def read_step(self, step: str) -> list[TaskSeen]:
        """Give what `dump` writes for a step; it refuses one without a task."""
        file = os.path.join(self.run.folder, "dump.pickle")
        ended = self.command(["dump", f"{self.run_id}/{step}", "--file", file], expect=None)
        if ended.code:
            return []
        with open(file, "rb") as dumped:
            values = pickle.load(dumped)
        os.unlink(file)
        # It keeps the flow's name as an artifact of every task.
        return [
            TaskSeen(step, path.rpartition("/")[2], {n: v for n, v in seen.items() if n != "name"})
            for path, seen in values.items()
        ]

    def read_log(self, step: str, stream: Stream) -> dict[str, str]:
        """Ask `logs` for each task: of a whole step it does not say where a task's begins."""
        return {
            task.task: self.command(
                ["--quiet", "logs", f"{self.run_id}/{step}/{task.task}", f"--{stream}"]
            ).stdout
            for task in self.tasks(step)
        }
