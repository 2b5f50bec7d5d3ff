"""The first tutorial runs as its README says, from a folder of the reader's own."""

from __future__ import annotations

import subprocess
import sys

from plait.cli.plait import call_plait


def test_hello_runs_and_reads_back(tmp_path, capsys):
    """Copied, run with another greeting, and read by dump, logs and the client."""
    assert call_plait(["tutorials", "pull", "hello", "--to", str(tmp_path)]) == 0
    capsys.readouterr()

    def python(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path / "00-hello",
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert "3 people were greeted" in python("hello.py", "run", "--greeting", "Hello")
    assert "['Hello, ada!', 'Hello, grace!', 'Hello, katherine!']" in python(
        "hello.py", "dump", "1/join"
    )
    assert python("hello.py", "logs", "1/greet") == (
        "[1/greet/2] Hello, ada!\n[1/greet/3] Hello, grace!\n[1/greet/4] Hello, katherine!\n"
    )
    read = (
        "from plait import Flow\n"
        "run = Flow('HelloFlow').latest_run\n"
        "print(run.data.lines)\n"
        "print([task.data.line for task in run['greet']])\n"
    )
    assert python("-c", read).splitlines() == [
        "['Hello, ada!', 'Hello, grace!', 'Hello, katherine!']",
        "['Hello, katherine!', 'Hello, grace!', 'Hello, ada!']",
    ]
