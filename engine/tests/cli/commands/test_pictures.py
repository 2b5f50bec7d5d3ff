"""`show --html`, `report` and `card`: pages from the command line."""

from __future__ import annotations

import io
import webbrowser
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from plait.cli.plait import call_plait

CARDED = '''
"""A flow with cards."""

from plait import FlowSpec, card, current, step
from plait.cards import Markdown


class CardFlow(FlowSpec):
    """Make cards."""

    @card(id="one", type="blank")
    @card
    @step
    def start(self):
        """Begin."""
        current.card["one"].append(Markdown("# First"))
        self.next(self.end)

    @card(type="html")
    @step
    def end(self):
        """End."""


if __name__ == "__main__":
    CardFlow()
'''


@pytest.fixture(scope="module")
def carded(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A project whose flow made cards."""
    from cli.conftest import Project

    project = Project(tmp_path_factory.mktemp("carded"), CARDED, "CardFlow")
    assert project.start("run").code == 0
    return project


def call(*arguments: str) -> tuple[int, str, str]:
    """Call the command `plait` in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = call_plait(arguments)
    return code, out.getvalue(), err.getvalue()


def test_show_writes_a_page(project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a file named after the flow, or in the one that is named."""
    monkeypatch.chdir(tmp_path)

    assert project.call("show", "--html").out == (
        f"the graph of TrialFlow is in {tmp_path / 'TrialFlow.html'}\n"
    )
    assert project.call("show", "--html", "graph.html").code == 0
    assert Path("graph.html").read_text() == Path("TrialFlow.html").read_text()
    assert "Put it together." in Path("graph.html").read_text()


def test_show_takes_a_file_only_for_a_page(project) -> None:
    """Text goes to the screen."""
    said = project.call("show", "graph.html")

    assert said.code == 2
    assert "only with --html" in said.err
    assert "Begin." in project.call("show").out


def test_a_flow_reports_its_runs(past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest one, or the one that is named."""
    monkeypatch.chdir(tmp_path)

    assert past.call("report").out == f"how TrialFlow/2 went is in {tmp_path}/TrialFlow-2.html\n"
    assert "ValueError: 1 is bad" in Path("TrialFlow-2.html").read_text()
    assert past.call("report", "TrialFlow/1", "--output", "x.html", "--unpickle").code == 0
    assert "First failure" not in Path("x.html").read_text()
    assert "error[no-such-run]" in past.call("report", "9").err


def test_plait_reports_runs(past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of any flow: the latest here, a flow's latest, or one."""
    monkeypatch.chdir(tmp_path)
    store = f"--datastore-root={past.store}"

    for run, name in ((), "2"), (("TrialFlow",), "2"), (("TrialFlow/1",), "1"):
        code, out, _ = call("report", *run, store)
        assert (code, out) == (
            0,
            f"how TrialFlow/{name} went is in {tmp_path}/TrialFlow-{name}.html\n",
        )
    assert "error[no-such-run]" in call("report", "TrialFlow/7", store)[2]
    assert "error[no-such-run]" in call("report", "OtherFlow", store)[2]


def test_without_a_run_there_is_nothing_to_report(tmp_path: Path) -> None:
    """And the message says where it looked."""
    code, _, err = call("report", f"--datastore-root={tmp_path}")

    assert code == 2
    assert "error[nothing-to-report]" in err
    assert str(tmp_path) in err


def test_cards_are_listed(carded) -> None:
    """Number, type, id and size; and what went wrong with one."""
    lines = carded.call("card", "list", "1/start").out.splitlines()

    assert [line.split()[:4] for line in lines] == [
        ["1/start/1", "0", "blank", "one"], ["1/start/1", "1", "default", "-"],
    ]  # fmt: skip
    assert "NoHTML: the card shows" in carded.call("card", "list", "1/end").out


def test_no_card_is_said_so(past) -> None:
    """Where nobody reads it as a list."""
    said = past.call("card", "list", "1/start")

    assert (said.code, said.out, said.err) == (0, "", "no card in '1/start'\n")


def test_a_card_is_got(carded, tmp_path: Path) -> None:
    """Printed, or written to a file; by id, type, number or attempt."""
    printed = carded.call("card", "get", "1/start", "--id", "one").out
    file = tmp_path / "card.html"

    assert "<h1>First</h1>" in printed
    assert carded.call("card", "get", "1/start/1", str(file), "--number", "0").code == 0
    assert file.read_text() == printed
    assert (
        carded.call("card", "get", "1/start/1", "--type", "blank", "--attempt", "0").out == printed
    )


def test_one_card_has_to_be_meant(carded) -> None:
    """Several, or none, are a mistake with a way out, which names those that there are."""
    there = "1/start/1 0 (one), 1/start/1 1 (default)"
    several, none = (carded.call("card", "get", *a) for a in (["1/start"], ["1/start", "--id=x"]))

    assert several.code == none.code == 2
    assert f"they are: {there}" in several.err
    assert f"'1/start' has no such card\n  why: there is: {there}" in none.err


def test_a_task_without_cards_says_what_it_lacks(project) -> None:
    """There is nothing to choose from."""
    assert project.start("run").code == 0
    assert "'1/start' has no card\n  why: its step is not under @card" in (
        project.call("card", "get", "1/start", "--id=x").err
    )


def test_a_card_is_viewed(carded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the browser; the file is named."""
    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    chosen = ("--id", "one", "--type", "blank", "--number", "0", "--attempt", "0")
    out = carded.call("card", "view", "1/start/1", *chosen).out

    assert shown == [Path(out.split()[-1]).as_uri()]
    assert "<h1>First</h1>" in Path(out.split()[-1]).read_text()


def test_a_resumed_run_has_the_cards_that_it_took_over(tmp_path: Path) -> None:
    """As they were made, and new ones of what ran again; `verify` and `gc` know them."""
    from cli.conftest import Project

    source = CARDED.replace('    @card(type="html")\n', "    @card\n").replace(
        '"""End."""', "assert current.origin_run_id"
    )
    project = Project(tmp_path, source, "CardFlow")
    assert project.start("run").code == 1
    assert project.call("resume").code == 0
    store = f"--datastore-root={project.store}"

    old, new = (project.call("card", "get", f"{run}/start", "--number=0").out for run in "12")
    assert "CardFlow/1/start/1" in old
    assert old == new
    assert "CardFlow/2/end" in project.call("card", "get", "2/end").out
    assert call("verify", store)[0] == 0
    assert call("gc", "--keep-runs=1", store)[0] == 0
    assert project.call("card", "get", "2/start", "--number=0").out == new
