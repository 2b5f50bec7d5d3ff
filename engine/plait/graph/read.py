"""From a flow class to the source of its steps: the one module here that opens files."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import FunctionType, MappingProxyType
from typing import Any, NamedTuple

from plait.base.errors import Where
from plait.base.pathspec import STEP_NAME
from plait.graph.names import END, RESERVED_NAMES, START
from plait.graph.source import FlowSource, Shape, StepSource
from plait.graph.syntax import Function, find_lost, find_mentions, read_method

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200  # flags of a code object, see `dis`


def read_flow(cls: type) -> FlowSource:
    """Read the steps of a flow class from their source, without running any of them.

    Steps of base classes and mixins are read too, as Python itself would find them. Each file
    is read and parsed once. Methods without `@step` are read where a step leads to one, so that
    one forgotten decorator does not hide the rest of the flow.

    Args:
        cls: The flow class.
    """
    return _Reader(cls).read()


def show_path(path: str) -> str:
    """Give a file's name as messages show it: relative where it is below the working directory."""
    try:
        here = os.getcwd()
    except FileNotFoundError:  # the working directory was deleted; the full path says as much
        return path
    inside = path.startswith(os.path.join(here, ""))
    return os.path.relpath(path, here) if inside else path


class _File(NamedTuple):
    """One source file, parsed.

    Args:
        shown: Its name in findings: relative where it is below the working directory.
        tree: Its syntax tree; None if it can't be had.
        problem: Why it can't be had.
        functions: Its functions by their first line, each with the class around it.
        mentions: The lines on which `next` stands.
    """

    shown: str
    tree: ast.Module | None
    problem: str = ""
    functions: Mapping[int, tuple[Function, ast.ClassDef | None]] = MappingProxyType({})
    mentions: Sequence[int] = ()


class _Attribute(NamedTuple):
    """One attribute of the flow class: the class of the MRO that has it, and its value."""

    owner: type
    value: Any


class _Reader:
    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.files: dict[str, _File] = {}
        self.attributes = _attributes(cls)

    def read(self) -> FlowSource:
        steps = {
            name: self._read_step(name, is_step=True)
            for name, attribute in self.attributes.items()
            if _is_step(attribute.value)
        }
        first = self._marked(steps, "is_first")
        last = self._marked(steps, "is_last")
        own = [*(() if first else (START,)), *(() if last else (END,))]
        wanted = [*own, *_targets(steps.values())]
        while wanted:
            name = wanted.pop()
            if name not in steps and self._might_be_step(name):
                method = self._read_step(name, is_step=False)
                if method.calls or name in own:
                    steps[name] = method
                    wanted.extend(_targets([method]))
        node, file = self._class_statement()
        return FlowSource(
            name=self.cls.__name__,
            where=Where(file.shown, node.lineno) if node and file else None,
            doc=(node and ast.get_docstring(node)) or "",
            steps={step.name: step for step in steps.values()},
            others={
                name: _describe(attribute.value)
                for name, attribute in self.attributes.items()
                if name not in steps
            },
            lost=tuple(
                lost
                for body, names, shown in self._bodies(steps)
                for lost in find_lost(body, steps=names, file=shown)
            ),
            first=first,
            last=last,
        )

    def _marked(self, steps: Mapping[str, StepSource], mark: str) -> tuple[str, ...]:
        """Give the names of the steps that `@step` was told are the first, or the last."""
        return tuple(
            step.name
            for name, step in steps.items()
            if getattr(self.attributes[name].value, mark, None) is True
        )

    def _might_be_step(self, name: str) -> bool:
        attribute = self.attributes.get(name)
        return (
            attribute is not None
            and isinstance(attribute.value, FunctionType)
            and name not in RESERVED_NAMES
            and STEP_NAME.match(name) is not None
        )

    def _read_step(self, name: str, *, is_step: bool) -> StepSource:
        attribute = self.attributes[name]
        function = _unwrap(attribute.value)
        if function is None:
            what = _describe(attribute.value)
            return StepSource(name, self._no_place(), is_step=is_step, missing=f"it is {what}")
        own_name = _unmangled(name, attribute.owner, function)
        file, node, _ = self._locate(function)
        if node is None:
            return StepSource(
                own_name,
                Where(file.shown, function.__code__.co_firstlineno),
                is_step=is_step,
                function_name=function.__name__,
                missing=file.problem
                or f"{file.shown} has no 'def {function.__name__}' in that line: it changed after "
                "Python read it, or the method was made elsewhere",
            )
        return read_method(
            node,
            file.mentions,
            name=own_name,
            function_name=function.__name__,
            file=file.shown,
            is_step=is_step,
            oddity=_oddity(attribute.value, function),
        )

    def _locate(self, function: FunctionType) -> tuple[_File, Function | None, ast.ClassDef | None]:
        code = function.__code__
        if code.co_filename not in self.files:
            self.files[code.co_filename] = _load_file(code.co_filename, function.__globals__)
        file = self.files[code.co_filename]
        node, around = file.functions.get(code.co_firstlineno, (None, None))
        if node is None or node.name != code.co_name:
            return file, None, None
        return file, node, around

    def _class_statement(self) -> tuple[ast.ClassDef | None, _File | None]:
        for value in vars(self.cls).values():
            function = _unwrap(value) if isinstance(value, FunctionType) else None
            if function is not None:
                file, _, around = self._locate(function)
                if around is not None and around.name == self.cls.__name__:
                    return around, file
        module = sys.modules.get(self.cls.__module__)
        path = getattr(module, "__file__", None)
        if not path:
            return None, None
        if path not in self.files:
            self.files[path] = _load_file(path, vars(module))
        file = self.files[path]
        return _find_class(file.tree, self.cls.__qualname__), file

    def _bodies(
        self, steps: Mapping[str, StepSource]
    ) -> Iterator[tuple[list[ast.stmt], frozenset[str], str]]:
        """Give the body of each class that defines steps, with those steps and its file."""
        for owner in self.cls.__mro__:
            own = [n for n, step in steps.items() if self._owner(n) is owner and not step.missing]
            if own:
                function = _unwrap(self.attributes[own[0]].value)
                assert function is not None, "a step that was read has a function"
                file, _, around = self._locate(function)
                if around is not None and around.name == owner.__name__:
                    yield around.body, frozenset(own), file.shown

    def _owner(self, name: str) -> type:
        return self.attributes[name].owner

    def _no_place(self) -> Where:
        module = sys.modules.get(self.cls.__module__)
        return Where(show_path(getattr(module, "__file__", None) or self.cls.__module__))


