"""What may happen to the runs of a flow, in any order, held against the reference model.

The flow is a generated one, and the commands are those that a person types, as processes that are
really killed. What they left is read from the files of the store, not through the engine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from plait_harness.fit import Fit, fit
from plait_harness.home import home_path
from plait_harness.model import Prediction, TaskId, predict
from plait_harness.outcomes import (
    find_impossible,
    plan_clones,
    predict_attempts,
    predict_outcome,
)
from plait_harness.render import render
from plait_harness.seals import SealedTask, read_run
from plait_harness.shapes import Shape, make_graph
from plait_harness.starter import Command, Ended, Starter
from plait_harness.templates import load_templates
from plait_harness.universal import check_structure, name_tasks

RETRIES = 1
"""What `@retry` of the flow's steps allows; see the template `AnyFate`."""

_KILLED = -9

_STRIKE = '''\
"""Kills the process at the event that HARNESS_KILL_AT counts to: a file that it opens or moves."""

import os
import sys

_left = [int(os.environ.get("HARNESS_KILL_AT", "0"))]
_own = os.getpid()
_writes = os.O_WRONLY | os.O_RDWR


def _strike(event, arguments):
    if event == "open" and not (isinstance(arguments[2], int) and arguments[2] & _writes):
        return
    if event in ("open", "os.rename", "os.link", "os.mkdir") and os.getpid() == _own:
        _left[0] -= 1
        if _left[0] == 0:
            os.kill(_own, 9)


if _left[0]:
    sys.addaudithook(_strike)
'''

_ADMIN = '''\
"""The command `plait`, as a script."""

from plait.cli.plait import main

main()
'''


class Disagreement(AssertionError):
    """The engine did what the model says can't be."""


@dataclass(slots=True)
class RunSeen:
    """A run, as its files were when it had ended.

    Args:
        id: Its id.
        finished: The tasks that it finished, or took over.
        tags: Its user tags.
    """

    id: str
    finished: frozenset[TaskId]
    tags: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Doing:
    """A run to start.

    Args:
        fates: How many attempts at a task fail first.
        origin: The run that it resumes; None for a new one.
        step: The step to resume from; None for what did not finish.
        kill_at: At which event it is killed; 0 for never. It may end before.
        tag: Its tag.
        workers: How its tasks' processes start.
    """

    fates: Mapping[TaskId, int]
    origin: RunSeen | None = None
    step: str | None = None
    kill_at: int = 0
    tag: str = "made"
    workers: str = "inline"


