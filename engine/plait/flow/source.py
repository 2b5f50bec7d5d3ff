"""Where in the user's source something was written, seen from the call that it made."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from plait.base.errors import Where, shown_path

# Frames of these are plait's own; the first frame beyond them is the user's.
_OWN = ("plait.flow.", "plait.hooks.", "plait.plugins.")


def find_caller() -> Where:
    """Give the file and line of the innermost frame that is not plait's own."""
    frame = sys._getframe(1)  # noqa: SLF001  # inspect is 10 ms to import and does the same
    while frame.f_back is not None and _is_own(frame.f_globals):
        frame = frame.f_back
    return Where(shown_path(frame.f_code.co_filename), frame.f_lineno)


def find_assignment(cls: type, step: str, name: str) -> Where | None:
    """Give the last line at which a step's source sets an artifact; None if it is set elsewhere.

    Args:
        cls: The flow's class.
        step: The step.
        name: The artifact.
    """
    import ast
    import inspect
    import textwrap

    method = inspect.unwrap(getattr(cls, step))
    try:
        lines, first = inspect.getsourcelines(method)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError):
        return None  # typed in at a prompt, or changed since
    found = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and node.attr == name
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    ]
    if not found:
        return None
    return Where(shown_path(inspect.getfile(method)), first + max(found) - 1)


def _is_own(module: Mapping[str, object]) -> bool:
    return str(module.get("__name__", "")).startswith(_OWN)
