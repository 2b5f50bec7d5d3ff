"""The command that a context has run in a case's folder before the flow."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Mapping

from plait_harness.contexts import ContextSpec
from plait_harness.leftovers import OWN_FOLDER


def run_before(
    context: ContextSpec, folder: str, env: Mapping[str, str], timeout: float
) -> list[str]:
    """Run the context's `pre_command`, if it has one.

    Args:
        context: The context.
        folder: The case's folder.
        env: The environment of the case.
        timeout: Seconds that it may take.

    Returns:
        What went wrong and what it printed; nothing if nothing did.
    """
    command = context.pre_command
    if not command:
        return []
    path = os.path.join(folder, OWN_FOLDER, "pre_command.out")
    try:
        with open(path, "wb") as output:
            done = subprocess.run(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
    except subprocess.TimeoutExpired:
        why = f"did not end within {timeout:g} s"
    except OSError as error:
        why = f"can't be started: {error.strerror}"
    else:
        if not done.returncode:
            return []
        why = f"ended with exit code {done.returncode}"
    with open(path, encoding="utf-8", errors="backslashreplace") as file:
        printed = file.read().splitlines()
    said = f"pre_command of context '{context.name}' {why}: {shlex.join(command)}"
    return ["\n  ".join([said, *printed])]
