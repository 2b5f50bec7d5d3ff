"""The pytest plugin: cases as items, a prepared process for each worker, gates at the end."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Generator, Iterator
from typing import Any

import pytest

from plait_harness.case import CaseRunner
from plait_harness.conflicts import check_options
from plait_harness.crossing import Case
from plait_harness.failure import describe_failure
from plait_harness.gates import Breach
from plait_harness.generated import find_smallest, keep_graph
from plait_harness.home import HOME
from plait_harness.matrix import Matrix, build_matrix
from plait_harness.measure import Measurement, find_engine
from plait_harness.mistakes import Mistake, describe_refusal, is_refused
from plait_harness.options import OPTIONS, RunOptions, command_for, read_options
from plait_harness.probe import FEATURE_VARIABLE
from plait_harness.report import CASES_FOLDER, CaseRow, make_row, read_failed, tidy_case
from plait_harness.result import CaseResult
from plait_harness.servers import find_modules
from plait_harness.session import Session, find_servers
from plait_harness.starter import ENGINE_MODULES, PreparedProcess
from plait_harness.surroundings import make_base_env
from plait_harness.termination import EXIT_CODE, Termination

ANCHOR = "contexts.json"
"""The name of the file that pytest collects cases from, whichever contexts are chosen."""

_OPTIONS = pytest.StashKey[RunOptions]()
_MATRIX = pytest.StashKey[Matrix]()
_SESSION = pytest.StashKey[Session]()
_ONLY = pytest.StashKey[list[str] | None]()
_SUMMARY = pytest.StashKey[list[str]]()
_WORKER = pytest.StashKey["Worker"]()
_SHRUNK = pytest.StashKey[bool]()
_TERMINATION = pytest.StashKey[Termination]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("plait harness", "cases of plait's harness")
    for option in OPTIONS:
        group.addoption(option.flag, **option.declaration())


def pytest_configure(config: pytest.Config) -> None:
    """Read the options, and settle what to rerun before there are workers to agree on it."""
    for option in OPTIONS:
        if not hasattr(config.option, option.dest):
            # The plugin was loaded after the command line had been read.
            setattr(config.option, option.dest, option.declaration()["default"])
    options = read_options(lambda name: getattr(config.option, name))
    config.stash[_OPTIONS] = options
    if _gathers(config):
        config.stash[_SESSION] = Session(options, lambda: get_matrix(config))
        try:
            config.stash[_ONLY] = read_failed(options.report) if options.rerun_failed else None
            check_options(lambda name: getattr(config.option, name))
            config.stash[_SESSION].prepare()
        except Mistake as mistake:
            raise pytest.UsageError(str(mistake)) from None
        if config.pluginmanager.hasplugin("xdist"):
            config.pluginmanager.register(_Workers(config))
    else:
        # What pytest-xdist gave this worker, from `_Workers`.
        config.stash[_ONLY] = config.workerinput["harness_only"]  # type: ignore[attr-defined]  # xdist's


def pytest_collect_file(file_path: Any, parent: pytest.Collector) -> pytest.File | None:
    """Make cases where the anchor lies."""
    if str(file_path) == os.path.join(HOME, ANCHOR) or file_path == parent.config.rootpath / ANCHOR:
        matrix: pytest.File = MatrixFile.from_parent(parent, path=file_path)
        return matrix
    return None


def get_matrix(config: pytest.Config) -> Matrix:
    """Give the matrix, built once a process. Raises Mistake."""
    if _MATRIX not in config.stash:
        config.stash[_MATRIX] = build_matrix(config.stash[_OPTIONS].selection)
    return config.stash[_MATRIX]


class MatrixFile(pytest.File):
    """The matrix, as pytest sees it: a file of cases."""

    def collect(self) -> Iterator[CaseItem]:
        """Give the cases, in the order in which they run."""
        try:
            matrix = get_matrix(self.config)
        except Mistake as mistake:
            raise self.CollectError(str(mistake)) from None
        only = self.config.stash[_ONLY]
        for case in matrix.cases:
            if only is None or case.id in only:
                for turn in range(self.config.stash[_OPTIONS].repeat):
                    again = dataclasses.replace(case, turn=turn)
                    name = f"{case.id}#{turn + 1}" if turn else case.id
                    yield CaseItem.from_parent(self, name=name, case=again)


class CaseFailed(Exception):
    """A case failed; the message is made where it is shown."""

    def __init__(self, case: Case, result: CaseResult, note: str = "") -> None:
        super().__init__(result.id)
        self.case = case
        self.result = result
        self.note = note


class CaseItem(pytest.Item):
    """One case."""

    def __init__(self, *, case: Case, **facts: Any) -> None:
        super().__init__(**facts)
        self.case = case
        self.row: CaseRow | None = None

    def runtest(self) -> None:
        """Run the case. Raises CaseFailed."""
        result = _get_worker(self.config).runner.run(self.case)
        self.row = make_row(self.case, result)
        if result.failed:
            failure = self.make_failure(result)
            command = command_for(failure.case, self.config.stash[_OPTIONS])
            self.row = dataclasses.replace(self.row, command=command)
            raise failure
        if not self.config.stash[_OPTIONS].keep_folders:
            tidy_case(result.folder)

    def make_failure(self, result: CaseResult) -> CaseFailed:
        """Say what failed: of a generated graph, on the smallest one on which it still does."""
        graph, options = self.case.graph, self.config.stash[_OPTIONS]
        shape = get_matrix(self.config).shapes.get(graph.name)
        if shape is None:
            return CaseFailed(self.case, result)
        # Most failures of a run have one cause, so one smallest graph a worker is enough.
        if options.shrink_seconds > 0 and _SHRUNK not in self.config.stash:
            self.config.stash[_SHRUNK] = True
            found = find_smallest(
                self.case,
                shape,
                _get_worker(self.config).runner.run,
                seconds_taken=result.seconds,
                folder=options.keep_found,
                seconds=options.shrink_seconds,
            )
            if found is not None and found.result.failed:
                return CaseFailed(found.case, found.result, found.note)
            note = "it passed when it was run again, so that it was not made smaller"
        else:
            note = "it was not made smaller; another failure of this run may have been"
        file = keep_graph(graph, os.path.join(options.report, "generated"))
        fitted = dataclasses.replace(self.case.fit, graph=dataclasses.replace(graph, file=file))
        return CaseFailed(dataclasses.replace(self.case, fit=fitted), result, note)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what failed, where, and how to repeat it."""
        options = self.config.stash[_OPTIONS]
        if isinstance(excinfo.value, CaseFailed):
            failure = excinfo.value
            return describe_failure(
                failure.result, command_for(failure.case, options), failure.note
            )
        command = command_for(self.case, options)
        error = excinfo.value
        if isinstance(error, Mistake) or is_refused(error):
            why = describe_refusal(error) if isinstance(error, OSError) else str(error)
            return f"{self.case.id} could not run\n\n{why}\n\nrepeat it with:\n  {command}"
        return f"{super().repr_failure(excinfo, style)}\n\nrepeat it with:\n  {command}"

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Say what stands in a report's heading."""
        return self.path, None, self.name


