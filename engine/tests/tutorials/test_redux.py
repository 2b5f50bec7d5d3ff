"""One flow reads what another one found, from the same store, and says what it was made from."""

from __future__ import annotations

import pytest

from plait import Flow, Run

pd = pytest.importorskip("pandas")

STATISTICS = ("02-statistics/stats.py", "StatsFlow")
REDUX = ("03-playlist-redux/redux.py", "ReduxFlow")


def test_it_reads_the_latest_that_was_successful(desk):
    """A failed run of the statistics, later, changes nothing; the source is written down."""
    desk.pull("statistics", "playlist-redux")
    assert desk.call(*STATISTICS, "run") == 0
    assert desk.call(*STATISTICS, "run", "--columns", "Popcorn") == 1
    assert desk.call(*REDUX, "run", "--genres", "2", "--each", "1") == 0
    run = Flow("ReduxFlow").latest_successful_run
    table = pd.read_csv(desk.folder / "02-statistics" / "movies.csv")
    medians = table.groupby("Major Genre")["Worldwide Gross"].median()
    best = medians.sort_values(ascending=False).index[:2].tolist()

    assert Run(run.data.based_on) == Run("StatsFlow/1")
    assert list(run.data.playlist) == best
    for genre, titles in run.data.playlist.items():
        films = table[table["Major Genre"] == genre]
        upper = films[films["Worldwide Gross"] >= films["Worldwide Gross"].quantile(0.75)]
        best_rated = upper[upper["IMDB Rating"] == upper["IMDB Rating"].max()]
        assert titles == sorted(best_rated["Title"])[:1]
        assert any(titles[0] in line for line in run["end"].task.stdout.splitlines())


def test_without_statistics_it_says_what_is_missing(desk):
    """First nobody ever ran them, then nobody successfully."""
    desk.pull("statistics", "playlist-redux")

    assert desk.call(*REDUX, "run") == 1
    assert "there is no flow 'StatsFlow'" in desk.err
    assert desk.call(*STATISTICS, "run", "--columns", "Popcorn") == 1
    assert desk.call(*REDUX, "run") == 1
    assert "no run of StatsFlow was successful: run stats.py, in this folder" in desk.err


def test_it_reads_the_store_that_it_is_run_with(desk):
    """Also where an option names one that is not above the working directory."""
    desk.pull("statistics", "playlist-redux")
    store = f"--datastore-root={desk.folder / 'elsewhere'}"
    assert desk.call(*STATISTICS, store, "run") == 0

    assert desk.call(*REDUX, store, "run") == 0
    assert "by the results of StatsFlow/1" in desk.out
