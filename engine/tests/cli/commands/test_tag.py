"""`tag`: words on a run, changed and listed."""

from __future__ import annotations

import shutil

import pytest


@pytest.fixture(scope="module")
def tagged(tmp_path_factory, past):
    """A project with two runs, which these tests give tags one after another."""
    folder = tmp_path_factory.mktemp("tagged")
    shutil.copytree(past.store, folder / ".plait")
    return type(past)(folder)


def test_tags_are_given_several_at_once(tagged) -> None:
    """`add` takes any words, in any script, and says what the run has now."""
    said = tagged.call("tag", "add", "--run-id", "1", "nightly", "spring clean", "größe: 3")

    assert (said.code, said.err) == (0, "")
    assert said.out == "TrialFlow/1 has the tags: größe: 3, nightly, spring clean\n"
    assert tagged.call("tag", "list", "--run-id=1").out == "größe: 3\nnightly\nspring clean\n"

    said = tagged.call("tag", "remove", "--run-id", "1", "spring clean", "gro\u0308ße: 3")
    assert said.out == "TrialFlow/1 has the tags: nightly\n"

    said = tagged.call("tag", "replace", "--run-id", "1", "nightly", "weekly", "v2")
    assert said.out == "TrialFlow/1 has the tags: v2, weekly\n"

    said = tagged.call("tag", "remove", "--run-id", "1", "v2", "weekly")
    assert said.out == "TrialFlow/1 has no tags\n"
    assert tagged.call("tag", "list", "--run-id", "1").out == ""


def test_the_latest_run_is_meant(tagged) -> None:
    """Without `--run-id` it is the latest run; `list --system` shows what plait put on it too."""
    assert tagged.call("tag", "add", "here").out.startswith("TrialFlow/2 has")
    lines = tagged.call("tag", "list", "--system").out.splitlines()
    assert lines[0] == "here"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "date", "plait_version", "python_version", "runtime", "user",
    ]  # fmt: skip
    tagged.call("tag", "remove", "here")


def test_a_tag_that_is_not_there_is_said(tagged) -> None:
    """To take away what is not there is a mistake, and nothing changes; the nearest is named."""
    tagged.call("tag", "add", "--run-id=1", "nightly")

    said = tagged.call("tag", "remove", "--run-id=1", "nightl", "nightly")
    assert said.code == 2
    assert said.err.startswith("error[no-such-tag]: run 'TrialFlow/1' has no tag 'nightl'\n")
    assert "did you mean 'nightly'?" in said.err
    assert tagged.call("tag", "replace", "--run-id=1", "x", "y").code == 2
    assert tagged.call("tag", "list", "--run-id=1").out == "nightly\n"
    tagged.call("tag", "remove", "--run-id=1", "nightly")
    assert "you have given it none" in tagged.call("tag", "remove", "--run-id=1", "x").err


@pytest.mark.parametrize(
    ("arguments", "slug"),
    [
        (["add", "--run-id", "99", "x"], "no-such-run"),
        (["add", "user:ada\n"], "bad-tag"),
        (["add"], "missing-argument"),
        (["replace", "x"], "missing-argument"),
        (["remove", "runtime:dev"], "system-tag"),
        (["rename"], "unknown-command"),
    ],
)
def test_what_is_wrong_is_said(tagged, arguments, slug) -> None:
    """Each mistake has its message."""
    said = tagged.call("tag", *arguments)

    assert said.code == 2
    assert said.err.startswith(f"error[{slug}]")


def test_the_cure_of_an_unknown_command_is_one(tagged) -> None:
    """A group of commands has no command `help`, only the option."""
    cure = tagged.call("tag", "rename").err.partition("fix: '")[2].partition("'")[0]

    assert cure.endswith(" tag --help")
    assert tagged.call("tag", "--help").code == 0


def test_a_flow_without_runs_has_no_tags(project) -> None:
    """There is nothing to tag before the first run."""
    project.store.mkdir()
    said = project.call("tag", "list")

    assert said.err.startswith("error[no-such-run]: TrialFlow has no run\n")
