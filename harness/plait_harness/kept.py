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
            if not why.strip() and name not in now[kind]:
                yield Breach("kept", f"{name} of {kind} is gone; harness/kept.json says not why")
    for name, least in kept.get("floors", {}).items():
        if name not in now["floors"]:
            yield Breach("kept", f"there is no floor any more for {name}; it was {least:g}")
        elif now["floors"][name] < least:
            yield Breach("kept", f"{name}: {now['floors'][name]:g}, and it has been {least:g}")


def check_current(kept: Kept, now: Kept) -> Iterator[Breach]:
    """Find out whether the file holds all that there is, so that none of it can go unnoticed."""
    if merge(kept, now) != kept:
        yield Breach("kept", "harness/kept.json lacks some of what there is; run --update-kept")


def excuse(ever: Kept, kept: Kept) -> dict[str, dict[str, Any]]:
    """Give what has ever been kept, with the reasons that the file gives now for what is gone.

    A reason that stands only in the past counts no more: what is gone stays in the file with it.
    """
    reasons = {
        kind: {name: kept.get(kind, {}).get(name, "") for name in names}
        for kind, names in ever.items()
    }
    return {**reasons, "floors": dict(ever.get("floors", {}))}


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


def read_history(path: str = KEPT_FILE) -> dict[str, dict[str, Any]]:
    """Give all that the file has ever held, so that it cannot be lowered along with a floor.

    Nothing where there is no repository, or the file is not in it; as far back as it goes.
    """
    folder, name = os.path.split(path)
    ever: dict[str, dict[str, Any]] = {kind: {} for kind in (*_NAMES, "floors")}
    commits = _ask_git(folder, "log", "--format=%H", "--", f"./{name}").split()
    for commit in commits:
        text = _ask_git(folder, "show", f"{commit}:./{name}")
        if text:  # empty where the commit removed it
            ever = merge(ever, {**{kind: {} for kind in ever}, **json.loads(text)})
    return ever


def _ask_git(folder: str, *words: str) -> str:
    """Give what git says; nothing where there is none, or it has nothing to say."""
    try:
        said = subprocess.run(
            ["git", *words],  # noqa: S607  # whichever git the person uses
            cwd=folder,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return said.stdout.decode() if said.returncode == 0 else ""
