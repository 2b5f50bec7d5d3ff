"""A folder with a flow that does as its parameters say, to be run from Python."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from plait.client.source import use_opener
from plait.wiring.stores import Stores, open_source

FLOW = """
import os
import sys
import threading

from plait import FlowSpec, Parameter, step


class TellFlow(FlowSpec):
    words = Parameter("words", default=["a", "b"])
    many = Parameter("many", default="x", separator=",")
    loud = Parameter("loud", default=False)
    user_name = Parameter("user_name", default="")
    how = Parameter("how", default="")

    @step
    def start(self):
        print("café", self.words, flush=True)
        print("aside", file=sys.stderr, flush=True)
        if self.how == "wait":
            threading.Event().wait(60)
        self.folder = os.getcwd()
        self.seen = os.environ.get("TELL_SEEN")
        self.next(self.end)

    @step
    def end(self):
        if self.how == "raise" and not os.path.exists("mended"):
            raise ValueError("told to")


if __name__ == "__main__":
    TellFlow()
"""


@pytest.fixture
def _closed() -> Iterator[None]:
    """Closes what the client opens, which Python 3.13 asks of whoever has opened a database."""
    opened: list[Stores] = []

    def opener(spec: str | None) -> Stores:
        opened.append(open_source(spec))
        return opened[-1]

    use_opener(opener)
    yield
    use_opener(open_source)
    for stores in opened:
        stores.close()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, _closed: None) -> Path:
    """The working directory: nothing in it but `tell.py`; temporary files go to `tmp` beside it."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "tell.py").write_text(FLOW, encoding="utf-8")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    for name in [name for name in os.environ if name.startswith("PLAIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(here)
    return here
