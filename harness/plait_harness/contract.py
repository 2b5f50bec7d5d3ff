"""The page that says of each command, option and name which test names it: `docs/commands.md`.

`python -m plait_harness.contract` writes it anew. A row keeps the test that it has as long as that
test names it, so that the page changes only where something was added or has gone.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plait_harness.proofs import ROOT, Proof, collect_proofs

_COMMAND_LINES = ("cli/", "runs/", "tutorials/")

PAGE = os.path.join(ROOT, "docs", "commands.md")

_HEAD = """\
# What is tested

Each command and option, each decorator, and each name that a flow or a program can use, as they are
in the code, with a test that names it: a unit test, a template of the
[harness](harness-templates.md), or a page whose examples are executed. The page is written by
`python -m plait_harness.contract`; the tests hold it against the code, and a row without a test
fails them.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """Something that a user can call or set.

    Args:
        name: As the page shows it.
        words: What a test has to mention, all of it.
        texts: What has to be a whole argument or name in it.
        meaning: What it does, in a few words.
        tests: The folders of `engine/tests` in which a test of it can be; any, if none is named.
    """

    name: str
    words: frozenset[str]
    texts: frozenset[str] = frozenset()
    meaning: str = ""
    tests: tuple[str, ...] = ()

    def is_named_by(self, proof: Proof) -> bool:
        """Say whether a test mentions it."""
        folder = proof.file.removeprefix("engine/tests/")
        is_elsewhere = self.tests and proof.kind == "test" and not folder.startswith(self.tests)
        return not is_elsewhere and self.words <= proof.words and self.texts <= proof.texts


def read_contract() -> dict[str, list[Row]]:
    """Give the rows of the page under their headings, from the code of the engine."""
    return {
        "Commands of a flow": list(_flow_commands()),
        "The command plait": list(_plait_commands()),
        "Settings": list(_settings()),
        "Decorators": list(_decorators()),
        "Names to import": list(_exports()),
        "current": list(_current()),
        "Inside of a step": list(_inside()),
        "The client": list(_client()),
        "Runs from Python": list(_runner()),
    }


def find_proof(row: Row, proofs: Sequence[Proof], former: str = "") -> str:
    """Give the test that a row has, if it still names it; else the first that does, or nothing."""
    named = [show_proof(proof) for proof in proofs if row.is_named_by(proof)]
    if former in named:
        return former
    return named[0] if named else ""


def show_proof(proof: Proof) -> str:
    """Give a test as the page names it."""
    if proof.kind == "page":
        link = os.path.relpath(os.path.join(ROOT, proof.file), os.path.dirname(PAGE))
        return f"[{os.path.basename(proof.file)}]({link})"
    return f"`{proof.name}`" if proof.kind == "test" else f"template `{proof.name}`"


def format_page(former: Mapping[tuple[str, str], str]) -> str:
    """Give the page anew.

    Args:
        former: The test of each row, by heading and name, as the page has them now.
    """
    proofs = collect_proofs()
    lines = [_HEAD]
    for heading, rows in read_contract().items():
        lines.append(f"## {heading}\n\n| what | does | named by |\n|---|---|---|")
        for row in rows:
            proof = find_proof(row, proofs, former.get((heading, row.name), ""))
            meaning = row.meaning.replace("|", r"\|")
            lines.append(f"| `{row.name}` | {meaning} | {proof} |")
        lines.append("")
    return "\n".join(lines)


def read_page() -> dict[tuple[str, str], str]:
    """Give the test of each row of the page, by heading and name."""
    found, heading = {}, ""
    with open(PAGE, encoding="utf-8") as file:
        for line in file:
            if line.startswith("## "):
                heading = line[3:].strip()
            row = re.fullmatch(r"\| `(.*?)` \| .* \| (.*?) ?\|\n", line)
            if row:
                found[heading, row[1]] = row[2]
    return found


# Rows


def _flow_commands() -> Iterator[Row]:
    from plait import FlowSpec
    from plait.cli.main import make_program
    from plait.cli.session import Session

    program = make_program(Session(type("Flow", (FlowSpec,), {}), "python flow.py", ()))
    yield from _options_of(program, "", frozenset(), frozenset())
    yield from _commands_of(program, "", frozenset())


def _plait_commands() -> Iterator[Row]:
    from plait.cli.command import Program
    from plait.cli.plait import ENTRIES

    yield from _commands_of(Program("plait", entries=ENTRIES), "plait ", frozenset({"plait"}))


