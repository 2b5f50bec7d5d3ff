"""The command of the harness: its own options, and the hand-over to pytest with all the others."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from plait_harness.conflicts import check_modes, check_options, find_given
from plait_harness.gates import check_cases, check_fit
from plait_harness.home import HOME, IS_CHECKOUT
from plait_harness.matrix import Matrix, build_matrix
from plait_harness.mistakes import Mistake, collect, describe_refusal, is_refused
from plait_harness.options import OPTIONS, PROGRAM, RunOptions, read_options
from plait_harness.report import make_report_folder, read_failed
from plait_harness.sources import split_names
from plait_harness.termination import INTERRUPTED

WRONG_USAGE = 2
"""The exit code for a wrong option or specification."""

_DESCRIPTION = """\
Crosses contexts, graphs and templates into small real flows, runs them, and judges the results
through every interface. Whatever is not an option of its own is handed on to pytest."""


CLOSED_PIPE = 128 + 13
"""The exit code where nobody reads on, as by `| head`: what a shell says of a SIGPIPE."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the harness as the command line says, and give the exit code.

    Args:
        arguments: What stands after the program's name; that of this process, if None.
    """
    try:
        code = _main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return CLOSED_PIPE
    except OSError as error:
        if not is_refused(error):
            raise
        _drop_output()
        print(f"error: {describe_refusal(error)}", file=sys.stderr)
        return 1
    return code


def _drop_output() -> None:
    # Python writes what is left of it when it ends, and would tell that this is refused, too.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _main(arguments: Sequence[str] | None) -> int:
    parser = _make_parser()
    chosen, rest = parser.parse_known_args(arguments)
    options = read_options(lambda name: getattr(chosen, name))
    try:
        matrix, *_ = collect(
            lambda: _choose(chosen, options),
            lambda: _check_least("--repeat", options.repeat, 1),
            lambda: _check_least("--shrink-seconds", options.shrink_seconds, 0),
            lambda: _check_least("--num-parallel", chosen.num_parallel, 0),
            lambda: _check_together(chosen, rest),
        )
        if matrix is None:
            return _do_without_matrix(chosen, options)
        if chosen.list:
            print("\n".join(format_matrix(matrix)))
            return 0 if matrix.cases and not matrix.lonely else 1
        _check_report(options)
    except Mistake as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return WRONG_USAGE
    if not matrix.cases:
        for breach in (
            *check_cases({}, matrix, {}, options.selection.contexts),
            *check_fit(matrix),
        ):
            print(f"gate {breach.gate}: {breach.why}", file=sys.stderr)
        return 1
    return _hand_over(chosen, options, [*_own_arguments(chosen), *rest])


def _check_least(flag: str, value: float, least: int) -> None:
    if not value >= least:
        raise Mistake(f"{flag} {value:g} is too little", f"{least} is the least")


def _check_report(options: RunOptions) -> None:
    """Make the folder of the report; refuse one that lacks what is needed. Raises Mistake."""
    if options.rerun_failed and not read_failed(options.report):
        raise Mistake(f"nothing failed in {options.report}: no case to rerun")
    make_report_folder(options.report)


def _check_together(chosen: argparse.Namespace, rest: Sequence[str]) -> None:
    """Refuse options that mean nothing as they are given. Raises Mistake, which tells of all."""

    def get(name: str) -> Any:
        return getattr(chosen, name)

    own = ("--list", "--debug", "--num-parallel", "--update-kept", "--mutants")
    values = {flag: get(flag.lstrip("-").replace("-", "_")) for flag in own}
    collect(
        lambda: check_options(get),
        lambda: check_modes(values, find_given(get), rest),
    )


def _choose(chosen: argparse.Namespace, options: RunOptions) -> Matrix | None:
    """Choose what is named: cases, or seeded bugs and then no matrix. Raises Mistake."""
    if chosen.mutants is not None:
        from plait_harness.planting import choose_bugs, load_bugs

        choose_bugs(load_bugs(), split_names(chosen.mutants))
        return None
    return None if chosen.update_kept else build_matrix(options.selection)


def _do_without_matrix(chosen: argparse.Namespace, options: RunOptions) -> int:
    """Do what runs no matrix, and give the exit code. Raises Mistake."""
    if chosen.update_kept:
        from plait_harness.kept import update_kept

        update_kept()
        return 0
    from plait_harness.mutants import run_mutants

    wanted = split_names(chosen.mutants)
    return run_mutants(wanted, options.report, workers=chosen.num_parallel)


def format_matrix(matrix: Matrix) -> list[str]:
    """Give the lines of `--list`: what runs, and what does not and why."""
    lines = [case.id for case in matrix.cases]
    count = len(matrix.cases)
    of = f" of the {len(matrix.whole)} of the matrix" if count < len(matrix.whole) else ""
    lines += ["", f"{count} cases{of}", ""]
    lines += [
        f"not generated: {each.template} on {each.graph} in {each.context}: {each.why}"
        for each in matrix.excluded
    ]
    lines += [f"not run: {name}: {lack}" for name, lack in matrix.not_run.items()]
    lines += [f"gate fit: {sentence}" for sentence in matrix.lonely]
    return lines


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_tests.py" if IS_CHECKOUT else PROGRAM,
        description=_DESCRIPTION,
        allow_abbrev=False,
    )
    for option in OPTIONS:
        parser.add_argument(option.flag, **option.declaration())
    parser.add_argument(
        "--num-parallel",
        type=int,
        default=0,
        metavar="N",
        help="How many cases at once. All cores.",
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        help="In this process, in order, stop at the first failure and keep its folder.",
    )
    parser.add_argument(
        "--list", action="store_true", help="Show the matrix and what does not fit; run nothing."
    )
    parser.add_argument(
        "--update-kept",
        action="store_true",
        help="Write down in harness/kept.json what there is, as what is not to go; run nothing.",
    )
    parser.add_argument(
        "--mutants",
        metavar="NAMES",
        help="Plant these seeded bugs, or a subsystem's, or `all`, one by one in a copy of the "
        "engine, and fail unless a case that is named for it notices each.",
    )
    return parser


def _own_arguments(chosen: argparse.Namespace) -> list[str]:
    given = []
    for option in OPTIONS:
        value = getattr(chosen, option.dest)
        if value == option.declaration()["default"]:
            continue
        if not option.value:
            given.append(option.flag)
        else:
            values = value if option.many else [value]
            given += [f"{option.flag}={each}" for each in values]
    return given


def _hand_over(chosen: argparse.Namespace, options: RunOptions, arguments: list[str]) -> int:
    # Plugins that happen to be installed cost seconds in every worker: pytest rewrites the
    # assertions of all that their packages hold. Those that are wanted are named by `-p`.
    os.environ.setdefault("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    import pytest

    # Somebody else's settings are for their own tests; only plait's know of the harness.
    root = os.path.dirname(HOME) if IS_CHECKOUT else os.getcwd()
    config = os.path.join(root, "pyproject.toml") if IS_CHECKOUT else os.devnull
    base = [
        os.path.join(HOME, "contexts.json"),
        f"--rootdir={root}",
        f"--junitxml={os.path.join(options.report, 'junit.xml')}",
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
    ]
    if os.path.exists(config):
        base += ["-c", config]
    if not IS_CHECKOUT:
        base += ["-p", "plait_harness.plugin"]  # there, harness/conftest.py brings it
    if chosen.debug:
        base += ["-x", "--keep-folders"]
    else:
        workers = chosen.num_parallel or os.cpu_count() or 1
        # One case at a time: a chunk with a long one in it would keep its worker to the end.
        base += ["-p", "xdist", "-n", str(workers), "--dist=load", "--maxschedchunk=1"]
    return int(pytest.main([*base, *arguments]))
