"""Reads runs back through the command line: `python flow.py dump` and `logs`."""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from functools import cached_property

from plait_harness.checker import Checker, Stream, TaskSeen
from plait_harness.leftovers import OWN_FOLDER

_FEW = 2
"""Up to so many tasks, each one's log is asked for by itself, and then comes to the byte."""


class CliChecker(Checker):
    """What a person sees who types commands."""

    name = "cli"

    def read_step(self, step: str) -> list[TaskSeen]:
        """Give the step's part of what `dump` wrote for the whole run."""
        return self._dumped.get(step, [])

    @cached_property
    def _dumped(self) -> dict[str, list[TaskSeen]]:
        # Where a case may always write: its own folder may be for reading only.
        file = os.path.join(OWN_FOLDER, "dump.pickle")
        self.command(["dump", f"{self.run_id}", "--file", file])
        file = os.path.join(self.run.folder, file)
        with open(file, "rb") as dumped:
            values = pickle.load(dumped)
        os.unlink(file)
        steps: dict[str, list[TaskSeen]] = {}
        for name, seen in values.items():
            _, _, step, task = name.split("/")
            steps.setdefault(step, []).append(TaskSeen(step, task, seen))
        return steps

    def read_log(self, step: str, stream: Stream) -> dict[str, str]:
        """Ask `logs` for the whole step at once, or for each of a few tasks."""
        tasks = [task.task for task in self.tasks(step)]
        if len(tasks) <= _FEW:
            return {task: self._read_one(step, task, stream) for task in tasks}
        printed = self._read_lines(f"{self.run_id}/{step}", stream)
        return {task: printed.get((step, task), "") for task in tasks}

    def read_lines(self, step: str, stream: Stream) -> dict[str, str]:
        """Give the step's part of what `logs` printed for the whole run."""
        if stream not in self._printed:
            self._printed[stream] = self._read_lines(f"{self.run_id}", stream)
        printed = self._printed[stream]
        return {task.task: printed.get((step, task.task), "") for task in self.tasks(step)}

    @cached_property
    def _printed(self) -> dict[Stream, dict[tuple[str, str], str]]:
        return {}

    def _read_lines(self, pathspec: str, stream: Stream) -> dict[tuple[str, str], str]:
        """Give the lines of each task that printed some, by step and task."""
        logs: dict[tuple[str, str], str] = {}
        # Each line has its task before it. Not `splitlines`, which also splits within lines.
        for line in self.command(["logs", pathspec, f"--{stream}"]).stdout.split("\n")[:-1]:
            label, _, text = line.partition("] ")
            _, step, task = label.rsplit("/", 2)
            logs[step, task] = logs.get((step, task), "") + f"{text}\n"
        return logs

    def get_user_tags(self) -> frozenset[str]:
        """Ask `tag list`."""
        return self._list_tags()

    def get_system_tags(self) -> frozenset[str]:
        """Ask `tag list --system`, which has the user's, too."""
        return self._list_tags("--system") - self._list_tags()

    def add_tags(self, tags: Sequence[str]) -> None:
        """Call `tag add`."""
        self._tag("add", *tags)

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Call `tag remove` with those that are there: it refuses others."""
        there = self._list_tags("--system")
        wanted = [tag for tag in tags if tag in there]
        if wanted:
            self._tag("remove", *wanted)

    def replace_tags(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Call `tag replace`, which takes one old tag; the others go before."""
        self.remove_tags([tag for tag in old[1:] if tag not in new])
        self._tag("replace", old[0], *new)

    def _tag(self, command: str, *tags: str) -> None:
        self.command(["tag", command, "--run-id", f"{self.run_id}", "--", *tags])

    def _list_tags(self, *options: str) -> frozenset[str]:
        listed = self.command(["tag", "list", "--run-id", f"{self.run_id}", *options]).stdout
        return frozenset(listed.splitlines())

    def _read_one(self, step: str, task: str, stream: Stream) -> str:
        return self.command(["logs", f"{self.run_id}/{step}/{task}", f"--{stream}"]).stdout
