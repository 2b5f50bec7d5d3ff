"""The options of a run of the harness, declared once for its own command and for pytest's."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from plait_harness.crossing import Case
from plait_harness.home import HOME, IS_CHECKOUT, PROJECT
from plait_harness.matrix import Selection
from plait_harness.sources import absolute, split_names


@dataclass(frozen=True, slots=True)
class Option:
    """One option, as both command lines declare it.

    Args:
        flag: As it is typed.
        meaning: One sentence.
        value: What stands for its value in the help; empty if it takes none.
        default: What holds when it is not given.
        kind: Makes the value from what was typed.
        many: Whether it may be given more than once.
    """

    flag: str
    meaning: str
    value: str = ""
    default: Any = None
    kind: Callable[[str], Any] = str
    many: bool = False

    @property
    def dest(self) -> str:
        """The attribute that it sets."""
        return "harness_" + self.flag.lstrip("-").replace("-", "_")

    def declaration(self) -> dict[str, Any]:
        """Give the keyword arguments for `add_argument` and `addoption`, which are the same."""
        facts: dict[str, Any] = {"dest": self.dest, "help": self.meaning, "default": self.default}
        if not self.value:
            return {**facts, "action": "store_true", "default": False}
        action = "append" if self.many else "store"
        return {**facts, "action": action, "metavar": self.value, "type": self.kind}


PROGRAM = "plait-harness"
"""The command that an installed plait brings."""

_NAMES = (
    "names, comma-separated, in any case; or files, FILE::NAME, and folders of your own; "
    "`builtin` is all of plait's"
)

OPTIONS = (
    Option("--contexts", f"Contexts to run in: {_NAMES}. All that are not disabled.", "NAMES"),
    Option("--graphs", f"Graphs: {_NAMES}. All.", "NAMES"),
    Option("--tests", f"Templates: {_NAMES}. All.", "NAMES"),
    Option("--checkers", f"Judges: {_NAMES}. All that a context asks for.", "NAMES"),
    Option("--executors", "Ways to run a flow. All that a context asks for.", "NAMES"),
    Option(
        "--generate",
        "Make so many graphs from the seed, and cross them with the templates for any graph.",
        "N",
        None,
        int,
    ),
    Option(
        "--cover",
        "Run only so many cases that every combination of T values occurs: of contexts and what "
        "they vary, executors, graphs, templates. Drawn from the seed.",
        "T",
        None,
        int,
    ),
    Option("--seed", "Draw the order among cases of equal priority, and graphs.", "N", None, int),
    Option(
        "--keep-found",
        "Where to keep the smallest generated graphs that fail. graphs/found, here.",
        "DIR",
        os.path.join(PROJECT, "graphs", "found"),
    ),
    Option(
        "--shrink-seconds",
        "How long to make a generated graph that fails smaller; 0 does not.",
        "S",
        60.0,
        float,
    ),
    Option("--inherit-env", "Hand the whole environment on to cases; else only what selects code."),
    Option("--rerun-failed", "Run only what failed when the report was last written."),
    Option(
        "--repeat",
        "Run each case so many times; one that does not always end alike fails the run.",
        "N",
        1,
        int,
    ),
    Option("--report", "Where cases run and the report goes.", "DIR", "report"),
    Option("--coverage", "Measure which lines of the engine every process runs."),
    Option(
        "--coverage-with",
        "Count what this coverage data file holds too, as of the unit tests. Many.",
        "FILE",
        None,
        str,
        many=True,
    ),
    Option("--update-floors", "Raise the floors of coverage to what is reached."),
    Option("--update-tally", "Write down how many cases ran, as the least from now on."),
    Option("--keep-folders", "Keep the store of cases that pass, too."),
)

SELECTING = ("--contexts", "--graphs", "--tests", "--checkers", "--executors")
"""The options that name what runs."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was asked for, on either command line.

    Args:
        selection: Which cases.
        keep_found: Where generated graphs that fail are kept.
        shrink_seconds: How long to make one smaller.
        inherit_env: Whether cases see the whole environment.
        rerun_failed: Whether only what failed last time runs.
        repeat: How often each case runs.
        report: The folder of the report.
        coverage: Whether to measure coverage.
        coverage_with: Data files to count in.
        update_floors: Whether to raise the floors of coverage.
        update_tally: Whether to write the tally.
        keep_folders: Whether to keep the stores of cases that pass.
    """

    selection: Selection
    keep_found: str
    shrink_seconds: float
    inherit_env: bool
    rerun_failed: bool
    repeat: int
    report: str
    coverage: bool
    coverage_with: tuple[str, ...]
    update_floors: bool
    update_tally: bool
    keep_folders: bool


def read_options(get: Callable[[str], Any]) -> RunOptions:
    """Read the options of a parsed command line.

    Args:
        get: Gives the value of an attribute by its name; see `Option.dest`.
    """
    values = {option.dest.removeprefix("harness_"): get(option.dest) for option in OPTIONS}

    def names(key: str) -> tuple[str, ...]:
        return tuple(split_names(values.pop(key) or ""))

    return RunOptions(
        selection=Selection(
            contexts=names("contexts"),
            graphs=names("graphs"),
            tests=names("tests"),
            checkers=names("checkers"),
            executors=names("executors"),
            seed=values.pop("seed"),
            generate=values.pop("generate"),
            cover=values.pop("cover"),
        ),
        coverage_with=tuple(values.pop("coverage_with") or ()),
        **values,
    )


def command_for(case: Case, options: RunOptions) -> str:
    """Give the one command that repeats exactly a case.

    Args:
        case: The case.
        options: The options of the run that it was part of.
    """
    # By the interpreter and the place of this run, so that it can be typed in any folder.
    place = [os.path.join(HOME, "run_tests.py")] if IS_CHECKOUT else ["-m", "plait_harness"]
    words = [sys.executable, *place, "--debug"]
    words += ["--contexts", _named(case.context.name, case.context.file, "contexts.json")]
    words += ["--graphs", _named(case.graph.name, case.graph.file, "graphs")]
    words += ["--tests", _named(case.template.name, case.template.file, "tests")]
    if options.selection.checkers:
        words += ["--checkers", ",".join(map(absolute, options.selection.checkers))]
    if len(case.context.executors) > 1:
        words += ["--executors", case.executor]
    if options.inherit_env:
        words.append("--inherit-env")
    return shlex.join(words)


def _named(name: str, file: str, own: str) -> str:
    # What comes from somebody's own file has to be found there again.
    home, place = os.path.join(HOME, own), os.path.abspath(file)
    is_own = place == home or os.path.dirname(place) in (home, os.path.join(home, "found"))
    return name if is_own else f"{place}::{name}"
