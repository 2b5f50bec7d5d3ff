"""Cutting step bodies out of template files: source text in, source text at a given depth out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from types import FunctionType

from plait_harness.mistakes import Mistake

STEP_DEPTH = 8
"""How far the body of a method is indented, in spaces."""

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def body_of(function: FunctionType, *, checked: bool = True) -> str:
    """Give the source of a function's body, indented by `STEP_DEPTH`, without a last newline.

    Args:
        function: A method of a template, from a file.
        checked: Whether to refuse what can't stand in a step: `return`, `yield` and `self.next`.

    Raises:
        Mistake: The body can't become that of a step; names file, line and what stands there.
    """
    file = function.__code__.co_filename
    text, nodes = _read_functions(file)
    node = nodes[function.__code__.co_firstlineno]
    if checked:
        for line, what in _find_misfits(node):
            raise Mistake(f"{file}:{line}: '{node.name}' can't be the body of a step", what)
    lines = text.splitlines()
    first, last = node.body[0], node.body[-1]
    if first.lineno == _signature_end(node):
        # `def f(self): pass`: everything stands behind the colon.
        return " " * STEP_DEPTH + lines[first.lineno - 1][first.col_offset :].rstrip()
    begin = first.lineno - 1
    while begin > _signature_end(node) and _is_comment(lines[begin - 1]):
        begin -= 1
    assert last.end_lineno is not None
    taken = range(begin, last.end_lineno)
    shift = STEP_DEPTH - first.col_offset
    inside_text = _lines_inside_strings(node)
    return "\n".join(
        lines[number] if number + 1 in inside_text else _shifted(lines[number], shift)
        for number in taken
    )


def names_in(source: str, *, where: str) -> frozenset[str]:
    """Give every name that a piece of source mentions and does not itself set.

    Raises:
        Mistake: It is not Python.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise Mistake(f"{where} is not Python: {error.msg}", source) from error
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    loaded = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    return frozenset(loaded.difference(n.id for n in names if not isinstance(n.ctx, ast.Load)))


@cache
def _read_functions(file: str) -> tuple[str, dict[int, _Function]]:
    with open(file, encoding="utf-8") as source:
        text = source.read()
    found: dict[int, _Function] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _Function):
            # A code object's first line is that of the topmost decorator.
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            found[first] = node
    return text, found


def _signature_end(node: _Function) -> int:
    arguments = node.args
    parts = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if node.returns is not None:
        ends = [node.returns.end_lineno or node.lineno]
    else:
        ends = [part.end_lineno or node.lineno for part in parts]
    return max([node.lineno, *ends])


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _lines_inside_strings(node: _Function) -> frozenset[int]:
    # Lines that begin inside of a string: to indent them would change the string.
    inside: set[int] = set()
    for part in ast.walk(node):
        is_text = isinstance(part, ast.JoinedStr) or (
            isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes))
        )
        if is_text and isinstance(part, ast.expr) and part.end_lineno is not None:
            inside.update(range(part.lineno + 1, part.end_lineno + 1))
    return frozenset(inside)


def _shifted(line: str, shift: int) -> str:
    if not line.strip():
        return ""
    if shift >= 0:
        return " " * shift + line.rstrip()
    return line[-shift:].rstrip() if not line[:-shift].strip() else line.strip()


def _find_misfits(node: _Function) -> Iterator[tuple[int, str]]:
    pending: list[ast.AST] = list(node.body)
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Return):
            yield part.lineno, "it returns, so that the step would end before its self.next"
        if isinstance(part, (ast.Yield, ast.YieldFrom)):
            yield part.lineno, "it yields, which a step can't"
        if isinstance(part, ast.Call) and ast.unparse(part.func) == "self.next":
            yield part.lineno, "it calls self.next, but the graph says where a step goes"
        if not isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            pending.extend(ast.iter_child_nodes(part))
