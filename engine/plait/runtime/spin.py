"""One task alone: how it begins from a task of an earlier run, and that nothing comes after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from plait.artifacts.seal import Encoded
from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey, RunKey, parameters_key
from plait.base.records import ArtifactRef, AttemptFacts, TaskOrder, Transition
from plait.flow.definition import FlowDefinition
from plait.graph.model import Node
from plait.hooks.step import AttemptPlan
from plait.metadata.protocol import MetadataStore, TaskCloned
from plait.runtime.origin import Origin
from plait.runtime.queue import Task
from plait.runtime.resume import ClonePlan
from plait.runtime.state import RunState

_WIDEST = 1 << 62


class SpinState(RunState):
    """A run of one attempt at one task, whose transition leads nowhere.

    Args:
        run: The run that stands for it.
        definition: The flow.
        order: The task, as it is to be launched.
    """

    def __init__(self, run: RunKey, definition: FlowDefinition, order: TaskOrder) -> None:
        plans = {step: single_attempt(plan) for step, plan in definition.plans.items()}
        super().__init__(run, definition.graph, plans, max_workers=1, max_num_splits=_WIDEST)
        self._order_given = order

    def _begin(self) -> None:
        order = self._order_given
        key = order.key
        self._waiting.add(Task(key.step, key.task, order.frames, order.inputs, order.parents))

    def _order(self, task: Task) -> TaskOrder:  # noqa: ARG002  # there is no other
        return self._order_given

    def _succeed(self, task: Task, transition: Transition | None) -> None:  # noqa: ARG002  # a run's
        self.finished_tasks += 1


def single_attempt(plan: AttemptPlan) -> AttemptPlan:
    """Give what decorators ask for, without further attempts and without a wait for room."""
    return replace(plan, retries=0, minutes_between=0.0, fallback=False, needs=None)


class SpinStores(Protocol):
    """The stores that a task is spun in, which read values of the origin's too."""

    @property
    def metadata(self) -> MetadataStore:
        """Facts."""
        ...

    def artifacts(self, flow: str) -> ArtifactStore:
        """Values."""
        ...


def read_origin(artifacts: ArtifactStore, past: AttemptKey) -> tuple[Origin, AttemptFacts]:
    """Give the run that a past attempt belongs to, and what it says of itself.

    Args:
        artifacts: The values of the past run.
        past: The attempt, sealed.
    """
    run = RunKey(past.flow, past.run)
    constants = artifacts.get(parameters_key(run)).artifacts
    return Origin(run, constants, ClonePlan(run, {})), artifacts.get(past).facts


def make_order(node: Node, past: AttemptFacts, run: RunKey) -> TaskOrder:
    """Give the order of a task of *run* that begins as a past one did.

    Args:
        node: The step as it is written now.
        past: What an attempt at the past task says of itself.
        run: The run that stands for the task.
    """
    # The join of a foreach over nothing has no input; what is before it is the split itself.
    over_nothing = node.is_join and [ref.step for ref in past.parents] == [node.joins]
    inputs = () if over_nothing else past.parents
    key = AttemptKey(*run, past.key.step, past.key.task, 0)
    return TaskOrder(key, inputs, past.parents, past.frames, origin_run=past.key.run)


def adopt_inputs(
    origin: Origin,
    order: TaskOrder,
    before: ArtifactStore,
    stores: SpinStores,
    given: Mapping[str, Any],
) -> None:
    """Seal by reference, under the order's run, what the past task had before it.

    Args:
        origin: The past run.
        order: What `make_order` gave.
        before: The values of the past run.
        stores: Where to.
        given: Values in place of what the inputs hold, by name.
    """
    run = RunKey(order.key.flow, order.key.run)
    store = stores.artifacts(run.flow)
    constants = store.get(parameters_key(run)).artifacts
    values: dict[str, Encoded] = {name: store.encode(name, v) for name, v in given.items()}
    told: list[TaskCloned] = []
    for ref in order.parents:
        old = AttemptKey(*origin.key, ref.step, ref.task, ref.attempt)
        left = before.get(old)
        facts = replace(left.facts, key=AttemptKey(*run, ref.step, ref.task, ref.attempt))
        carried: dict[str, ArtifactRef] = origin.adopt(left.artifacts, constants)
        root = left.facts.origin or old
        store.seal(replace(facts, origin=root), values, carried)
        index = next((f.index for f in reversed(facts.frames) if f.foreach is not None), None)
        told.append(
            TaskCloned(facts.key.task_key, ref.attempt, facts.finished, root.task_key, index)
        )
    stores.metadata.record(told)
