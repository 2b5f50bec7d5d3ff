"""Running one case: render, run, judge, and see what is left behind."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait_harness.checker import RunFacts
from plait_harness.checking import JudgeRequest
from plait_harness.contexts import CheckSpec
from plait_harness.crossing import Case
from plait_harness.differences import hold_against_list
from plait_harness.interpreters import interpreter_of
from plait_harness.layout import check_layout
from plait_harness.leftovers import OWN_FOLDER, find_leftovers, find_open_to_others
from plait_harness.model import predict
from plait_harness.precommand import run_before
from plait_harness.render import Rendered, render
from plait_harness.result import CaseResult, CheckResult
from plait_harness.sealed import SealedRuns, check_sealed_runs, read_sealed_runs
from plait_harness.seals import DamagedSeal
from plait_harness.servers import NO_SERVERS, Servers
from plait_harness.sources import CheckerSource
from plait_harness.starter import Command, Ended, Starter
from plait_harness.surroundings import make_env, make_folder
from plait_harness.universal import Seen, check_unsealed

_CALLER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "caller.py")
"""The program that is the executor `api`."""

_NOT_RUN = Ended(code=-1, seconds=0.0, cpu=0.0, timed_out=False, left=())
"""What stands for the end of a flow that was not begun."""


@dataclass(frozen=True, slots=True)
class CaseRunner:
    """Runs cases, one after another, with the help of a prepared process.

    Args:
        starter: Where commands are started.
        starter_env: The environment that it was started in.
        root: The folder that case folders are made in.
        base_env: The environment that cases start from.
        feature_variable: If not empty, the variable that tells coverage the template's name.
        servers: Where the servers of contexts are had.
    """

    starter: Starter
    starter_env: Mapping[str, str]
    root: str
    base_env: Mapping[str, str]
    feature_variable: str = ""
    servers: Servers = NO_SERVERS

    def run(self, case: Case) -> CaseResult:
        """Run a case to its end, in a folder made anew; never raises for what the flow does."""
        return hold_against_list(case, _Run(self, case).go())


class _Run:
    def __init__(self, runner: CaseRunner, case: Case) -> None:
        self.runner = runner
        self.case = case
        self.folder = os.path.join(runner.root, case.folder)
        self.own = os.path.join(self.folder, OWN_FOLDER)
        self.home = os.path.join(self.own, case.context.home)
        self.phases: dict[str, float] = {}
        self.rendered: Rendered | None = None
        context = case.context
        self.python: tuple[str, ...] = ()
        if context.python or context.python_options:
            self.python = (interpreter_of(context.python), *context.python_options)
        base = {**runner.base_env, **runner.servers.environment(context.services)}
        self.env = make_env(case, runner.root, base, runner.feature_variable)
        self.stores = self.env.get("PLAIT_DATASTORE_ROOT", os.path.join(self.folder, ".plait"))
        self.limits = context.limits.to_request()
        self.run_id_file = ""
        # The runs that were resumed, each by the next.
        self.origins: list[str] = []
        self.left: SealedRuns | DamagedSeal | None = None
        self.prediction = predict(case.graph.to_json())

    def go(self) -> CaseResult:
        try:
            return self.go_through()
        finally:
            if self.case.context.limits.read_only:
                os.chmod(self.folder, 0o700)

    def go_through(self) -> CaseResult:
        began = time.perf_counter()
        with self.phase("render"):
            self.make_folder()
        before = frozenset(os.listdir(self.runner.root))
        checks: list[CheckResult] = []
        with self.phase("run"):
            problems = run_before(self.case.context, self.folder, self.env, self.run_timeout)
            ended = _NOT_RUN if problems else self.run_flow()
            while len(self.origins) < self.case.template.resume and not problems:
                problems = list(self.check_origin(ended))
                if not problems:
                    ended = self.resume_flow()
        if problems:
            self.phases["check always"] = 0.0
            return self.result_of(began, ended, [], problems)
        self.read_seals()
        facts = self.facts_of(ended)
        problems += self.check_end(ended)
        seen: dict[str, Seen] = {}
        for check, source in self.case.judges:
            with self.phase(f"check {check.name}"):
                result, saw = self.ask(check, source, facts)
            checks.append(result)
            if saw:
                seen[check.name] = saw
        if checks and all(check.outcome == "not offered" for check in checks):
            problems.append("no checker of the context could judge it")
        with self.phase("check always"):
            problems += self.check_always(facts, seen)
            if self.case.context.engine.is_plait:
                problems += self.check_left(before, killed=ended.code < 0)
        return self.result_of(began, ended, checks, problems)

    def check_left(self, before: frozenset[str], *, killed: bool) -> Iterator[str]:
        """Check what the case has left behind, and with which permissions."""
        yield from find_leftovers(
            self.folder,
            before,
            self.expected_files(),
            home=self.home,
            stores=self.stores,
            killed=killed,
        )
        umask = self.case.context.limits.umask
        if umask is not None:
            yield from find_open_to_others(self.stores, umask)

    def result_of(
        self, began: float, ended: Ended, checks: list[CheckResult], problems: list[str]
    ) -> CaseResult:
        checks.append(
            CheckResult(
                "always",
                "failed" if problems else "passed",
                "\n".join(problems),
                seconds=self.phases["check always"],
            )
        )
        return CaseResult(
            id=self.case.id,
            folder=self.folder,
            exit_code=ended.code,
            checks=tuple(checks),
            seconds=time.perf_counter() - began,
            phases=self.phases,
        )

    def phase(self, name: str) -> _Phase:
        return _Phase(self.phases, name)

    def make_folder(self) -> None:
        self.rendered = render(self.case.fit, self.case.context.engine)
        make_folder(self.case, self.folder, self.rendered)

    def run_flow(self) -> Ended:
        return self.call("run", self.case.template.run_options)

    def resume_flow(self) -> Ended:
        """Keep what is known of the run that has just failed, and resume it."""
        assert self.rendered is not None
        origin = self.read_run_id()
        assert origin is not None, "its end was checked"
        self.origins.append(origin)
        for name in ("run.out", "run.err"):
            kept = f"origin-{len(self.origins)}{os.path.splitext(name)[1]}"
            os.replace(os.path.join(self.own, name), os.path.join(self.own, kept))
        with open(os.path.join(self.folder, "flow.py"), "w", encoding="utf-8") as file:
            file.write(self.rendered.resumed)
        step = self.case.template.resume_step
        steps = () if step is None else (step,)
        return self.call("resume", (*self.case.template.resume_options, *steps))

    def call(self, command: str, given: Sequence[str]) -> Ended:
        """Call `run` or `resume` with the context's options and these, as the executor does."""
        arguments = [command, *self.case.context.run_options]
        if "--run-id-file" not in given:
            arguments += ["--run-id-file", os.path.join(OWN_FOLDER, f"run-id-{len(self.origins)}")]
        arguments += given
        self.run_id_file = arguments[arguments.index("--run-id-file") + 1]
        return self.start(self.command(arguments), "run", timeout=self.run_timeout)

    @property
    def run_timeout(self) -> float:
        return self.case.template.timeout or self.case.context.timeout

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Give the script that calls the flow with *arguments*, in the way of the executor."""
        if self.case.executor == "cli":
            return ["flow.py", *self.options(), *arguments]
        called = [list(self.options()), arguments[0], list(arguments[1:])]
        return [_CALLER, json.dumps(called)]

    def options(self) -> tuple[str, ...]:
        return (*self.case.context.top_options, *self.case.template.top_options)

    def start(
        self,
        argv: Sequence[str],
        name: str,
        *,
        timeout: float,
        python: tuple[str, ...] | None = None,
        keep: bool = False,
    ) -> Ended:
        return self.runner.starter.run(
            Command(
                argv=argv,
                env=self.env,
                cwd=self.folder,
                stdout=os.path.join(self.own, f"{name}.out"),
                stderr=os.path.join(self.own, f"{name}.err"),
                timeout=timeout,
                python=self.python if python is None else python,
                # The harness's own programs may always be forked.
                fresh=self.case.context.start == "fresh" and not keep,
                keep=keep,
                limits=self.limits,
            )
        )

    def facts_of(self, ended: Ended) -> RunFacts:
        assert self.rendered is not None
        return RunFacts(
            flow=self.rendered.flow_name,
            run_id=self.read_run_id(),
            exit_code=ended.code,
            stdout=self.read("run.out"),
            stderr=self.read("run.err"),
            folder=self.folder,
            steps=tuple(self.case.graph.nodes),
            options=self.options(),
            origins=tuple(self.origins),
            clones={"/".join(task): origin for task, origin in self.left.clones.items()}
            if isinstance(self.left, SealedRuns)
            else None,
            store=os.path.join(self.stores, "store"),
        )

    def read(self, name: str) -> str:
        path = os.path.join(self.own, name)
        with open(path, encoding="utf-8", errors="backslashreplace", newline="") as file:
            return file.read()

    def read_run_id(self) -> str | None:
        try:
            with open(os.path.join(self.folder, self.run_id_file), encoding="utf-8") as file:
                text = file.read().strip()
        except FileNotFoundError:
            return None  # it failed before there was a run
        return text.rpartition("/")[2]

    def check_origin(self, ended: Ended) -> Iterator[str]:
        """Check that a run ended as one must that is to be resumed."""
        number = len(self.origins) + 1
        yield from (
            f"run {number}, which is to be resumed: {problem}"
            for problem in self.check_end(ended, expected=1)
        )
        if "ResumeFromHere" not in self.read("run.out") + self.read("run.err"):
            yield f"run {number}, which is to be resumed, did not fail by ResumeFromHere"
        elif self.read_run_id() is None:
            yield f"run {number}, which is to be resumed, has no id"

    def check_end(self, ended: Ended, expected: int | None = None) -> Iterator[str]:
        if expected is None:
            expected = self.case.template.should_fail
        if ended.timed_out:
            yield f"the run did not end within {ended.seconds:.0f} s, and was killed"
        elif ended.code != expected:
            yield f"the run ended with exit code {ended.code}, expected {expected}"
        for process in ended.left:
            yield f"the run left a process behind: {process}"

    def ask(
        self, check: CheckSpec, source: CheckerSource, facts: RunFacts
    ) -> tuple[CheckResult, Seen | None]:
        began = time.perf_counter()
        answer = os.path.join(self.own, f"{check.name}.json")
        request = JudgeRequest(
            checker=check.name,
            checker_file=source.file,
            run=facts,
            graph=self.case.graph.to_json(),
            answer=answer,
            starter=self.runner.starter.address,
            starter_env=self.runner.starter_env,
            env=self.env,
            # What one interpreter wrote is read by the other also where a command reads it.
            python=(interpreter_of(check.python),) if check.python else self.python,
            fresh=self.case.context.start == "fresh",
            limits=self.limits,
            timeout=self.case.context.timeout,
            scratch=self.own,
        )
        path = os.path.join(self.own, f"{check.name}-request.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(request), file)
        name = f"check-{check.name}"
        python = (interpreter_of(check.python),) if check.python else None
        timeout = self.case.context.timeout
        ended = self.start(
            ["check.py", path],
            name,
            timeout=timeout,
            python=python,
            keep=True,
        )
        seconds = time.perf_counter() - began
        if not os.path.exists(answer):
            said = self.read(f"{name}.out") + self.read(f"{name}.err")
            why = f"no verdict within {timeout:g} s" if ended.timed_out else "no verdict"
            message = f"{why}; it ended with {ended.code}, saying:\n{said}"
            return CheckResult(check.name, "failed", message, seconds=seconds), None
        with open(answer, encoding="utf-8") as file:
            verdict: dict[str, Any] = json.load(file)
        result = CheckResult(
            check.name, verdict["outcome"], verdict["message"], verdict["traceback"], seconds
        )
        return result, verdict["seen"]

    def expected_files(self) -> set[str]:
        template = self.case.template
        paths = (*template.required_files, *template.leaves)
        return {"flow.py", "check.py", ".plait", OWN_FOLDER, *(p.split("/")[0] for p in paths)}

    def read_seals(self) -> None:
        """Read what the runs left, before anybody else does."""
        assert self.rendered is not None
        last, step = self.read_run_id(), self.case.template.resume_step
        self.left = read_sealed_runs(
            os.path.join(self.stores, "store"),
            self.rendered.flow_name,
            self.origins if last is None else [*self.origins, last],
            self.prediction,
            () if step is None else {step},
        )

    def check_always(self, facts: RunFacts, seen: Mapping[str, Seen]) -> list[str]:
        template = self.case.template
        if facts.run_id is None:
            return [] if template.should_fail else ["the run has no id"]
        if isinstance(self.left, DamagedSeal):
            return [f"the store is damaged: {self.left}"]
        if self.left is None:
            return [] if template.should_fail else check_unsealed(self.prediction, seen)
        return [
            *check_layout(self.left.reader),
            *check_sealed_runs(
                self.left,
                self.prediction,
                seen,
                complete=not template.should_fail,
                changing=template.class_vars,
                killed=facts.exit_code < 0,
            ),
        ]


class _Phase:
    """Times a part of a case."""

    def __init__(self, phases: dict[str, float], name: str) -> None:
        self.phases = phases
        self.name = name
        self.began = 0.0

    def __enter__(self) -> None:
        self.began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.phases[self.name] = time.perf_counter() - self.began
