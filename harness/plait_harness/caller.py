"""The executor `api`: a program that starts a case's flow by `plait.Runner`, as a script would.

Run by path in the case's folder, with one argument: the command line to call, as JSON. It ends as
the run did, after it has held what the API says against it.
"""

from __future__ import annotations

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from plait.runner.executing import ExecutingRun

UNTRUE = 97
"""The exit code where the API says something else than the run's exit code."""

_MANY = {"tag": "tags", "with": "with_"}
"""Options that may be given often, and what the API calls them."""

_PAIRS = ("config", "config-value")
"""Options that are followed by a name and what it is given."""


def read_options(words: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    """Give the keyword arguments that a command line stands for, and what is no option."""
    named: dict[str, Any] = {}
    rest: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            rest.append(word)
            continue
        option, equals, text = word[2:].partition("=")
        if option in _PAIRS:
            name, given = left.pop(0), left.pop(0)
            named.setdefault(option.replace("-", "_"), []).append((name, given))
            continue
        value: Any = text
        if not equals:
            has_value = bool(left) and not left[0].startswith("--")
            value = left.pop(0) if has_value else True
        if option in _MANY:
            named.setdefault(_MANY[option], []).append(value)
        else:
            named[option.replace("-", "_")] = value
    return named, rest


def call(before: Sequence[str], command: str, after: Sequence[str]) -> int:
    """Start the flow of this folder, wait for its end, and give the exit code to leave with."""
    from plait import Runner
    from plait.runner.errors import RunNotStarted

    top, _ = read_options(before)
    arguments, positional = read_options(after)
    try:
        with Runner("flow.py", **top) as runner:
            running: ExecutingRun = getattr(runner, command)(*positional, **arguments)
    except RunNotStarted as error:
        return error.returncode
    wrong = find_untruth(running, arguments.get("run_id_file"))
    if wrong is not None:
        print(f"the API says {wrong}", file=sys.stderr)
        return UNTRUE
    code = running.returncode
    assert code is not None
    if code < 0:
        # By the signal that ended the run, as its process did.
        os.kill(os.getpid(), -code)
    return code


def find_untruth(running: ExecutingRun, id_file: str | None) -> str | None:
    """Say what the API says of an ended run that is not so; None if all of it is."""
    run, code = running.run, running.returncode
    if (running.status == "successful") != (code == 0) or run.successful != (code == 0):
        return f"'{running.status}' and '{run.status}' of a run that ended with {code}"
    if id_file is not None and os.path.exists(id_file):
        with open(id_file, encoding="utf-8") as file:
            written = file.read().strip()
        if run.id != written:
            return f"that '{written}' is run '{run.id}'"
    return None


if __name__ == "__main__":
    # This folder is the harness's, which a flow knows nothing of.
    del sys.path[0]
    sys.exit(call(*json.loads(sys.argv[1])))
