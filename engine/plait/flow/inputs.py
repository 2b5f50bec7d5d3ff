"""`inputs`: what a join reads from each branch or element, in order, one at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload
from weakref import WeakValueDictionary

from plait.artifacts.store import SealedAttempt
from plait.base.errors import Finding, PlaitError, nearest
from plait.base.pathspec import AttemptKey
from plait.flow.errors import LateFinding
from plait.flow.members import class_attributes
from plait.flow.scope import Elements, Scope, is_hidden
from plait.flow.spec import FlowSpec


class NoSuchInput(PlaitError, AttributeError):
    """A join asked for the input of a step that does not lead to it, or of too many tasks."""

    slug = "no-such-input"

    def __init__(self, name: str, join: str, steps: tuple[str, ...]) -> None:
        count = steps.count(name)
        if count > 1:
            what = f"join '{join}' has {count} inputs from step '{name}'"
            why = "step names tell branches apart; the tasks of a foreach have numbers"
            fix = "go through them: for i in inputs, or inputs[0], inputs[1], ..."
        else:
            what = f"join '{join}' has no input from a step '{name}'"
            why = nearest(name, steps) or "it joins a foreach over nothing"
            fix = "name the step that stands right before the join on that branch"
            if steps and len(set(steps)) < len(steps):
                fix = f"artifacts are read from each input: [i.{name} for i in inputs]"
        super().__init__(what, why=why, fix=fix)


class NoSuchInputArtifact(PlaitError, AttributeError):
    """A join asked an input for an artifact that it has not."""

    slug = "no-such-input-artifact"

    def __init__(self, name: str, key: AttemptKey, known: tuple[str, ...]) -> None:
        Exception.__init__(self, f"an input has no artifact '{name}'")
        self.findings = LateFinding(_find_missing, name, key, known)


def _find_missing(name: str, key: AttemptKey, known: tuple[str, ...]) -> Finding:
    return Finding(
        slug=NoSuchInputArtifact.slug,
        what=f"input {key.task_key} has no artifact '{name}'",
        why=nearest(name, [n for n in known if not n.startswith("_")]),
        fix=f"set self.{name} on that branch, or ask first: hasattr(i, '{name}')",
    )


class JoinInput:
    """One input of a join: its artifacts, parameters and class attributes are its attributes.

    Each is read when it is first asked for, and kept as long as this object is.
    """

    def __init__(self, scope: Scope, position: int) -> None:
        self._plait_scope = scope
        self._plait_position = position
        self._plait_sealed: SealedAttempt | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("__", "_plait_")):
            raise AttributeError(name)
        artifacts = sealed_of(self).artifacts
        if name not in artifacts or is_hidden(name):
            members = class_attributes(self._plait_scope.definition.cls, FlowSpec)
            if name in members:
                # A property or method of the flow, which may work on an input as it does on self.
                found = members[name]
                return found.__get__(self, type(self)) if hasattr(found, "__get__") else found
            raise NoSuchInputArtifact(name, sealed_of(self).facts.key, tuple(artifacts))
        value = self._plait_scope.store.load(artifacts[name], name=name)
        self.__dict__[name] = value
        return value

    @property
    def index(self) -> int | None:
        """Its position in the innermost foreach that it was in; None outside one."""
        return self._plait_elements().index

    @property
    def input(self) -> Any:
        """Its element of the innermost foreach that it was in; None outside one."""
        return self._plait_elements().input

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """Give `(index, number of tasks, element)` of each foreach it was in, outermost first."""
        return self._plait_elements().stack()

    def _plait_elements(self) -> Elements:
        sealed = sealed_of(self)
        return Elements(self._plait_scope.store, sealed.artifacts, sealed.facts.frames)

    def __dir__(self) -> list[str]:
        names = [name for name in sealed_of(self).artifacts if not is_hidden(name)]
        return sorted({*names, "index", "input", "foreach_stack"})

    def __repr__(self) -> str:
        ref = self._plait_scope.order.inputs[self._plait_position]
        return f"<input {ref.step}/{ref.task}>"


def sealed_of(given: JoinInput) -> SealedAttempt:
    """Give the attempt that an input reads from."""
    # Its public names are all the user's, so it has no method for this.
    own = vars(given)
    sealed: SealedAttempt | None = own["_plait_sealed"]
    if sealed is None:
        sealed = own["_plait_sealed"] = own["_plait_scope"].input_at(own["_plait_position"])
    return sealed


class JoinInputs:
    """The inputs of a join: in the order of `self.next` (branches) or of the elements (foreach).

    An input is made when it is asked for, so that a join of very many, which goes through them
    one by one, holds the values of one at a time.
    """

    def __init__(self, scope: Scope) -> None:
        self._plait_scope = scope
        # As long as somebody holds an input, asking for it again gives the same object.
        self._plait_made: WeakValueDictionary[int, JoinInput] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._plait_scope.order.inputs)

    def __iter__(self) -> Iterator[JoinInput]:
        return (self[position] for position in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> JoinInput: ...

    @overload
    def __getitem__(self, index: slice) -> list[JoinInput]: ...

    def __getitem__(self, index: int | slice) -> JoinInput | list[JoinInput]:
        if isinstance(index, slice):
            return [self[position] for position in range(len(self))[index]]
        try:
            position = range(len(self))[index]
        except IndexError:
            message = f"the join has {len(self)} inputs, so there is no inputs[{index}]"
            raise IndexError(message) from None
        made = self._plait_made.get(position)
        if made is None:
            made = self._plait_made[position] = JoinInput(self._plait_scope, position)
        return made

    def __getattr__(self, name: str) -> JoinInput:
        if name.startswith("_"):
            raise AttributeError(name)
        steps = tuple(ref.step for ref in self._plait_scope.order.inputs)
        if steps.count(name) != 1:
            raise NoSuchInput(name, self._plait_scope.step, steps)
        return self[steps.index(name)]

    def __dir__(self) -> list[str]:
        return sorted({ref.step for ref in self._plait_scope.order.inputs})

    def __repr__(self) -> str:
        return f"<{len(self)} inputs of '{self._plait_scope.step}'>"
