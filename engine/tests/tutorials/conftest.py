"""Tutorials in a folder of the reader's own, called in this process."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from plait.cli.main import call_command_line
from plait.cli.plait import call_plait
from plait.cli.session import Session
from plait.client.namespaces import default_namespace
from plait.client.source import default_metadata


@dataclass
class Desk:
    """A folder of the reader's own, in which tutorials are pulled and called."""

    folder: Path
    out: str = ""
    err: str = ""
    _modules: dict[str, Any] = field(default_factory=dict)

    def pull(self, *names: str) -> None:
        """Copy tutorials."""
        for name in names:
            with redirect_stdout(io.StringIO()):
                assert call_plait(["tutorials", "pull", name, "--to", str(self.folder)]) == 0

    def call(self, script: str, flow: str, *arguments: str) -> int:
        """Call a flow's command line in this process; what it says is in `out` and `err`."""
        if script not in self._modules:
            spec = importlib.util.spec_from_file_location("tutorial", self.folder / script)
            assert spec is not None
            assert spec.loader is not None
            self._modules[script] = module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
        session = Session(getattr(self._modules[script], flow), f"python {script}", ())
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = call_command_line(session, ["--workers=inline", *arguments])
        self.out, self.err = out.getvalue(), err.getvalue()
        return code


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An empty folder to work in, which the client reads, too."""
    monkeypatch.chdir(tmp_path)
    default_metadata()
    yield Desk(tmp_path)
    default_namespace()