def _attributes(cls: type) -> dict[str, _Attribute]:
    """Give what the class has by name, as attribute lookup finds it, bases first."""
    found: dict[str, _Attribute] = {}
    for owner in reversed(cls.__mro__):
        if owner is not object:
            for name, value in vars(owner).items():
                if not (name.startswith("__") and name.endswith("__")):
                    found[name] = _Attribute(owner, value)
    return found


def _is_step(value: Any) -> bool:
    if isinstance(value, staticmethod | classmethod):
        return _is_step(value.__func__) or getattr(value, "is_step", None) is True
    # Not any attribute is asked: a class may hold objects that answer to every name.
    return callable(value) and getattr(value, "is_step", None) is True


def _targets(steps: Iterable[StepSource]) -> Iterator[str]:
    for step in steps:
        for call in step.calls:
            for argument in call.arguments:
                for item in (argument, *argument.items):
                    if item.shape is Shape.STEP:
                        yield item.name


def _unwrap(value: Any) -> FunctionType | None:
    """Give the function that the user wrote, under whatever decorators keep a `__wrapped__`."""
    for _ in range(100):  # a decorator that wraps itself must not hang us
        if not hasattr(value, "__wrapped__"):
            break
        value = value.__wrapped__
    return value if isinstance(value, FunctionType) else None


def _unmangled(name: str, owner: type, function: FunctionType) -> str:
    mangled = f"_{owner.__name__.lstrip('_')}{function.__name__}"
    return function.__name__ if name == mangled else name


def _oddity(value: Any, function: FunctionType) -> str:
    flags = function.__code__.co_flags
    if isinstance(value, staticmethod | classmethod):
        return "a static method" if isinstance(value, staticmethod) else "a class method"
    if flags & (_COROUTINE | _ASYNC_GENERATOR):
        return "an async function"
    return "a generator" if flags & _GENERATOR else ""


def _describe(value: Any) -> str:
    if isinstance(value, FunctionType | staticmethod | classmethod):
        return "a method"
    name = "property" if isinstance(value, property) else type(value).__name__
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def _load_file(path: str, module_globals: Mapping[str, Any]) -> _File:
    shown = show_path(path)
    text = _read_text(path, module_globals)
    if not text:
        return _File(shown, None, f"there is no source text for {shown}")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return _File(shown, None, f"{shown} is not Python: {error}")
    return _File(shown, tree, functions=_index_functions(tree), mentions=find_mentions(text))


def _read_text(path: str, module_globals: Mapping[str, Any]) -> str | bytes:
    try:
        # As bytes, so that the parser heeds the file's own encoding line, as the compiler did.
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        # Not a file: a notebook's cell, a zip archive or an interactive prompt. `linecache` is
        # where all of those leave their source.
        import linecache

        return "".join(linecache.getlines(path, dict(module_globals)))


def _index_functions(tree: ast.Module) -> dict[int, tuple[Function, ast.ClassDef | None]]:
    """Give the functions of a module by their first line, decorators included, as code objects do.

    Only statements are visited: most nodes of a tree are expressions, and no `def` is in one.
    """
    found: dict[int, tuple[Function, ast.ClassDef | None]] = {}
    stack: list[tuple[Any, ast.ClassDef | None]] = [(tree, None)]
    while stack:
        node, around = stack.pop()
        if isinstance(node, ast.ClassDef):
            around = node
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.decorator_list[0] if node.decorator_list else node
            found[first.lineno] = (node, around)
            around = None
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            stack.extend((child, around) for child in getattr(node, part, ()))
    return found


def _find_class(tree: ast.Module | None, qualname: str) -> ast.ClassDef | None:
    nodes: list[Any] = [] if tree is None else [tree]
    for part in qualname.replace(".<locals>", "").split("."):
        nodes = [
            child
            for node in nodes
            for child in node.body
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and child.name == part
        ]
    found = nodes[-1] if nodes else None
    return found if isinstance(found, ast.ClassDef) else None
