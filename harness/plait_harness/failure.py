"""What a person reads when a case fails: assertion, lines, output, and how to repeat it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from plait_harness.leftovers import OWN_FOLDER
from plait_harness.result import CaseResult, CheckResult

_AROUND = 2
_MOST_OUTPUT = 60
_MOST_PLACES = 4


def describe_failure(result: CaseResult, command: str, note: str = "") -> str:
    """Give the message for a case that failed.

    Args:
        result: How the case went.
        command: The command that repeats it.
        note: What else there is to say before it; may be empty.
    """
    flow = os.path.join(result.folder, "flow.py")
    check = os.path.join(result.folder, "check.py")
    output = _read(os.path.join(result.folder, OWN_FOLDER, "run.out"))
    errors = _read(os.path.join(result.folder, OWN_FOLDER, "run.err"))
    lines = [f"{result.id} failed"]
    for each in result.failed:
        lines += ["", f"{each.checker}: {each.message}"]
        lines += _show_lines(check, _lines_named(check, [each.traceback]))
        if each.traceback and not _lines_named(check, [each.traceback]):
            lines += _indented(each.traceback.splitlines())
    lines += ["", f"flow: {flow}"]
    said = [output, errors, *(check.message for check in result.failed)]
    lines += _show_lines(flow, _lines_named(flow, said) or _lines_of_steps(flow, result.failed))
    for name, text in (("output", output), ("error output", errors)):
        if text.strip():
            lines += ["", f"{name} of the flow (exit code {result.exit_code}):"]
            lines += _indented(_last(text.splitlines()))
    lines += ["", note] if note else []
    lines += ["", "repeat it with:", f"  {command}"]
    return "\n".join(lines)


def _lines_named(file: str, texts: Iterable[str]) -> list[int]:
    name = re.escape(os.path.basename(file))
    pattern = re.compile(rf'{name}"?(?:, line |:)(\d+)')
    found = (int(match[1]) for text in texts for match in pattern.finditer(text))
    return list(dict.fromkeys(found))[:_MOST_PLACES]


def _lines_of_steps(file: str, failed: Iterable[CheckResult]) -> list[int]:
    # Nothing names a line; but a message may name a step: `join/5`, `join[0]`, `of join`.
    messages = "\n".join(check.message for check in failed)
    found = []
    for number, line in enumerate(_read(file).splitlines(), start=1):
        match = re.match(r"    def (\w+)\(self", line)
        if match is not None:
            step = re.escape(match[1])
            if re.search(rf"\b(?:{step}(?:/\d|\[\d)|of {step}\b)", messages):
                found.append(number)
    return found[:_MOST_PLACES]


def _show_lines(file: str, numbers: Iterable[int]) -> Iterator[str]:
    source = _read(file).splitlines()
    chosen = sorted(number for number in numbers if number <= len(source))
    shown: set[int] = set()
    for number in chosen:
        begin, end = max(1, number - _AROUND), min(len(source), number + _AROUND)
        if shown and begin > max(shown) + 1:
            yield "    ..."
        for each in range(begin, end + 1):
            if each not in shown:
                shown.add(each)
                yield f"  {'>' if each in chosen else ' '} {each:4d} | {source[each - 1]}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _last(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST_OUTPUT:
        return lines
    return [f"... ({len(lines) - _MOST_OUTPUT} lines before)", *lines[-_MOST_OUTPUT:]]


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()
    except FileNotFoundError:
        return ""  # the case did not come so far
