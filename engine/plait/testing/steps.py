"""`run_step`: one step's code, run in this process on values that a test gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from plait.artifacts.store import ArtifactStore, SealedAttempt
from plait.base.clock import SystemClock
from plait.base.records import ArtifactRef, Failure, Transition
from plait.flow.definition import FlowDefinition, give_configs, read_definition
from plait.flow.scope import is_hidden
from plait.flow.spec import FlowSpec
from plait.flow.step import is_step
from plait.hooks.step import AttemptBegun, AttemptPlan, StepDecorator
from plait.task.attempt import AttemptPlace, run_attempt
from plait.testing.errors import StepFailed, WhichFlow
from plait.testing.stage import UNSET, Inputs, Stage


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one run of a step's code left.

    Args:
        step: The step's name.
        artifacts: What it set or changed, by name; also what it had set when it failed.
        visible: All that the next step would find, by name: *artifacts*, and what came before.
            Parameters and configs are not in it.
        transition: Where it went; None from `end` and for a failure.
        elements: What it fanned out over, in order; None if it did not.
        failure: Why it failed; None if it did not. Only with `raises=False`.
        handled: The failure that a decorator such as `@catch` dealt with, if one did.
    """

    step: str
    artifacts: Mapping[str, Any]
    visible: Mapping[str, Any] = field(repr=False)
    transition: Transition | None = None
    elements: tuple[Any, ...] | None = None
    failure: Failure | None = None
    handled: Failure | None = None

    @property
    def next(self) -> tuple[str, ...]:
        """The names of the steps that it went to, in order."""
        return () if self.transition is None else self.transition.targets

    @property
    def successful(self) -> bool:
        """Whether it came to its end."""
        return self.failure is None

    def __getitem__(self, name: str) -> Any:
        return self.visible[name]


def run_step(  # noqa: PLR0913  # a test gives the few that it is about, by name
    step: Callable[..., Any],
    *,
    artifacts: Mapping[str, Any] | None = None,
    inputs: Inputs | None = None,
    parameters: Mapping[str, Any] | None = None,
    configs: Mapping[str, Any] | None = None,
    input: Any = UNSET,  # noqa: A002  # what steps call it
    index: int | None = None,
    foreach_stack: Sequence[tuple[int, int, Any]] | None = None,
    attempt: int = 0,
    decorators: bool = False,
    raises: bool = True,
    flow: type | None = None,
) -> StepResult:
    """Run one step's code in this process, with the artifacts, inputs and parameters given.

    Values go the way that they go in a run: through the same encoding, read only when asked for.
    Nothing is written to disk.

    Args:
        step: The step, as its class has it: `MyFlow.train`.
        artifacts: What the steps before it set, by name.
        inputs: For a join. Of a foreach: the artifacts of each element's last step, in order. Of
            branches: by the name of the step before the join. A `StepResult` stands for what is
            visible after it.
        parameters: Values of the flow's parameters; the others have their defaults. Variables of
            the environment count for nothing.
        configs: Values of the flow's configs, dicts by name; the others have their defaults.
        input: The element of the innermost foreach that the step is in.
        index: Its position there; 0 by default.
        foreach_stack: In place of *input* and *index*, `(index, number of tasks, element)` of each
            foreach around the step, outermost first.
        attempt: Which attempt `current.retry_count` says that this is.
        decorators: Whether the step's decorators take part.
        raises: Whether an exception of the step's code is raised here, as it was there.
        flow: The flow, for a step that several inherit.

    Returns:
        What the step left, and where it went.

    Raises:
        WhichFlow: *step* is no step, or it is not clear of which flow.
        BadStepSetting: The step cannot have what is given where it stands in its flow.
        InvalidFlow, InvalidParameters, InvalidConfigs: The flow, or a value given, is wrong.
        StepFailed: The code ended without an exception, and what it left is no result.
    """
    cls = _find_flow(step, flow)
    name: str = step.__name__
    definition = read_definition(cls, configs=give_configs(cls, configs or {}))
    recorder = _Recorder()
    own = definition.decorators[name] if decorators else ()
    plan = definition.plans[name] if decorators else AttemptPlan()
    definition = replace(
        definition,
        # Innermost, so that it sees what the code raised, whatever others make of it.
        decorators={**definition.decorators, name: (*own, recorder)},
        plans={**definition.plans, name: plan},
    )
    stage = Stage(definition, name, attempt)
    stage.set_parameters(parameters or {})
    stage.set_place(input, index, foreach_stack)
    stage.set_before(artifacts, inputs)
    order = stage.order()
    place = AttemptPlace(definition, stage.store, SystemClock())
    run_attempt(place, order)
    sealed = stage.store.get(order.key)
    if sealed.facts.failure is not None and raises:
        if recorder.raised is not None:
            raise recorder.raised
        raise StepFailed(name, sealed.facts.failure)
    return _read(definition, stage, sealed)


