"""Templates, graphs and contexts do not go unnoticed, and floors only rise."""

from __future__ import annotations

import json
import subprocess

from plait_harness.gates import Breach
from plait_harness.kept import (
    check_current,
    check_kept,
    excuse,
    merge,
    read_history,
    read_kept,
    survey,
    update_kept,
)

EMPTY = {kind: {} for kind in ("templates", "graphs", "contexts", "checkers", "bugs", "floors")}


def test_nothing_is_gone_and_no_floor_is_lower():
    """Against what is kept, and against all that was ever committed."""
    now, kept = survey(), read_kept()

    assert list(check_kept(kept, now)) == []
    assert list(check_kept(excuse(read_history(), kept), now)) == []
    assert list(check_current(kept, now)) == []


def test_what_is_not_written_down_is_told():
    """A file that is empty, or has not got what is new, would let it go unnoticed."""
    now = {**EMPTY, "graphs": {"g": ""}, "floors": {"tests": 9}}
    missing = [Breach("kept", "harness/kept.json lacks some of what there is; run --update-kept")]

    assert list(check_current(now, now)) == []
    assert list(check_current({}, now)) == missing
    assert list(check_current({**now, "floors": {"tests": 8}}, now)) == missing
    assert list(check_current({**now, "graphs": {}}, now)) == missing


def test_what_is_lowered_in_a_commit_is_told_too(tmp_path):
    """The file is asked for as it was in every commit, also where it was removed since."""
    path = tmp_path / "kept.json"

    def commit(what: str | None) -> None:
        path.unlink(missing_ok=True)
        if what is not None:
            path.write_text(what, encoding="utf-8")
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        for words in (("add", "-A"), (*who, "commit", "-q", "-m", "it")):
            subprocess.run(["git", *words], cwd=tmp_path, check=True)

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    commit(json.dumps({**EMPTY, "graphs": {"g": ""}, "floors": {"tests": 10}}))
    commit(json.dumps({**EMPTY, "floors": {"tests": 9}}))
    commit(None)
    ever = excuse(read_history(str(path)), read_kept(str(path)))

    assert list(check_kept(ever, {**EMPTY, "floors": {"tests": 9}})) == [
        Breach("kept", "g of graphs is gone; harness/kept.json says not why"),
        Breach("kept", "tests: 9, and it has been 10"),
    ]


def test_lowering_the_file_along_with_a_floor_is_told():
    """What was committed counts for floors; reasons for what is gone count as they are written."""
    committed = {**EMPTY, "graphs": {"g": ""}, "floors": {"tests": 10}}
    kept = {**EMPTY, "graphs": {"g": "h shows the same"}, "floors": {"tests": 9}}
    now = {**EMPTY, "floors": {"tests": 9}}

    assert list(check_kept(kept, now)) == []
    assert list(check_kept(excuse(committed, kept), now)) == [
        Breach("kept", "tests: 9, and it has been 10")
    ]


def test_what_is_deleted_is_told():
    """By its name and kind, unless the file says why it is gone."""
    kept = {**EMPTY, "templates": {"Mine": "", "Old": "its decorator is gone"}, "graphs": {"g": ""}}

    assert list(check_kept(kept, EMPTY)) == [
        Breach("kept", "Mine of templates is gone; harness/kept.json says not why"),
        Breach("kept", "g of graphs is gone; harness/kept.json says not why"),
    ]
    assert list(check_kept(kept, {**EMPTY, "templates": {"Mine": ""}, "graphs": {"g": ""}})) == []


def test_a_floor_that_is_lowered_or_gone_is_told():
    """With what it was."""
    kept = {**EMPTY, "floors": {"cases of here": 10, "coverage of cli: lines": 97.5}}
    now = {**EMPTY, "floors": {"coverage of cli: lines": 97.0}}

    assert list(check_kept(kept, now)) == [
        Breach("kept", "there is no floor any more for cases of here; it was 10"),
        Breach("kept", "coverage of cli: lines: 97, and it has been 97.5"),
    ]


def test_what_is_kept_only_grows(tmp_path):
    """Floors keep their highest value, and names stay with why they are gone."""
    kept = {**EMPTY, "templates": {"Old": "gone because"}, "floors": {"a": 3, "b": 1}}
    now = {**EMPTY, "templates": {"New": ""}, "floors": {"a": 2, "b": 2, "c": 5}}
    merged = merge(kept, now)

    assert merged["templates"] == {"Old": "gone because", "New": ""}
    assert merged["floors"] == {"a": 3, "b": 2, "c": 5}
    path = tmp_path / "kept.json"
    path.write_text(json.dumps({**EMPTY, "floors": {"tests": 10**9}}), encoding="utf-8")
    update_kept(str(path))
    assert read_kept(str(path))["floors"]["tests"] == 10**9
    assert read_history(str(path)) == EMPTY