def _commands_of(program: Any, path: str, words: frozenset[str]) -> Iterator[Row]:
    for name, entry in program.entries.items():
        command = program.get_command(None, name)
        texts = frozenset({*path.replace("plait", "").split(), name})
        yield Row(f"{path}{name}", words, texts, entry.summary, _COMMAND_LINES)
        yield from _options_of(command, f"{path}{name} ", words, texts)
        if hasattr(command, "entries"):
            yield from _commands_of(command, f"{path}{name} ", words)


def _options_of(
    command: Any, path: str, words: frozenset[str], texts: frozenset[str]
) -> Iterator[Row]:
    for parameter in command.params:
        if parameter.param_type_name != "option" or "--help" in parameter.opts:
            continue
        meaning = (parameter.help or "").split("  [")[0] or "For programs."
        name, *others = (o for o in parameter.opts + parameter.secondary_opts if o[:2] == "--")
        shown = "/".join([name, *others])
        yield Row(f"{path}{shown}", words | {name}, texts, meaning, _COMMAND_LINES)


def _settings() -> Iterator[Row]:
    from plait.base.settings import SETTINGS

    for setting in SETTINGS.values():
        yield Row(setting.env, frozenset({setting.env}), meaning=setting.meaning)


def _decorators() -> Iterator[Row]:
    from plait.hooks.registry import BUILT_IN, BUILT_IN_FOR_FLOWS, get_decorator

    for name in (*BUILT_IN, *BUILT_IN_FOR_FLOWS):
        decorator = get_decorator(name)
        yield Row(f"@{name}", frozenset({name}), meaning=_first_line(decorator))
        for attribute, default in decorator.defaults.items():
            meaning = f"{default!r}, unless it is given"
            yield Row(f"@{name}({attribute}=)", frozenset({name, attribute}), meaning=meaning)


def _exports() -> Iterator[Row]:
    import plait

    for name in sorted(plait.__all__):
        value = getattr(plait, name)
        has_doc = inspect.isclass(value) or inspect.isroutine(value)
        meaning = _first_line(value) if has_doc else _first_line(type(value))
        yield Row(name, frozenset({name}), meaning="" if name == "__version__" else meaning)


def _current() -> Iterator[Row]:
    from plait.flow.current import Current

    for row in _members(Current):
        yield Row(f"current.{row.name}", row.words | {"current"}, meaning=row.meaning)


def _inside() -> Iterator[Row]:
    from plait import FlowSpec
    from plait.flow.inputs import JoinInputs

    for shown, cls in (("self", FlowSpec), ("inputs", JoinInputs)):
        for row in _members(cls):
            words = row.words | {shown}
            yield Row(f"{shown}.{row.name}", words, meaning=row.meaning)


def _client() -> Iterator[Row]:
    from plait import DataArtifact, Flow, Plait, Run, Step, Task

    for cls in (Plait, Flow, Run, Step, Task, DataArtifact):
        for row in _members(cls):
            words = row.words | {cls.__name__}
            yield Row(f"{cls.__name__}.{row.name}", words, meaning=row.meaning, tests=("client/",))


def _runner() -> Iterator[Row]:
    from plait import NBRunner, Runner
    from plait.runner.executing import ExecutingRun, ExecutingTask

    for cls in (Runner, NBRunner, ExecutingRun, ExecutingTask):
        for row in _members(cls):
            if cls in (Runner, ExecutingRun) or row.name in vars(cls):
                words = row.words | {"NBRunner" if cls is NBRunner else "Runner"}
                shown = f"{cls.__name__}.{row.name}"
                yield Row(shown, words, meaning=row.meaning, tests=("runner/",))


def _members(cls: type) -> Iterator[Row]:
    for name, value in inspect.getmembers_static(cls):
        if not name.startswith("_"):
            yield Row(name, frozenset({name}), meaning=_first_line(value))


def _first_line(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]


def main() -> int:
    """Write the page, and name on stderr the rows that no test names."""
    former = read_page() if os.path.exists(PAGE) else {}
    page = format_page(former)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)
    empty = [f"{heading}: {name}" for (heading, name), proof in read_page().items() if not proof]
    if empty:
        print("no test names:", *empty, sep="\n  ", file=sys.stderr)
    return 1 if empty else 0


if __name__ == "__main__":
    sys.exit(main())
