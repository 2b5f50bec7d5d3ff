"""A run that is ended in its middle: what it writes, what it says, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from plait_harness.home import HOME

WAITS = '''
from plait_harness import FlowTest, steps


class Waits(FlowTest):
    """On one graph it never ends."""

    @steps(0, ["waits"])
    def wait(self):
        import signal

        pipe = open({pipe!r}, "w")
        signal.pause()

    @steps(1, ["all"])
    def every(self):
        pass

    def check_results(self, flow, checker):
        pass
'''


AT_A_TERMINAL = """
import runpy
import signal
import sys

# Where these tests run in the background, a shell has Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture
def theirs(tmp_path):
    """A test on three graphs: it passes on the first, never ends on the second."""
    (tmp_path / "graphs").mkdir()
    for name in ("a", "b", "c"):
        end = {"quals": ["waits"]} if name == "b" else {}
        graph = {"name": name, "shows": "It.", "graph": {"start": {"linear": "end"}, "end": end}}
        (tmp_path / "graphs" / f"{name}.json").write_text(json.dumps(graph))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "waits.py").write_text(WAITS.format(pipe=str(tmp_path / "pipe")))
    return tmp_path


@pytest.mark.parametrize("way", ["--debug", "--num-parallel=1"])
@pytest.mark.parametrize(
    ("number", "to_group", "code"),
    [(signal.SIGTERM, False, 143), (signal.SIGTERM, True, 143), (signal.SIGINT, True, 2)],
    ids=["SIGTERM", "SIGTERM-to-all", "SIGINT-to-all"],
)
def test_a_run_that_is_ended_reports_what_ran(way, number, to_group, code, theirs):
    """With how many cases did not run, an exit code that is none of a success, and no process."""
    program = [sys.executable, "-c", AT_A_TERMINAL, os.path.join(HOME, "run_tests.py")]
    selected = ["--contexts=dev-local", "--graphs=graphs/", "--tests=waits.py"]
    with subprocess.Popen(
        [*program, *selected, "--checkers=storage", way, "-vv"],
        cwd=theirs,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout is not None
        before = [next(run.stdout)]
        while "PASSED" not in before[-1]:
            before.append(next(run.stdout))
        with open(theirs / "pipe", encoding="utf-8") as pipe:  # until the second case is there
            (os.killpg if to_group else os.kill)(run.pid, number)
            said = run.stdout.read()
            assert pipe.read() == "", "it ends with the last process that has it"

    assert run.returncode == code, said
    assert "unfinished: 2 of 3 cases did not run\n" in said
    assert "report: report/index.html" in said
    rows = (theirs / "report" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(row)["id"] for row in rows] == ["Waits[a-dev-local-cli]"]
    page = (theirs / "report" / "index.html").read_text(encoding="utf-8")
    assert "unfinished: 2 of 3 cases did not run" in page
    assert "Traceback" not in said
