"""The pages of errors: each shows a flow, the message it gives, and the flow mended."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from plait.base.errors import Finding
from plait.graph.validate import RULES

PAGES = Path(__file__).parents[3] / "docs" / "errors"

SLUGS = sorted(rule.__name__.replace("_", "-") for rule in RULES)


def blocks(slug: str) -> tuple[str, str, str]:
    """Give a page's message, its wrong flow and its mended flow."""
    text = (PAGES / f"{slug}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {slug}\n")
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert [language for language, _ in found] == ["", "python", "python"]
    (_, message), (_, wrong), (_, mended) = found
    return message.rstrip("\n"), wrong, mended


def whole(wrong: str, mended: str) -> str:
    """Give the mended flow; a page may show only the steps that change."""
    if re.search(r"^class ", mended, re.MULTILINE):
        return mended
    (name,) = re.findall(r"^class (\w+)", wrong)
    return f"{wrong}\nclass Mended({name}):\n{textwrap.indent(mended, '    ')}"


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_shows_what_is_printed(slug: str, findings_of: Callable[..., list[Finding]]) -> None:
    """The message on the page is the one that its flow gives, word for word."""
    message, wrong, _ = blocks(slug)

    assert "\n".join(finding.format() for finding in findings_of(wrong)) == message


@pytest.mark.parametrize("slug", SLUGS)
def test_what_a_page_advises_is_valid(slug: str, graph_of: Callable[..., object]) -> None:
    """The mended flow has a graph."""
    _, wrong, mended = blocks(slug)

    graph_of(whole(wrong, mended))
