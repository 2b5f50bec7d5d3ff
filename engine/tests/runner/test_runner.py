"""`Runner`: a flow's program started from Python, blocking, and what it says when it cannot."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plait import Flow, Runner
from plait.runner.errors import BadRunArgument, NoSuchFlowFile, RunNotStarted


def test_a_run_that_ends_well(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It has the client's run, its exit code and its output, which was shown as well."""
    running = Runner("tell.py").run(words=["x", {"y": 1}], tags=["spring sale", "b"])

    assert (running.status, running.returncode) == ("successful", 0)
    assert running.pid not in (0, os.getpid())
    assert running.run == Flow("TellFlow").latest_run
    assert running.run.data is not None
    assert running.run.data.words == ["x", {"y": 1}]
    assert running.run.user_tags == {"spring sale", "b"}
    assert "café ['x', {'y': 1}]" in running.stdout
    assert running.stdout.index("café") < running.stdout.index("aside")
    assert running.stderr == ""
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == (running.stdout, running.stderr)
    assert repr(running) == "<ExecutingRun TellFlow/1: successful>"
    running.cleanup()


def test_every_kind_of_value_arrives(folder: Path) -> None:
    """Truth values, lists for a separator, names with underscores, texts that look like options."""
    with Runner("tell.py", show_output=False) as runner:
        data = runner.run(
            loud=True, many=["a,b", "c"], user_name="--quiet", how=None, max_workers=2
        ).run.data
        long = runner.run(user_name="x" * 200_000).run.data

    assert data is not None
    assert (data.loud, data.many, data.user_name, data.how) == (True, ["a,b", "c"], "--quiet", "")
    assert long is not None
    assert len(long.user_name) == 200_000


def test_a_run_that_fails_is_no_exception(folder: Path) -> None:
    """It says so, and can be resumed."""
    with Runner("tell.py", show_output=False) as runner:
        failed = runner.run(how="raise")
        (folder / "mended").touch()
        resumed = runner.resume(origin_run_id=failed.run.id)
        again = runner.resume("start")

    assert (failed.status, failed.returncode, failed.run.status) == ("failed", 1, "failed")
    assert (resumed.status, resumed.run.origin_run_id) == ("successful", failed.run.id)
    assert again.run.origin_run_id == resumed.run.id


def test_the_place_and_the_variables_of_a_run(folder: Path, tmp_path: Path) -> None:
    """A run elsewhere finds the file that was meant here, and its own store."""
    other = tmp_path / "other"
    other.mkdir()
    os.environ["TELL_SEEN"] = "outside"
    try:
        with Runner("tell.py", show_output=False, cwd=other, env={"TELL_SEEN": "inside"}) as runner:
            told = runner.run().run
        with Runner("tell.py", show_output=False, env={"TELL_SEEN": None}) as runner:
            silent = runner.run().run
    finally:
        del os.environ["TELL_SEEN"]

    assert told.data is not None
    assert (told.data.folder, told.data.seen) == (str(other), "inside")
    assert (other / ".plait").is_dir()
    assert silent.data is not None
    assert silent.data.seen is None


def test_top_level_options(folder: Path, tmp_path: Path) -> None:
    """They stand before the command, where some have no value and some have several."""
    chosen = {"datastore_root": str(tmp_path / "store"), "quiet": True, "workers": "inline"}
    with Runner("tell.py", show_output=False, with_=["retry:times=0"], **chosen) as runner:
        running = runner.run(decospecs="catch")

    assert "began" not in running.stdout
    assert running.run.data is not None
    assert (tmp_path / "store").is_dir()
    assert not (folder / ".plait").exists()


def test_nothing_is_left_behind(folder: Path, tmp_path: Path) -> None:
    """Output stays readable where files are gone: after cleanup, and without any."""
    with Runner("tell.py", show_output=False).run() as running:
        assert len(os.listdir(tmp_path / "tmp")) == 1
    assert "café" in running.stdout
    assert running.run.successful
    forgotten = Runner("tell.py", show_output=False).run()
    del forgotten
    gc.collect()

    assert os.listdir(tmp_path / "tmp") == []


@pytest.mark.parametrize(
    ("top", "arguments", "words"),
    [
        ({}, {"max_worker": 3}, ["unknown-option", "'--max-workers'"]),
        ({}, {"wordz": ["a"]}, ["unknown-parameter", "'words'"]),
        ({"worker": "fork"}, {}, ["unknown-option", "'--workers'"]),
        ({}, {"loud": "maybe"}, ["bad-parameter-value", "maybe"]),
    ],
)
def test_what_a_flow_does_not_know(
    folder: Path,
    tmp_path: Path,
    top: dict[str, str],
    arguments: dict[str, object],
    words: list[str],
) -> None:
    """The flow says so itself, with what is near, before there is a run."""
    with pytest.raises(RunNotStarted) as caught:
        Runner("tell.py", show_output=False, **top).run(**arguments)

    assert caught.value.returncode == 2
    assert all(word in str(caught.value) for word in words), caught.value
    assert os.listdir(tmp_path / "tmp") == []
    assert not (folder / ".plait").exists()


def test_a_file_that_is_not_there(folder: Path) -> None:
    """The one that was meant is named; it is a FileNotFoundError, too."""
    with pytest.raises(NoSuchFlowFile, match=r"did you mean 'tell\.py'"):
        Runner("tel.py")
    with pytest.raises(FileNotFoundError, match="is a folder"):
        Runner(".")
    with pytest.raises(NoSuchFlowFile, match=r"'no/flow\.py' is not there"):
        Runner("no/flow.py")


def test_a_file_that_is_no_flow(folder: Path) -> None:
    """What it said last is the reason; or that it said nothing."""
    (folder / "script.py").write_text("import missing_module\n")
    (folder / "empty.py").touch()

    with pytest.raises(RunNotStarted, match="ModuleNotFoundError: No module named"):
        Runner("script.py", show_output=False).run()
    with pytest.raises(RunNotStarted, match="it said nothing") as caught:
        Runner("empty.py", show_output=False).run()
    assert caught.value.returncode == 0


def test_a_value_that_no_run_can_be_given(folder: Path) -> None:
    """It is named, before anything is started."""
    runner = Runner("tell.py")
    with pytest.raises(BadRunArgument, match="words=<object"):
        runner.run(words=object())
    with pytest.raises(TypeError, match="type list has no form"):
        runner.run(words=[object()])


def test_surroundings_that_no_run_can_have(folder: Path) -> None:
    """A variable that is no text and a folder that there is not are named, by what is called."""
    with pytest.raises(BadRunArgument, match=r"(?s)env={'THREADS': 2}.*env={'THREADS': '2'}"):
        Runner("tell.py", env={"THREADS": 2})  # type: ignore[dict-item]  # the mistake
    with pytest.raises(BadRunArgument, match=r"(?s)cwd='nowhere'.*no such folder"):
        Runner("tell.py", cwd="nowhere")


INTERRUPTED = """
import os, signal, sys
from plait import Runner
print(Runner("tell.py").run(how="wait"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_stops_the_run(folder: Path, tmp_path: Path) -> None:
    """Once, so that it ends in an orderly way; nothing of it is left."""
    caller = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert caller.stdout is not None
    while "café" not in caller.stdout.readline():
        assert caller.poll() is None
    caller.send_signal(signal.SIGINT)
    _, err = caller.communicate(timeout=30)

    assert "KeyboardInterrupt" in err
    latest = Flow("TellFlow").latest_run
    assert latest is not None
    assert latest.status == "interrupted"
    assert os.listdir(tmp_path / "tmp") == []
