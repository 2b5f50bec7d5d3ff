"""Combinations of @retry, @catch and @timeout with every failure, wherever a step may stand."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, product
from pathlib import Path

import pytest

from plait import Run, Task, default_metadata, default_namespace, metadata, namespace
from plait.base.settings import StoreChoice
from plait.flow.definition import read_definition
from plait.metadata.protocol import Status
from plait.runtime.options import RunOptions
from plait.runtime.reporter import SilentReporter
from plait.wiring.runs import run_flow

EVERY = bool(os.environ.get("PLAIT_TEST_EVERY"))
"""Whether to try all combinations, as `tox -e torture` does, or a few of each kind of failure."""

HEAD = """
import os, signal, time
from plait import FlowSpec, catch, current, retry, step, timeout

def fail():
    print("attempt", current.retry_count, flush=True)
    {failure}

class Every(FlowSpec):
"""

FAILURES = {
    "exception": 'raise ValueError("as told")',
    "signal": "os.kill(os.getpid(), signal.SIGKILL)",
    "exit": "os._exit(7)",
    "exit 202": "os._exit(202)",
    "hang": "time.sleep(60)",
}

POSITIONS = {
    "linear": """
    @step
    def start(self):
        self.next(self.work)
{work}
        self.next(self.end)
    @step
    def end(self): pass
""",
    "branch": """
    @step
    def start(self):
        self.next(self.work, self.other)
{work}
        self.next(self.meet)
    @step
    def other(self):
        self.next(self.meet)
    @step
    def meet(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "foreach": """
    @step
    def start(self):
        self.items = [0, 1]
        self.next(self.work, foreach="items")
{work}
        self.next(self.meet)
    @step
    def meet(self, inputs):
        self.next(self.end)
    @step
    def end(self): pass
""",
    "join": """
    @step
    def start(self):
        self.next(self.left, self.right)
    @step
    def left(self):
        self.next(self.work)
    @step
    def right(self):
        self.next(self.work)
{work}
        self.next(self.end)
    @step
    def end(self): pass
""",
}


@dataclass(frozen=True)
class Expected:
    """What has to come of a task that fails in every attempt.

    Args:
        attempts: How many it has.
        ok: Whether the run goes on.
        said: What the failure says.
        kept: Whether what the step had set before it failed is kept.
        caught: The type of what @catch kept; None if it did not.
    """

    attempts: int
    ok: bool
    said: str
    kept: bool
    caught: str | None


SAYS = {
    "exception": ("ValueError: as told", "ValueError"),
    "hang": ("timed out after 0.05 s", "plait.plugins.timeout.TimeoutException"),
    "signal": ("killed by SIGKILL", "FailureHandledByCatch"),
    "exit": ("left with exit code 7", "FailureHandledByCatch"),
    "exit 202": ("left with exit code 202", "FailureHandledByCatch"),
}


def expect(kind: str, *, retries: int, catches: bool) -> Expected:
    """Give what is promised, by the table above and three rules."""
    said, caught = SAYS[kind]
    sees_it = kind in ("exception", "hang")
    if kind == "exit 202":  # neither is tried again nor caught
        return Expected(1, ok=False, said=said, kept=False, caught=None)
    if not catches:
        return Expected(retries + 1, ok=False, said=said, kept=sees_it, caught=None)
    # A process that is gone can't keep what it died of: that takes an attempt of @catch's own.
    attempts = retries + 1 + (not sees_it)
    return Expected(attempts, ok=True, said=said, kept=sees_it, caught=caught)


def write_flow(kind: str, position: str, *, retries: int, catches: bool, limited: bool) -> str:
    """Give the source of a flow whose step `work` fails."""
    decorators = [
        *(["@catch(var='caught', print_exception=False)"] if catches else []),
        *([f"@retry(times={retries}, minutes_between_retries=0)"] if retries else []),
        *([f"@timeout(seconds={0.05 if kind == 'hang' else 60})"] if limited else []),
        "@step",
        f"def work(self{', inputs' if position == 'join' else ''}):",
        "    self.made = current.retry_count",
        "    if self.index in (None, 1): fail()",
    ]
    work = "\n".join(f"    {line}" for line in decorators)
    head = HEAD.format(failure=FAILURES[kind])
    return head + POSITIONS[position].format(work=work)


def run(folder: Path, source: str) -> tuple[Status, Run]:
    """Run a flow in this process, its tasks in forked ones."""
    path = folder / "every.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("every", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    definition = read_definition(module.Every)
    outcome = run_flow(
        definition,
        {},
        RunOptions(workers="fork"),
        StoreChoice(str(folder / ".plait")),
        SilentReporter(),
    )
    return outcome.status, Run(str(outcome.key))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in which the client reads."""
    (tmp_path / ".plait").mkdir()
    metadata(f"local@{tmp_path}")
    namespace(None)
    yield tmp_path
    default_metadata()
    default_namespace()


PLACES = list(product(FAILURES, POSITIONS) if EVERY else zip(FAILURES, cycle(POSITIONS)))
DECORATED = [
    given for given in product((0, 1), (False, True), (False, True)) if EVERY or all(given[::2])
]
"""How often to retry, whether to catch, and whether there is a limit."""


@pytest.mark.parametrize(("kind", "position"), PLACES)
def test_a_failure_comes_to_what_is_promised(folder: Path, kind: str, position: str) -> None:
    """Attempts, artifacts, logs, the run's end and what the client says, by every decorator."""
    for number, (retries, catches, limited) in enumerate(DECORATED):
        if kind == "hang" and not limited:
            continue  # it would hang
        here = f"retries={retries} catches={catches} limited={limited}"
        source = write_flow(kind, position, retries=retries, catches=catches, limited=limited)
        # Python takes a file of the same size and second for the same.
        status, done = run(folder, f"# {'x' * number}{source}")
        expected = expect(kind, retries=retries, catches=catches)
        assert (status is Status.DONE, done.successful) == (expected.ok, expected.ok), here
        task = next(each for each in done["work"] if each.index in (None, 1))
        assert (task.successful, task.attempts) == (expected.ok, expected.attempts), here
        last = expected.attempts - 1
        made = {artifact.id: artifact.data for artifact in task}
        assert made.get("made") == (last if expected.kept else None), here
        caught = made.get("caught")
        assert (None if caught is None else caught.type) == expected.caught, here
        assert task.exception is not None, here
        assert expected.said in task.exception.failure.summary, here
        for attempt in range(expected.attempts):
            one = Task(task.pathspec, attempt=attempt)
            own = expected.caught is not None and not expected.kept and attempt == last
            assert one.stdout == ("" if own else f"attempt {attempt}\n"), here
            assert one.successful == (expected.ok and attempt == last), here
        assert ("end" in done) == expected.ok, here
