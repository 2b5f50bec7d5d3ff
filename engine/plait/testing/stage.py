"""What stands before one step in a test: parameters, artifacts, inputs and elements, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from plait.artifacts.store import ArtifactStore
from plait.base.pathspec import AttemptKey, RunKey, parameters_key
from plait.base.records import (
    ArtifactRef,
    AttemptFacts,
    Frame,
    InputRef,
    TaskOrder,
    TransitionKind,
)
from plait.flow.definition import FlowDefinition
from plait.flow.parameters import resolve_parameters
from plait.storage.memory import MemoryStorage
from plait.testing.errors import BadStepSetting, unknown_input

if TYPE_CHECKING:
    from plait.testing.steps import StepResult

UNSET = object()
"""Stands for an element that a test does not give; None is an element like any other."""

_RUN = "1"
_TASK = "1"

Before = Union[Mapping[str, Any], "StepResult"]
"""Artifacts by name, or the result of the step that left them."""

Inputs = Sequence[Before] | Mapping[str, Before]
"""The inputs of a join: in order, or by the name of the step before it."""


class Stage:
    """One step of a flow, and all that a run would have put before it.

    Args:
        definition: The flow.
        step: The step's name.
        attempt: The number of the attempt.
    """

    def __init__(self, definition: FlowDefinition, step: str, attempt: int) -> None:
        self.store = ArtifactStore(MemoryStorage(), definition.name)
        self._definition = definition
        self._node = definition.graph[step]
        self._key = self._task(step, _TASK, attempt)
        self._frames: tuple[Frame, ...] = ()
        self._elements: dict[str, list[Any]] = {}
        self._inputs: tuple[InputRef, ...] = ()
        self._parents: tuple[InputRef, ...] = ()
        self._constants: dict[str, ArtifactRef] = {}

    def set_parameters(self, given: Mapping[str, Any]) -> None:
        """Give the flow's parameters their values. Raises InvalidParameters."""
        definition = self._definition
        # A test may call one as steps do, or as the command line does.
        names = {attribute: p.name for attribute, p in definition.parameters.items()}
        renamed = {names.get(name, name): value for name, value in given.items()}
        parameters = resolve_parameters(definition, renamed, {})
        values = {**definition.constants, **parameters, **definition.config_values}
        key = parameters_key(RunKey(definition.name, _RUN))
        self._constants = self._seal(key, values)

    def set_place(
        self, element: Any, index: int | None, stack: Sequence[tuple[int, int, Any]] | None
    ) -> None:
        """Say where in its foreaches the step is. Raises BadStepSetting."""
        graph = self._definition.graph
        around = [name for name in self._node.splits if graph[name].foreach is not None]
        step = self._node.name
        if not around and (element is not UNSET or index is not None or stack):
            raise BadStepSetting(
                step, "an element", "it is in no foreach", "leave out input, index, foreach_stack"
            )
        if stack is None:
            position = index or 0
            own = None if element is UNSET else element
            stack = [(0, 1, None) for _ in around[:-1]]
            stack += [(position, position + 1, own) for _ in around[-1:]]
        elif element is not UNSET or index is not None:
            raise BadStepSetting(
                step, "both input and foreach_stack", "they say the same", "give one of them"
            )
        if len(stack) != len(around):
            raise BadStepSetting(
                step,
                f"a foreach_stack of {len(stack)}",
                f"it is in {len(around)}: {', '.join(around)}",
                "give (index, number of tasks, element) for each, outermost first",
            )
        frames = []
        for level, (split, (position, width, value)) in enumerate(zip(around, stack, strict=True)):
            if not 0 <= position < width:
                raise BadStepSetting(
                    step, f"index {position} of {width}", "there is no such one", "begin with 0"
                )
            frames.append(Frame(split, _TASK, position, width, graph[split].foreach))
            elements: list[Any] = [None] * width
            elements[position] = value
            self._elements[f"_foreach_{level}"] = elements
        self._frames = tuple(frames)

    def set_before(self, artifacts: Mapping[str, Any] | None, inputs: Inputs | None) -> None:
        """Seal what the steps before left. Raises BadStepSetting."""
        node = self._node
        if node.is_join:
            if artifacts is not None:
                raise BadStepSetting(
                    node.name,
                    "artifacts",
                    "a join finds only what its inputs hold",
                    "give inputs=[...]",
                )
            self._set_inputs(inputs)
        elif inputs is not None:
            raise BadStepSetting(
                node.name, "inputs", "it is not a join", "give artifacts={...} instead"
            )
        elif not node.parents:
            if artifacts:
                raise BadStepSetting(
                    node.name, "artifacts", "nothing is before it", "give parameters={...}"
                )
        else:
            before = self._task(node.parents[0], _TASK)
            self._seal(before, {**(artifacts or {}), **self._elements}, frames=self._frames)
            self._inputs = self._parents = (_refer(before),)

    def _set_inputs(self, inputs: Inputs | None) -> None:
        node, graph = self._node, self._definition.graph
        assert node.joins is not None, "the graph is valid"
        split = graph[node.joins]
        over = split.kind is TransitionKind.FOREACH
        steps: Sequence[str]
        given: Sequence[Before]
        if isinstance(inputs, Mapping) and not over:
            for name in inputs:
                if name not in node.parents:
                    raise unknown_input(node.name, name, node.parents)
            steps = [name for name in node.parents if name in inputs]
            given = [inputs[name] for name in steps]
        elif inputs is None or isinstance(inputs, Mapping):
            raise BadStepSetting(
                node.name,
                "no inputs" if inputs is None else "inputs by name",
                f"it joins '{split.name}'",
                "give inputs=[{...}, {...}]" if over else "give inputs={'step': {...}, ...}",
            )
        else:
            given = list(inputs)
            steps = node.parents[:1] * len(given) if over else node.parents[: len(given)]
        if not over and (len(given) != len(node.parents) or len(steps) != len(node.parents)):
            raise BadStepSetting(
                node.name,
                f"{len(given)} inputs",
                f"it joins {len(node.parents)} branches",
                f"give one for each of: {', '.join(node.parents)}",
            )
        before = self._task(split.name, _TASK)
        self._seal(before, dict(self._elements), frames=self._frames)
        refs = []
        level = f"_foreach_{len(self._frames)}"
        for position, (step, left) in enumerate(zip(steps, given, strict=True)):
            key = self._task(step, str(position + 1))
            frame = Frame(split.name, _TASK, position, len(given), split.foreach)
            own = {level: [None] * len(given)} if over else {}
            values = {**_visible(left), **self._elements, **own}
            self._seal(key, values, frames=(*self._frames, frame))
            refs.append(_refer(key))
        self._inputs = tuple(refs)
        self._parents = self._inputs or (_refer(before),)

    def order(self) -> TaskOrder:
        """Give what a run would ask the step's task to do."""
        return TaskOrder(self._key, self._inputs, self._parents, self._frames)

    def before(self) -> dict[str, ArtifactRef]:
        """Give what the step finds set, by name."""
        if self._node.is_join or not self._inputs:
            return self._constants
        ref = self._inputs[0]
        return dict(self.store.get(self._task(ref.step, ref.task)).artifacts)

    def _task(self, step: str, task: str, attempt: int = 0) -> AttemptKey:
        return AttemptKey(self._definition.name, _RUN, step, task, attempt)

    def _seal(
        self, key: AttemptKey, values: Mapping[str, Any], frames: tuple[Frame, ...] = ()
    ) -> dict[str, ArtifactRef]:
        encoded = {name: self.store.encode(name, value) for name, value in values.items()}
        facts = AttemptFacts(key=key, ok=True, started=0.0, finished=0.0, frames=frames)
        self.store.seal(facts, encoded, self._constants)
        return dict(self.store.get(key).artifacts)


def _refer(key: AttemptKey) -> InputRef:
    return InputRef(key.step, key.task, key.attempt)


def _visible(left: Before) -> Mapping[str, Any]:
    return left if isinstance(left, Mapping) else left.visible
