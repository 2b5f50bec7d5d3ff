"""A task's standard streams, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import io, logging, os, sys
handler = logging.StreamHandler()
{before}
from plait.task.streams import flush_streams, open_streams
open_streams()
print("\\xe9\\u4e2d\\udc80")
handler.emit(logging.LogRecord("n", 20, "p", 1, "held", (), None))
{after}
flush_streams()
"""


def run(before: str = "", after: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run a program that opens its streams as a task does, in a locale without UTF-8."""
    program = PROGRAM.format(before=before, after=after)
    env = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    return subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=env)


def test_output_is_utf_8_in_any_locale() -> None:
    """What UTF-8 cannot say is escaped, never an error; a logging handler's stream still works."""
    done = run()

    assert done.stdout == "é中\\udc80\n".encode()
    assert done.stderr == b"held\n"


def test_streams_that_are_not_the_descriptors_are_replaced() -> None:
    """A program that put something else there gets the descriptors back."""
    assert run(before="sys.stdout = io.StringIO()").stdout == "é中\\udc80\n".encode()


def test_closed_streams_are_replaced_and_may_be_closed_again() -> None:
    """Neither a closed stream before, nor one that the user closes after, is an error."""
    close = "keep = os.dup(1); sys.stdout.close(); os.dup2(keep, 1)"

    assert run(close, after="sys.stdout.close()").stdout == "é中\\udc80\n".encode()
