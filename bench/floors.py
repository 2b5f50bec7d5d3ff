"""The floors: the least that a process per task can cost, with no engine at all."""

from __future__ import annotations

_KEEP = """
import os, pickle, sys


def keep(name, value):
    with open(name + ".tmp", "wb") as file:
        pickle.dump(value, file, protocol=5)
    os.replace(name + ".tmp", name)


def read(name):
    with open(name, "rb") as file:
        return pickle.load(file)
"""

_FORKED = (
    _KEEP
    + """

def task(work, *args):
    pid = os.fork()
    if pid == 0:
        work(*args)
        os._exit(0)
    return pid
"""
)


def forked_line(steps: int) -> str:
    """Give a program that forks one task after another; each reads what the one before it kept."""
    return (
        _FORKED
        + f"""

def work(n):
    keep(f"t{{n}}", read(f"t{{n - 1}}") + 1 if n else 0)


for n in range({steps}):
    os.waitpid(task(work, n), 0)
assert read("t{steps - 1}") == {steps - 1}
"""
    )


def forked_fan(width: int, workers: int) -> str:
    """Give a program that forks *width* tasks, *workers* at once, and then one that joins them."""
    return (
        _FORKED
        + f"""

def start():
    keep("items", list(range({width})))


def square(n):
    keep(f"t{{n}}", read("items")[n] ** 2)


def join():
    keep("total", sum(read(f"t{{n}}") for n in range({width})))


os.waitpid(task(start), 0)
running = 0
for n in range({width}):
    if running == {workers}:
        os.wait()
        running -= 1
    task(square, n)
    running += 1
while running:
    os.wait()
    running -= 1
os.waitpid(task(join), 0)
assert read("total") == sum(n * n for n in range({width}))
"""
    )
