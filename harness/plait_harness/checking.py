"""What runs in a judge's process: one checker, the template's check, and all that can be read."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from plait_harness.checker import Checker, CommandResult, NotOffered, RunFacts, TaskSeen
from plait_harness.expect import ExpectationFailed
from plait_harness.fingerprint import fingerprint
from plait_harness.graphs import GraphSpec, parse_valid_graph
from plait_harness.starter import Command, Starter


class Template(Protocol):
    """A template's class, as `check.py` holds it: only its check."""

    def check_results(self, flow: GraphSpec, checker: Checker) -> None:
        """Judge the run."""
        ...


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What a judge is asked, as the file that it is given says.

    Args:
        checker: The checker's name.
        checker_file: Where its class is.
        run: The run to judge.
        graph: The graph, in the form of a graph file.
        answer: The file to write the verdict to.
        starter: The address of the prepared process.
        starter_env: The environment that it was started in.
        env: The environment of the case's commands.
        python: The interpreter of the flow and its options; empty for the harness's own.
        fresh: Whether commands are started in a new interpreter always.
        timeout: Seconds that one command may take.
        scratch: A folder for the output of commands.
        limits: What commands have less of.
    """

    checker: str
    checker_file: str
    run: RunFacts
    graph: Mapping[str, Any]
    answer: str
    starter: str
    starter_env: Mapping[str, str]
    env: Mapping[str, str]
    python: tuple[str, ...]
    fresh: bool
    timeout: float
    scratch: str
    limits: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> JudgeRequest:
        """Read what `dataclasses.asdict` gave and JSON carried."""
        run = dict(data["run"])
        for name in ("steps", "options", "origins"):
            run[name] = tuple(run[name])
        return cls(**{**data, "run": RunFacts(**run), "python": tuple(data["python"])})


def judge(template: type[Template]) -> None:
    """Judge a run as the file named on the command line asks, and write the verdict beside it.

    Args:
        template: The class with the check, defined in the program that calls this.
    """
    with open(sys.argv[1], encoding="utf-8") as file:
        request = JudgeRequest.from_json(json.load(file))
    graph = parse_valid_graph(request.graph)
    checker = load_checker(request.checker_file)(request.run, _Commands(request))
    verdict: dict[str, Any] = {"outcome": "passed", "message": "", "traceback": "", "seen": {}}
    try:
        template().check_results(graph, checker)
    except NotOffered as reason:
        verdict.update(outcome="not offered", message=str(reason))
    except Exception as error:  # noqa: BLE001  # whatever a check raises is its verdict
        verdict.update(_describe(error))
    if request.run.run_id is not None:
        try:
            verdict["seen"] = {step: _see(checker, step) for step in request.run.steps}
        except Exception as error:  # noqa: BLE001  # that results can't be read is a verdict too
            if verdict["outcome"] != "failed":
                verdict.update(_describe(error))
    with open(request.answer, "w", encoding="utf-8") as file:
        json.dump(verdict, file)


def load_checker(path: str) -> type[Checker]:
    """Import the checker class of a file.

    Raises:
        TypeError: The file does not hold exactly one.
    """
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(f"harness_checker_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Checker)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"{path} has {len(found)} subclasses of Checker, not one")
    return found[0]


class _Commands:
    """Runs the flow's commands: see `plait_harness.checker.CommandRunner`."""

    def __init__(self, request: JudgeRequest) -> None:
        self._request = request
        self._starter = Starter(request.starter, request.starter_env)
        self._count = 0

    def __call__(self, arguments: Sequence[str], *, expect: int | None = 0) -> CommandResult:
        request = self._request
        self._count += 1
        name = f"{request.checker}-command-{self._count}"
        stdout = os.path.join(request.scratch, f"{name}.out")
        stderr = os.path.join(request.scratch, f"{name}.err")
        ended = self._starter.run(
            Command(
                argv=["flow.py", *request.run.options, *arguments],
                env=request.env,
                cwd=request.run.folder,
                stdout=stdout,
                stderr=stderr,
                timeout=request.timeout,
                python=request.python,
                fresh=request.fresh,
                limits=request.limits,
            )
        )
        result = CommandResult(ended.code, _read(stdout), _read(stderr))
        what = f"flow.py {' '.join(arguments)}"
        if ended.timed_out:
            raise ExpectationFailed("an end", f"none after {request.timeout:g} s", what)
        if ended.left:
            raise ExpectationFailed("no process left behind", "\n".join(ended.left), what)
        if expect is not None and result.code != expect:
            said = f"{result.code}, saying\n{result.stdout}{result.stderr}"
            raise ExpectationFailed(expect, said, f"exit code of {what}")
        for path in (stdout, stderr):
            os.unlink(path)
        return result


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="backslashreplace", newline="") as file:
        return file.read()


def _see(checker: Checker, step: str) -> list[dict[str, Any]]:
    return [_describe_task(task) for task in checker.tasks(step)]


def _describe_task(task: TaskSeen) -> dict[str, Any]:
    return {
        "task": task.task,
        "values": {name: fingerprint(value) for name, value in task.values.items()},
        "attempt": task.attempt,
        "index": task.index,
        "parents": None if task.parents is None else list(task.parents),
        "origin": task.origin,
    }


def _describe(error: Exception) -> dict[str, str]:
    # From the check's own first frame on: how it was called is no news.
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace)
    message = str(error) if isinstance(error, ExpectationFailed) else repr(error)
    return {"outcome": "failed", "message": message, "traceback": "".join(lines)}
