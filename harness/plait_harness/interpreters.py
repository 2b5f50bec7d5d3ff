"""Finding other interpreters, and making environments in which they have plait."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from glob import glob

from plait_harness.mistakes import Mistake

FOLDER_VARIABLE = "PLAIT_HARNESS_PYTHONS"
"""The environment variable that names a folder of environments, as `make_environments` makes it."""

_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
_NAME = re.compile(r"python(\d+\.\d+)\Z")


def interpreter_of(python: str | None) -> str:
    """Give the path of an interpreter that a context names, or of this one.

    Raises:
        Mistake: There is none of that name.
    """
    if python is None:
        return sys.executable
    found = find_python(python, ("plait",)) or find_python(python)
    if found is None:
        raise Mistake(
            f"there is no interpreter '{python}'", "looked on the PATH and among those of pyenv"
        )
    return found


@cache
def find_python(name: str, modules: tuple[str, ...] = ()) -> str | None:
    """Give the path of an interpreter that can import some modules, or None.

    Args:
        name: A path; or `python3.12`, which is this interpreter if it is one, or that of
            `PLAIT_HARNESS_PYTHONS`, or the first on the `PATH`, or the newest that pyenv made.
        modules: What it has to be able to import.
    """
    for path in _iter_candidates(name):
        if not modules or _why_not(path, modules) is None:
            return path
    return None


def find_lack_of_python(name: str, modules: tuple[str, ...]) -> str | None:
    """Say what is missing so that an interpreter can be used; None if nothing."""
    if find_python(name, modules) is not None:
        return None
    # Of those that a version manager shows, some only say that they are not there.
    first = find_python(name, ("venv",))
    if first is None:
        return f"there is no interpreter '{name}'"
    return f"{first} can't import {' and '.join(modules)}: {_why_not(first, modules)}"


def make_environments(folder: str, versions: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Make a virtual environment for each of some versions of Python, and install into it.

    Args:
        folder: Where; each is called `python` and its version, and made anew.
        versions: As in `3.12`. Of this interpreter's own, none is made.
        wanted: What to install, as arguments of pip.

    Returns:
        The folders with their programs.

    Raises:
        Mistake: There is no interpreter of a version, or something can't be installed.
    """
    programs = []
    for version in versions:
        name = f"python{version}"
        if version == _VERSION:
            continue
        base = find_python(name, ("venv",))
        if base is None:
            raise Mistake(f"there is no interpreter '{name}' to make an environment of")
        home = os.path.join(os.path.abspath(folder), name)
        programs.append(os.path.join(home, "bin"))
        python = os.path.join(home, "bin", "python")
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in ([base, "-m", "venv", "--clear", home], [*pip, *wanted]):
            done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
            if done.returncode:
                raise Mistake(f"{name} could not be prepared", " ".join(command))
    return programs


def _iter_candidates(name: str) -> Iterator[str]:
    if os.sep in name:
        found = shutil.which(name)
        if found is not None:
            yield found
        return
    match = _NAME.match(name)
    if match and match[1] == _VERSION:
        yield sys.executable
    made = os.environ.get(FOLDER_VARIABLE)
    if made and match:
        found = shutil.which(name, path=os.path.join(made, name, "bin"))
        if found is not None:
            yield found
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder)
        if found is not None:
            yield found
    root = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    yield from sorted(glob(os.path.join(root, "versions", "*", "bin", name)), reverse=True)


@cache
def _why_not(python: str, modules: tuple[str, ...]) -> str | None:
    if python == sys.executable:
        return None
    # As a case would find it: without what the harness's own environment has beside it.
    done = subprocess.run(
        [python, "-c", f"import {', '.join(modules)}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    return said[-1] if said else f"it ended with {done.returncode}"


def main(arguments: Sequence[str]) -> int:
    """Make environments: `FOLDER VERSION,VERSION WHAT...`; what to install is for pip."""
    folder, versions, *wanted = arguments
    try:
        make_environments(folder, versions.split(","), wanted)
    except Mistake as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
