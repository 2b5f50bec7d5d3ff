"""`NBRunner` in a real notebook: cells run by a Jupyter kernel, each as somebody would type it."""

from __future__ import annotations

import linecache
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from plait import NBRunner

SETUP = """
from plait import *
import json
import beside
"""

FLOW = """
%env CELL_WAS_RUN=1

class CellFlow(FlowSpec):
    alpha = Parameter("alpha", default=1)

    @step
    def start(self):
        self.text = json.dumps(beside.VALUE)
        print("in the run")
        self.next(self.double)

    @step
    def double(self):
        import os
        if self.alpha == 9 and not os.path.exists("mended"):
            raise ValueError("nine")
        self.result = 2 * self.alpha
        self.next(self.end)

    @step
    def end(self):
        pass

run = NBRunner(CellFlow).nbrun(alpha=21)
(run.pathspec, run.data.result, run.data.text)
"""

RESUME = """
failed = NBRunner(CellFlow, show_output=False, workers="spawn").nbrun(alpha=9)
open("mended", "w").close()
resumed = NBRunner(CellFlow, show_output=False).nbresume(origin_run_id=failed.id)
(failed.status, resumed.status, resumed.data.result)
"""

ASYNC = """
async with NBRunner(CellFlow) as runner:
    running = await runner.async_run(alpha=2)
    lines = [line async for _, line in running.stream_log("stdout")]
(running.status, any("in the run" in line for line in lines), running.run.data.result)
"""

LACKING = """
factor = 3
"""

INCOMPLETE = """
class LackFlow(FlowSpec):
    @step
    def start(self):
        self.x = factor
        self.next(self.end)

    @step
    def end(self):
        pass

try:
    NBRunner(LackFlow)
except PlaitError as error:
    print(error)
"""


@pytest.fixture
def notebook(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for a notebook, with a module beside it."""
    (folder / "beside.py").write_text("VALUE = {'a': 1}\n")
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    return folder


def results(cell: Any) -> str:
    """Give what a cell printed and what it is."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def test_a_cell_without_a_notebook(notebook: Path, tmp_path: Path) -> None:
    """Any class whose text Python has will do; it runs where it is told to."""
    source = (
        "import beside\nfrom plait import FlowSpec, Parameter, step\n" + FLOW.partition("\n\n")[2]
    )
    source = source.partition("\nrun = ")[0].replace("json.dumps(beside.VALUE)", "beside.__file__")
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    names: dict[str, Any] = {"__name__": "__main__"}
    sys.path.insert(0, str(notebook))
    try:
        exec(compile(source, "<cell>", "exec"), names)
    finally:
        sys.path.remove(str(notebook))
        sys.modules.pop("beside")

    path = os.pathsep.join([str(notebook), os.environ.get("PYTHONPATH", "")])
    elsewhere = NBRunner(names["CellFlow"], False, base_dir=tmp_path, env={"PYTHONPATH": path})
    runner = NBRunner(names["CellFlow"], show_output=False)
    failed = runner.nbrun(alpha=9)
    (notebook / "mended").touch()

    assert runner.nbresume(origin_run_id=failed.id).successful
    assert elsewhere.nbrun(alpha=1).data.text == str(notebook / "beside.py")
    assert (tmp_path / ".plait").is_dir()
    assert repr(runner) == "NBRunner('CellFlow.py')"
    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own libraries
def test_flows_in_cells(notebook: Path, tmp_path: Path) -> None:
    """One kernel: run, resume, follow, and a flow that needs what its cell has not."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [SETUP, FLOW, RESUME, ASYNC, LACKING, INCOMPLETE]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute(cwd=str(notebook))
    _, first, resumed, followed, _, incomplete = (results(cell) for cell in book.cells)

    assert "in the run" in first
    assert first.endswith("""('CellFlow/1', 42, '{"a": 1}')""")
    assert resumed == "('failed', 'done', 18)"
    assert followed == "('successful', True, 4)"
    assert "error[incomplete-cell]: flow 'LackFlow' uses 'factor'" in incomplete
    left = [name for name in os.listdir(tmp_path / "tmp") if name.startswith("plait-run-")]
    assert left == []
