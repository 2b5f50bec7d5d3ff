"""Which lines of a flow's code a run reaches: measured by coverage.py in each process of the run.

The flow's module is imported before anybody has read `--coverage`. So the program is started over,
as `python -m plait.wiring.measuring FOLDER SCRIPT ...`, with what measures in place first. Forked
tasks inherit that, and spawned ones are started the same way. Each process leaves its piece in
FOLDER, and the run puts the pieces together.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from plait.base.errors import UsageError
from plait.runtime.workers.respawn import respawn_command

VARIABLE = "PLAIT_INTERNAL_COVERAGE"
"""Names the folder of the pieces to the processes of a run that is measured."""


class CannotMeasure(UsageError):
    """`--coverage` was asked for where nothing can be measured."""

    slug = "cannot-measure"

    def __init__(self, why: str, fix: str) -> None:
        super().__init__("the coverage of this run cannot be measured", why=why, fix=fix)


def start_over(command: Sequence[str], arguments: Sequence[str]) -> None:
    """Start this program over in this process, measured. Does not return.

    Args:
        command: The interpreter and the program; empty if nobody knows how to start it.
        arguments: What it was called with.

    Raises:
        CannotMeasure: It can't be started over, or coverage.py is not installed.
    """
    from importlib.util import find_spec
    from tempfile import mkdtemp

    if find_spec("coverage") is None:
        raise CannotMeasure(
            "it is measured by the package 'coverage', which is not installed",
            "install it: pip install 'plait[coverage]'",
        )
    if not command:
        raise CannotMeasure(
            "the program would be started over, and this one is no file that could be started: it "
            "came from a pipe or from python -c",
            "write the flow in a file and run that",
        )
    folder = mkdtemp(prefix="plait-coverage-")
    os.environ[VARIABLE] = folder
    sys.stdout.flush()
    measured = respawn_command(measured_command(tuple(command)))
    os.execv(measured[0], [*measured, *arguments])


def measured_command(command: tuple[str, ...]) -> tuple[str, ...]:
    """Give what starts a program measured, if this run is; else *command* as it is.

    Args:
        command: The interpreter, then the script, or `-m` and the module.
    """
    folder = os.environ.get(VARIABLE)
    if not folder or not command:
        return command
    python, *rest = command
    return (python, "-m", "plait.wiring.measuring", folder, *rest)


def main(arguments: Sequence[str]) -> None:
    """Run a flow's program, measured, and leave this process's piece.

    Args:
        arguments: The folder of the pieces; then the script, or `-m` and the module, and what it
            is called with.
    """
    import runpy

    from coverage import Coverage

    folder, *program = arguments
    by_name = program[0] == "-m"
    name, *rest = program[1:] if by_name else program
    sys.argv = [name, *rest]
    where = os.getcwd() if by_name else os.path.dirname(os.path.abspath(name))
    sys.path[0] = where
    measured = Coverage(data_file=os.path.join(folder, "piece"), data_suffix=True)
    if not any(map(measured.get_option, ("run:source", "run:source_pkgs", "run:include"))):
        # Who has not said what to measure wants the flow, and what lies beside it.
        measured.set_option("run:include", [os.path.join(where, "*")])
        ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        omitted = measured.get_option("run:omit")
        others = [*omitted] if isinstance(omitted, list) else []
        measured.set_option("run:omit", [*others, "*/site-packages/*", os.path.join(ours, "*")])
    measured.start()
    try:
        if by_name:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        else:
            runpy.run_path(name, run_name="__main__")
    finally:
        save_piece()


def save_piece() -> None:
    """Leave what this process has measured, if it is one of a run that is measured."""
    if VARIABLE in os.environ:
        from coverage import Coverage

        measured = Coverage.current()
        assert measured is not None, "a measured process measures"
        measured.stop()
        measured.save()


def put_together() -> tuple[str, float | None]:
    """Put the pieces of a run that has ended together, and remove them.

    Returns:
        The file that coverage.py reads, and how many percent of the code were reached; None if
        none of it was.
    """
    import io
    import shutil

    from coverage import Coverage
    from coverage.exceptions import CoverageException

    save_piece()
    folder = os.environ.pop(VARIABLE)
    whole = Coverage(messages=False)
    whole.erase()
    whole.combine([os.path.join(folder, name) for name in sorted(os.listdir(folder))])
    whole.save()
    shutil.rmtree(folder)
    try:
        percent: float | None = whole.report(file=io.StringIO())
    except CoverageException:
        percent = None  # no code was measured: what the user's own settings name was not run
    return whole.get_data().data_filename(), percent


if __name__ == "__main__":
    main(sys.argv[1:])