class Worker:
    """What one worker has for all its cases.

    Args:
        options: The options of the session.
        services: The servers that its cases need.
    """

    def __init__(self, options: RunOptions, services: Collection[str]) -> None:
        engine = (*ENGINE_MODULES, *find_modules(services))
        env = make_base_env(inherit=options.inherit_env)
        root = os.path.join(os.path.abspath(options.report), CASES_FOLDER)
        os.makedirs(root, exist_ok=True)
        if options.coverage:
            measurement = Measurement(options.report, find_engine())
            self.process = PreparedProcess(env, coverage=measurement.probe_options(), engine=engine)
            case_env = {**env, **measurement.environment()}
            self.runner = CaseRunner(
                self.process, env, root, case_env, FEATURE_VARIABLE, find_servers(options)
            )
        else:
            self.process = PreparedProcess(env, engine=engine)
            self.runner = CaseRunner(self.process, env, root, env, servers=find_servers(options))


def _get_worker(config: pytest.Config) -> Worker:
    # Made for the first case, so that a session of other tests has none.
    if _WORKER not in config.stash:
        cases = config.stash[_MATRIX].cases
        services = dict.fromkeys(name for case in cases for name in case.context.services)
        config.stash[_WORKER] = Worker(config.stash[_OPTIONS], services)
    return config.stash[_WORKER]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the report carry how the case went, from a worker to where results are gathered."""
    report = yield
    if isinstance(item, CaseItem) and call.when == "call":
        command = command_for(item.case, item.config.stash[_OPTIONS])
        row = item.row or _row_of_error(item.case, call.duration, command)
        report.harness_row = dataclasses.asdict(row)  # type: ignore[attr-defined]  # pytest keeps it
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Show no dot for a case that passes: the progress line counts them."""
    if hasattr(report, "harness_row"):
        return report.outcome, "", report.outcome.upper()
    return None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Gather how a case went."""
    session = _GATHERING.get("session")
    if session is not None and hasattr(report, "harness_row"):
        session.add(report.harness_row)


# The hook above is not given the config, and is called where results are gathered and in workers.
_GATHERING: dict[str, Session] = {}


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to gather."""
    if _SESSION in session.config.stash:
        _GATHERING["session"] = session.config.stash[_SESSION]
        if _wants_cases(session.config):
            session.config.stash[_TERMINATION] = Termination()
            session.config.stash[_TERMINATION].watch()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Learn how many cases there are, where this process collects them itself."""
    if _SESSION in session.config.stash and session.items:
        cases = sum(isinstance(item, CaseItem) for item in session.items)
        _expect(session.config, cases)


def _expect(config: pytest.Config, cases: int) -> None:
    try:
        config.stash[_SESSION].expect(cases)
    except Mistake as mistake:
        # Raised from a hook as it is, pytest would show it as an error of its own insides.
        pytest.exit(str(mistake), returncode=pytest.ExitCode.USAGE_ERROR)


class _Workers:
    """Hooks that only pytest-xdist calls, where results are gathered."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.count = 0

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which cases to rerun: by then the report may be written over."""
        self.count += 1
        self.config.stash[_SESSION].workers = self.count
        node.workerinput["harness_only"] = self.config.stash[_ONLY]

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Learn how many cases there are from a worker."""
        _expect(self.config, sum(f"{ANCHOR}::" in each for each in ids))


