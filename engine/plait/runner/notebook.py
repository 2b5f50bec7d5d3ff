"""`NBRunner`: runs of a flow that is written in a cell of a notebook."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plait.runner.cell import format_program
from plait.runner.runner import Runner

if TYPE_CHECKING:
    from plait.client.run import Run


class NBRunner(Runner):
    """Starts runs of a flow in a cell, as `Runner` does of one in a file.

    The cell is written to a file of its own, with its imports; what the flow uses has to be
    defined in the cell, or imported somewhere in the notebook. Modules beside the notebook can be
    imported by the flow as by the notebook.

    Args:
        flow: The class, defined in this cell or in an earlier one.
        show_output: Whether what runs print is shown, unless they are started with `async_`.
        env: Variables for the run over those of the notebook; None takes one away.
        base_dir: The folder to run in; by default that of the notebook.
        stop_on_exit: Whether `cleanup` stops runs that still go on.
        top_level: Options before the command.

    Raises:
        NoCellSource: The cell of the class cannot be found.
        IncompleteCell: The flow uses what only another cell defines.
        BadRunArgument: As for `Runner`.
    """

    def __init__(  # it starts from a class, and a Runner from a file that is there
        self,
        flow: type,
        show_output: bool = True,
        *,
        env: Mapping[str, str | None] | None = None,
        base_dir: str | os.PathLike[str] | None = None,
        stop_on_exit: bool = False,
        **top_level: Any,
    ) -> None:
        program = format_program(flow, vars(sys.modules["__main__"]))
        self.flow_file = self._script = f"{flow.__name__}.py"
        folder = os.path.abspath(base_dir or os.getcwd())
        path = (env or {}).get("PYTHONPATH") or os.environ.get("PYTHONPATH")
        # A script finds modules beside itself, and this one is to find those of the notebook.
        beside = {"PYTHONPATH": os.pathsep.join([folder, path] if path else [folder])}
        self._setup(
            show_output, {**(env or {}), **beside}, folder, stop_on_exit, top_level, "base_dir"
        )
        self._files = {self._script: program}

    def nbrun(self, **arguments: Any) -> Run:
        """Run the flow to its end, remove what is temporary, and give the run.

        Args:
            arguments: As for `run`.
        """
        with self.run(**arguments) as running:
            return running.run

    def nbresume(self, step_to_rerun: str | None = None, **arguments: Any) -> Run:
        """Go on where a run failed, remove what is temporary, and give the run.

        Args:
            step_to_rerun: As for `resume`.
            arguments: As for `resume`.
        """
        with self.resume(step_to_rerun, **arguments) as running:
            return running.run
