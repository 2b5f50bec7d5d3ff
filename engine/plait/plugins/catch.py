"""`@catch`: lets a flow go on when a task failed for good, and keeps what went wrong."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from plait.base.errors import Finding, Where
from plait.base.records import Failure, TransitionKind
from plait.flow.decorate import decorate
from plait.hooks.step import (
    AttemptBegun,
    AttemptPlan,
    BadDecorator,
    StepChecked,
    StepDecorator,
    StepRaised,
)


class CaughtException(Exception):  # it is a record of one, which is not an error here
    """What a step raised, as the artifact that `@catch(var=...)` names.

    Args:
        type: The name of the exception's class; with its module, unless that is Python's own.
        message: What it said.
        traceback: Its traceback, from the user's first frame on, as text.
        pickled: The exception itself, pickled; None if it can't be.
    """

    def __init__(
        self,
        type: str,  # noqa: A002  # the name that users of workflow engines know
        message: str,
        traceback: str,
        pickled: bytes | None = None,
    ) -> None:
        super().__init__(type, message, traceback, pickled)
        self.type = type
        self.message = message
        self.traceback = traceback

    @property
    def exception(self) -> BaseException | None:
        """The exception itself; None if it cannot be made again in this process."""
        pickled = self.args[3]
        if pickled is None:
            return None
        try:
            found = pickle.loads(pickled)
        except Exception:  # noqa: BLE001  # its class is the user's, and may do anything or be gone
            return None
        return found if isinstance(found, BaseException) else None

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{self}>" if self.type == name else f"<{name} {self}>"


class FailureHandledByCatch(CaughtException):
    """In place of an exception: every attempt ended without one that could be caught.

    Args:
        message: How the last attempt ended, such as `killed by SIGKILL`.
        traceback: Its traceback, if it had one.
    """

    def __init__(self, message: str, traceback: str = "", *_: object) -> None:
        super().__init__(type(self).__name__, message, traceback)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.traceback))


class Catch(StepDecorator):
    """Lets the flow go on when every attempt at a task failed.

    Attributes:
        var: The artifact that then holds what went wrong, and None if all went well.
        print_exception: Whether to print the traceback to the task's log.
    """

    name: ClassVar[str] = "catch"
    defaults: ClassVar[Mapping[str, Any]] = {"var": None, "print_exception": True}

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        var = self.attributes["var"]
        if var is not None and not (isinstance(var, str) and var.isidentifier()):
            raise BadDecorator(
                self.name,
                f"var={var!r} is not the name of an artifact",
                why="it is what steps write after self.",
                fix="write @catch(var='failure')",
            )
        shown = self.attributes["print_exception"]
        if not isinstance(shown, bool):
            raise BadDecorator(
                self.name,
                f"print_exception={shown!r} is neither True nor False",
                fix="write @catch(print_exception=False)",
            )

    def check(self, event: StepChecked) -> Iterator[Finding]:
        """Refuse steps whose way on nobody else could know, and names that are taken."""
        where = self.where or event.where
        if event.transition in (TransitionKind.FOREACH, TransitionKind.SWITCH):
            yield Finding(
                slug="catch-on-split",
                what=f"@catch is on step '{event.step}', which is a {event.transition} split",
                why="if it fails, nobody knows which tasks come after it",
                fix="do the work that may fail in a step before this one, and put @catch there",
                where=where,
            )
        var = self.attributes["var"]
        taken = self._find_taken(event)
        if taken:
            yield Finding(
                slug="catch-var-taken",
                what=f"@catch on step '{event.step}' cannot keep the failure as '{var}'",
                why=f"'{var}' is {taken}",
                fix=f"use another name: @catch(var='{var}_failure')",
                where=where,
            )

    def _find_taken(self, event: StepChecked) -> str:
        var = self.attributes["var"]
        if var in event.steps:
            return "a step"
        if var in event.parameters:
            return "a parameter"
        return "an attribute of every flow" if var in _OF_EVERY_FLOW else ""

    def plan_attempts(self) -> AttemptPlan:
        """Ask for the fallback, in which no user code runs."""
        return AttemptPlan(fallback=True)

    def after_step(self, event: AttemptBegun) -> None:
        """Say that nothing went wrong."""
        self._keep(event, None)

    def on_exception(self, event: StepRaised) -> bool:
        """Keep the exception, if no other attempt follows."""
        if not event.begun.is_last:
            return False
        kind = type(event.error)
        module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
        self._print(event.begun, event.failure.traceback or event.failure.summary)
        self._keep(
            event.begun,
            CaughtException(
                module + kind.__qualname__,
                _message_of(event.error),
                event.failure.traceback,
                _pickle(event.error),
            ),
        )
        return True

    def run_fallback(self, event: AttemptBegun, last: Failure | None) -> bool:
        """Keep how the task ended, where no code was left to raise anything."""
        summary = "the attempt before ended without a result" if last is None else last.summary
        traceback = "" if last is None else last.traceback
        self._print(event, traceback or summary)
        self._keep(event, FailureHandledByCatch(summary, traceback))
        return True

    def _keep(self, event: AttemptBegun, value: CaughtException | None) -> None:
        if self.attributes["var"] is not None:
            setattr(event.flow, self.attributes["var"], value)

    def _print(self, event: AttemptBegun, text: str) -> None:
        if self.attributes["print_exception"]:
            head = f"@catch lets the flow go on although '{event.order.key.step}' failed:"
            print(f"{head}\n{text.rstrip()}", flush=True)


_OF_EVERY_FLOW = frozenset({"next", "input", "index", "foreach_stack", "merge_artifacts"})


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # the user's own __str__ failed, and the rest is worth keeping
        return "(its message cannot be shown)"


def _pickle(error: BaseException) -> bytes | None:
    try:
        return pickle.dumps(error)
    except Exception:  # noqa: BLE001  # whatever it holds may refuse; the text of it is kept anyway
        return None


def _attributes(*, var: str | None = None, print_exception: bool = True) -> None: ...


catch = decorate(Catch, _attributes)
