"""What an interface of a metadata service has to be able to say: plait's own one, or Metaflow's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata.protocol import Fact, NewRun, RunRecord, Status, StepRecord, TaskRecord


class Interface(Protocol):
    """How a service is spoken to; each method as the one of `MetadataStore` promises.

    Facts are told in groups, since some services take only so many at once.
    """

    def create_run(self, run: NewRun, *, above: int) -> RunKey:
        """Record a new run and give its key."""
        ...

    def plan(self, facts: Sequence[Fact]) -> list[list[Fact]]:
        """Put facts in the order to tell them in, in groups. Raises UnknownRun."""
        ...

    def tell(self, facts: Sequence[Fact], requests: Mapping[RunKey, str]) -> None:
        """Tell a group, with the words that its runs were asked for by. Raises UnknownRun."""
        ...

    def change_tags(
        self, key: RunKey, *, add: frozenset[str], remove: frozenset[str]
    ) -> frozenset[str]:
        """Change a run's user tags, which have been checked, and give the new ones."""
        ...

    def delete_run(self, key: RunKey) -> bool:
        """Remove a run that has ended."""
        ...

    def iter_flows(self) -> Sequence[str]:
        """Give the names of all flows that have runs, sorted."""
        ...

    def find_run(self, key: RunKey) -> RunRecord | None:
        """Give a run, or None."""
        ...

    def list_runs(
        self,
        flow: str,
        *,
        tags: frozenset[str],
        status: Status | None,
        before: str | None,
        limit: int,
    ) -> Sequence[RunRecord]:
        """Give runs that have all of *tags*, which have been checked, newest first."""
        ...

    def list_steps(self, key: RunKey) -> Sequence[StepRecord]:
        """Give the steps that have tasks, newest first."""
        ...

    def find_task(self, key: TaskKey) -> TaskRecord | None:
        """Give a task, or None."""
        ...

    def list_tasks(
        self, key: RunKey, step: str, *, before: str | None, limit: int
    ) -> Sequence[TaskRecord]:
        """Give tasks of a step, newest first."""
        ...

    def find_damage(self) -> Sequence[str]:
        """Give what is not as it was written."""
        ...
