"""What one attempt sees and leaves: artifacts before it by reference, its own as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.artifacts.seal import Encoded
from plait.artifacts.store import ArtifactStore, SealedAttempt
from plait.base.pathspec import AttemptKey
from plait.base.records import ArtifactRef, Frame, InputRef, TaskOrder, Transition
from plait.flow.errors import UnsetArtifact
from plait.flow.members import CARD, STATE
from plait.flow.transition import (
    NextNotCalled,
    elements_of,
    planned_transition,
    with_width,
)
from plait.graph.model import Node

if TYPE_CHECKING:  # it imports this module, through FlowSpec
    from plait.flow.definition import FlowDefinition

_FOREACH = "_foreach_"
_MISSING = object()
# Exact types whose values cannot change, so that one that is still the same object is the same.
_IMMUTABLE = frozenset({int, float, complex, bool, str, bytes, range, type(None)})


@dataclass(frozen=True, slots=True)
class Collected:
    """What an attempt leaves, values not encoded yet.

    Args:
        values: Artifacts that it set, or loaded and may have changed in place, by name.
        carried: Artifacts that it passes on by reference.
        loaded: For names in *values* that were loaded: the reference that they were loaded from.
        replaced: For names in *values* that were set over an artifact: the reference to that one.
        aliases: Further names in the result, each for a name in *values*.
        transition: Where the attempt goes; None from `end`.
    """

    values: Mapping[str, object]
    carried: Mapping[str, ArtifactRef]
    loaded: Mapping[str, ArtifactRef] = field(default_factory=dict)
    replaced: Mapping[str, ArtifactRef] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    transition: Transition | None = None


class Scope:
    """What one attempt sees: the artifacts before it, read only when they are asked for.

    Args:
        store: Where the flow's artifacts are.
        order: What the attempt was asked to do.
        definition: The flow.
        constants: The run's parameters and class attributes.
        inputs: The attempts that it reads from, in the order of `order.inputs`; by default each is
            read from *store* when it is first needed.
    """

    def __init__(
        self,
        store: ArtifactStore,
        order: TaskOrder,
        definition: FlowDefinition,
        constants: SealedAttempt,
        inputs: Sequence[SealedAttempt] | None = None,
    ) -> None:
        self.store = store
        self.order = order
        self.definition = definition
        self.constants = constants
        self.node: Node = definition.graph[order.key.step]
        self.transition: Transition | None = None
        self._inputs = inputs
        self.inherited: dict[str, ArtifactRef] = self._find_inherited()
        self.loaded: dict[str, tuple[ArtifactRef, object]] = {}
        self.removed: set[str] = set()
        self.merged: set[str] = set()
        self._parameters: dict[str, object] = {}
        self._foreach = Elements(self.store, self.inherited, order.frames)

    @property
    def step(self) -> str:
        """The name of the step."""
        return self.order.key.step

    @property
    def foreach(self) -> Elements:
        """The elements of the foreaches open around this attempt."""
        return self._foreach

    def input_at(self, position: int) -> SealedAttempt:
        """Give the attempt that this one reads from, by its position among the inputs."""
        if self._inputs is not None:
            return self._inputs[position]
        return self._read(self.order.inputs[position])

    def knows(self, name: str) -> bool:
        """Say whether an artifact *name* comes down to this attempt, and was not deleted here."""
        return name in self.inherited and name not in self.removed

    def load(self, flow: object, name: str) -> object:
        """Give an artifact that comes down to this attempt, and keep it on the flow object.

        Raises:
            UnsetArtifact: There is none of that name.
        """
        if not self.knows(name):
            raise self._unset(flow, name)
        ref = self.inherited[name]
        value = self.store.load(ref, name=name)
        self.loaded[name] = (ref, value)
        vars(flow)[name] = value
        return value

    def is_set_here(self, flow: object, name: str) -> bool:
        """Say whether this attempt itself gave *name* its value, by assignment or by merging."""
        if name in self.merged:
            return True
        value = vars(flow).get(name, _MISSING)
        if value is _MISSING or not self._is_as_loaded(name, value):
            return value is not _MISSING
        ref = self.loaded[name][0]
        return type(value) not in _IMMUTABLE and not self.store.unchanged(ref, value, name=name)

    def remove(self, flow: object, name: str) -> None:
        """Take an artifact away from here on. Raises UnsetArtifact.

        Of a class attribute the run's value shows again, as with any object of Python's.
        """
        was_here = vars(flow).pop(name, _MISSING) is not _MISSING
        if not was_here and not self.knows(name):
            raise self._unset(flow, name)
        self.loaded.pop(name, None)
        self.merged.discard(name)
        if name in self.constants.artifacts:
            self.inherited[name] = self.constants.artifacts[name]
        else:
            self.removed.add(name)

    def take(self, flow: object, name: str, ref: ArtifactRef) -> None:
        """Make the artifact that *ref* refers to this attempt's own, without reading it."""
        vars(flow).pop(name, None)
        self.loaded.pop(name, None)
        self.removed.discard(name)
        self.inherited[name] = ref
        self.merged.add(name)

    def parameter(self, attribute: str) -> object:
        """Give the value of the parameter that steps find as *attribute*."""
        if attribute not in self._parameters:
            ref = self.constants.artifacts[attribute]
            self._parameters[attribute] = self.store.load(ref, name=attribute)
        return self._parameters[attribute]

    def collect(self, flow: object, *, handled: bool = False) -> Collected:
        """Decide what the attempt leaves. See `collect`."""
        values: dict[str, object] = {}
        loaded: dict[str, ArtifactRef] = {}
        replaced: dict[str, ArtifactRef] = {}
        carried = {n: ref for n, ref in self.inherited.items() if n not in self.removed}
        for name, value in vars(flow).items():
            if name == STATE:
                continue
            if self._is_as_loaded(name, value):
                if type(value) in _IMMUTABLE:
                    continue
                loaded[name] = self.loaded[name][0]
            elif name in self.inherited:
                replaced[name] = self.inherited[name]
            values[name] = value
            carried.pop(name, None)
        transition = self._find_transition(handled=handled)
        aliases: dict[str, str] = {}
        if transition is not None and transition.foreach is not None:
            name, hidden = transition.foreach, f"{_FOREACH}{self.foreach.depth}"
            value = getattr(flow, name)
            elements = elements_of(self.node, name, value)
            transition = with_width(transition, len(elements))
            if elements is value and name in values:
                aliases[hidden] = name
            elif elements is value and name in carried:
                carried[hidden] = carried[name]
            else:
                values[hidden] = elements
        return Collected(values, carried, loaded, replaced, aliases, transition)

    def _find_transition(self, *, handled: bool) -> Transition | None:
        if self.transition is not None or self.node.kind is None:
            return self.transition
        if not handled:
            raise NextNotCalled(self.node)
        planned = planned_transition(self.node)
        # How many tasks a foreach would have made, and which step a switch would have chosen, only
        # the code that did not end could tell.
        is_known = planned.foreach is None and planned.condition is None
        return planned if is_known else None

    def _is_as_loaded(self, name: str, value: object) -> bool:
        return name in self.loaded and self.loaded[name][1] is value

    def _unset(self, flow: object, name: str) -> UnsetArtifact:
        inputs = tuple(ref.step for ref in self.order.inputs) if self.node.is_join else None
        return UnsetArtifact(name, self.step, self.names(flow), inputs)

    def names(self, flow: object) -> tuple[str, ...]:
        """Give the names of everything that the attempt can read as an artifact."""
        own = {name for name in vars(flow) if name != STATE}
        shown = own | (self.inherited.keys() - self.removed) | self.definition.parameters.keys()
        return tuple(name for name in shown if not name.startswith((_FOREACH, CARD)))

    def _find_inherited(self) -> dict[str, ArtifactRef]:
        found = dict(self.constants.artifacts)
        if self.order.inputs and not self.node.is_join:
            found.update(self.input_at(0).artifacts)
            for name in [name for name in found if name.startswith(CARD)]:
                del found[name]
            return found
        depth = sum(frame.foreach is not None for frame in self.order.frames)
        if depth:
            # A join starts without its branches' artifacts, but it is still inside the outer
            # foreaches. An inner one over nothing has no input to ask; the split knows as well.
            inputs = self.order.inputs
            outer = self.input_at(0) if inputs else self._read(self.order.parents[0])
            for level in range(depth):
                found[f"{_FOREACH}{level}"] = outer.artifacts[f"{_FOREACH}{level}"]
        return found

    def _read(self, ref: InputRef) -> SealedAttempt:
        key = self.order.key
        return self.store.get(AttemptKey(key.flow, key.run, ref.step, ref.task, ref.attempt))


