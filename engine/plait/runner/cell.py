"""A cell of a notebook as a program: the flow in it, what it needs, and the line that starts it."""

from __future__ import annotations

import ast
import builtins
import linecache
import symtable
from collections.abc import Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

from plait.runner.errors import IncompleteCell, NoCellSource

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def format_program(flow: Any, names: Mapping[str, object]) -> str:
    """Give a program that is the flow of a notebook's cell.

    The cell is taken up to the class, and its definitions and imports behind it. What calls
    IPython itself is left out. Modules, and what can be imported from one, are imported if the
    cell uses them and another cell had imported them.

    Args:
        flow: The flow class.
        names: The notebook's variables.

    Raises:
        NoCellSource: Its cell cannot be found.
        IncompleteCell: It uses what only another cell defines.
    """
    source = _find_source(flow)
    tree = ast.parse(source)
    kept: list[ast.stmt] = []
    found = False
    for statement in tree.body:
        is_flow = isinstance(statement, ast.ClassDef) and statement.name == flow.__name__
        found = found or is_flow
        if _calls_notebook(statement) or _is_start(statement):
            continue
        if not found or is_flow or isinstance(statement, _DEFINITIONS):
            kept.append(statement)
    if not found:
        raise NoCellSource(flow, "its steps are written in a cell that does not hold the class")
    # The text itself and not what could be made of the tree: comments and lines stay as they are.
    text = "\n\n".join(_text_of(statement, source) for statement in kept)
    imports = list(_find_imports(flow.__name__, text, names))
    future = [s for s in kept if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    if imports and future:
        # They have to come first, so those found here go behind them.
        last = _text_of(future[-1], source)
        text = text.replace(last, "\n".join((last, *imports)), 1)
    elif imports:
        text = "\n".join((*imports, "", text))
    return f'{text}\n\nif __name__ == "__main__":\n    {flow.__name__}()\n'


def _find_source(flow: Any) -> str:
    if not isinstance(flow, type):
        raise NoCellSource(flow, "it is no class")
    steps = [member for member in vars(flow).values() if isinstance(member, FunctionType)]
    for member in steps:
        # IPython gives each cell a file's name of its own, under which Python finds its lines.
        lines = linecache.getlines(member.__code__.co_filename)
        if lines:
            return "".join(lines)
    why = "Python does not have the text of its steps" if steps else "it has no methods of its own"
    raise NoCellSource(flow, why)


def _text_of(statement: ast.stmt, source: str) -> str:
    decorators = getattr(statement, "decorator_list", [])
    first = min([statement.lineno, *(d.lineno for d in decorators)])
    lines = source.split("\n")[first - 1 : statement.end_lineno]
    if not decorators:
        segment = ast.get_source_segment(source, statement)
        assert segment is not None, "it was parsed from this source"
        return segment
    return "\n".join(lines)


def _calls_notebook(statement: ast.stmt) -> bool:
    """Say whether it is what IPython makes of a magic command."""
    if isinstance(statement, _DEFINITIONS):
        return False
    return any(isinstance(n, ast.Name) and n.id == "get_ipython" for n in ast.walk(statement))


def _is_start(statement: ast.stmt) -> bool:
    """Say whether it is the end of a script: `if __name__ == "__main__":`."""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _find_imports(flow: str, text: str, names: Mapping[str, object]) -> Iterator[str]:
    missing = []
    for name in sorted(_undefined(text)):
        value = names.get(name)
        module = getattr(value, "__module__", None)
        qualified = getattr(value, "__qualname__", "")
        if isinstance(value, ModuleType):
            yield f"import {value.__name__} as {name}"
        elif name in names and module not in (None, "__main__") and qualified.isidentifier():
            yield f"from {module} import {qualified} as {name}"
        elif value is not None and _comes_from_plait(value):
            yield f"from plait import {name}"
        else:
            missing.append(name)
    if missing:
        raise IncompleteCell(flow, missing)


def _comes_from_plait(value: object) -> bool:
    return type(value).__module__.startswith("plait.")


def _undefined(text: str) -> set[str]:
    """Give the global names that a program uses and does not define."""
    table = symtable.symtable(text, "<cell>", "exec")
    defined = {
        s.get_name()
        for s in table.get_symbols()
        if s.is_assigned() or s.is_imported() or s.is_namespace()
    }
    used: set[str] = set()
    tables = [table]
    while tables:
        one = tables.pop()
        tables.extend(one.get_children())
        for symbol in one.get_symbols():
            if symbol.is_declared_global() and symbol.is_assigned():
                defined.add(symbol.get_name())
            if symbol.is_referenced() and (symbol.is_global() or one is table):
                used.add(symbol.get_name())
    return used - defined - set(dir(builtins)) - {"__name__", "__file__", "__doc__"}
