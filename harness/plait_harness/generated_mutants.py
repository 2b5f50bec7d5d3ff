"""The gate `generated mutants`: `python -m plait_harness.generated_mutants --sample 400`."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from typing import Any, Protocol

from plait_harness.gates import Breach
from plait_harness.home import home_path
from plait_harness.mistakes import Mistake, UnknownName
from plait_harness.mutation import Difference, Mutmut, function_of, subject_of
from plait_harness.planting import find_engine_folder
from plait_harness.schemas import validate

LEAST = 0.85
"""The share of mutants that tests are to notice; those known as equivalent count as unnoticed.
It only rises: `harness/kept.json` knows what it has been."""

_NOTICED = frozenset({"killed", "timeout", "segfault"})
"""What a mutant comes to that is noticed: a test fails, or never ends, or Python itself breaks."""


class Tool(Protocol):
    """What makes mutants and tries them."""

    def generate(self) -> list[str]:
        """Make all mutants and give their names."""

    def judge(self, names: Sequence[str]) -> Mapping[str, str]:
        """Try mutants and give what came of each."""

    def show(self, name: str) -> Difference:
        """Give what a mutant changes."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one mutant.

    Args:
        name: As mutmut calls it.
        subject: What it belongs to.
        status: mutmut's word.
        change: What it changes; known of survivors and of those that are listed.
        reason: Why it is equivalent; empty unless it is listed.
    """

    name: str
    subject: str
    status: str
    change: Difference | None = None
    reason: str = ""

    @property
    def is_noticed(self) -> bool:
        """Whether the tests told it from the engine."""
        return self.status in _NOTICED


def load_equivalents(engine: str, path: str | None = None) -> dict[Difference, str]:
    """Read which changes no test can notice, and why not.

    Args:
        engine: The folder that holds the package `plait`.
        path: The file; by default the harness's own.

    Raises:
        Mistake: The file is not one of equivalents, or names lines that the engine has not.
    """
    file = path or home_path(os.path.join("mutants", "generated", "equivalent.toml"))
    try:
        with open(file, "rb") as opened:
            data: dict[str, Any] = tomllib.load(opened)
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{file} is not TOML", str(error)) from error
    validate(data, "equivalents", file=file)
    found: dict[Difference, str] = {}
    for each in data["equivalent"]:
        for becomes in each["becomes"]:
            change = Difference(each["function"], _plain(each["was"]), _plain(becomes))
            found[change] = each["reason"]
    stale = [change for change in found if not _stands(change, engine)]
    if stale:
        raise Mistake(
            "the engine is not as the equivalent mutants expect it",
            "\n".join(f"{change.function}\n{change.format()}" for change in stale),
        )
    return found


def choose_sample(names: Sequence[str], count: int, seed: int) -> list[str]:
    """Choose *count* of the mutants, or all if it is 0; one seed gives the same of the same.

    The order hangs on each name alone, so that a change of one function leaves nearly all of a
    sample as it was.
    """
    ordered = sorted(names, key=lambda name: sha256(f"{seed}:{name}".encode()).digest())
    return ordered[:count] if count else ordered


def try_mutants(
    tool: Tool,
    equivalents: Mapping[Difference, str],
    *,
    sample: int = 0,
    seed: int = 0,
    only: Sequence[str] = (),
) -> list[Verdict]:
    """Make mutants, try a sample of them, and find out what those change that survive.

    Args:
        tool: What makes and tries them.
        equivalents: The changes that no test can notice, and why not.
        sample: How many; 0 is all.
        seed: Which.
        only: Names of mutants, to try just these.

    Raises:
        UnknownName: There is no mutant of a name in *only*.
    """
    names = tool.generate()
    for name in only:
        if name not in names:
            raise UnknownName("mutant", name, names)
    chosen = list(only) or choose_sample(names, sample, seed)
    functions = {change.function for change in equivalents}
    verdicts = []
    for name, status in tool.judge(chosen).items():
        verdict = Verdict(name, subject_of(name), status)
        if not verdict.is_noticed or function_of(name) in functions:
            change = tool.show(name)
            reason = equivalents.get(change, "")
            verdict = replace(verdict, change=change, reason=reason)
        verdicts.append(verdict)
    return verdicts


def check_score(verdicts: Sequence[Verdict]) -> Iterator[Breach]:
    """Find out whether too few were noticed, and whether a reason is wrong."""
    share = _share(verdicts)
    if share < LEAST:
        yield Breach(
            "generated mutants",
            f"tests notice {share:.2%} of the mutants, and are to notice {LEAST:.0%}: "
            "write tests for those that survived",
        )
    for each in verdicts:
        if each.reason and each.status == "killed":
            yield Breach(
                "generated mutants", f"{each.name} is listed as equivalent, and a test notices it"
            )


def format_verdicts(verdicts: Sequence[Verdict]) -> list[str]:
    """Give the lines of the report: survivors, known equivalents, and the score by subject."""
    left = [each for each in verdicts if not each.is_noticed]
    lines = []
    for each in sorted(left, key=lambda verdict: (bool(verdict.reason), verdict.name)):
        change = each.change.format().splitlines() if each.change else []
        why = [f"because {each.reason}"] if each.reason else []
        head = "equivalent" if each.reason else each.status
        lines += [f"{head}  {each.name}", *(f"    {line}" for line in [*change, *why]), ""]
    tried = Counter(each.subject for each in verdicts)
    noticed = Counter(each.subject for each in verdicts if each.is_noticed)
    known = Counter(each.subject for each in left if each.reason)
    for subject, count in sorted(tried.items()):
        lines.append(
            f"{subject:<14}{noticed[subject]:5} of {count:5} noticed, "
            f"{count - noticed[subject] - known[subject]} survived, {known[subject]} equivalent"
        )
    lines.append(
        f"{noticed.total()} of {len(verdicts)} generated mutants noticed: {_share(verdicts):.2%}, "
        f"and {known.total()} are known to be equivalent"
    )
    return lines


def main(arguments: Sequence[str]) -> int:
    """Run it as a program and give its exit code."""
    parser = argparse.ArgumentParser(prog="plait_harness.generated_mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="how many mutants; 0 is all")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--only", default="", help="names of mutants, to try just these")
    parser.add_argument("--num-parallel", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", default="report", help="the folder of the report")
    given = parser.parse_args(arguments)
    folder = os.path.join(os.path.abspath(given.report), "mutants-generated")
    os.makedirs(folder, exist_ok=True)
    began = time.monotonic()
    try:
        equivalents = load_equivalents(find_engine_folder())
        with tempfile.TemporaryDirectory(prefix="plait-mutants-") as scratch:
            verdicts = try_mutants(
                Mutmut(scratch, given.num_parallel, os.path.join(folder, "mutmut.log")),
                equivalents,
                sample=given.sample,
                seed=given.seed,
                only=[name for name in given.only.split(",") if name],
            )
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 2
    breaches = list(check_score(verdicts))
    lines = [
        *format_verdicts(verdicts),
        f"in {time.monotonic() - began:.0f} s, of the order that seed {given.seed} gives",
        *(f"gate {breach.gate}: {breach.why}" for breach in breaches),
    ]
    print("\n".join(lines))
    write_report(folder, verdicts, lines)
    return 1 if breaches else 0


def write_report(folder: str, verdicts: Sequence[Verdict], lines: Sequence[str]) -> None:
    """Write what came of it, for people and for programs."""
    with open(os.path.join(folder, "mutants.txt"), "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    with open(os.path.join(folder, "mutants.jsonl"), "w", encoding="utf-8") as file:
        rows = (json.dumps(asdict(verdict), ensure_ascii=False) for verdict in verdicts)
        file.writelines(f"{row}\n" for row in rows)


def _share(verdicts: Sequence[Verdict]) -> float:
    return sum(each.is_noticed for each in verdicts) / len(verdicts) if verdicts else 0.0


def _plain(text: str) -> str:
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _stands(change: Difference, engine: str) -> bool:
    """Tell whether the lines that a mutant changes are in the file of its function."""
    parts = change.function.split(".")
    for end in range(len(parts) - 1, 0, -1):
        base = os.path.join(engine, *parts[:end])
        for path in (f"{base}.py", os.path.join(base, "__init__.py")):
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as file:
                    return f"\n{change.was}\n" in f"\n{_plain(file.read())}\n"
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
