"""The playlist is what its table says, whichever branch chose a film."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import pickle
from pathlib import Path

import plait.tutorials
from plait import Flow

TUTORIALS = Path(plait.tutorials.__path__[0])
SCRIPT, FLOW = "01-playlist/playlist.py", "PlaylistFlow"


def test_the_films_are_those_of_the_larger_table(tmp_path):
    """What DATA.md names is what the script beside it makes of the table of 02-statistics."""
    spec = importlib.util.spec_from_file_location("choose", TUTORIALS / "01-playlist" / "choose.py")
    assert spec is not None
    assert spec.loader is not None
    choose = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(choose)
    about = (TUTORIALS / "01-playlist" / "DATA.md").read_text(encoding="utf-8")

    assert choose.choose(TUTORIALS / "02-statistics" / "movies.csv", tmp_path / "films.csv") == 1227
    made = (tmp_path / "films.csv").read_bytes()
    assert made == (TUTORIALS / "01-playlist" / "films.csv").read_bytes()
    assert hashlib.sha256(made).hexdigest() in about


def test_a_playlist(desk):
    """The best of a genre by their rating, then a film of another genre, read by `dump` too."""
    desk.pull("playlist")
    assert desk.call(SCRIPT, FLOW, "run", "--genre", "Western", "--length", "3") == 0
    run = Flow(FLOW).latest_successful_run
    with (desk.folder / "01-playlist" / "films.csv").open(encoding="utf-8", newline="") as file:
        films = list(csv.DictReader(file))
    westerns = sorted(
        (film for film in films if film["Major Genre"] == "Western"),
        key=lambda film: (-float(film["IMDB Rating"]), -int(film["IMDB Votes"])),
    )
    best = [film["Title"] for film in westerns[:3]]
    surprise = run["surprise"].task.data

    assert run["best"].task.data.chosen == best
    assert run.data.playlist == best + surprise.chosen
    assert {film["Major Genre"] for film in films if film["Title"] == surprise.chosen[0]} == {
        surprise.surprise_genre
    } - {"Western"}
    assert "chosen" not in run["join"].task.data
    assert [line.split(". ")[1] for line in run["end"].task.stdout.splitlines()[1:]] == (
        run.data.playlist
    )
    options = ["--include", "chosen,surprise_genre", "--file", "surprise.pickle"]
    assert desk.call(SCRIPT, FLOW, "dump", f"{run.id}/surprise", *options) == 0
    (values,) = pickle.loads((desk.folder / "surprise.pickle").read_bytes()).values()
    assert values == {"chosen": surprise.chosen, "surprise_genre": surprise.surprise_genre}


def test_a_table_of_the_readers_own(desk):
    """Its content is kept with the run, also when the file has gone."""
    desk.pull("playlist")
    table = "Title,Major Genre,IMDB Rating,IMDB Votes\nA,Comedy,5,1\nB,Comedy,6,1\nC,Drama,7,1\n"
    (desk.folder / "mine.csv").write_text(table, encoding="utf-8")
    assert desk.call(SCRIPT, FLOW, "run", "--films", "mine.csv") == 0
    (desk.folder / "mine.csv").unlink()

    run = Flow(FLOW).latest_run
    assert run.data.playlist == ["B", "A", "C"]
    assert run.data.films == table


def test_a_genre_that_there_is_not(desk):
    """The message has the line of the flow and the genres that there are."""
    desk.pull("playlist")

    assert desk.call(SCRIPT, FLOW, "run", "--genre", "Opera") == 1
    assert "no film is of the genre 'Opera'; there are Action, " in desk.err
    assert "playlist.py:34)" in desk.err
