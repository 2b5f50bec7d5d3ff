"""One attempt at one task, in stages: open, prepare, run, collect, seal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from plait.artifacts.errors import UnpicklableArtifact
from plait.artifacts.seal import Encoded
from plait.artifacts.store import ArtifactStore
from plait.base.clock import Clock
from plait.base.errors import PlaitError
from plait.base.exits import DONE, FAILED, NO_RETRY
from plait.base.pathspec import AttemptKey, parameters_key
from plait.base.records import (
    ArtifactRef,
    AttemptFacts,
    Failure,
    FailureKind,
    TaskOrder,
    Transition,
)
from plait.flow.current import RunningTask, set_current
from plait.flow.definition import FlowDefinition
from plait.flow.inputs import JoinInputs
from plait.flow.scope import Scope, bind, collect, encode_collected
from plait.flow.source import find_assignment
from plait.hooks.step import AttemptBegun, StepDecorator, StepRaised
from plait.task.boundary import describe_failure
from plait.task.variables import variables_set


@dataclass(frozen=True, slots=True)
class AttemptPlace:
    """What a task's process has at hand beside its order.

    Args:
        definition: The flow.
        artifacts: Its values.
        clock: The time.
        tags: The run's tags, for `current`.
        namespace: The namespace the run was started in, for `current`.
        username: Who started it, for `current`.
        current: What decorators of the flow give `current`.
    """

    definition: FlowDefinition
    artifacts: ArtifactStore
    clock: Clock
    tags: frozenset[str] = frozenset()
    namespace: str | None = None
    username: str = ""
    current: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of the user's code: a failure, or one that was dealt with, or neither."""

    failure: Failure | None = None
    handled: Failure | None = None


@dataclass(frozen=True, slots=True)
class _Result:
    """What an attempt leaves, ready to be sealed."""

    outcome: _Outcome
    values: Mapping[str, Encoded] = field(default_factory=dict)
    carried: Mapping[str, ArtifactRef] = field(default_factory=dict)
    transition: Transition | None = None


def run_attempt(place: AttemptPlace, order: TaskOrder, *, own_process: bool = False) -> int:
    """Run one attempt and seal what came of it.

    Everything that the user's code can do wrong becomes a sealed failure, with its traceback on
    standard error. An `AssertionError` of plait's own is told the same way.

    Args:
        place: What is at hand.
        order: What to do.
        own_process: Whether this process is the task's alone. Then a `KeyboardInterrupt` is the
            step's own doing, and a failure like any other; else it is raised on.

    Returns:
        The exit code for the task's process.
    """
    started, process = place.clock.now(), os.getpid()
    plan = place.definition.plans.get(order.key.step)
    try:
        with variables_set({} if plan is None else plan.environment):
            result = _attempt(place, order)
    except BaseException as error:  # whatever it is, it is sealed and told
        if isinstance(error, KeyboardInterrupt) and not own_process:
            raise
        result = _Result(_Outcome(failure=_tell(error)))
    finally:
        set_current(None)
    if os.getpid() != process:
        _leave_fork(order.key.step)
    failure = result.outcome.failure
    facts = AttemptFacts(
        key=order.key,
        ok=failure is None,
        started=started,
        finished=place.clock.now(),
        parents=order.parents,
        frames=order.frames,
        transition=result.transition,
        failure=failure,
        handled=result.outcome.handled,
        system={"pid": os.getpid()},
    )
    place.artifacts.seal(facts, result.values, result.carried)
    if failure is None:
        return DONE
    return FAILED if failure.retry else NO_RETRY


def _leave_fork(step: str) -> NoReturn:
    """End a process that the step's code forked and that came back from the step.

    What it holds is a copy that goes its own way; only the task's process speaks for the task.
    """
    _say(
        f"a process that step '{step}' forked came back from the step and is ended here; what it "
        "set is not kept. Let it leave by os._exit()\n"
    )
    os._exit(FAILED)