def _find_flow(step: Callable[..., Any], given: type | None) -> type:
    name = getattr(step, "__name__", "")
    owner = getattr(step, "__self__", None)
    if not is_step(step):
        raise WhichFlow(step, ())
    if given is not None:
        return given
    if owner is not None:
        return type(owner)
    having = [cls for cls in _subclasses(FlowSpec) if getattr(cls, name, None) is step]
    # The class that defines it, if that is a flow; else those that took it from a base.
    owners = [cls for cls in having if vars(cls).get(name) is step]
    found = [cls for cls in owners if _is_whole(cls)] or [cls for cls in having if _is_whole(cls)]
    if len(found) != 1:
        raise WhichFlow(step, [cls.__name__ for cls in found])
    return found[0]


def _is_whole(cls: type) -> bool:
    """Say whether a class has a step at which a run begins, and one at which it ends."""
    members = [getattr(cls, name, None) for name in dir(cls)]
    return all(
        hasattr(cls, name) or any(getattr(member, mark, None) is True for member in members)
        for name, mark in (("start", "is_first"), ("end", "is_last"))
    )


def _subclasses(cls: type) -> Iterator[type]:
    below: list[type] = cls.__subclasses__()
    for sub in below:
        yield sub
        yield from _subclasses(sub)


class _Recorder(StepDecorator):
    """Keeps the exception of the step's code, so that the test gets the object itself."""

    name: ClassVar[str] = "testing"

    def __init__(self) -> None:
        super().__init__()
        self.raised: BaseException | None = None

    def wrap_step(
        self,
        event: AttemptBegun,  # noqa: ARG002  # the hook's signature
        body: Callable[[], None],
    ) -> Callable[[], None]:
        """Give *body* with an eye on what it raises."""

        def watched() -> None:
            try:
                body()
            except BaseException as error:
                self.raised = error
                raise

        return watched


def _read(definition: FlowDefinition, stage: Stage, sealed: SealedAttempt) -> StepResult:
    facts = sealed.facts
    before = stage.before()
    hidden = [name for name in sealed.artifacts if is_hidden(name)]
    fixed = definition.parameters.keys() | definition.configs.keys()
    visible = {
        name: _load(stage.store, name, ref)
        for name, ref in sealed.artifacts.items()
        if name not in fixed and name not in hidden
    }
    elements = None
    if facts.transition is not None and facts.transition.foreach is not None:
        own = f"_foreach_{len(facts.frames)}"
        elements = tuple(_load(stage.store, own, sealed.artifacts[own]))
    changed = {
        name: value for name, value in visible.items() if sealed.artifacts[name] != before.get(name)
    }
    return StepResult(
        step=facts.key.step,
        artifacts=changed,
        visible=visible,
        transition=facts.transition,
        elements=elements,
        failure=facts.failure,
        handled=facts.handled,
    )


def _load(store: ArtifactStore, name: str, ref: ArtifactRef) -> Any:
    return store.load(ref, name=name)
