"""Reading JSON specifications and holding them against the schemas in `harness/schemas`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

from plait_harness.home import home_path
from plait_harness.mistakes import Mistake

_KINDS = {
    "graph": "graph",
    "contexts": "file of contexts",
    "mutants": "file of seeded bugs",
    "equivalents": "file of equivalent mutants",
}


def read_json(path: str) -> Any:
    """Read a JSON file.

    Raises:
        Mistake: It can't be read, or is not JSON; names the line.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except OSError as error:
        raise Mistake(f"{path} can't be read", error.strerror or "") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise Mistake(f"{path} is not JSON", str(error)) from error


def validate(
    data: Any, schema: str, *, file: str, name_of: Callable[[list[str]], str] | None = None
) -> None:
    """Check *data* against a schema.

    Args:
        data: What was read.
        schema: The schema's name, as in `harness/schemas/<name>.json`.
        file: Where *data* came from, for the message.
        name_of: Names the part that a path leads to, such as `node 'inner'`.

    Raises:
        Mistake: It does not fit; lists every misfit with its place.
    """
    found = sorted(_validator(schema).iter_errors(data), key=lambda e: [str(p) for p in e.path])
    if not found:
        return
    lines = []
    for error in found:
        path = [str(part) for part in error.absolute_path]
        place = (name_of(path) if name_of else "") or "/".join(path) or "top level"
        lines.append(f"{place}: {error.message}")
    raise Mistake(f"{file or 'the data'} is not a valid {_KINDS[schema]}", "\n".join(lines))


@cache
def _validator(schema: str) -> Any:
    # Imported here: it is slow to import, and the processes that only run checks never need it.
    from jsonschema import Draft202012Validator

    with open(home_path(os.path.join("schemas", f"{schema}.json")), encoding="utf-8") as file:
        return Draft202012Validator(json.load(file))
