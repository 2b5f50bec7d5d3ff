"""Coverage from every process: traced, gathered, told by subsystem and feature, and gated."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from plait_harness.gates import Breach
from plait_harness.measure import (
    Feature,
    Floors,
    Measured,
    Measurement,
    Subsystem,
    check_floors,
    find_engine,
    format_measured,
    raise_floors,
    read_floors,
    write_page,
)
from plait_harness.mistakes import Mistake
from plait_harness.probe import IMPORTING, iter_records

FLOORS = Floors(("dev-local",), {}, {"a": 90.0, "b": 50.0}, {"a": 80.0, "b": 50.0})

ENGINE = {
    "__init__.py": "",
    "top.py": "def one():\n    return 1\n",
    "core/__init__.py": "",
    "core/work.py": """
        import os


        def work(kind):
            if kind == "fork":
                return "forked"
            if kind == "never":
                return "never"
            return "done"


        def leave():
            os._exit(0)
    """,
    "left_out/__init__.py": "x = 1\n",
}


@pytest.fixture
def engine(tmp_path):
    """A small package in the place of the engine."""
    folder = tmp_path / "code" / "plait"
    for name, source in ENGINE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    return folder


def test_every_process_is_traced_and_told_apart(engine, tmp_path):
    """The one that began, a fork of it, an interpreter that it started: each has its feature."""
    measurement = Measurement(str(tmp_path / "report"), str(engine))
    measurement.prepare()
    script = textwrap.dedent(
        f"""
        import os, subprocess, sys
        from plait_harness import probe
        probe.begin({{**{measurement.probe_options()!r}, "package": "plait"}})
        from plait.core.work import leave, work
        os.environ[probe.FEATURE_VARIABLE] = "Forking"
        if os.fork() == 0:
            work("fork")
            leave()
        os.wait()
        os.environ[probe.FEATURE_VARIABLE] = "Fresh"
        subprocess.run([sys.executable, "-c", "from plait.top import one; one()"], check=True)
        os.environ[probe.FEATURE_VARIABLE] = "Plain"
        work("plain")
        """
    )
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(engine.parent), harness_folder()]),
        **measurement.environment(),
    }
    # Begun by the probe, and not also by coverage.py's own way, which is for fresh interpreters.
    quiet = {name: value for name, value in env.items() if not name.startswith("COVERAGE")}
    script = f"import os\nos.environ.update({env!r})\n{script}"
    subprocess.run([sys.executable, "-c", script], env=quiet, check=True, cwd=tmp_path)

    (records,) = [n for n in os.listdir(measurement.folder) if n.startswith("forked-")]
    features = [feature for feature, _ in iter_records(os.path.join(measurement.folder, records))]
    assert sorted(features) == ["Forking", "Plain"]
    measured = measurement.gather((), {"left_out": "not counted"})
    assert [(s.name, s.covered, s.statements) for s in measured.subsystems] == [
        ("(top)", 2, 2),
        ("core", 8, 9),
    ]
    alone = {feature.name: feature.alone for feature in measured.features}
    assert alone["Fresh"] == ("plait/top.py:1-2",)
    assert set(alone["Forking"]) == {"plait/core/work.py:7", "plait/core/work.py:14"}
    assert "plait/core/work.py:10" in alone["Plain"]
    assert measured.unreached == ("plait/core/work.py:9",)
    assert os.path.exists(os.path.join(measurement.html, "index.html"))


def harness_folder() -> str:
    """Give the folder that holds the package `plait_harness`."""
    import plait_harness

    return os.path.dirname(os.path.dirname(plait_harness.__file__))


def measured(**covered: tuple[int, int]) -> Measured:
    """Give what is measured of subsystems of a hundred lines and ways each."""
    subsystems = tuple(
        Subsystem(name, 100, lines, 100, branches) for name, (lines, branches) in covered.items()
    )
    return Measured(subsystems, (Feature("One", 5, ("a.py:1", "a.py:3-4")),), ("b.py:7",))


def test_a_subsystem_under_its_floor_is_a_failure():
    """Lines and branches have floors of their own."""
    assert list(check_floors(measured(a=(90, 80), b=(50, 50)), FLOORS)) == []
    assert list(check_floors(measured(a=(89, 79), b=(50, 50)), FLOORS)) == [
        Breach("coverage", "a: 89.0% of lines, its floor is 90%"),
        Breach("coverage", "a: 79.0% of branches, its floor is 80%"),
    ]


def test_a_subsystem_without_a_floor_is_a_failure():
    """New ones get theirs; those of old ones go."""
    assert list(check_floors(measured(a=(90, 80), new=(100, 100)), FLOORS)) == [
        Breach("coverage", "new has no floor in coverage_gates.toml"),
        Breach("coverage", "there is a floor for b, which the engine has not"),
    ]


def test_floors_only_go_up(tmp_path):
    """What is reached becomes the floor, unless it was higher; the rest of the file stays."""
    floors = Floors(("dev-local",), {"left_out": 'not "counted"'}, {"a": 95.0}, {"a": 10.0})
    path = tmp_path / "gates.toml"
    path.write_text(raise_floors(measured(**{"a": (90, 80), "(top)": (77, 66)}), floors))

    assert read_floors(str(path)) == Floors(
        ("dev-local",),
        {"left_out": 'not "counted"'},
        {"a": 95.0, "(top)": 77.0},
        {"a": 80.0, "(top)": 66.0},
    )


def test_an_exclusion_needs_a_because(tmp_path):
    """So does every other exclusion."""
    path = tmp_path / "gates.toml"
    path.write_text('[exclude]\ntutorials = ""\n')
    with pytest.raises(Mistake, match="the exclusion of 'tutorials' has no because"):
        read_floors(str(path))
    path.write_text("[exclude\n")
    with pytest.raises(Mistake, match=r"gates\.toml can't be read"):
        read_floors(str(path))


def test_coverage_is_told_by_subsystem_and_by_feature(tmp_path):
    """As text and as a page."""
    lines = format_measured(measured(a=(90, 80), new=(100, 100)), FLOORS)
    write_page(str(tmp_path), measured(a=(90, 80)), FLOORS)

    assert lines[:3] == [
        "subsystem        lines   floor  branches   floor",
        "a                90.0%     90%     80.0%     80%",
        "new             100.0%    none    100.0%    none",
    ]
    assert lines[4:] == [
        "feature                      lines reached  places only it reaches",
        "One                                      5                       2",
        "",
        "places that no feature reaches: 1",
    ]
    page = (tmp_path / "coverage.html").read_text(encoding="utf-8")
    for part in ("<th>a</th><td>90.0%</td><td>90.0</td>", "a.py:3-4", "b.py:7"):
        assert part in page


def test_a_part_with_nothing_in_it_is_covered():
    """There is nothing to run."""
    empty = Subsystem("empty", 0, 0, 0, 0)

    assert (empty.lines_percent, empty.branches_percent) == (100.0, 100.0)


def test_the_engine_is_found_without_importing_it():
    """Where Python would import it from."""
    assert os.path.exists(os.path.join(find_engine(), "__init__.py"))


def test_the_floors_of_the_harness_are_readable():
    """They name contexts that there are."""
    floors = read_floors()

    assert floors.contexts == ("dev-local",)
    assert IMPORTING not in floors.lines
