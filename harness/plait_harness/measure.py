"""Coverage of the engine in every process of every case: by subsystem and by feature."""

from __future__ import annotations

import glob
import importlib.util
import json
import os
import shutil
import site
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait_harness.gates import Breach
from plait_harness.home import HOME, KEEPS
from plait_harness.mistakes import Mistake
from plait_harness.pages import write_html
from plait_harness.probe import FEATURE_VARIABLE, IMPORTING, iter_records

GATES_FILE = os.path.join(KEEPS, "coverage_gates.toml")
"""The floors, and what is left out and why."""

TOP = "(top)"
"""The subsystem of the modules that stand directly in the package."""

_UNIT = "(unit tests)"


@dataclass(frozen=True, slots=True)
class Subsystem:
    """One top-level package of the engine, and how much of it ran.

    Args:
        name: Its name.
        statements: How many statements it has.
        covered: How many of them ran.
        branches: How many ways out of branching lines it has.
        taken: How many of them were taken.
    """

    name: str
    statements: int
    covered: int
    branches: int
    taken: int

    @property
    def lines_percent(self) -> float:
        """The share of statements that ran."""
        return 100.0 * self.covered / self.statements if self.statements else 100.0

    @property
    def branches_percent(self) -> float:
        """The share of ways that were taken."""
        return 100.0 * self.taken / self.branches if self.branches else 100.0


@dataclass(frozen=True, slots=True)
class Feature:
    """One template, and the lines that it reaches.

    Args:
        name: The template.
        reached: How many lines of the engine run in its cases.
        alone: Those that no other template reaches: `file:line-line`.
    """

    name: str
    reached: int
    alone: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Floors:
    """What `coverage_gates.toml` says.

    Args:
        contexts: The contexts that have to run in full for the floors to hold.
        exclude: Parts of the engine that are not counted: name -> because.
        lines: The least percentage of lines by subsystem.
        branches: The least percentage of branches by subsystem.
    """

    contexts: tuple[str, ...]
    exclude: Mapping[str, str]
    lines: Mapping[str, float]
    branches: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """Coverage of the whole engine: by subsystem, by feature, and what none reaches."""

    subsystems: tuple[Subsystem, ...]
    features: tuple[Feature, ...]
    unreached: tuple[str, ...]


def find_engine() -> str:
    """Give the folder of the engine's package, without importing it."""
    spec = importlib.util.find_spec("plait")
    if spec is None or spec.origin is None:
        raise Mistake("there is no engine to measure", "plait can't be imported")
    return os.path.dirname(spec.origin)


