"""The pages in a real browser: seen, used by keyboard, silent, and asking nobody for anything."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from report.flows import WildFlow

from plait.cards import get_cards
from plait.flow.definition import read_definition
from plait.report.flow_page import make_flow_page
from plait.report.run_page import make_run_page
from plait.testing import run_flow

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
"""The browser that the system has."""

DEMANDED = bool(os.environ.get("CI") or os.environ.get("PLAIT_TEST_CHROMIUM"))
"""Whether a machine without a browser fails these tests instead of leaving them out."""

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not DEMANDED,
    reason="no Chromium is installed: apt-get install chromium; where CI is set it is demanded",
)

LOOKS = {
    "light": (1200, 900, "light"),
    "dark": (1200, 900, "dark"),
    "narrow": (390, 844, "light"),
}
"""Width, height and colours of the screens that pages are looked at on."""


@dataclass
class Seen:
    """A page in the browser, and what went on meanwhile."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


Look = Callable[[str, str], Seen]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this file."""
    assert CHROMIUM is not None, "CI demands a browser: apt-get install chromium"
    options = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=[*options, *quiet])
        yield started
        started.close()


@pytest.fixture
def look(browser: Browser, tmp_path: Path) -> Iterator[Look]:
    """Opens a page on a screen, and sees that it is silent and alone in the end."""
    opened: list[Seen] = []

    def open_page(html: str, screen: str) -> Seen:
        width, height, scheme = LOOKS[screen]
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        page = browser.new_page(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        seen = Seen(page)
        page.on("console", lambda message: seen.said.append(message.text))
        page.on("pageerror", lambda error: seen.said.append(str(error)))
        page.on("request", lambda request: seen.asked.append(request.url))
        page.goto(file.as_uri())
        opened.append(seen)
        return seen

    yield open_page
    for seen in opened:
        assert seen.said == []
        outside = [url for url in seen.asked if not url.startswith(("file:", "data:", "about:"))]
        assert outside == []
        assert sum(url.startswith("file:") for url in seen.asked) == 1
        assert seen.page.title() != "ran"
        seen.page.close()


def overflows(page: Page) -> bool:
    """Say whether the page is wider than the screen."""
    wide: bool = page.evaluate(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    )
    return wide


@pytest.fixture(scope="module")
def report() -> str:
    """The page of a run with cards, a failure, and names that try to be HTML."""
    return make_run_page(run_flow(WildFlow, bad=1)._opened, unpickle=True)


@pytest.mark.parametrize("screen", LOOKS)
def test_the_page_of_a_run(look: Look, report: str, screen: str) -> None:
    """The failure, the graph, the timeline and each task can be seen, on any screen."""
    page = look(report, screen).page

    assert page.locator("section.error h2").first.is_visible()
    assert page.locator(".graph svg a").count() == 4
    assert all(box.is_visible() for box in page.locator(".graph svg a").all())
    assert page.locator(".timeline .bar").first.is_visible()
    assert page.locator("details.task").count() == 4
    assert not overflows(page)


def test_links_of_the_graph_lead_to_steps_by_keyboard(look: Look, report: str) -> None:
    """Tab goes to a box, Enter to its step, and again Enter opens a task."""
    page = look(report, "light").page
    page.locator(".graph svg a").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#step-work"

    task = page.locator("#step-work details.task").first
    task.locator("summary").focus()
    page.keyboard.press("Enter")
    assert task.locator("pre.log").is_visible()
    assert "working on 0: <script>" in task.locator("pre.log").inner_text()


def test_cards_are_shown_in_a_page_of_a_run(look: Look, report: str) -> None:
    """In a frame in which nothing runs; tables and charts are there."""
    page = look(report, "dark").page
    frame = page.locator("#step-start iframe.card")
    frame.scroll_into_view_if_needed()
    card = page.frame_locator("#step-start iframe.card")

    card.locator("h1", has_text="Figures").wait_for()
    assert card.locator("svg").count() == 2
    assert card.locator("td").first.inner_text().startswith("<script>")
    assert card.locator("img").evaluate("image => image.naturalWidth") == 1


@pytest.mark.parametrize("screen", LOOKS)
def test_the_page_of_a_flow(look: Look, screen: str) -> None:
    """Each step with its words; the source is there on request."""
    page = look(make_flow_page(read_definition(WildFlow)), screen).page

    assert page.locator("article").count() == 4
    assert page.locator(".graph svg").is_visible()
    page.locator("#step-work summary").click()
    assert "def work(self):" in page.locator("#step-work pre").inner_text()
    assert not overflows(page)


@pytest.mark.parametrize("screen", ["dark", "narrow"])
def test_a_card_by_itself(look: Look, screen: str) -> None:
    """All of its parts can be seen; the colours are the reader's."""
    task = run_flow(WildFlow)["start"].task
    assert task is not None
    page = look(get_cards(task)[0].html, screen).page
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert page.locator("h1", has_text="Figures").is_visible()
    assert page.locator("svg").count() == 2
    assert page.locator("table").count() == 2
    assert light == ("rgb(18, 22, 28)" if screen == "dark" else "rgb(255, 255, 255)")
    assert not overflows(page)
