"""What a measured process does, with a stand-in for coverage.py, which would measure the test."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import pytest

from plait.cli.measuring import measuring
from plait.cli.session import Choices, Session
from plait.wiring.measuring import VARIABLE, main, put_together, save_piece


class CoverageException(Exception):
    """As coverage.py has it."""


class FakeCoverage:
    """Takes note of what it is asked to do."""

    done: ClassVar[list[Any]] = []
    options: ClassVar[dict[str, Any]] = {}
    percent: ClassVar[float | None] = 87.4

    def __init__(self, **given: Any) -> None:
        self.done.append(("made", given))

    @classmethod
    def current(cls) -> FakeCoverage:
        return cls.__new__(cls)

    def __getattr__(self, name: str) -> Any:
        return lambda *_given, **_named: self.done.append(name)

    def get_option(self, name: str) -> Any:
        return self.options.get(name)

    def set_option(self, name: str, value: Any) -> None:
        self.options[name] = value

    def combine(self, files: list[str]) -> None:
        self.done.append(("combine", [os.path.basename(file) for file in files]))

    def report(self, file: Any) -> float:
        if self.percent is None:
            raise CoverageException("no data")
        return self.percent

    def get_data(self) -> Any:
        return types.SimpleNamespace(data_filename=lambda: os.path.abspath(".coverage"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the pieces of a run that is measured, in which a script lies as well."""
    module, errors = types.ModuleType("coverage"), types.ModuleType("coverage.exceptions")
    module.Coverage = FakeCoverage  # type: ignore[attr-defined]  # a module of the test's own
    errors.CoverageException = CoverageException  # type: ignore[attr-defined]  # as above
    monkeypatch.setitem(sys.modules, "coverage", module)
    monkeypatch.setitem(sys.modules, "coverage.exceptions", errors)
    monkeypatch.setattr(FakeCoverage, "done", [])
    monkeypatch.setattr(FakeCoverage, "options", {})
    monkeypatch.setattr(FakeCoverage, "percent", 87.4)
    monkeypatch.setattr(sys, "argv", [])
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    pieces = tmp_path / "pieces"
    pieces.mkdir()
    monkeypatch.setenv(VARIABLE, str(pieces))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "said.py").write_text("import sys\nprint(__name__, sys.argv[1:])\n")
    return pieces


@pytest.mark.parametrize("program", [["said.py"], ["-m", "said"]])
def test_a_program_is_measured_from_its_first_line(
    folder: Path, capsys: pytest.CaptureFixture[str], program: list[str]
) -> None:
    """It runs as it would, and its piece is left; what lies beside it is what is measured."""
    main([str(folder), *program, "run", "--x"])

    assert capsys.readouterr().out == "__main__ ['run', '--x']\n"
    given = {"data_file": str(folder / "piece"), "data_suffix": True}
    assert FakeCoverage.done == [("made", given), "start", "stop", "save"]
    assert FakeCoverage.options["run:include"] == [str(folder.parent / "*")]
    assert FakeCoverage.options["run:omit"][0] == "*/site-packages/*"


def test_what_the_users_settings_name_is_measured(folder: Path) -> None:
    """Whoever has said what to measure is heeded."""
    FakeCoverage.options["run:source"] = ["mine"]
    main([str(folder), "said.py"])

    assert FakeCoverage.options == {"run:source": ["mine"]}


def test_what_the_users_settings_omit_is_omitted(folder: Path) -> None:
    """Beside what plait omits."""
    FakeCoverage.options["run:omit"] = ["mine.py"]
    main([str(folder), "said.py"])

    assert FakeCoverage.options["run:omit"][:2] == ["mine.py", "*/site-packages/*"]


def test_the_pieces_are_put_together_and_removed(folder: Path) -> None:
    """The own one among them; children started later are not measured."""
    for name in ("piece.2", "piece.1"):
        (folder / name).write_text("")
    file, percent = put_together()
    save_piece()

    assert (file, percent) == (os.path.abspath(".coverage"), 87.4)
    assert FakeCoverage.done == [
        "stop", "save", ("made", {"messages": False}), "erase",
        ("combine", ["piece.1", "piece.2"]), "save",
    ]  # fmt: skip
    assert not folder.exists()
    assert VARIABLE not in os.environ


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("percent", "words"), [(87.4, "87% were reached"), (None, "nothing was measured")]
)
def test_how_much_was_reached_is_said(
    percent: float | None, words: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Once, when the run has ended."""
    monkeypatch.setattr(FakeCoverage, "percent", percent)
    with measuring(Session(object, "python f.py", (), Choices(coverage=True))):
        print("the run")

    assert capsys.readouterr().out == (
        f"the run\ncoverage of the flow's code: {words}; 'coverage report -m' reads .coverage\n"
    )
