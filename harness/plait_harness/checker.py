"""What a checker offers to `check_results`, whichever interface it reads a run through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from plait_harness.expect import ExpectationFailed

Stream = Literal["stdout", "stderr"]

_EXIT_CODES = {"done": 0, "failed": 1, "interrupted": 130}


class NotOffered(Exception):
    """The interface has no way to do what the template asks; the check ends here, and says so.

    A check that ends so counts as *not offered*, neither passed nor failed. A case all of whose
    checks end so has been judged by nobody, and fails.
    """


class CommandRunner(Protocol):
    """Runs a command of the case's flow as a person would: `python flow.py ARGUMENTS`."""

    def __call__(self, arguments: Sequence[str], *, expect: int | None = 0) -> CommandResult:
        """Run it in the case's folder.

        Args:
            arguments: What follows `flow.py` and the context's top-level options.
            expect: The exit code that it must end with; None allows any.

        Raises:
            ExpectationFailed: It ended with another one.
        """
        ...


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended: its exit code and what it printed."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the harness knows of the run under judgement without any interface of plait.

    Args:
        flow: The flow's class name.
        run_id: The run's id; None if it failed before there was one.
        exit_code: What `python flow.py run` ended with.
        stdout: What it printed.
        stderr: What it printed there.
        folder: The case's folder, which is the working directory.
        steps: The steps of the graph, in its order.
        options: The context's top-level options.
        origins: The ids of the runs before it, of which each was resumed by the next.
        clones: By `step/task` each task that it took over, as the model says, and the pathspec of
            the one whose code ran; None where the harness can't look into the store.
        store: The folder that holds the values of all flows, `.plait/store`.
    """

    flow: str
    run_id: str | None
    exit_code: int
    stdout: str
    stderr: str
    folder: str
    steps: tuple[str, ...]
    options: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    clones: Mapping[str, str] | None = None
    store: str = ""


@dataclass(frozen=True, slots=True)
class TaskSeen:
    """One task, as an interface shows it; what an interface does not show is None.

    Args:
        step: Its step.
        task: Its id.
        values: Every public artifact by name.
        logs: What it printed, by stream.
        attempt: The visible attempt, from 0.
        index: Its position in the innermost foreach.
        parents: `step/task` of the tasks before it, in join order.
        origin: The pathspec of the task that it was taken over from; an interface that shows
            parents shows it for those that were.
    """

    step: str
    task: str
    values: Mapping[str, Any]
    logs: Mapping[str, str] | None = None
    attempt: int | None = None
    index: int | None = None
    parents: tuple[str, ...] | None = None
    origin: str | None = None


@dataclass(slots=True)
class Checker:
    """Reads a run back through one interface.

    A subclass implements `read_step` and `read_log`, and whatever else its interface can do;
    everything that is asserted is asserted here, the same for all of them.

    Task ids are strings. Every mapping by task is in ascending order of task ids as numbers, which
    within one foreach is the order of the elements.

    Attributes:
        run: The facts of the run: `flow`, `run_id`, `exit_code`, `stdout`, `stderr`, `folder`.
        command: Runs `python flow.py ...` in the case's folder.
    """

    name: ClassVar[str]

    run: RunFacts
    command: CommandRunner
    _tasks: dict[str, list[TaskSeen]] = field(default_factory=dict)
    _logs: dict[tuple[str, str, bool], dict[str, str]] = field(default_factory=dict)

    # What an interface implements.

    def read_step(self, step: str) -> list[TaskSeen]:
        """Read every task of *step* with all its artifacts; empty if the step has no task."""
        raise NotImplementedError

    def read_log(self, step: str, stream: Stream) -> dict[str, str]:
        """Read what every task of *step* printed on *stream*: task id -> text."""
        raise NotImplementedError

    def read_lines(self, step: str, stream: Stream) -> dict[str, str]:
        """As `read_log`, but a last line that is not ended may come ended.

        A checker overrides it that can read many steps at once so.
        """
        return self.read_log(step, stream)

    # What a template calls: the run.

    @property
    def run_id(self) -> str | None:
        """The id of the run; None if the command failed before there was one."""
        return self.run.run_id

    @property
    def origins(self) -> tuple[str, ...]:
        """The ids of the runs before it, of which each was resumed by the next."""
        return self.run.origins

    def run_of(self, task: TaskSeen) -> str | None:
        """Give the id of the run in which a task's code ran, as the model says; None if unknown."""
        clones = self.run.clones
        if clones is None:
            return None
        origin = clones.get(f"{task.step}/{task.task}")
        return self.run_id if origin is None else origin.split("/")[1]

    @property
    def exit_code(self) -> int:
        """The exit code of the run's command."""
        return self.run.exit_code

    @property
    def console(self) -> str:
        """What the run's command printed, standard output before standard error."""
        return self.run.stdout + self.run.stderr

    def get_run(self) -> Any | None:
        """Give the client's `Run`, or None where the interface is not the client."""
        return None

    def run_status(self) -> str:
        """Give the run's status: `done`, `failed`, `running`, `interrupted`."""
        raise NotOffered(f"{self.name} does not show a run's status")

    def assert_status(self, status: str) -> None:
        """Check the run's status; where the interface does not show it, its exit code instead."""
        try:
            got = self.run_status()
        except NotOffered:
            assert_same(_EXIT_CODES[status], self.exit_code, f"exit code of a run that is {status}")
        else:
            assert_same(status, got, "status of the run")

    # What a template calls: tasks and artifacts.

    def tasks(self, step: str) -> list[TaskSeen]:
        """Give every task of *step*, in ascending order of ids; empty if it has none."""
        if step not in self._tasks:
            self._tasks[step] = sorted(self.read_step(step), key=lambda seen: _id_key(seen.task))
        return self._tasks[step]

    def artifact_dict(self, step: str, name: str) -> dict[str, Any]:
        """Give the artifact *name* of every task of *step* that has it: task id -> value."""
        return {t.task: t.values[name] for t in self.tasks(step) if name in t.values}

    def artifact_names(self, step: str) -> dict[str, frozenset[str]]:
        """Give the names of all public artifacts of every task of *step*: task id -> names."""
        return {t.task: frozenset(t.values) for t in self.tasks(step)}

    def assert_artifact(
        self, step: str, name: str, value: Any, fields: Mapping[str, Any] | None = None
    ) -> None:
        """Check an artifact of *every* task of *step*; a step without a task fails.

        Args:
            step: The step.
            name: The artifact.
            value: What it must equal, type included. Ignored if *fields* is given.
            fields: Attributes of the value and what each must equal.
        """
        for task in self._some_tasks(step):
            where = f"{step}/{task.task}"
            if name not in task.values:
                raise ExpectationFailed(f"an artifact {name!r} of {where}", sorted(task.values))
            got = task.values[name]
            if fields is None:
                assert_same(value, got, f"artifact {name!r} of {where}")
                continue
            for attribute, expected in fields.items():
                missing = f"no attribute {attribute!r} on a {type(got).__qualname__}"
                found = getattr(got, attribute, missing)
                assert_same(expected, found, f"{name}.{attribute} of {where}")

    def assert_no_artifact(self, step: str, name: str) -> None:
        """Check that no task of *step* has an artifact *name*; a step without a task fails."""
        for task in self._some_tasks(step):
            if name in task.values:
                raise ExpectationFailed(
                    f"no artifact {name!r} of {step}/{task.task}", task.values[name]
                )

    def assert_tasks(self, step: str, count: int) -> None:
        """Check how many tasks *step* has."""
        assert_same(count, len(self.tasks(step)), f"number of tasks of {step}")

    def assert_ran(self, step: str, name: str) -> None:
        """Check that what every task of *step* left in the artifact *name* is the run it ran in.

        A resumed run takes over tasks whose code ran in a run before it; which, the model says.

        Args:
            step: The step, which may have no task.
            name: The artifact that its body sets to `current.run_id`.
        """
        for task in self.tasks(step):
            expected = self.run_of(task)
            got = task.values.get(name)
            if expected is None and got in (*self.origins, self.run_id):
                continue
            assert_same(expected, got, f"run in which {step}/{task.task} ran")

    # What a template calls: logs.

    def log_dict(self, step: str, stream: Stream, *, lines: bool = False) -> dict[str, str]:
        """Give what every task of *step* printed on *stream*: task id -> text.

        Args:
            step: The step.
            stream: `stdout` or `stderr`.
            lines: Whether whole lines will do: then a last line that is not ended may come ended,
                and to ask for the logs of all steps is cheap.
        """
        if (step, stream, lines) not in self._logs:
            logs = self.read_lines(step, stream) if lines else self.read_log(step, stream)
            by_id = {task: logs[task] for task in sorted(logs, key=_id_key)}
            self._logs[step, stream, lines] = by_id
        return self._logs[step, stream, lines]

    def assert_log(
        self, step: str, stream: Stream, text: str, *, exact: bool = True, lines: bool = False
    ) -> None:
        """Check the log of *every* task of *step*; a step without a task fails.

        Args:
            step: The step.
            stream: `stdout` or `stderr`.
            text: What it must be, or with `exact=False` contain.
            exact: Whether the log is all of *text* and nothing else.
            lines: As for `log_dict`.
        """
        logs = self.log_dict(step, stream, lines=lines)
        if not logs:
            raise ExpectationFailed(f"at least one task of {step}", "none")
        for task, got in logs.items():
            if exact:
                assert_same(text, got, f"{stream} of {step}/{task}")
            elif text not in got:
                raise ExpectationFailed(f"{stream} of {step}/{task} with {text!r} in it", got)

    # What a template calls: tags of the run.

    def get_user_tags(self) -> frozenset[str]:
        """Give the run's user tags, read afresh."""
        raise NotOffered(f"{self.name} does not show tags")

    def get_system_tags(self) -> frozenset[str]:
        """Give the run's system tags."""
        raise NotOffered(f"{self.name} does not show tags")

    def add_tags(self, tags: Sequence[str]) -> None:
        """Add user tags, all at once."""
        raise NotOffered(self._no_tags(tags))

    def add_tag(self, tag: str) -> None:
        """Add one user tag."""
        self.add_tags([tag])

    def remove_tags(self, tags: Sequence[str]) -> None:
        """Remove user tags, all at once; those that are not there are no matter."""
        raise NotOffered(self._no_tags(tags))

    def remove_tag(self, tag: str) -> None:
        """Remove one user tag."""
        self.remove_tags([tag])

    def replace_tags(self, old: Sequence[str], new: Sequence[str]) -> None:
        """Remove *old* and add *new* at once; a tag in both stays."""
        raise NotOffered(self._no_tags([*old, *new]))

    def replace_tag(self, old: str, new: str) -> None:
        """Remove one user tag and add another at once."""
        self.replace_tags([old], [new])

    def _no_tags(self, tags: Sequence[str]) -> str:
        return f"{self.name} does not change tags (asked about {', '.join(tags)})"

    def _some_tasks(self, step: str) -> list[TaskSeen]:
        tasks = self.tasks(step)
        if not tasks:
            raise ExpectationFailed(f"at least one task of {step}", "none")
        return tasks


def assert_same(expected: Any, got: Any, what: str) -> None:
    """Check that two values are equal and of the same type.

    Raises:
        ExpectationFailed: They are not; says *what* it was about.
    """
    if type(expected) is not type(got) or expected != got:
        raise ExpectationFailed(expected, got, what)


def _id_key(task: str) -> tuple[int, str]:
    return (int(task), "") if task.isdigit() else (_LAST, task)


_LAST = 2**63  # ids that are not numbers come after those that are
