"""A run is read from another machine: by the service's URL and the place in S3, and no folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plait_harness.services import METADATA, Service, start

FLOW = """
from plait import FlowSpec, S3, step


class AwayFlow(FlowSpec):
    @step
    def start(self):
        self.items = ["a", "b", "c"]
        self.next(self.each, foreach="items")

    @step
    def each(self):
        self.small = self.input
        self.large = self.input.encode() * 1_000_000
        print("said by", self.input)
        self.next(self.join)

    @step
    def join(self, inputs):
        self.all = [i.small for i in inputs]
        with S3(run=self) as s3:
            s3.put("note", "an object of the run")
        self.next(self.end)

    @step
    def end(self):
        pass


if __name__ == "__main__":
    AwayFlow()
"""

CELLS = (
    """
import os
from plait import Flow, S3, metadata, namespace
metadata(os.environ["URL"])
namespace(None)
run = Flow("AwayFlow").latest_successful_run
(run.pathspec, run.successful, "shared" in run.tags)
""",
    "run.data.all",
    """[(t.data.small, len(t.data.large), t.data.large[:1], t.stdout) for t in run["each"]]""",
    """
with S3(run=run) as s3:
    print(s3.get("note").text)
""",
    """print("FlowSpec" in run.code.flowspec)""",
    "print(sorted(os.listdir()))",
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A metadata service, as its command starts it."""
    with start(METADATA, str(tmp_path_factory.mktemp("service"))) as running:
        yield running


def shown(cell: Any) -> str:
    """Give what a cell printed and what it is."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") or str(output)
        for output in cell.outputs
    ).strip()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's own libraries
def test_a_notebook_needs_a_url_and_a_place_in_s3(
    moto: Service, service: Service, tmp_path: Path
) -> None:
    """In an empty folder and environment it reads facts, values, logs, code and objects."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    (there / "away.py").write_text(FLOW)
    access = {**moto.env, "PLAIT_DATASTORE_SYSROOT_S3": "s3://plait-tests/elsewhere"}
    stores = {"PLAIT_DATASTORE": "s3", "PLAIT_METADATA": "service", **service.env}
    ran = subprocess.run(
        [sys.executable, "away.py", "run", "--tag", "shared"],
        cwd=there,
        env={**os.environ, "HOME": str(there), **access, **stores},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr

    # All that a reader is told; HOME keeps Jupyter's own files, and that of another user's away.
    told = {"URL": service.url, "HOME": str(tmp_path / "home"), **access}
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = nbclient.NotebookClient(book, timeout=120, kernel_name="python3")
    client.execute(cwd=str(here), env=told)

    facts, joined, tasks, note, code, left = map(shown, book.cells)
    assert facts == "('AwayFlow/1', True, True)"
    assert joined == "['a', 'b', 'c']"
    assert sorted(eval(tasks)) == [
        (name, 1_000_000, name.encode(), f"said by {name}\n") for name in "abc"
    ]
    assert (note, code) == ("an object of the run", "True")
    assert left == "[]"
