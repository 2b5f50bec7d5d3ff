"""Every group's numbers are those that pandas gives on the whole table, however they are read."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import pickle
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import plait.tutorials
from plait.cli.main import call_command_line
from plait.cli.plait import call_plait
from plait.cli.session import Session
from plait.wiring.stores import open_source

pd = pytest.importorskip("pandas")

TUTORIAL = Path(plait.tutorials.__path__[0]) / "02-statistics"
COLUMNS = ["Worldwide Gross", "Production Budget", "IMDB Rating"]


def python(folder: Path, *arguments: str) -> str:
    """Run Python in *folder* and give what it printed."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def store_of(folder: Path) -> str:
    """Give the option that names the store in *folder*."""
    return f"--datastore-root={folder / '.plait'}"


def call(folder: Path, *arguments: str) -> str:
    """Call the tutorial's command line in this process and give what it printed."""
    spec = importlib.util.spec_from_file_location("stats", folder / "stats.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    session = Session(module.StatsFlow, "python stats.py", ())
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = call_command_line(session, arguments)
    assert code == 0, err.getvalue()
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The tutorial, copied and run once."""
    place = tmp_path_factory.mktemp("statistics")
    assert call_plait(["tutorials", "pull", "statistics", "--to", str(place)]) == 0
    python(place / "02-statistics", "stats.py", "--quiet", "run")
    return place / "02-statistics"


@pytest.fixture(scope="module")
def expected(folder) -> dict[str, dict[str, object]]:
    """What pandas says of the whole table, genre by genre."""
    table = pd.read_csv(folder / "movies.csv")
    genres = table["Major Genre"].fillna("(none)")
    groups = table.groupby(genres)
    quartiles = groups[COLUMNS].quantile([0.25, 0.5, 0.75])
    missing = table[COLUMNS].isna().groupby(genres).sum()
    sizes = groups.size()
    return {
        str(name): {
            "rows": int(sizes[name]),
            "quartiles": {column: quartiles.loc[name, column].tolist() for column in COLUMNS},
            "missing": {column: int(missing.loc[name, column]) for column in COLUMNS},
        }
        for name in sizes.index
    }


def test_the_data_is_the_data_that_its_page_describes(folder, expected):
    """The table is the file that DATA.md names, with as many rows and gaps as it says."""
    data = (folder / "movies.csv").read_bytes()
    about = (folder / "DATA.md").read_text()

    assert hashlib.sha256(data).hexdigest() in about
    assert sum(group["rows"] for group in expected.values()) == 3201
    assert len(expected) == 13
    assert expected["(none)"]["rows"] == 275
    assert [sum(group["missing"][column] for group in expected.values()) for column in COLUMNS] == [
        7,
        1,
        213,
    ]


def test_converting_keeps_every_cell(tmp_path):
    """A title may be a number or missing, and numbers stay as they are spelled."""
    source, target = tmp_path / "movies.json", tmp_path / "movies.csv"
    source.write_text(
        '[{"Title": 1776, "IMDB Rating": 7.0}, {"Title": null, "IMDB Rating": 6},\n'
        ' {"Title": "Amélie, \\"la\\"", "IMDB Rating": null}]',
        encoding="utf-8",
    )

    assert python(TUTORIAL, "convert.py", str(source), str(target)) == "3 rows\n"
    assert target.read_bytes().decode() == ('Title,IMDB Rating\n1776,7.0\n,6\n"Amélie, ""la""",\n')


def test_the_summary_is_what_pandas_gives(folder, expected):
    """Every group's numbers, as the join put them together and `dump` gives them."""
    file = folder / "summary.pickle"
    call(folder, store_of(folder), "dump", "1/join", "--include", "summary", "--file", str(file))
    (artifacts,) = pickle.loads(file.read_bytes()).values()

    assert list(artifacts["summary"]) == sorted(expected)
    assert artifacts["summary"] == expected


def test_every_task_has_the_numbers_of_its_group(folder, expected):
    """Every group's numbers, task by task, in the order of the groups."""
    file = folder / "groups.pickle"
    call(folder, store_of(folder), "dump", "1/describe", "--file", str(file))
    tasks = pickle.loads(file.read_bytes()).values()

    assert [task["label"] for task in tasks] == sorted(expected)
    for task in tasks:
        found = {name: task[name] for name in ("rows", "quartiles", "missing")}
        assert found == expected[task["label"]]


def test_the_client_reads_the_same(folder, expected):
    """Every group's numbers, as a script reads them with the client."""
    read = (
        "import json\n"
        "from plait import Flow\n"
        "run = Flow('StatsFlow').latest_successful_run\n"
        "tasks = {t.data.label: t.data.quartiles for t in run['describe']}\n"
        "print(json.dumps([run.data.summary, tasks]))\n"
    )
    summary, tasks = json.loads(python(folder, "-c", read))

    assert summary == expected
    assert tasks == {name: about["quartiles"] for name, about in expected.items()}


def test_the_logs_say_the_same(folder, expected):
    """Every group has a line with its numbers, in the order of the groups."""
    lines = call(folder, store_of(folder), "logs", "1/describe", "--stdout").splitlines()

    assert [line.split("] ", 1)[1] for line in lines] == [
        f"{name}: {about['rows']} rows, {about['quartiles']}"
        for name, about in sorted(expected.items())
    ]


def test_the_run_ends_with_a_table_of_medians(folder, expected):
    """A line per genre: its rows, and the median of each column."""
    head, *lines = call(folder, store_of(folder), "logs", "1/end/16", "--stdout").splitlines()

    assert head.split() == ["median", "of", "rows", *" ".join(COLUMNS).split()]
    assert [line.rsplit(maxsplit=4) for line in lines] == [
        [name, str(about["rows"]), *(f"{about['quartiles'][c][1]:,.2f}" for c in COLUMNS)]
        for name, about in sorted(expected.items())
    ]


def test_the_table_is_kept_once(folder):
    """No task copies the table: all refer to the value that `start` stored."""
    stores = open_source(f"local@{folder}")
    store = stores.artifacts("StatsFlow")
    homes = {
        (ref.address, ref.home, ref.offset)
        for key in store.iter_attempts("1")
        for name, ref in store.get(key).artifacts.items()
        if name == "table"
    }
    stores.close()

    assert len(homes) == 1


def test_missing_values_are_counted_and_left_out(folder, tmp_path):
    """Rows without a group, groups with one row, and numbers that are not there."""
    table = tmp_path / "small.csv"
    table.write_text(
        "genre,rating,gross\nDrama,1,10\nDrama,,20\nDrama,3,\n,5,50\nAction,,\nDrama,2,30\n"
    )
    options = ["--source", str(table), "--group", "genre", "--columns", "rating,gross"]
    file = tmp_path / "out.pickle"
    call(folder, store_of(tmp_path), "--workers", "inline", "run", *options)
    call(folder, store_of(tmp_path), "dump", "1/join", "--file", str(file))
    (artifacts,) = pickle.loads(file.read_bytes()).values()

    summary = artifacts["summary"]
    assert list(summary) == ["(none)", "Action", "Drama"]
    assert summary["Drama"] == {
        "rows": 4,
        "quartiles": {"rating": [1.5, 2.0, 2.5], "gross": [15.0, 20.0, 25.0]},
        "missing": {"rating": 1, "gross": 1},
    }
    assert summary["(none)"]["quartiles"]["rating"] == [5.0, 5.0, 5.0]
    assert summary["Action"]["missing"] == {"rating": 1, "gross": 1}
    assert all(number != number for number in summary["Action"]["quartiles"]["gross"])  # noqa: PLR0124  # NaN
