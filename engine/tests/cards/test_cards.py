"""`@card`, `current.card` and `get_cards`: from a step's code to the page that is read back."""

from __future__ import annotations

import pickle
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plait import FlowSpec, Parameter, Task, card, catch, current, retry, step
from plait.base.pathspec import AttemptKey
from plait.cards import Artifact, Component, Markdown, get_cards
from plait.cards.board import NoSuchCard
from plait.cards.errors import DamagedCard
from plait.cards.reading import Cards
from plait.cards.record import CardRecord
from plait.cards.types import NoHTML, Subject, make_default, make_html
from plait.flow.current import UnknownCurrent
from plait.flow.decorate import parse_with
from plait.hooks.registry import get_decorator
from plait.hooks.step import BadDecorator
from plait.plugins.card import Card
from plait.testing import run_flow, run_step

works: dict[str, Callable[[Any], None]] = {}


class Carded(FlowSpec):
    """A flow whose first step is what a test makes it."""

    alpha = Parameter("alpha", default=0.5)
    settings = ("depth", 3)

    @card(timeout=5)
    @step
    def start(self):
        """Do what the test says."""
        works["start"](self)
        self.next(self.middle)

    @card(id="first")
    @card(type="blank", id="second")
    @card(type="html", id="third")
    @step
    def middle(self):
        """Fill three cards."""
        self.html = "<p>mine</p>"
        current.card["first"].append(Markdown("*one*"))
        current.card["second"].append(Markdown("*two*"))
        current.card.append(Markdown("*also one*"))
        self.next(self.end)

    @step
    def end(self):
        """End."""


@pytest.fixture
def start(capsys: pytest.CaptureFixture[str]) -> Callable[..., Task]:
    """Runs the flow with some work in its first step and gives the task of that."""

    def run(work: Callable[[Any], None] = lambda _self: None, **given: Any) -> Task:
        works["start"] = work
        task = run_flow(Carded, **given)["start"].task
        assert task is not None
        return task

    return run


def test_a_card_shows_parts_and_artifacts(start: Callable[..., Task]) -> None:
    """What the step put on it, what it set, and what came down to it."""

    def work(flow: Any) -> None:
        flow.x = [1, "<b>"]
        flow._hidden = 1
        current.card.append(Markdown("# Title"))
        current.card.extend([Artifact(7, "seven"), object()])

    (made,) = get_cards(start(work))

    assert (made.type, made.id, made.failure) == ("default", None, None)
    assert made.html == made.get()
    assert "<h1>Title</h1>" in made.html
    assert "<b>seven</b> <code>7</code>" in made.html
    assert "[1, &#x27;&lt;b&gt;&#x27;]" in made.html
    assert '<th scope="row">alpha</th><td>float</td><td>21 bytes, not read here</td>' in made.html
    assert "_hidden" not in made.html
    assert made.html.count("<script") == 0
    assert "default-src &#x27;none&#x27;" in made.html or "default-src 'none'" in made.html


def test_each_card_of_a_step_is_its_own(start: Callable[..., Task]) -> None:
    """By id, by type, by place; what is put on `current.card` goes to the first."""
    middle = start().parent.parent["middle"].task
    assert middle is not None
    found = get_cards(middle)

    assert [(c.id, c.type) for c in found] == [
        ("first", "default"), ("second", "blank"), ("third", "html"),
    ]  # fmt: skip
    assert "<em>one</em>" in found[0].html
    assert "<em>also one</em>" in found[0].html
    assert "<em>two</em>" in found["second"].html
    assert "Artifacts" not in found["second"].html
    assert found["third"].html == "<p>mine</p>"
    assert [c.id for c in get_cards(middle, type="blank")] == ["second"]
    assert [c.id for c in get_cards(middle, id="third")] == ["third"]
    assert [c.id for c in found[1:]] == ["second", "third"]
    assert (
        repr(found[:1])
        == f"<Cards of {middle.pathspec}: <default card 'first' of {middle.pathspec}>>"
    )
    with pytest.raises(NoSuchCard, match="did you mean 'first'") as raised:
        found["frist"]
    assert isinstance(raised.value, KeyError)


def test_cards_belong_to_one_task(start: Callable[..., Task]) -> None:
    """They are not passed on, and are no artifacts that a user meets."""
    task = start(lambda flow: setattr(flow, "x", 1))
    run = task.parent.parent
    end = run.end_task

    assert end is not None
    assert list(get_cards(end)) == []
    assert repr(get_cards(end)) == f"<Cards of {end.pathspec}: none>"
    assert [artifact.id for artifact in task] == ["alpha", "settings", "x"]
    assert {a.id for a in end} == {"alpha", "settings", "x", "html"}


