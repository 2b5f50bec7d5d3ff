"""The gate on the number of tests: a run of the whole suite fails if some have gone."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

TALLY = Path(__file__).parent / "tests-tally.json"
"""The number of unit tests and self-tests; raised when some are added."""

NARROWING = ("keyword", "markexpr", "deselect", "lf", "maxfail", "collectonly")
"""Options that make pytest run a part of what there is."""

COUNTED = ("passed", "failed", "skipped", "xfailed", "error")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count, in the process that sees all results."""
    if find_measurement() is not None:
        os.register_at_fork(before=put_down_measured)
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Measured(), "plait-tests-measured")
    else:
        config.pluginmanager.register(Tally(config), "plait-tests-tally")


def find_measurement() -> Any:
    """Give coverage's measurement of this process; None if it is not measured."""
    coverage = sys.modules.get("coverage")
    return None if coverage is None else coverage.Coverage.current()


def put_down_measured() -> None:
    """Put aside what was measured so far, or a forked child would write all of it, too."""
    current = find_measurement()
    if current is not None:
        current.get_data()


class Measured:
    """Has a parallel worker write what it covered while there is time.

    Once it has told its last result, it may be ended at any moment.
    """

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write it, if it is measured."""
        current = find_measurement()
        if current is not None:
            current.stop()
            current.save()


def read_tally() -> int:
    """Give the least number of tests that are to run."""
    kept: int = json.loads(TALLY.read_text(encoding="utf-8"))["tests"]
    return kept


def describe_loss(ran: int, kept: int) -> str:
    """Say that some tests have gone."""
    return (
        f"{ran} tests ran, fewer than the {kept} of {TALLY.name}: say in the commit why some are "
        "gone, and lower the number there"
    )


class Tally:
    """Counts the tests that ran and holds the number against the one that is kept."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def is_whole(self) -> bool:
        """Whether everything was asked for: no path, no expression, nothing left out."""
        # By name: a plugin that is left out (`-p no:cacheprovider`) takes its options along.
        chosen = [getattr(self._config.option, name, None) for name in NARROWING]
        return self._config.args_source is pytest.Config.ArgsSource.TESTPATHS and not any(chosen)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the session if fewer tests ran than are kept."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or not self.is_whole():
            return
        ran = sum(len(reporter.stats.get(outcome, ())) for outcome in COUNTED)
        kept = read_tally()
        if ran < kept:
            reporter.write_line(f"\n{describe_loss(ran, kept)}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        elif ran > kept:
            reporter.write_line(f"\n{ran} tests ran; raise the {kept} of {TALLY.name}")
