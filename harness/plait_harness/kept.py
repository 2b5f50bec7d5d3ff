"""What the harness has had once and is not to lose unnoticed: names, counts and floors."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

from plait_harness.gates import Breach, read_tally
from plait_harness.generated_mutants import LEAST
from plait_harness.home import HOME
from plait_harness.measure import read_floors
from plait_harness.planting import load_bugs
from plait_harness.schemas import read_json
from plait_harness.sources import choose_checkers, choose_contexts, choose_graphs, choose_templates

KEPT_FILE = os.path.join(HOME, "kept.json")
"""The names of all specifications, and the highest value that each floor has had."""

Kept = Mapping[str, Mapping[str, Any]]
"""By kind: for specifications, name -> why it is gone (empty while it is there); for `floors`,
name -> value."""

_NAMES = ("templates", "graphs", "contexts", "checkers", "bugs")


def survey() -> dict[str, dict[str, Any]]:
    """Give what there is now, in the form of the file."""
    floors = read_floors()
    values = {f"coverage of {name}: lines": value for name, value in floors.lines.items()}
    values |= {f"coverage of {name}: branches": value for name, value in floors.branches.items()}
    values |= {f"cases of {name}": count for name, count in read_tally().items()}
    values["generated mutants noticed"] = LEAST * 100
    tests = os.path.join(os.path.dirname(HOME), "tests-tally.json")
    if os.path.exists(tests):
        values["tests"] = read_json(tests)["tests"]
    names = (
        choose_templates(()).known,
        choose_graphs(()).known,
        choose_contexts(()).known,
        choose_checkers(()).known,
        load_bugs(),
    )
    found: dict[str, dict[str, Any]] = {
        kind: dict.fromkeys(sorted(known), "") for kind, known in zip(_NAMES, names, strict=True)
    }
    return {**found, "floors": dict(sorted(values.items()))}


def check_kept(kept: Kept, now: Kept) -> Iterator[Breach]:
    """Find out what is gone without a reason, and which floors are lower than they were.

    Args:
        kept: What there was.
        now: What there is.
    """
    for kind in _NAMES:
        for name, why in kept.get(kind, {}).items():
            if not why and name not in now[kind]:
                yield Breach("kept", f"{name} of {kind} is gone; harness/kept.json says not why")
    for name, least in kept.get("floors", {}).items():
        if name not in now["floors"]:
            yield Breach("kept", f"there is no floor any more for {name}; it was {least:g}")
        elif now["floors"][name] < least:
            yield Breach("kept", f"{name}: {now['floors'][name]:g}, and it has been {least:g}")


def excuse(committed: Kept, kept: Kept) -> dict[str, dict[str, Any]]:
    """Give what was committed, with the reasons that the file gives now for what is gone."""
    reasons = {kind: {**names, **kept.get(kind, {})} for kind, names in committed.items()}
    return {**reasons, "floors": dict(committed.get("floors", {}))}


def merge(kept: Kept, now: Kept) -> dict[str, dict[str, Any]]:
    """Give what is to be kept from now on: nothing goes, and no floor falls."""
    merged = {kind: {**now[kind], **kept.get(kind, {})} for kind in _NAMES}
    floors = dict(kept.get("floors", {}))
    for name, value in now["floors"].items():
        floors[name] = max(value, floors.get(name, value))
    return {**merged, "floors": floors}


def update_kept(path: str = KEPT_FILE) -> None:
    """Write down what there is now beside what there was."""
    merged = merge(read_kept(path), survey())
    with open(path, "w", encoding="utf-8") as file:
        json.dump(merged, file, indent=1, sort_keys=True, ensure_ascii=False)
        file.write("\n")


def read_kept(path: str = KEPT_FILE) -> dict[str, dict[str, Any]]:
    """Read what there was; nothing if that was never written down."""
    kept: dict[str, dict[str, Any]] = read_json(path) if os.path.exists(path) else {}
    return kept


def read_committed(path: str = KEPT_FILE) -> dict[str, dict[str, Any]]:
    """Read the file as it was last committed, so that it cannot be lowered along with a floor.

    Nothing where there is no repository, or the file is not in it yet.
    """
    folder, name = os.path.split(path)
    try:
        shown = subprocess.run(
            ["git", "show", f"HEAD:./{name}"],  # noqa: S607  # whichever git the person uses
            cwd=folder,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return {}
    kept: dict[str, dict[str, Any]] = json.loads(shown.stdout) if shown.returncode == 0 else {}
    return kept