def test_what_goes_wrong_with_a_card_does_not_fail_the_task(start: Callable[..., Task]) -> None:
    """The card says it, and so does the log; the other results are there."""

    class Bad(Component):
        def render(self) -> str:
            raise RuntimeError("no <ink>")

    def work(flow: Any) -> None:
        flow.x = 1
        current.card.append(Bad())

    task = start(work)
    (made,) = get_cards(task)

    assert task.successful
    assert task.data.x == 1
    assert made.failure == "RuntimeError: no <ink>"
    assert "This card could not be made" in made.html
    assert "no &lt;ink&gt;" in made.html
    assert "[plait] the card could not be made: RuntimeError: no <ink>" in task.stderr


def test_a_card_that_is_not_text_or_leaves_is_one_that_fails(start: Callable[..., Task]) -> None:
    """Half a character, `sys.exit`, and the like."""

    class Half(Component):
        def render(self) -> str:
            return "\ud800"

    class Leaving(Component):
        def render(self) -> str:
            raise SystemExit(3)

    for part in (Half(), Leaving()):
        (made,) = get_cards(start(lambda _flow, part=part: current.card.append(part)))
        assert made.failure


def test_a_card_that_takes_too_long_is_given_up(start: Callable[..., Task]) -> None:
    """After its timeout, and the task goes on."""
    gate = threading.Event()

    class Slow(Component):
        def render(self) -> str:
            gate.wait(60)
            return ""

    decorator = next(d for d in Carded.start.decorators if isinstance(d, Card))  # type: ignore[attr-defined]  # put there by @card
    patient, decorator._timeout = decorator._timeout, 0.01
    try:
        (made,) = get_cards(start(lambda _flow: current.card.append(Slow())))
    finally:
        decorator._timeout = patient
        gate.set()

    assert made.failure is not None
    assert "longer than 0.01 s" in made.failure
    assert "error[slow-card]" in made.html


def test_a_step_that_fails_leaves_its_card(start: Callable[..., Task]) -> None:
    """With the traceback above what had been put on it."""

    def work(flow: Any) -> None:
        current.card.append(Markdown("so far"))
        raise ValueError("too <small>")

    task = start(work)
    (made,) = get_cards(task)

    assert not task.successful
    assert "The step failed" in made.html
    assert "ValueError: too &lt;small&gt;" in made.html
    assert "so far" in made.html
    assert "/plugins/card.py" not in made.html


def test_attempts_have_cards_of_their_own() -> None:
    """And one that `@catch` makes up for has the one of its failure."""

    class Tried(FlowSpec):
        @card(type="html")
        @retry(times=1, minutes_between_retries=0)
        @catch(var="caught")
        @step
        def start(self):
            current.card.append(Markdown("x"))
            raise ValueError(f"try {current.retry_count}")
            self.next(self.end)

        @step
        def end(self):
            pass

    run = run_flow(Tried)
    task = run["start"].task

    assert run.successful
    assert task is not None
    assert "try 1" in get_cards(task)[0].html
    opened = task._opened
    assert "try 0" in get_cards(Task(type(opened)(opened.run, opened.record, 0)))[0].html


def test_the_type_html_needs_a_page(start: Callable[..., Task]) -> None:
    """Of text; without one, the card says what to write."""
    with pytest.raises(NoHTML, match="the step has not set it"):
        make_html(Subject("t"))
    with pytest.raises(NoHTML, match="of type int"):
        make_html(Subject("t", values={"html": 3}))
    assert "oh" in make_html(Subject("t", failure="oh"))


def test_many_artifacts_are_cut() -> None:
    """And none are said to be none."""
    assert "50 more are not shown" in make_default(
        Subject("t", values={f"v{n:03}": n for n in range(250)})
    )
    assert "none" in make_default(Subject("t"))


def test_parts_are_updated_and_cleared(start: Callable[..., Task]) -> None:
    """By their ids; `refresh` is there for code that has it."""

    def work(flow: Any) -> None:
        current.card.append(Markdown("gone"))
        current.card.clear()
        current.card.append(Markdown("before"), id="text")
        current.card.components["text"].update("after")
        current.card.refresh()
        flow.has = ("first" in current.card, "card" in current, current.get("card") is current.card)

    task = start(work)
    (made,) = get_cards(task)

    assert "after" in made.html
    assert "before" not in made.html
    assert "gone" not in made.html
    assert task.data.has == (False, True, True)


def test_a_deck_is_like_the_board(start: Callable[..., Task]) -> None:
    """What the cards with ids offer is the same."""

    class Two(FlowSpec):
        @card(id="a")
        @card(id="b")
        @step
        def start(self):
            deck = current.card["b"]
            deck.extend([Markdown("x")])
            deck.clear()
            deck.append(Markdown("y"), id="y")
            deck.components["y"].update("z")
            deck.refresh()
            self.seen = (len(deck), "b" in current.card)
            with pytest.raises(NoSuchCard, match="the step has no card with the id 'c'"):
                current.card["c"]
            with pytest.raises(NoSuchCard):
                current.card[3]
            self.next(self.end)

        @step
        def end(self):
            pass

    task = run_flow(Two)["start"].task
    assert task is not None
    assert task.data.seen == (1, True)
    assert "z" in get_cards(task)["b"].html


