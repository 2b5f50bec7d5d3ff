"""The map on a report's page: what goes across, what beside one another, and what a cell says."""

from __future__ import annotations

from plait_harness.heatmap import BLOCK, group_turns, map_rows
from plait_harness.progress import natural_key
from plait_harness.report import CaseRow


def row(template: str, graph: str, *, outcome: str = "passed", turn: int = 0, executor="cli"):
    """Give a row of a case."""
    return CaseRow(
        id=f"{template}[{graph}-here-{executor}]",
        context="here",
        executor=executor,
        graph=graph,
        template=template,
        outcome=outcome,
        seconds=1.0 + turn,
        exit_code=0,
        folder=f"cases/{turn}",
        checks=(),
        phases={},
        turn=turn,
    )


def test_many_graphs_are_rows_in_natural_order_side_by_side():
    """A page is as wide as a window, and any number of rows high."""
    (found,) = map_rows(row("AnyGraph", f"g{number}") for number in range(300, 0, -1))

    assert found.across == ["AnyGraph"]
    assert [each for block in found.blocks for each in block] == [f"g{n}" for n in range(1, 301)]
    assert [len(block) for block in found.blocks] == [BLOCK] * 12
    cell = found.find_cell("g10", "AnyGraph")
    assert cell.worst.id == "AnyGraph[g10-here-cli]"


def test_many_templates_are_rows_in_the_order_in_which_they_ran():
    """Then graphs are columns, and there is one table."""
    rows = [row(f"T{9 - n}", f"g{graph}") for n in range(9) for graph in range(5)]
    (found,) = map_rows(rows)

    assert found.across == ["g0", "g1", "g2", "g3", "g4"]
    assert found.blocks == [[f"T{9 - n}" for n in range(9)]]
    assert found.find_cell("T9", "g1").worst.id == "T9[g1-here-cli]"
    assert found.find_cell("T9", "g7") is None


def test_a_cell_says_how_many_of_several_failed():
    """Of turns, and of executors; seconds, where none did."""
    rows = [
        row("T", "g", turn=turn, outcome="failed" if turn < 2 else "passed") for turn in (0, 1, 2)
    ]
    (found,) = map_rows(
        [*rows, row("T", "g", executor="api"), row("T", "h"), row("T", "h", turn=1)]
    )

    failed = found.find_cell("g", "T")
    assert (failed.describe(), failed.worst.turn) == ("2/4", 1)
    assert found.find_cell("h", "T").describe() == "2.00"


def test_a_case_says_how_its_turns_went():
    """In words."""
    failed = [row("T", "g", turn=turn, outcome="failed") for turn in (0, 1)]
    passed = [row("U", "g", turn=turn) for turn in (0, 1, 2)]
    once = [row("V", "g", outcome="error")]

    said = {case.id[0]: case.describe() for case in group_turns([*failed, *passed, *once])}
    assert said == {"T": "2 of 2 failed", "U": "passed 3 times", "V": "error"}


def test_names_are_sorted_as_people_do():
    """Numbers by their value, wherever they are."""
    names = ["g10", "g2", "G1", "generated-2-1", "generated-1-12", "generated-1-3", "2", "a"]

    assert sorted(names, key=natural_key) == [
        *("2", "a", "G1", "g2", "g10"),
        *("generated-1-3", "generated-1-12", "generated-2-1"),
    ]
