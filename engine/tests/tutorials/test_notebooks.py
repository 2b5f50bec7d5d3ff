"""The notebooks of the tutorials, in a real kernel, cell by cell, as they are handed over."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import plait.tutorials
from plait import Flow

TUTORIALS = Path(plait.tutorials.__path__[0])
NOTEBOOKS = sorted(path.relative_to(TUTORIALS) for path in TUTORIALS.glob("*/*.ipynb"))

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Jupyter's libraries


def shown(cell: Any) -> str:
    """Give what a cell printed and what it is."""
    return "".join(
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


@pytest.fixture
def results(desk, tmp_path_factory, monkeypatch):
    """A function that runs a notebook in the reader's folder and gives what its cells show."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    home = tmp_path_factory.mktemp("jupyter")
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(home))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    def run(path: str) -> list[str]:
        place = desk.folder / path
        book = nbformat.read(place, as_version=4)
        client = nbclient.NotebookClient(book, timeout=120, kernel_name="python3")
        client.execute(cwd=str(place.parent))
        monkeypatch.chdir(place.parent)
        return [shown(cell) for cell in book.cells if cell.cell_type == "code"]

    return run


def test_each_flow_but_the_first_has_one():
    """00-hello is for the command line."""
    assert [str(path) for path in NOTEBOOKS] == [
        "01-playlist/playlist.ipynb",
        "02-statistics/stats.ipynb",
        "03-playlist-redux/redux.ipynb",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=str)
def test_they_are_kept_without_results(path):
    """What a reader sees comes from the reader's own machine."""
    nbformat = pytest.importorskip("nbformat")
    text = (TUTORIALS / path).read_text(encoding="utf-8")
    nbformat.validate(nbformat.reads(text, as_version=4))
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]

    assert code
    assert [(cell["outputs"], cell["execution_count"]) for cell in code] == [([], None)] * len(code)


def test_playlist(desk, results):
    """Runs of several genres, read one by one and side by side; the failed one says why."""
    desk.pull("playlist")
    _, run, playlist, branches, printed, *compared, failure, films = results(
        "01-playlist/playlist.ipynb"
    )

    assert run.endswith("Run('PlaylistFlow/1')")
    data = Flow("PlaylistFlow")["1"].data
    assert ast.literal_eval(playlist) == data.playlist
    assert ast.literal_eval(branches)["best"] == data.playlist[:3]
    assert printed.startswith(f"The best of Comedy, and a surprise ({data.surprise_genre}):")
    assert compared[0] == "Western successful\nHorror successful\nOpera failed\n"
    assert [line.split()[:3] for line in compared[1].splitlines()] == [
        ["4", "failed", "Opera"],
        ["3", "done", "Horror"],
        ["2", "done", "Western"],
    ]
    assert "no film is of the genre 'Opera'" in failure
    assert "Title,Major Genre,IMDB Rating" in films


def test_statistics(desk, results):
    """All groups as a table, tasks one by one, and another question to the same table."""
    desk.pull("statistics")
    _, run, table, tasks, other, runs = results("02-statistics/stats.ipynb")

    assert run == "('done', 13)"
    assert table.splitlines()[1].split()[0] == "Adventure"
    assert tasks.splitlines()[0].startswith("StatsFlow/1/describe/14: Western, 36 films, ")
    assert "PG-13" in other
    assert runs == "[('2', 'MPAA Rating'), ('1', 'Major Genre')]"


def test_redux(desk, results):
    """Both flows, the one that is read and the one that reads, in one store."""
    desk.pull("statistics", "playlist-redux")
    _, statistics, playlist, medians, latest = results("03-playlist-redux/redux.ipynb")

    assert statistics == "Run('StatsFlow/1')"
    assert ast.literal_eval(playlist) == Flow("ReduxFlow").latest_run.data.playlist
    assert medians.splitlines()[0].split() == ["Adventure", "132,999,906"]
    assert latest == "(True, True)"