class Measurement:
    """Where the processes of one run of the harness write what they traced.

    Args:
        report: The folder of the report.
        package: The folder of the engine's package.
    """

    def __init__(self, report: str, package: str) -> None:
        self.folder = os.path.join(os.path.abspath(report), "coverage-data")
        self.package = package
        self.html = os.path.join(os.path.abspath(report), "coverage")

    def prepare(self) -> None:
        """Make room, once, before any worker starts.

        Raises:
            Mistake: coverage.py as it is installed can't measure interpreters started afresh.
        """
        if not any(glob.glob(os.path.join(path, "*coverage*.pth")) for path in _site_folders()):
            raise Mistake(
                "coverage.py does not measure new interpreters here",
                "it has no .pth file among the site packages; a later version brings one",
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        with open(self.settings, "w", encoding="utf-8") as file:
            file.write(
                "[run]\nbranch = true\nparallel = true\npatch = _exit\n"
                # By the name of the package, each process would look through all of its files.
                f"include = {os.path.join(self.package, '*')}\n"
                f"data_file = {os.path.join(self.folder, 'fresh')}\n"
                f"context = ${{{FEATURE_VARIABLE}}}\n"
                "disable_warnings = no-data-collected\n"
            )

    @property
    def settings(self) -> str:
        """The settings file that interpreters started afresh are given."""
        return os.path.join(self.folder, "settings")

    def probe_options(self) -> dict[str, Any]:
        """Give what `probe.begin` is to be given in a worker's prepared process."""
        return {"records": os.path.join(self.folder, f"forked-{os.getpid()}"), "package": "plait"}

    def environment(self) -> dict[str, str]:
        """Give the variables that make an interpreter started afresh measure itself."""
        return {"COVERAGE_PROCESS_START": self.settings}

    def gather(self, extra: Sequence[str], exclude: Mapping[str, str]) -> Measured:
        """Put everything together, and write coverage.py's own pages.

        Args:
            extra: Data files of coverage.py to count in.
            exclude: Parts of the engine to leave out.
        """
        import coverage

        combined = os.path.join(self.folder, "combined")
        data = coverage.CoverageData(basename=combined)
        self._add_all(data, extra)
        files = list(self._iter_sources(exclude))
        data.touch_files(files)
        data.write()
        # The project's own settings say which lines are not meant to run, here as anywhere.
        project = os.path.join(os.path.dirname(HOME), "pyproject.toml")
        report = coverage.Coverage(
            data_file=combined,
            config_file=project if os.path.exists(project) else False,
            branch=True,
        )
        report.load()
        numbers = os.path.join(self.folder, "numbers.json")
        report.json_report(morfs=files, outfile=numbers)
        report.html_report(morfs=files, directory=self.html, show_contexts=True, title="plait")
        return self._summarize(numbers, report.get_data(), files)

    def _add_all(self, data: Any, extra: Sequence[str]) -> None:
        import coverage

        traced: dict[str, dict[str, set[tuple[int, int]]]] = {}
        for path in sorted(glob.glob(os.path.join(self.folder, "forked-*"))):
            for feature, arcs in iter_records(path):
                for file, found in arcs.items():
                    traced.setdefault(feature, {}).setdefault(file, set()).update(found)
        for feature, by_file in traced.items():
            data.set_context(feature)
            data.add_arcs(by_file)
        for path in sorted(glob.glob(os.path.join(self.folder, "fresh.*"))):
            data.update(_read_data(coverage, path))
        for path in extra:
            own = _read_data(coverage, path)
            data.set_context(_UNIT)
            data.add_arcs({file: own.arcs(file) or () for file in own.measured_files()})

    def _iter_sources(self, exclude: Mapping[str, str]) -> Iterator[str]:
        for folder, folders, files in os.walk(self.package):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(folder, name)
                if name.endswith(".py") and self._part_of(path) not in exclude:
                    yield path

    def _part_of(self, path: str) -> str:
        first, *rest = os.path.relpath(path, self.package).split(os.sep)
        return first if rest else TOP

    def _summarize(self, numbers: str, data: Any, files: Sequence[str]) -> Measured:
        with open(numbers, encoding="utf-8") as file:
            found = json.load(file)["files"]
        counts: dict[str, list[int]] = {}
        reached: dict[str, int] = {}
        alone: dict[str, list[str]] = {}
        unreached: list[str] = []
        by_path = {os.path.abspath(path): facts for path, facts in found.items()}
        for path in files:
            facts = by_path[path]
            summary = facts["summary"]
            count = counts.setdefault(self._part_of(path), [0, 0, 0, 0])
            for place, key in enumerate(_COUNTED):
                count[place] += summary[key]
            short = os.path.relpath(path, os.path.dirname(self.package))
            lines = _features_by_line(data.contexts_by_lineno(path), facts["executed_lines"])
            for features in lines.values():
                for feature in features:
                    reached[feature] = reached.get(feature, 0) + 1
            for feature in sorted({name for names in lines.values() for name in names}):
                own = [line for line, names in lines.items() if names == {feature}]
                alone.setdefault(feature, []).extend(_ranges(short, own))
            unreached.extend(_ranges(short, facts["missing_lines"]))
        return Measured(
            subsystems=tuple(Subsystem(name, *count) for name, count in sorted(counts.items())),
            features=tuple(
                Feature(name, reached[name], tuple(alone.get(name, ()))) for name in sorted(reached)
            ),
            unreached=tuple(unreached),
        )


_COUNTED = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def read_floors(path: str = GATES_FILE) -> Floors:
    """Read the floors.

    Raises:
        Mistake: The file is not what it should be, or an exclusion has no because.
    """
    try:
        with open(path, "rb") as file:
            data = tomllib.load(file)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise Mistake(f"{path} can't be read", str(error)) from error
    exclude = data.get("exclude", {})
    for name, because in exclude.items():
        if not isinstance(because, str) or not because.strip():
            raise Mistake(f"{path}: the exclusion of '{name}' has no because")
    floors = data.get("floors", {})
    return Floors(
        contexts=tuple(data.get("contexts", ())),
        exclude=exclude,
        lines={name: float(floor["lines"]) for name, floor in floors.items()},
        branches={name: float(floor["branches"]) for name, floor in floors.items()},
    )


def check_floors(measured: Measured, floors: Floors) -> Iterator[Breach]:
    """Find subsystems under their floors, without one, and floors of none."""
    known = {subsystem.name: subsystem for subsystem in measured.subsystems}
    for name, subsystem in known.items():
        if name not in floors.lines:
            yield Breach("coverage", f"{name} has no floor in coverage_gates.toml")
            continue
        for what, got, least in (
            ("lines", subsystem.lines_percent, floors.lines[name]),
            ("branches", subsystem.branches_percent, floors.branches[name]),
        ):
            if got < least:
                yield Breach("coverage", f"{name}: {got:.1f}% of {what}, its floor is {least:g}%")
    for name in floors.lines:
        if name not in known:
            yield Breach("coverage", f"there is a floor for {name}, which the engine has not")


def raise_floors(measured: Measured, floors: Floors) -> str:
    """Give the text of a gates file: floors are what is reached, and never lower than before."""
    lines = [
        "# The least coverage of each subsystem of the engine, in percent; what is not counted.",
        "# Floors only go up: `run_tests.py --coverage --update-floors` raises them.",
        f"contexts = {json.dumps(list(floors.contexts))}",
        "",
        "[exclude]",
        *(f"{_key(name)} = {json.dumps(because)}" for name, because in floors.exclude.items()),
    ]
    for subsystem in measured.subsystems:
        name = subsystem.name
        lines += [
            "",
            f"[floors.{_key(name)}]",
            f"lines = {max(_down(subsystem.lines_percent), floors.lines.get(name, 0.0))}",
            f"branches = {max(_down(subsystem.branches_percent), floors.branches.get(name, 0.0))}",
        ]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _down(percent: float) -> float:
    return int(percent * 10) / 10


def _site_folders() -> list[str]:
    return [*site.getsitepackages(), site.getusersitepackages()]


def _read_data(coverage: Any, path: str) -> Any:
    data = coverage.CoverageData(basename=path)
    data.read()
    return data


def _features_by_line(
    contexts: Mapping[int, Sequence[str]], executed: Sequence[int]
) -> dict[int, set[str]]:
    # What runs when a module is imported is nobody's feature, whoever imports it.
    found = {}
    for line in executed:
        names = set(contexts.get(line, ()))
        if IMPORTING not in names and names - {_UNIT, ""}:
            found[line] = names - {_UNIT, ""}
    return found


def _ranges(file: str, lines: Sequence[int]) -> Iterator[str]:
    ordered = sorted(lines)
    begin = 0
    for place, line in enumerate(ordered):
        is_last = place + 1 == len(ordered)
        if is_last or ordered[place + 1] != line + 1:
            first = ordered[begin]
            yield f"{file}:{first}" if first == line else f"{file}:{first}-{line}"
            begin = place + 1


def write_page(folder: str, measured: Measured, floors: Floors) -> None:
    """Write `coverage.html`: by subsystem, by feature, and what none reaches."""
    path = os.path.join(folder, "coverage.html")
    write_html(path, "coverage.html.j2", measured=measured, floors=floors)


def format_measured(measured: Measured, floors: Floors) -> list[str]:
    """Give the lines of coverage by subsystem and by feature."""
    lines = [f"{'subsystem':<14}{'lines':>8}{'floor':>8}{'branches':>10}{'floor':>8}"]
    for each in measured.subsystems:
        line_floor = floors.lines.get(each.name)
        branch_floor = floors.branches.get(each.name)
        lines.append(
            f"{each.name:<14}{each.lines_percent:>7.1f}%{_shown(line_floor):>8}"
            f"{each.branches_percent:>9.1f}%{_shown(branch_floor):>8}"
        )
    lines += ["", f"{'feature':<28}{'lines reached':>14}{'places only it reaches':>24}"]
    lines += [f"{f.name:<28}{f.reached:>14}{len(f.alone):>24}" for f in measured.features]
    return [*lines, "", f"places that no feature reaches: {len(measured.unreached)}"]


def _shown(floor: float | None) -> str:
    return "none" if floor is None else f"{floor:g}%"
