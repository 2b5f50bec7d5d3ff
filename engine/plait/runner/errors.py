"""The mistakes that somebody can make who starts a run from Python."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from plait.base.errors import Finding, PlaitError, UsageError, nearest


class NoSuchFlowFile(UsageError, FileNotFoundError):
    """The file that a Runner is given is not there."""

    slug = "no-such-flow-file"

    def __init__(self, path: str) -> None:
        folder, name = os.path.split(path)
        try:
            there = [entry for entry in os.listdir(folder or ".") if entry.endswith(".py")]
        except OSError:  # there is no such folder either, or none that can be listed
            there = []
        kind = "a folder" if os.path.isdir(path) else "not there"
        super().__init__(
            f"the flow's file '{path}' is {kind}",
            why=nearest(name, there),
            fix=f"paths begin in the folder that you are in, {os.getcwd()}",
        )

    def __str__(self) -> str:
        return self.format()


class BadRunArgument(UsageError, TypeError):
    """A value cannot be handed to a run, which is a process of its own."""

    slug = "bad-run-argument"

    def __init__(self, name: str, value: object, why: str = "", fix: str = "") -> None:
        kind = type(value).__name__
        super().__init__(
            f"the run cannot be given {name}={value!r}",
            why=why or f"a value of type {kind} has no form that a command line knows",
            fix=fix or "give text, a number, a truth value, a path, or lists and dicts of these",
        )


class RunNotStarted(PlaitError):
    """The flow's program ended before there was a run.

    Attributes:
        returncode: What it ended with.
        stderr: What it said.
    """

    slug = "run-not-started"

    def __init__(self, script: str, returncode: int, stderr: str, before: str) -> None:
        told = parse_findings(stderr)
        last = "".join(stderr.strip().splitlines()[-1:])
        super().__init__(
            f"'{script}' ended with {returncode} before {before}",
            why="it says why below" if told else last or "it said nothing",
            fix="" if told else "a flow's file ends in: if __name__ == '__main__': MyFlow()",
        )
        self.findings = (*self.findings, *told)
        self.returncode = returncode
        self.stderr = stderr


class NoCellSource(UsageError):
    """A NBRunner was given a class whose cell cannot be found."""

    slug = "no-cell-source"

    def __init__(self, flow: object, why: str) -> None:
        name = getattr(flow, "__name__", None) or repr(flow)
        super().__init__(
            f"the cell that '{name}' is written in cannot be found",
            why=why,
            fix="write the flow in a cell and run it; for a flow in a file there is Runner('f.py')",
        )


class IncompleteCell(UsageError):
    """A flow in a cell uses what was defined in another one."""

    slug = "incomplete-cell"

    def __init__(self, flow: str, names: Sequence[str]) -> None:
        listed = ", ".join(f"'{name}'" for name in names)
        super().__init__(
            f"flow '{flow}' uses {listed}, which its cell does not define",
            why="a run is a process of its own, which has the flow's cell and nothing else of the "
            "notebook",
            fix="define or import it in the flow's cell, or give it to the run as a Parameter",
        )


_FINDING = re.compile(
    r"^error\[(?P<slug>[a-z0-9-]+)\]: (?P<what>.*)"
    r"(?:\n  why: (?P<why>.*(?:\n {7}.*)*))?"
    r"(?:\n  fix: (?P<fix>.*(?:\n {7}.*)*))?",
    re.MULTILINE,
)


def parse_findings(text: str) -> list[Finding]:
    """Read the messages of plait's in *text*, as `Finding.format` writes them.

    A place stays a part of the sentence that it stands behind.
    """

    def lines(part: str | None) -> str:
        return (part or "").replace("\n       ", "\n")

    return [
        Finding(m["slug"], m["what"], lines(m["why"]), lines(m["fix"]))
        for m in _FINDING.finditer(text)
    ]