def _attempt(place: AttemptPlace, order: TaskOrder) -> _Result:
    """Go through the stages: open, prepare, run, collect."""
    constants = place.artifacts.get(parameters_key(order.key.run_key))
    scope = Scope(place.artifacts, order, place.definition, constants)
    flow = bind(place.definition, scope)
    set_current(_current(place, order))
    outcome = _run_step(place, order, flow, scope)
    if outcome.failure is None:
        try:
            collected = collect(flow, handled=outcome.handled is not None)
            values, carried = encode_collected(collected, place.artifacts)
            return _Result(outcome, values, carried, collected.transition)
        except Exception as error:  # noqa: BLE001  # an object of the user's raises what it likes
            if isinstance(error, UnpicklableArtifact):
                error.place(find_assignment(place.definition.cls, order.key.step, error.name))
            outcome = _Outcome(failure=_tell(error))
    return _salvage(place.artifacts, flow, outcome)


def _current(place: AttemptPlace, order: TaskOrder) -> RunningTask:
    return RunningTask(
        key=order.key,
        origin_run_id=order.origin_run,
        namespace=place.namespace,
        username=place.username,
        parameter_names=tuple(place.definition.parameters),
        tags=place.tags,
        given=place.current,
    )


# Running the user's code


def _run_step(place: AttemptPlace, order: TaskOrder, flow: Any, scope: Scope) -> _Outcome:
    decorators = place.definition.decorators.get(order.key.step, ())
    begun = AttemptBegun(order=order, flow=flow, is_last=order.retries == 0)
    try:
        for decorator in decorators:
            decorator.before_step(begun)
        if order.fallback:
            return _fall_back(place, begun, decorators)
        body = _body(order.key.step, flow, scope)
        for decorator in reversed(decorators):
            body = decorator.wrap_step(begun, body)
        body()
        for decorator in reversed(decorators):
            decorator.after_step(begun)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # the user's code may raise anything
        failure = describe_failure(error)
        raised = StepRaised(begun, error, failure)
        may_be_handled = isinstance(error, Exception)
        if may_be_handled and any(d.on_exception(raised) for d in reversed(decorators)):
            return _Outcome(handled=failure)
        return _Outcome(failure=_print(failure))
    return _Outcome()


def _body(step: str, flow: Any, scope: Scope) -> Callable[[], None]:
    method: Callable[..., None] = getattr(flow, step)
    if not scope.node.is_join:
        return method
    inputs = JoinInputs(scope)
    return lambda: method(inputs)


def _fall_back(
    place: AttemptPlace, begun: AttemptBegun, decorators: Iterable[StepDecorator]
) -> _Outcome:
    key = begun.order.key
    before = AttemptKey(*key.task_key, key.attempt - 1)
    facts = place.artifacts.find_facts(before)
    last = None if facts is None else facts.failure
    if any(decorator.run_fallback(begun, last) for decorator in decorators):
        return _Outcome(handled=last)
    return _Outcome(failure=last or Failure(FailureKind.EXIT, "no attempt left a result"))


# Collecting what it made


def _salvage(store: ArtifactStore, flow: Any, outcome: _Outcome) -> _Result:
    """Keep what a failed step had made, for whoever looks into the failure."""
    try:
        collected = collect(flow, handled=True)
    except PlaitError:
        return _Result(outcome)  # what it fans out over can't be counted, as was told already
    values: dict[str, Encoded] = {}
    carried = dict(collected.carried)
    for name, value in collected.values.items():
        try:
            one = replace(collected, values={name: value}, carried={}, aliases={})
            encoded, same = encode_collected(one, store)
        except Exception as error:  # noqa: BLE001  # an object of the user's raises what it likes
            _say(f"artifact '{name}' is not kept: {_headline(error)}\n")
        else:
            values |= encoded
            carried |= same
    return _Result(outcome, values, carried)


def _headline(error: Exception) -> str:
    if not isinstance(error, PlaitError):
        return type(error).__qualname__
    finding = error.findings[0]
    return finding.why or finding.what


def _print(failure: Failure) -> Failure:
    _say(failure.traceback)
    return failure


def _say(text: str) -> None:
    """Write to standard error, whatever the user's code has done to it."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except Exception:  # noqa: BLE001  # closed, or replaced by an object that raises what it likes
        try:
            os.write(2, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass  # closed as well: the sealed failure says it


def _tell(error: BaseException) -> Failure:
    """Make facts of an error around the user's code, and print it the way its kind is printed."""
    failure = describe_failure(error)
    if isinstance(error, PlaitError):
        _say(error.format() + "\n")
        return failure
    return _print(failure)
