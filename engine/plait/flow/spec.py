"""`FlowSpec`: what a user subclasses, and what a step finds on `self`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from plait.flow.errors import FixedName, OutsideRun
from plait.flow.members import STATE, class_attributes
from plait.flow.step import is_step
from plait.hooks.registry import command_line

# A script that only shows its flow, and a notebook, need nothing of what a running step needs.
if TYPE_CHECKING:
    from plait.flow.inputs import JoinInput
    from plait.flow.scope import Scope


def _script_of(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    return os.path.basename(getattr(module, "__file__", None) or sys.argv[0])


class _OfClass:
    """Something about the flow that an artifact of the same name may take the place of."""

    def __init__(self, read: Callable[[type], str], doc: str) -> None:
        self._read = read
        self.__doc__ = doc

    def __get__(self, flow: object | None, owner: type) -> Any:
        return self if flow is None else self._read(owner)


class _OfTask:
    """Something about the task that stays what it is."""

    def __init__(self, name: str, read: Callable[[Scope], Any], doc: str) -> None:
        self._name = name
        self._read = read
        self.__doc__ = doc

    def __get__(self, flow: Any, owner: type) -> Any:
        if flow is None:
            return self
        scope = vars(flow).get(STATE)
        return None if scope is None else self._read(scope)

    def __set__(self, flow: object, value: object) -> NoReturn:
        raise FixedName(self._name, "given by the foreach that the step is in")


class FlowSpec:
    """The base of every flow: a class whose methods under `@step` are its steps.

    Calling the class, as the last line of a script does, runs the script's command line.

    Args:
        use_cli: Whether to run the command line. Without, the object only answers questions about
            the flow: its `name`, its `script_name`, and its steps by iteration.
    """

    _plait: ClassVar[Scope | None] = None

    def __init__(self, use_cli: bool = True) -> None:
        if use_cli:
            command_line()(type(self))

    name = _OfClass(lambda cls: cls.__name__, "The flow's name.")
    script_name = _OfClass(_script_of, "The file that the flow is written in.")
    index = _OfTask(
        "index",
        lambda scope: scope.foreach.index,
        "The position in the innermost foreach, from 0; None outside one.",
    )
    input = _OfTask(
        "input",
        lambda scope: scope.foreach.input,
        "The element of the innermost foreach; None outside one.",
    )

    def next(
        self,
        *steps: Callable[..., Any] | Mapping[Any, Callable[..., Any]],
        foreach: str | None = None,
        condition: str | None = None,
    ) -> None:
        """Say which step comes next; the last line of every step but `end`.

        Args:
            steps: The step, or all the steps that follow, as `self.name`; for a switch one dict
                of the steps to choose from, `{"x": self.a, "y": self.b}`.
            foreach: The artifact to fan out over: the step runs once for each element.
            condition: The artifact whose value is the key of the step to go to, in a switch.

        Raises:
            TransitionMismatch: This is not what the source says.
            NextCalledTwice: It was called before.
            NextTarget: Something given is not a step.
            MissingForeach: The artifact of the foreach is not set.
            ForeachNotSized: It can't be counted.
            MissingCondition: The artifact of the switch is not set.
            NoSuchCase: Its value is none of the cases.
        """
        scope = self._plait
        if scope is None:
            raise OutsideRun("self.next")
        from plait.flow.transition import (
            MissingCondition,
            MissingForeach,
            NextCalledTwice,
            choose_case,
            elements_of,
            format_planned,
            read_call,
        )

        called = read_call(scope.definition.graph, scope.node, steps, foreach, condition)
        if scope.transition is not None:
            raise NextCalledTwice(scope.node, format_planned(scope.node))
        if called.foreach is not None:
            try:
                value = getattr(self, called.foreach)
            except AttributeError as error:
                raise MissingForeach(scope.node, called.foreach, scope.names(self)) from error
            elements_of(scope.node, called.foreach, value)
        if called.condition is not None:
            try:
                chosen = getattr(self, called.condition)
            except AttributeError as error:
                known = scope.names(self)
                raise MissingCondition(scope.node, called.condition, known) from error
            called = choose_case(scope.node, chosen)
        scope.transition = called

    def __plait_run__(self) -> tuple[str, str, str] | None:
        """Give the flow, the run that this object's code runs in, and that run's claim.

        None outside of a run; the claim is empty where none is kept, as for a step in a test.
        """
        if self._plait is None:
            return None
        key = self._plait.order.key
        file = self._plait.store.find_run_file(key.run)
        return key.flow, key.run, "" if file is None else file.claim

    def __plait_origin__(self) -> tuple[str, str] | None:
        """Give the flow and the run that this object's run goes on from; None if from none."""
        if self._plait is None or self._plait.order.origin_run is None:
            return None
        return self._plait.order.key.flow, self._plait.order.origin_run

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """Give `(index, number of tasks, element)` of each foreach around, outermost first."""
        return [] if self._plait is None else self._plait.foreach.stack()

    def merge_artifacts(
        self,
        inputs: Iterable[JoinInput],
        exclude: Sequence[str] = (),
        include: Sequence[str] = (),
    ) -> None:
        """Carry on every artifact that is equal in all inputs of a join and is not set here yet.

        Args:
            inputs: The inputs, as the join was given them, or some of them.
            exclude: Names to leave out.
            include: The only names to carry on.

        Raises:
            MergeArtifactsException: An artifact differs between inputs; nothing was set.
            MissingInMergeArtifactsException: A name in *include* is in no input.
            MergeOutsideJoin: This step is no join.
        """
        if self._plait is None:
            raise OutsideRun("self.merge_artifacts")
        from plait.flow.merge import merge_artifacts

        merge_artifacts(self, self._plait, inputs, include or (), exclude or ())

    def __iter__(self) -> Iterator[Callable[..., Any]]:
        """Go through the steps: those of base classes first, in the order of the source."""
        names = class_attributes(type(self), FlowSpec)
        return iter([getattr(self, name) for name in names if is_step(getattr(type(self), name))])

    def __getattr__(self, name: str) -> Any:
        scope = vars(self).get(STATE)
        if scope is None or (name.startswith("__") and name.endswith("__")):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        if name in scope.definition.class_names:
            # A property of the user's raised AttributeError, which is how Python comes here. Asked
            # again, it says itself what it misses.
            return object.__getattribute__(self, name)
        return scope.load(self, name)

    def __delattr__(self, name: str) -> None:
        found = getattr(type(self), name, None)
        if self._plait is None or is_step(found) or hasattr(type(found), "__delete__"):
            object.__delattr__(self, name)
        else:
            self._plait.remove(self, name)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        # No PlaitError: whoever pickles says which artifact this is in, and where in it.
        raise TypeError(
            f"an object of flow '{type(self).__name__}' cannot be pickled or copied; store or "
            "send the values that are needed, such as self.x, instead of self or its methods"
        )

    def __repr__(self) -> str:
        doing = "not running" if self._plait is None else str(self._plait.order.key)
        return f"<flow {type(self).__name__}: {doing}>"
