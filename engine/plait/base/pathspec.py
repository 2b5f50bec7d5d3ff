"""Names of runs, steps, tasks and attempts, as people write them: `Flow/run/step/task`."""

from __future__ import annotations

import re
from typing import NamedTuple

from plait.base.errors import UsageError

STEP_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
"""What a step may be called: lower case, digits and underscores, a letter first."""

PARAMETERS_STEP = "_parameters"
"""The step under which a run keeps its parameters and class attributes; no user step can be
called so, because of the underscore."""


class RunKey(NamedTuple):
    """The run *run* of flow *flow*."""

    flow: str
    run: str

    def __str__(self) -> str:
        return f"{self.flow}/{self.run}"


class TaskKey(NamedTuple):
    """One task: a step of a run, once."""

    flow: str
    run: str
    step: str
    task: str

    @property
    def run_key(self) -> RunKey:
        """The run that this task is of."""
        return RunKey(self.flow, self.run)

    def __str__(self) -> str:
        return f"{self.flow}/{self.run}/{self.step}/{self.task}"


class AttemptKey(NamedTuple):
    """One attempt at a task, counted from 0."""

    flow: str
    run: str
    step: str
    task: str
    attempt: int

    @property
    def task_key(self) -> TaskKey:
        """The task that this is an attempt at."""
        return TaskKey(self.flow, self.run, self.step, self.task)

    @property
    def run_key(self) -> RunKey:
        """The run that this attempt is of."""
        return RunKey(self.flow, self.run)

    def __str__(self) -> str:
        return f"{self.flow}/{self.run}/{self.step}/{self.task} (attempt {self.attempt})"


def parameters_key(run: RunKey) -> AttemptKey:
    """Give the attempt in which the parameters of a run are sealed, with its constants."""
    return AttemptKey(*run, PARAMETERS_STEP, "0", 0)


class BadPathspec(UsageError):
    """A pathspec has too few or too many parts, or an empty one."""

    slug = "bad-pathspec"

    def __init__(self, text: str, form: str) -> None:
        super().__init__(
            f"'{text}' is not a pathspec of the form {form}",
            why="its parts are divided by '/', none is empty, '.' or '..'",
            fix=f"write it as {form}",
        )


def parse_pathspec(text: str, *, parts: tuple[int, int], form: str) -> tuple[str, ...]:
    """Split a pathspec into its parts.

    Args:
        text: What the user wrote.
        parts: The least and the most number of parts allowed.
        form: The form to show when it is wrong, such as `run/step[/task]`.

    Raises:
        BadPathspec: The number of parts is off, or a part is empty, `.` or `..`.
    """
    # A number, say: what is typed may be anything, whatever the annotation says.
    split = tuple(text.split("/")) if isinstance(text, str) else ()
    if not parts[0] <= len(split) <= parts[1] or any(p in ("", ".", "..") for p in split):
        raise BadPathspec(text, form)
    return split
