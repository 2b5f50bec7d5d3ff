"""From the syntax tree of one method to its record: arguments, decorators, `self.next` calls."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from plait.base.errors import Where
from plait.graph.source import Argument, CaseKey, Lost, NextCall, Shape, StepSource

Function = ast.FunctionDef | ast.AsyncFunctionDef

_LONGEST_TEXT = 60

_PARAMETER_CALLS = frozenset({"Parameter", "IncludeFile", "Config"})

_STATEMENTS: dict[type[ast.AST], str] = {
    ast.If: "an `if`",
    ast.For: "a `for`",
    ast.AsyncFor: "an `async for`",
    ast.While: "a `while`",
    ast.Try: "a `try`",
    ast.TryStar: "a `try`",
    ast.With: "a `with`",
    ast.AsyncWith: "an `async with`",
    ast.Match: "a `match`",
    ast.Return: "a `return`",
    ast.FunctionDef: "a function",
    ast.AsyncFunctionDef: "a function",
    ast.Lambda: "a `lambda`",
}


def find_mentions(text: str | bytes) -> list[int]:
    """Give the lines, from 1, on which `next` stands at all.

    Only statements on them are searched for calls of `self.next`: going through every expression
    of a flow takes several times as long as parsing it.
    """
    source = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    lines = source.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return [number for number, line in enumerate(lines, 1) if b"next" in line]


def read_method(
    node: Function,
    mentions: Sequence[int],
    *,
    name: str,
    function_name: str,
    file: str,
    is_step: bool,
    oddity: str,
) -> StepSource:
    """Read one method.

    Args:
        node: Its `def` in the syntax tree.
        mentions: The lines of its file on which `next` stands, as `find_mentions` gives them.
        name: The name under which the flow has it.
        function_name: The name that the function itself bears.
        file: The file to name in findings.
        is_step: Whether it is under `@step`.
        oddity: What it is instead of a plain method; empty if it is one.
    """
    given = node.args
    arguments = tuple(a.arg for a in (*given.posonlyargs, *given.args))
    own_name = arguments[0] if arguments else "self"
    return StepSource(
        name=name,
        where=Where(file, node.lineno),
        doc=ast.get_docstring(node) or "",
        arguments=arguments,
        takes_more=bool(given.vararg or given.kwarg or given.kwonlyargs),
        decorators=tuple(d for d in map(_last_name, node.decorator_list) if d not in ("", "step")),
        calls=tuple(_find_calls(node.body, own_name, mentions)),
        is_step=is_step,
        oddity=oddity,
        function_name=function_name,
    )


def find_lost(body: Iterable[ast.stmt], *, steps: frozenset[str], file: str) -> list[Lost]:
    """Give what is lost in a class body because a step further down has the same name.

    Args:
        body: The class's statements.
        steps: The steps that this class defines.
        file: The file to name in findings.
    """
    lost: list[Lost] = []
    seen: dict[str, Lost] = {}
    for statement in body:
        for name, what in _definitions(statement):
            if name in steps:
                if what == "step" and name in seen:
                    lost.append(seen[name])
                seen[name] = Lost(name, what, Where(file, statement.lineno))
    return lost


def _definitions(statement: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(statement, Function):
        if "step" in map(_last_name, statement.decorator_list):
            yield statement.name, "step"
        return
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    else:
        return
    made_by = _last_name(statement.value) if isinstance(statement.value, ast.Call) else ""
    if made_by in _PARAMETER_CALLS:
        for target in targets:
            if isinstance(target, ast.Name):
                yield target.id, made_by


def _last_name(node: ast.expr) -> str:
    """Give `c` for `c`, `a.b.c` and either of them called; empty for anything else."""
    while isinstance(node, ast.Call):
        node = node.func
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _find_calls(body: list[ast.stmt], own_name: str, mentions: Sequence[int]) -> Iterator[NextCall]:
    for statement in body:
        first = bisect_left(mentions, statement.lineno)
        if first == len(mentions) or mentions[first] > (statement.end_lineno or 0):
            continue
        if isinstance(statement, ast.Expr) and _is_next(statement.value, own_name):
            yield _read_call(statement.value, own_name, within="", is_last=statement is body[-1])
        else:
            for call, within in _calls_inside(statement, own_name):
                yield _read_call(call, own_name, within=within, is_last=False)


def _is_next(node: ast.AST, own_name: str) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "next"
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == own_name
    )


def _calls_inside(statement: ast.stmt, own_name: str) -> Iterator[tuple[ast.AST, str]]:
    # A stack of our own, because an expression such as a sum of a thousand terms nests as deeply.
    stack: list[tuple[ast.AST, str]] = [(statement, "another expression")]
    while stack:
        node, within = stack.pop()
        if _is_next(node, own_name):
            yield node, within
        elif not _rebinds(node, own_name):
            within = _STATEMENTS.get(type(node), within)
            stack.extend((child, within) for child in reversed([*ast.iter_child_nodes(node)]))


def _rebinds(node: ast.AST, own_name: str) -> bool:
    """Tell whether *own_name* means something else inside of *node*, as would its `next`."""
    if isinstance(node, ast.ClassDef):
        return True
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        given = node.args
        return any(a.arg == own_name for a in (*given.posonlyargs, *given.args, *given.kwonlyargs))
    return False


def _read_call(node: ast.AST, own_name: str, *, within: str, is_last: bool) -> NextCall:
    assert isinstance(node, ast.Call)
    return NextCall(
        line=node.lineno,
        arguments=tuple(_read_argument(a, own_name) for a in node.args),
        keywords=tuple((k.arg or "", _read_argument(k.value, own_name)) for k in node.keywords),
        within=within,
        is_last=is_last,
    )


def _read_argument(node: ast.expr, own_name: str) -> Argument:
    name = _step_named(node, own_name)
    if name:
        return Argument(Shape.STEP, f"{own_name}.{name}", name)
    text = _shorten(" ".join(ast.unparse(node).split()))
    shape = Shape.OTHER
    values: list[ast.expr] = []
    keys: list[ast.expr | None] = []
    match node:
        case ast.Call(func=func) if called := _step_named(func, own_name):
            shape, name = Shape.CALLED, called
        case ast.Constant(value=str(content)):
            shape, name = Shape.TEXT, content
        case ast.Name(id=variable):
            shape, name = Shape.NAME, variable
        case ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
            shape = Shape.ITEMS
        case ast.Dict(keys=keys, values=values):
            shape = Shape.CASES
    items = tuple(_read_argument(value, own_name) for value in values)
    return Argument(shape, text, name, items, tuple(map(_read_key, keys, values)))


def _read_key(key: ast.expr | None, value: ast.expr) -> CaseKey:
    if key is None:
        return CaseKey(f"**{_shorten(ast.unparse(value))}", None)
    sign = 1
    constant = key
    if isinstance(key, ast.UnaryOp) and isinstance(key.op, ast.USub):
        sign, constant = -1, key.operand
    match constant:
        case ast.Constant(value=bool(content) | str(content)) if sign == 1:
            return CaseKey(repr(content), content)
        case ast.Constant(value=int(content)) if not isinstance(content, bool):
            return CaseKey(repr(sign * content), sign * content)
    return CaseKey(_shorten(" ".join(ast.unparse(key).split())), None)


def _shorten(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 3] + "..."


def _step_named(node: ast.expr, own_name: str) -> str:
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == own_name
    ):
        return node.attr
    return ""
