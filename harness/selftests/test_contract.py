"""The page of what is tested has all there is, and each test that it names does name its row."""

from __future__ import annotations

import pytest

from plait_harness.contract import Row, find_proof, read_contract, read_page, show_proof
from plait_harness.proofs import Proof, collect_proofs

CURE = "run `python -m plait_harness.contract`, and write a test for each row that it names"


@pytest.fixture(scope="module")
def rows():
    """The rows that there are to be, by heading and name."""
    return {(heading, row.name): row for heading, rows in read_contract().items() for row in rows}


def test_the_page_has_a_row_for_each_thing(rows):
    """Every command, option, setting, decorator and name, and nothing that has gone."""
    page = read_page()

    assert sorted(rows.keys() - page.keys()) == [], CURE
    assert sorted(page.keys() - rows.keys()) == [], CURE


def test_every_row_is_named_by_a_test(rows):
    """By the one that the page shows, which is there and mentions it; so no row is empty."""
    proofs = collect_proofs()
    page = read_page()
    shown = {}
    for proof in proofs:
        shown.setdefault(show_proof(proof), []).append(proof)
    wrong = [
        f"{heading}: {name}"
        for (heading, name), row in rows.items()
        if not any(row.is_named_by(p) for p in shown.get(page.get((heading, name), ""), ()))
    ]

    assert wrong == [], CURE


def test_a_row_keeps_its_test():
    """As long as that names it; else the first that does, and nothing if none does."""
    row = Row("run --tag", frozenset({"--tag"}), frozenset({"run"}), tests=("cli/",))

    def proof(name, file="engine/tests/cli/test_a.py", text="run"):
        return Proof("test", name, file, frozenset({text}), frozenset({"--tag", text}))

    first, second = proof("cli/test_a.py::test_x"), proof("cli/test_a.py::test_y")
    others = [proof("z", text="dump"), proof("z", file="engine/tests/base/test_a.py")]

    assert find_proof(row, [*others, first, second]) == "`cli/test_a.py::test_x`"
    assert find_proof(row, [first, second], "`cli/test_a.py::test_y`") == "`cli/test_a.py::test_y`"
    assert find_proof(row, [first], "`gone`") == "`cli/test_a.py::test_x`"
    assert find_proof(row, others) == ""


def test_templates_and_pages_are_proofs_too():
    """By what the harness calls for a template, and by the commands of a page."""
    proofs = collect_proofs()
    tags = next(p for p in proofs if (p.kind, p.name) == ("template", "Tags"))
    page = [p for p in proofs if p.name == "docs/guide/run-a-flow.md"]

    assert "run" in tags.texts
    assert "--tag" in tags.words
    assert any({"tag", "remove", "--run-id"} <= p.texts for p in page)
    assert show_proof(tags) == "template `Tags`"
    assert show_proof(page[0]) == "[run-a-flow.md](guide/run-a-flow.md)"
