"""A small runner for the tests of flow: attempts one after another, in this process and memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from plait.artifacts.store import ArtifactStore, SealedAttempt
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey
from plait.base.records import AttemptFacts, Frame, InputRef, TaskOrder, TransitionKind
from plait.flow.definition import FlowDefinition, read_definition
from plait.flow.inputs import JoinInputs
from plait.flow.parameters import resolve_parameters
from plait.flow.scope import Scope, bind, collect, encode_collected
from plait.storage.memory import MemoryStorage


class Bench:
    """One run of a flow, task by task."""

    def __init__(
        self,
        cls: type,
        /,
        *,
        environ: dict[str, str] | None = None,
        configs: Any = None,
        **given: Any,
    ):
        self.definition: FlowDefinition = read_definition(cls, configs=configs)
        self.store = ArtifactStore(MemoryStorage(), self.definition.name)
        self.tasks = 0
        parameters = resolve_parameters(self.definition, given, environ or {})
        values = {
            **parameters,
            **self.definition.constants,
            **self.definition.config_values,
        }
        self.constants = self._seal(
            AttemptKey(self.definition.name, "1", PARAMETERS_STEP, "0", 0),
            {name: self.store.encode(name, value) for name, value in values.items()},
            {},
        )

    def _seal(self, key: AttemptKey, values: Any, carried: Any, **facts: Any) -> SealedAttempt:
        record = AttemptFacts(key=key, ok=True, started=1.0, finished=2.0, **facts)
        assert self.store.seal(record, values, carried)
        return self.store.get(key)

    def key(self, step: str) -> AttemptKey:
        self.tasks += 1
        return AttemptKey(self.definition.name, "1", step, str(self.tasks), 0)

    def order(
        self, step: str, *before: SealedAttempt, frames: Sequence[Frame] = (), parents: Any = None
    ) -> TaskOrder:
        refs = tuple(InputRef(b.facts.key.step, b.facts.key.task, 0) for b in before)
        return TaskOrder(
            self.key(step),
            inputs=refs,
            parents=refs if parents is None else parents,
            frames=tuple(frames),
        )

    def bind(self, order: TaskOrder) -> Any:
        return bind(self.definition, Scope(self.store, order, self.definition, self.constants))

    def finish(self, flow: Any, order: TaskOrder, *, handled: bool = False) -> SealedAttempt:
        collected = collect(flow, handled=handled)
        values, carried = encode_collected(collected, self.store)
        return self._seal(
            order.key,
            values,
            carried,
            frames=order.frames,
            parents=order.parents,
            transition=collected.transition,
        )

    def run_task(self, order: TaskOrder) -> SealedAttempt:
        """Run one task and give its seal."""
        flow = self.bind(order)
        body = getattr(flow, order.key.step)
        if self.definition.graph[order.key.step].is_join:
            body(JoinInputs(flow._plait))
        else:
            body()
        return self.finish(flow, order)

    def run_step(self, step: str, *before: SealedAttempt, **more: Any) -> SealedAttempt:
        """Run one task of *step* after *before*."""
        return self.run_task(self.order(step, *before, **more))

    def run(self) -> dict[str, Any]:
        """Run the whole flow and give the artifacts of `end`, those that plait hides left out."""
        return self.values(self._from(self.run_step("start")))

    def values(self, sealed: SealedAttempt) -> dict[str, Any]:
        return {name: self.store.load(ref) for name, ref in sealed.artifacts.items()}

    def _from(self, done: SealedAttempt, *, until: str | None = None) -> SealedAttempt:
        """Run on until `end`, or until just before the step *until*."""
        while done.facts.transition is not None:
            went, frames = done.facts.transition, done.facts.frames
            step = done.facts.key.step
            if went.kind is TransitionKind.LINEAR:
                if went.targets[0] == until:
                    break
                done = self.run_step(went.targets[0], done, frames=frames)
                continue
            join = self.definition.graph[step].joined_by
            assert join is not None
            width = went.width if went.width is not None else len(went.targets)
            parts = []
            for index in range(width):
                target = went.targets[0] if went.foreach else went.targets[index]
                frame = Frame(step, done.facts.key.task, index, width, went.foreach)
                first = self.run_step(target, done, frames=(*frames, frame))
                parts.append(self._from(first, until=join))
            here = done.facts.key
            parents = None if parts else (InputRef(here.step, here.task, 0),)
            done = self.run_step(join, *parts, frames=frames, parents=parents)
        return done


@pytest.fixture
def bench() -> Callable[..., Bench]:
    """Start a run of a flow: `bench(MyFlow, parameter=value)`."""
    return Bench
