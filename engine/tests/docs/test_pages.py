"""What all pages promise: links that lead somewhere, code that is Python, messages that exist."""

from __future__ import annotations

import ast
import re
import textwrap
from functools import cache
from pathlib import Path

import pytest

import plait
import plait.testing

ROOT = Path(__file__).parents[3]
PACKAGE = Path(plait.__file__).parent
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "docs/**/*.md", "engine/plait/tutorials/*/*.md", "bench/*.md")
    for path in ROOT.glob(pattern)
)
NO_SLUGS = {"index", "common-mistakes"}
SLUGS = sorted({path.stem for path in ROOT.glob("docs/errors/*.md")} - NO_SLUGS)

OTHERS_WORDS = {
    "bad-option": "click's",
    "usage": "click's",
    "bad-decorator": "those of the decorator",
}
"""Whose words stand in a message, where they are not written beside the error."""


def read(page: str) -> str:
    """Give the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def read_blocks(page: str) -> list[tuple[str, str]]:
    """Give the language and the text of each block of a page, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", read(page), re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Give what a link into a page may name: its headings, as a browser knows them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[\s-]+", "-", heading) for heading in plain}


@cache
def sentences() -> list[re.Pattern[str]]:
    """Give every text of the package as a pattern: what is filled in may be anything."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            texts = [
                str(part.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
                else None
                for part in parts
            ]
            if len("".join(filter(None, texts))) > 8:  # shorter ones would fit anything
                escaped = ("(.*)" if text is None else re.escape(text) for text in texts)
                found.append(re.compile("".join(escaped), re.DOTALL))
    return found


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Each link to a file of the repository names one, and a heading that is in it."""
    prose = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\((?!https?://|mailto:)([^)\s]+)\)", prose):
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent / name if name else ROOT / page

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES)
def test_what_is_called_python_is_python(page: str) -> None:
    """Examples, and parts of examples, can be parsed."""
    for language, text in read_blocks(page):
        if language == "python":
            ast.parse(textwrap.dedent(text), page)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_page_of_an_error_shows_a_message_that_plait_can_print(slug: str) -> None:
    """Its first block is the message, or several, in their form, and in words of the source."""
    page = f"docs/errors/{slug}.md"
    assert read(page).startswith(f"# {slug}\n\n```\n")
    message = read_blocks(page)[0][1]
    found = re.findall(
        r"^error\[([a-z0-9-]+)\]: (.+?)(?: \([\w./-]+:\d+\))?\n((?:  why: |  fix: |       ).+\n)*",
        message,
        re.MULTILINE,
    )

    assert found
    assert {name for name, *_ in found} <= set(SLUGS)
    for name, what, _ in found:
        known = name in OTHERS_WORDS or any(text.fullmatch(what) for text in sentences())
        assert known, what


def test_the_reference_has_all_that_is_exported() -> None:
    """What can be imported from `plait` or `plait.testing` is described, or is a heading."""
    reference = read("docs/reference.md")
    lost = [
        name
        for name in (*plait.__all__, *plait.testing.__all__)
        if not re.search(
            rf"^(::: plait\.[\w.]+\.{name}|### {name}|`plait\.{name}`.*)$", reference, re.MULTILINE
        )
    ]
    assert lost == []


def test_the_reference_names_what_there_is() -> None:
    """Each name whose docstring it asks for can be imported."""
    import pkgutil

    for name in re.findall(r"^::: (\S+)$", read("docs/reference.md"), re.MULTILINE):
        pkgutil.resolve_name(name)


def test_every_page_can_be_found() -> None:
    """The navigation names each page, but for those of errors, which their index names."""
    named = set(re.findall(r"[\w/-]+\.md", read("mkdocs.yml")))
    pages = {str(path.relative_to(ROOT / "docs")) for path in ROOT.glob("docs/**/*.md")}

    assert {page for page in pages - named if not page.startswith("errors/")} == set()
