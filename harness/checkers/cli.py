"""Reads runs back through the command line: `python flow.py dump` and `logs`."""

from __future__ import annotations

import os
import pickle

from plait_harness.checker import Checker, Stream, TaskSeen

_FEW = 2
"""Up to so many tasks, each one's log is asked for by itself, and then comes to the byte."""


class CliChecker(Checker):
    """What a person sees who types commands."""

    name = "cli"

    def read_step(self, step: str) -> list[TaskSeen]:
        """Ask `dump` for the whole step at once, into a file."""
        file = os.path.join(self.run.folder, f"dump-of-{step}.pickle")
        found = self.command(["dump", f"{self.run_id}/{step}", "--file", file], expect=None)
        if found.code != 0:
            if "error[no-such-step]" in found.stderr:
                return []
            raise AssertionError(f"dump of {step} ended with {found.code}:\n{found.stderr}")
        with open(file, "rb") as dumped:
            values = pickle.load(dumped)
        os.unlink(file)
        return [TaskSeen(step, name.rpartition("/")[2], seen) for name, seen in values.items()]

    def read_log(self, step: str, stream: Stream) -> dict[str, str]:
        """Ask `logs` for the whole step at once, or for each of a few tasks."""
        tasks = [task.task for task in self.tasks(step)]
        if len(tasks) <= _FEW:
            return {task: self._read_one(step, task, stream) for task in tasks}
        printed = self.command(["logs", f"{self.run_id}/{step}", f"--{stream}"]).stdout
        logs = dict.fromkeys(tasks, "")
        # Each line has its task before it. Not `splitlines`, which also splits within lines.
        for line in printed.split("\n")[:-1]:
            label, _, text = line.partition("] ")
            logs[label.rpartition("/")[2]] += f"{text}\n"
        return logs

    def _read_one(self, step: str, task: str, stream: Stream) -> str:
        return self.command(["logs", f"{self.run_id}/{step}/{task}", f"--{stream}"]).stdout
