"""Random state of forked tasks."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, random, sys
{imports}
random.seed(1)
{seed}
draws = []
for _ in range(2):
    read, write = os.pipe()
    if os.fork() == 0:
        from plait.task.randomness import reseed
        reseed()
        os.write(write, repr((random.random(), {draw})).encode())
        os._exit(0)
    os.wait()
    draws.append(os.read(read, 1000))
print(draws[0] != draws[1] and "differ")
"""


def run(imports: str, seed: str, draw: str) -> str:
    """Give what two forks of one seeded process say of their draws."""
    program = PROGRAM.format(imports=imports, seed=seed, draw=draw)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_forks_draw_different_numbers() -> None:
    """Python's own generator differs between siblings."""
    assert run("", "", "0") == "differ"


def test_forks_draw_different_numbers_from_numpy() -> None:
    """NumPy's global generator, which has no fork handler of its own, differs too."""
    assert run("import numpy", "numpy.random.seed(1)", "float(numpy.random.rand())") == "differ"