def test_a_step_without_a_card_has_no_board(start: Callable[..., Task]) -> None:
    """Asking says what to write; asking whether is answered."""

    class Bare(FlowSpec):
        @step
        def start(self):
            self.seen = ("card" in current, current.get("card", 3))
            self.next(self.end)

        @step
        def end(self):
            current.card.append(1)

    run = run_flow(Bare)
    task = run["start"].task
    assert task is not None
    assert task.data.seen == (False, 3)
    assert run["end"].task is not None
    assert "write @card above @step" in run["end"].task.stderr
    with pytest.raises(UnknownCurrent, match="only a step under @card has it"):
        current.card  # noqa: B018  # asking is what is tested


def test_one_step_alone_makes_its_card() -> None:
    """In `run_step`, too, and it is no artifact there."""
    result = run_step(Carded.middle, decorators=True)

    assert set(result.artifacts) == {"html"}


def test_a_card_can_be_saved_and_viewed(
    start: Callable[..., Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a file, in the browser, and in a notebook, where it can do nothing."""
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    task = start()
    found = get_cards(task)

    file = found[0].save(str(tmp_path / "card.html"))
    shown = found[0].view()

    assert Path(file).read_text() == Path(shown).read_text() == found[0].html
    assert opened == [Path(shown).as_uri()]
    assert 'sandbox=""' in found._repr_html_()
    assert found[0]._repr_html_() == found._repr_html_()
    assert found[0].pathspec == task.pathspec
    assert found[0].path.endswith(".attempt")
    assert found[0].created_at <= (task.finished_at or found[0].created_at)
    assert repr(found[0]) == f"<default card of {task.pathspec}>"


def test_a_card_that_plait_did_not_write_is_not_read(start: Callable[..., Task]) -> None:
    """Nothing in it is run."""
    task = start()
    opened = task._opened
    store = opened.connection.artifacts("Carded")
    key = AttemptKey(*opened.key, 0)
    facts = store.get(key).facts
    from dataclasses import replace

    for number, value in enumerate([print, 3, {"type": "x"}, {**_record(), "made": "x"}], 1):
        forged = replace(facts, key=AttemptKey(*opened.key, number))
        store.seal(forged, {"_plait_card_0": store.encode("c", value)}, {})
        with pytest.raises(DamagedCard, match="is not as plait writes cards"):
            get_cards(Task(type(opened)(opened.run, opened.record, number)))


def _record() -> dict[str, Any]:
    return CardRecord("blank", None, "", 1.0).to_plain()


def test_cards_are_found_by_pathspec(
    start: Callable[..., Task],
) -> None:
    """As everything of the client is."""
    from plait import namespace
    from plait.client import source

    task = start()
    stores = task._opened.connection.source()
    before = source._opener
    assert before is not None
    source.use_opener(lambda _spec: stores)
    namespace(None)
    try:
        assert get_cards(task.pathspec)[0].html == get_cards(task)[0].html
    finally:
        source.use_opener(before)
        from plait import default_namespace

        default_namespace()


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({"type": "blnk"}, "there is no card of type 'blnk'"),
        ({"type": 3}, "there is no card of type 3"),
        ({"id": ""}, "id='' is no name"),
        ({"id": "a\nb"}, "is no name"),
        ({"id": 3}, "id=3 is no name"),
        ({"timeout": 0}, "timeout=0 is not a length of time"),
        ({"timeout": True}, "timeout=True is not a length of time"),
        ({"options": {}}, "there is no attribute 'options'"),
    ],
)
def test_it_refuses_what_it_cannot_use(attributes: dict[str, Any], what: str) -> None:
    """When it is made, so that nothing runs first."""
    with pytest.raises(BadDecorator) as raised:
        Card(attributes)
    assert what in raised.value.findings[0].what


def test_it_is_found_by_name() -> None:
    """As `--with card:type=blank` looks for it."""
    assert get_decorator("card") is Card
    assert parse_with("card:type=blank,id=x").attributes == {
        "type": "blank",
        "id": "x",
        "timeout": 45,
    }


def test_cards_are_plain_when_kept() -> None:
    """So that who reads them runs nothing; and an empty list of them is one."""
    record = CardRecord("blank", "x", "<p>", 1.5)

    assert CardRecord.from_plain(pickle.loads(pickle.dumps(record.to_plain()))) == record
    assert list(Cards((), "here")) == []