class Lives:
    """The runs of one generated flow, each checked against the model when it has ended.

    Args:
        shape: The shape of the flow's graph.
        folder: An empty folder to work in.
        starters: Where commands are started; two, so that there can be two at once.
        env: The environment of the commands.
    """

    def __init__(
        self, shape: Shape, folder: str, starters: Sequence[Starter], env: Mapping[str, str]
    ) -> None:
        graph = make_graph(shape, "lived")
        template = load_templates(home_path(os.path.join("tests", "any_graph.py")))["AnyFate"]
        fitted = fit(replace(template, only_graphs={}), graph)
        assert isinstance(fitted, Fit), "it fits any graph"
        rendered = render(fitted)
        self.prediction: Prediction = predict(graph.to_json())
        self.runs: dict[str, RunSeen] = {}
        self.lost_count = 0
        self._flow = rendered.flow_name
        self._folder = folder
        self._starters = starters
        self._env = {**env, "PLAIT_USER": "harness", "HARNESS_RAN": self._path("ran.log")}
        self._count = 0
        head = "\nfrom plait import"
        self._write("flow.py", rendered.flow.replace(head, f"\nimport strike\n{head}", 1))
        self._write("strike.py", _STRIKE)
        self._write("admin.py", _ADMIN)
        self._write("ran.log", "")

    def do(self, doing: Doing) -> RunSeen | None:
        """Start a run, wait for its end, and check it; None if it was killed before it had an id.

        Raises:
            Disagreement: It is not as the model says.
        """
        return self._check(doing, *self._start(doing, 0))

    def do_both(self, one: Doing, other: Doing) -> None:
        """Start two runs at once, wait for both, and check them."""
        with ThreadPoolExecutor(2) as pool:
            started = [
                pool.submit(self._start, doing, place) for place, doing in enumerate((one, other))
            ]
            ended = [future.result() for future in started]
        for doing, end in zip((one, other), ended, strict=True):
            self._check(doing, *end)

    def tag(self, run: RunSeen, tag: str) -> None:
        """Give a run a tag, and check what tags it has."""
        self._succeed("flow.py", "tag", "add", "--run-id", run.id, tag)
        run.tags.add(tag)
        said = self._succeed("flow.py", "tag", "list", "--run-id", run.id)
        self._agree("tags", sorted(run.tags), sorted(said.split()))

    def clean(self, keep: int | None = None) -> None:
        """Remove what no run needs, and all runs but the *keep* latest; check what is left.

        Args:
            keep: How many stay; None for all. With runs that nobody knows the id of, all stay.
        """
        options = [] if keep is None or self.lost_count else ["--keep-runs", str(keep)]
        self._succeed("admin.py", "gc", *options)
        if options:
            latest = sorted(self.runs, key=int)[len(self.runs) - (keep or 0) :]
            for run in self.runs.keys() - latest:
                # Its files may stay, where a run that is kept took over what is in them.
                self._refuse("flow.py", "tag", "list", "--run-id", run)
                del self.runs[run]
        self.check()

    def check(self) -> None:
        """Check that every run is as it was when it ended, and the whole store sound."""
        for run in self.runs.values():
            self._agree(f"tasks of run {run.id}", run.finished, self._finished(run.id))
        self._succeed("admin.py", "verify")

    def _start(self, doing: Doing, place: int) -> tuple[Ended, str, str]:
        self._count += 1
        number = f"{self._count}-{place}"
        id_file = self._path(f"id-{number}")
        arguments = ["--workers", doing.workers]
        if doing.origin is None:
            arguments += ["run"]
        else:
            arguments += ["resume", "--origin-run-id", doing.origin.id]
            arguments += [doing.step] if doing.step else []
        arguments += ["--tag", doing.tag, "--max-workers", "3", "--run-id-file", id_file]
        fates = {json.dumps(task): count for task, count in doing.fates.items()}
        env = {"HARNESS_FATES": json.dumps(fates), "HARNESS_KILL_AT": str(doing.kill_at)}
        ended, said = self._call(["flow.py", *arguments], number, place, env)
        run = ""
        if os.path.exists(id_file):
            with open(id_file, encoding="utf-8") as file:
                run = file.read().strip().rpartition("/")[2]
        return ended, run, said

    def _check(self, doing: Doing, ended: Ended, run: str, said: str) -> RunSeen | None:
        if not run:
            self._agree(f"the end of a run without an id, which said\n{said}", _KILLED, ended.code)
            self.lost_count += 1
            return None
        origin = frozenset[TaskId]() if doing.origin is None else doing.origin.finished
        rerun = {doing.step} if doing.step else set[str]()
        cloned = frozenset(plan_clones(self.prediction, origin, rerun=rerun))
        sealed = self._read(run)
        finished = self._finished(run)
        executed = self._executed(run)
        self._none(find_impossible(self.prediction, finished))
        self._agree(f"tasks taken over and run by {run}", set(), cloned & executed.keys())
        failing = {
            task
            for task, count in doing.fates.items()
            if task not in cloned and not predict_attempts(count, retries=RETRIES).ok
        }
        outcome = predict_outcome(self.prediction, failing)
        self._agree(f"tasks of {run} that can't finish", set(), finished - outcome.perhaps)
        done = outcome.status == "done"
        if ended.code != _KILLED:
            self._agree(f"the end of {run}, which said\n{said}", int(not done), ended.code)
            self._agree(f"tasks of {run} that have to finish", set(), outcome.surely - finished)
            self._none(check_structure(self.prediction, sealed, complete=done))
            self._check_attempts(doing.fates, executed, finished)
            if done:
                everything = {task.id for task in self.prediction.tasks}
                self._agree(f"tasks run by {run}", everything - cloned, set(executed))
        seen = RunSeen(run, finished, {doing.tag})
        self.runs[run] = seen
        return seen

    def _check_attempts(
        self,
        fates: Mapping[TaskId, int],
        executed: Mapping[TaskId, int],
        finished: Collection[TaskId],
    ) -> None:
        for task, count in executed.items():
            if task in finished:
                expected = predict_attempts(fates.get(task, 0), retries=RETRIES).count
                self._agree(f"attempts at {task}", expected, count)

    def _executed(self, run: str) -> dict[TaskId, int]:
        """Give the tasks whose code a run began, and how often."""
        counts: dict[TaskId, int] = {}
        with open(self._path("ran.log"), encoding="utf-8") as file:
            for line in file:
                its_run, _, name = line.partition(" ")
                if its_run == run:
                    step, position, turn = json.loads(name)
                    task = TaskId(step, tuple(position), turn)
                    counts[task] = counts.get(task, 0) + 1
        return counts

    def _read(self, run: str) -> list[SealedTask]:
        return read_run(self._path(os.path.join(".plait", "store")), self._flow, run)

    def _finished(self, run: str) -> frozenset[TaskId]:
        sealed = self._read(run)
        names = name_tasks(sealed)
        return frozenset(
            names[seal.step, seal.task]
            for seal in sealed
            if seal.ok and (seal.step, seal.task) in names
        )

    def _succeed(self, *argv: str) -> str:
        self._count += 1
        ended, said = self._call(list(argv), f"{self._count}-0", 0, {})
        self._agree(f"the end of {' '.join(argv)}, which said\n{said}", 0, ended.code)
        return said

    def _refuse(self, *argv: str) -> None:
        self._count += 1
        ended, said = self._call(list(argv), f"{self._count}-0", 0, {})
        if ended.code == 0:
            raise Disagreement(f"{' '.join(argv)} is not refused; it said\n{said}")

    def _call(
        self, argv: list[str], number: str, place: int, env: Mapping[str, str]
    ) -> tuple[Ended, str]:
        output = self._path(f"said-{number}")
        ended = self._starters[place].run(
            Command(
                argv=argv,
                env={**self._env, "HARNESS_FATES": "{}", **env},
                cwd=self._folder,
                stdout=output,
                stderr=f"{output}.err",
                timeout=60,
            )
        )
        said = ""
        for name in (output, f"{output}.err"):
            with open(name, encoding="utf-8", errors="backslashreplace") as file:
                said += file.read()
        if ended.timed_out:
            raise Disagreement(f"{' '.join(argv)} did not end; it said\n{said}")
        return ended, said

    def _agree(self, what: str, expected: object, got: object) -> None:
        if expected != got:
            raise Disagreement(f"{what}: expected {expected}, got {got}")

    def _none(self, problems: Sequence[str]) -> None:
        if problems:
            raise Disagreement("\n".join(problems))

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)

    def _write(self, name: str, text: str) -> None:
        with open(self._path(name), "w", encoding="utf-8") as file:
            file.write(text)
