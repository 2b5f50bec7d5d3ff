"""What this machine has to share out among tasks, and what is said of steps that need more."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping

from plait.hooks.step import AttemptPlan, Needs

_MB = 1e6
_CONTAINER_MEMORY = "/sys/fs/cgroup/memory.max"


def find_capacity(plans: Mapping[str, AttemptPlan]) -> Needs | None:
    """Give what this machine has of what the steps need; None if no step says what it needs.

    Cores are those that this process may use; memory is all there is, or what the container may
    use. Graphics cards are counted on Linux (NVIDIA's). Where they, or memory, can't be counted,
    nobody waits for them: then there is as much as all steps together could ask for.
    """
    needs = [plan.needs for plan in plans.values() if plan.needs is not None]
    if not needs:
        return None
    return Needs(
        cpu=_count_cores(),
        memory=_count_memory() or sys.maxsize,
        gpu=_count_gpus() or sys.maxsize,
    )


def describe_excess(plans: Mapping[str, AttemptPlan], capacity: Needs | None) -> Iterator[str]:
    """Say of each step that needs more than there is how its tasks run all the same."""
    if capacity is None:
        return
    for step, plan in plans.items():
        needs = plan.needs
        if needs is None:
            continue
        more = [
            f"{asked:g} {unit} (this machine has {has:g})"
            for asked, has, unit in (
                (needs.cpu, capacity.cpu, "cores"),
                (needs.memory, capacity.memory, "MB"),
                (needs.gpu, capacity.gpu, "graphics cards"),
            )
            if asked > has
        ]
        if more:
            yield (
                f"step '{step}' asks for {' and '.join(more)}: its tasks run one at a time, each "
                "with all that there is"
            )


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _count_memory() -> float | None:
    """Give the memory in MB; None if this system does not say."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _MB
    except (AttributeError, ValueError, OSError):
        return None  # Windows has no sysconf, and others need not know these names
    try:
        with open(_CONTAINER_MEMORY) as file:
            return min(total, int(file.read()) / _MB)
    except (OSError, ValueError):
        return total  # there is no such file, or it says "max"


def _count_gpus() -> int:
    try:
        names = os.listdir("/dev")
    except OSError:
        return 0  # a system without such a folder
    return sum(name.removeprefix("nvidia").isdecimal() for name in names)
