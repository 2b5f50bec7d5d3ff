"""The checker that reads files: it sees what other interfaces see, and uses no engine code."""

from __future__ import annotations

import ast
import dataclasses
import os

import pytest

from plait_harness.contexts import CheckSpec
from plait_harness.home import home_path
from plait_harness.sources import CheckerSource

TEMPLATE = '''
class Mine(FlowTest):
    """It."""

    @tag("retry(times=1, minutes_between_retries=0)")
    @steps(0, ["start"])
    def first(self):
        import sys
        print("attempt", current.retry_count)
        sys.stdout.buffer.write(b"bad \\xff")
        print("apart", file=sys.stderr, end="")
        self.small = {"a": [1, 2]}
        self.large = b"large" * 50_000
        if current.retry_count == 0:
            raise ValueError("again")

    @steps(1, ["all"])
    def rest(self):
        self.own = self.small

    def check_results(self, flow, checker):
        checker.assert_artifact("end", "small", {"a": [1, 2]})
        checker.assert_artifact("end", "large", b"large" * 50_000)
        checker.assert_no_artifact("start", "own")
        checker.assert_log("start", "stdout", "attempt 1\\nbad \\\\xff")
        checker.assert_log("start", "stderr", "apart")
        checker.assert_log("end", "stdout", "")
        checker.assert_status("done")
        assert_equals(1, checker.tasks("start")[0].attempt or 1)
'''


@pytest.fixture
def case(make_case, make_template, make_graph, shapes):
    """A case that all three judge."""
    case = make_case(make_template(TEMPLATE), make_graph(shapes["linear"]))
    path = home_path(os.path.join("checkers", "storage.py"))
    judge = (CheckSpec("storage"), CheckerSource("storage", path))
    return dataclasses.replace(case, judges=(*case.judges, judge))


def test_it_agrees_with_the_other_interfaces(case, runner):
    """Values, logs, attempts and parents; all three are compared with each other, too."""
    result = runner.run(case)

    assert not result.failed, result.failed
    assert [(check.checker, check.outcome) for check in result.checks] == [
        ("cli", "passed"),
        ("mli", "passed"),
        ("storage", "passed"),
        ("always", "passed"),
    ]


@pytest.mark.parametrize(
    "file", ["checkers/storage.py", "plait_harness/seals.py", "plait_harness/layout.py"]
)
def test_it_uses_no_engine_code(file):
    """So that what the engine's own readers overlook is seen."""
    with open(home_path(file), encoding="utf-8") as source:
        tree = ast.parse(source.read())
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }

    assert not [name for name in imported if name.partition(".")[0] == "plait"]
