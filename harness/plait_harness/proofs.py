"""What names what: the words in every unit test, every template and every page that is executed."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from plait_harness.home import HOME

ROOT = os.path.dirname(HOME)
"""The checkout."""

_WORD = re.compile(r"--[a-z][\w-]*|[A-Za-z_][\w-]*")
_TESTS = ("engine/tests", "harness/selftests")
_NAMES_ALL = "engine/tests/cli/test_completing.py"
"""What a shell offers: it names commands and options, and calls none of them."""
_PAGES = ("README.md", "docs/tutorials.md", "docs/guide", "docs/errors/common-mistakes.md")


@dataclass(frozen=True, slots=True)
class Proof:
    """A test, a template or an executed page, by what it mentions.

    Args:
        kind: `test`, `template` or `page`.
        name: How it is called: `cli/test_main.py::test_x`, a template's class, a page's path.
        file: Its file, from the checkout's root on.
        texts: Whole texts that it holds, such as the arguments of a command line.
        words: All names and words in it, those of options with their dashes.
    """

    kind: str
    name: str
    file: str
    texts: frozenset[str]
    words: frozenset[str]


def collect_proofs() -> list[Proof]:
    """Give every test, template and page: those that say least first, as they say it best."""
    found = [
        *(
            proof
            for folder in _TESTS
            for file in _files(folder)
            for proof in _read_tests(file)
            if file != _NAMES_ALL
        ),
        *(proof for file in _files("harness/tests") for proof in _read_templates(file)),
        *(proof for place in _PAGES for file in _files(place, ".md") for proof in _read_page(file)),
    ]
    order = {"test": 0, "template": 1, "page": 2}
    return sorted(found, key=lambda p: (order[p.kind], len(p.words), p.file, p.name))


def _files(place: str, suffix: str = ".py") -> list[str]:
    path = os.path.join(ROOT, place)
    if os.path.isfile(path):
        return [place]
    found = [
        os.path.relpath(os.path.join(folder, name), ROOT)
        for folder, _, names in os.walk(path)
        for name in names
        if name.endswith(suffix) and "gold" not in folder
    ]
    return sorted(found)


def _read(file: str) -> str:
    with open(os.path.join(ROOT, file), encoding="utf-8") as text:
        return text.read()


# Python


def _read_tests(file: str) -> Iterator[Proof]:
    """Give the tests of a file, each with the functions and constants of the file that it uses."""
    known = _top_level(ast.parse(_read(file)))
    for name, node in known.items():
        if name.startswith("test_") and isinstance(node, ast.FunctionDef):
            texts, words = _gather(node, known)
            yield Proof("test", f"{file.partition('tests/')[2]}::{name}", file, texts, words)


def _read_templates(file: str) -> Iterator[Proof]:
    known = _top_level(ast.parse(_read(file)))
    for name, node in known.items():
        if isinstance(node, ast.ClassDef):
            texts, words = _gather(node, known)
            # The harness itself calls `run` for every template; its checkers read each run back.
            yield Proof("template", name, file, texts | {"run"}, words)


def _top_level(tree: ast.Module) -> dict[str, ast.AST]:
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node for target in node.targets if isinstance(target, ast.Name)}
    return found


def _gather(start: ast.AST, known: dict[str, ast.AST]) -> tuple[frozenset[str], frozenset[str]]:
    """Give the whole texts and the words of some code and of what it uses of its own file."""
    texts: set[str] = set()
    words: set[str] = set()
    pending, seen = [start], {id(start)}
    while pending:
        for node in _walk(pending.pop()):
            names = _names(node)
            words.update(names)
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
                words.update(_WORD.findall(node.value))
            for name in names:
                used = known.get(name)
                if used is not None and id(used) not in seen:
                    seen.add(id(used))
                    pending.append(used)
    if "call_plait" in words:
        words.add("plait")  # its command line, called in the test's own process
    return frozenset(texts), frozenset(words)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Give all nodes but docstrings: what is only spoken of is not tested."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        yield from _walk(child)


def _names(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return (name,)
        case ast.keyword(arg=str(name)):
            return (name,)
    return ()


# Pages


def _read_page(file: str) -> Iterator[Proof]:
    """Give the examples of a page, command by command: its prose may speak of anything."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", _read(file), re.MULTILINE | re.DOTALL)
    for language, text in blocks:
        whole = [] if language == "bash" else [text]
        for example in text.splitlines() if language == "bash" else whole:
            if language in ("bash", "python", "pycon"):
                words = frozenset(_WORD.findall(example))
                yield Proof("page", file, file, frozenset(example.split()), words)