@pytest.hookimpl(wrapper=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    """Stop the prepared process; where results are gathered, hold the run against the gates."""
    config = session.config
    unwritten = []
    try:
        yield
    except OSError as error:
        # That of junit.xml, of which pytest would show that it is an error of its own insides.
        if not is_refused(error):
            raise
        unwritten = [Breach("report", f"junit.xml: {describe_refusal(error)}")]
    if _WORKER in config.stash:
        config.stash[_WORKER].process.close()
    if _SESSION not in config.stash or config.option.collectonly:
        return
    try:
        breaches, lines = config.stash[_SESSION].finish(wanted=_wants_cases(config))
    except Mistake as mistake:
        # The collector has said the same, and failed.
        breaches, lines = [], [str(mistake)]
    config.stash[_SUMMARY] = [*lines, *(f"gate {b.gate}: {b.why}" for b in unwritten)]
    breaches = [*breaches, *unwritten]
    if breaches and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if _TERMINATION in config.stash and config.stash[_TERMINATION].came:
        session.exitstatus = EXIT_CODE


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show the table, the tally and what the gates say."""
    lines = config.stash.get(_SUMMARY, [])
    if lines:
        terminalreporter.section("plait harness")
        for line in lines:
            is_breach = line.startswith("gate ")
            terminalreporter.write_line(line, red=is_breach, bold=is_breach)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the report."""
    _GATHERING.clear()
    if _TERMINATION in config.stash:
        config.stash[_TERMINATION].release()
    if _SESSION in config.stash:
        config.stash[_SESSION].close()


def _wants_cases(config: pytest.Config) -> bool:
    return any(ANCHOR in str(argument) for argument in config.args)


def _gathers(config: pytest.Config) -> bool:
    # pytest-xdist gives its workers this; results are gathered where it is not.
    return not hasattr(config, "workerinput")


def _row_of_error(case: Case, seconds: float, command: str) -> CaseRow:
    return CaseRow(
        id=case.id,
        context=case.context.name,
        executor=case.executor,
        graph=case.graph.name,
        template=case.template.name,
        outcome="error",
        seconds=seconds,
        exit_code=-1,
        folder=os.path.join(CASES_FOLDER, case.folder),
        checks=(),
        phases={},
        turn=case.turn,
        command=command,
    )