class Elements:
    """The elements of the foreaches that are open around an attempt, read when they are asked for.

    Args:
        store: Where the flow's artifacts are.
        artifacts: The artifacts that the attempt sees.
        frames: The splits open around it, outermost first.
    """

    def __init__(
        self, store: ArtifactStore, artifacts: Mapping[str, ArtifactRef], frames: Sequence[Frame]
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._frames = [frame for frame in frames if frame.foreach is not None]
        self._read: dict[int, Any] = {}

    @property
    def depth(self) -> int:
        """How many foreaches are open."""
        return len(self._frames)

    @property
    def index(self) -> int | None:
        """The position in the innermost foreach; None outside one."""
        return self._frames[-1].index if self._frames else None

    @property
    def input(self) -> Any:
        """The element in the innermost foreach; None outside one."""
        return self._at(self.depth - 1) if self._frames else None

    def stack(self) -> list[tuple[int, int, Any]]:
        """Give `(index, number of tasks, element)` of each foreach, outermost first."""
        return [(f.index, f.width, self._at(level)) for level, f in enumerate(self._frames)]

    def _at(self, level: int) -> Any:
        if level not in self._read:
            name = f"{_FOREACH}{level}"
            frame = self._frames[level]
            elements: Any = self._store.load(self._artifacts[name], name=frame.foreach or name)
            self._read[level] = elements[frame.index]
        return self._read[level]


def is_hidden(name: str) -> bool:
    """Say whether *name* is one that plait keeps for itself among the artifacts."""
    return any(name.startswith(p) and name[len(p) :].isdecimal() for p in (_FOREACH, CARD))


def list_values(flow: Any) -> dict[str, object]:
    """Give the values that an attempt has set or read so far, by name; plait's own are left out."""
    return {n: v for n, v in vars(flow).items() if n != STATE and not is_hidden(n)}


def list_refs(flow: Any) -> dict[str, ArtifactRef]:
    """Give where the artifacts are that came down to an attempt and that it has not read."""
    scope: Scope = vars(flow)[STATE]
    known = scope.inherited.keys() - scope.removed - vars(flow).keys()
    return {name: scope.inherited[name] for name in sorted(known) if not is_hidden(name)}


def bind(definition: FlowDefinition, scope: Scope) -> Any:
    """Make the flow object on which an attempt's code runs.

    Args:
        definition: The flow.
        scope: What the attempt sees.
    """
    flow: Any = object.__new__(definition.bound)
    vars(flow)[STATE] = scope
    # Python finds a class's own attribute before it asks `__getattr__`, so an artifact that was
    # set over one, such as a method, has to be there already.
    for name in scope.inherited.keys() & definition.class_names:
        scope.load(flow, name)
    return flow


def collect(flow: Any, *, handled: bool = False) -> Collected:
    """Decide what an attempt leaves, once its code has run.

    Args:
        flow: What `bind` gave.
        handled: Whether the code failed and a decorator dealt with that; then a call of
            `self.next` that did not happen is made up for from the source.

    Raises:
        NextNotCalled: The code returned without a call of `self.next`.
        ForeachNotSized: What the foreach is over can't be counted.
    """
    scope: Scope = vars(flow)[STATE]
    return scope.collect(flow, handled=handled)


def encode_collected(
    collected: Collected, store: ArtifactStore
) -> tuple[dict[str, Encoded], dict[str, ArtifactRef]]:
    """Encode what has to be, and give what `ArtifactStore.seal` takes.

    Args:
        collected: What the attempt leaves.
        store: Where it is going to.

    Returns:
        The encoded values, and the references to pass on.

    Raises:
        UnpicklableArtifact: A value can't be stored.
    """
    values: dict[str, Encoded] = {}
    carried = dict(collected.carried)
    for name, value in collected.values.items():
        before = collected.loaded.get(name)
        if before is not None and store.unchanged(before, value, name=name):
            carried[name] = before
            continue
        encoded = store.encode(name, value)
        before = collected.replaced.get(name)
        if before is not None and before.address == encoded.address:
            carried[name] = before
        else:
            values[name] = encoded
    for alias, name in collected.aliases.items():
        if name in values:
            values[alias] = values[name]
        else:
            carried[alias] = carried[name]
    return values, carried
