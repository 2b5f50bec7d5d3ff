"""The frozen facts that travel between floors: transitions, frames, failures, attempts, artifacts.

Each has `to_json`/`from_json`, inverse to each other, because they are written in sealed attempts
and handed to other processes. The JSON forms are part of the store's format (docs/store-format.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from plait.base.pathspec import AttemptKey


class TransitionKind(StrEnum):
    """The forms of `self.next`."""

    LINEAR = "linear"
    BRANCH = "branch"
    FOREACH = "foreach"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Transition:
    """Where a task went: what `self.next` said when it ran.

    Args:
        kind: The form of the call.
        targets: The steps it names, in order; for SWITCH, the one that was chosen.
        foreach: The artifact that is fanned out over; only for FOREACH.
        width: How many tasks the foreach makes, 0 or more; only for FOREACH.
        condition: The artifact that chose; only for SWITCH.
        case: The key of the case that it chose; only for SWITCH.
    """

    kind: TransitionKind
    targets: tuple[str, ...]
    foreach: str | None = None
    width: int | None = None
    condition: str | None = None
    case: str | int | None = None

    def to_json(self) -> list[Any]:
        """Give the transition as JSON values."""
        data = [self.kind.value, list(self.targets), self.foreach, self.width]
        return data if self.condition is None else [*data, self.condition, self.case]

    @classmethod
    def from_json(cls, data: list[Any]) -> Transition:
        """Read what `to_json` gave."""
        return cls(TransitionKind(data[0]), tuple(data[1]), *data[2:])


@dataclass(frozen=True, slots=True)
class Frame:
    """One open split around a task: which task of which step split, and which part this is.

    Args:
        step: The step that split.
        task: The id of its task.
        index: The position of this part: of the element (foreach) or of the branch in `self.next`.
        width: How many parts there are.
        foreach: The artifact fanned out over; None for a branch.
    """

    step: str
    task: str
    index: int
    width: int
    foreach: str | None = None

    def to_json(self) -> list[Any]:
        """Give the frame as JSON values."""
        return [self.step, self.task, self.index, self.width, self.foreach]

    @classmethod
    def from_json(cls, data: list[Any]) -> Frame:
        """Read what `to_json` gave."""
        return cls(*data)


class FailureKind(StrEnum):
    """How an attempt can fail."""

    EXCEPTION = "exception"
    EXIT = "exit"
    SIGNAL = "signal"
    LAUNCH = "launch"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    Args:
        kind: An exception in it, an exit without a result, a signal, or it could not be launched.
        summary: One line: `ValueError: too small`, `killed by SIGSEGV`.
        traceback: The user's traceback from the user's first frame; empty where there is none.
        exit_code: The exit code of the process; None unless `kind` is EXIT.
        signal: The signal's number; None unless `kind` is SIGNAL.
        where: `file:line` of the user's own innermost frame; empty where there is none.
        retry: Whether another attempt may be made at all (exit 202 says no).
    """

    kind: FailureKind
    summary: str
    traceback: str = ""
    exit_code: int | None = None
    signal: int | None = None
    where: str = ""
    retry: bool = True

    def to_json(self) -> dict[str, Any]:
        """Give the failure as JSON values."""
        return {
            "kind": self.kind.value,
            "summary": self.summary,
            "traceback": self.traceback,
            "exit_code": self.exit_code,
            "signal": self.signal,
            "where": self.where,
            "retry": self.retry,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Failure:
        """Read what `to_json` gave."""
        return cls(**{**data, "kind": FailureKind(data["kind"])})


@dataclass(frozen=True, slots=True)
class InputRef:
    """The sealed attempt that a task reads from: step, task and attempt within the same run."""

    step: str
    task: str
    attempt: int

    def to_json(self) -> list[Any]:
        """Give the reference as JSON values."""
        return [self.step, self.task, self.attempt]

    @classmethod
    def from_json(cls, data: list[Any]) -> InputRef:
        """Read what `to_json` gave."""
        return cls(*data)


@dataclass(frozen=True, slots=True)
class AttemptFacts:
    """What a sealed attempt says of itself beside its artifacts.

    Args:
        key: Which attempt of which task.
        ok: Whether it reached its end.
        started: Seconds since 1970, when its process began with it.
        finished: Seconds since 1970, when it was sealed.
        parents: The attempts before it in the graph, in join order.
        frames: The open splits around it, outermost first.
        transition: Where it went; None for `end` and for a failure.
        failure: Why it failed; None if `ok`.
        handled: The failure that `@catch` or its like dealt with, where `ok` in spite of one.
        origin: The attempt that really ran, if a resume took this one over.
        system: Facts about where it ran: host, pid, Python and plait version.
    """

    key: AttemptKey
    ok: bool
    started: float
    finished: float
    parents: tuple[InputRef, ...] = ()
    frames: tuple[Frame, ...] = ()
    transition: Transition | None = None
    failure: Failure | None = None
    handled: Failure | None = None
    origin: AttemptKey | None = None
    system: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the facts as JSON values; what is empty is left out."""
        data: dict[str, Any] = {
            "key": list(self.key),
            "ok": self.ok,
            "started": self.started,
            "finished": self.finished,
        }
        if self.parents:
            data["parents"] = [p.to_json() for p in self.parents]
        if self.frames:
            data["frames"] = [f.to_json() for f in self.frames]
        if self.transition is not None:
            data["transition"] = self.transition.to_json()
        if self.failure is not None:
            data["failure"] = self.failure.to_json()
        if self.handled is not None:
            data["handled"] = self.handled.to_json()
        if self.origin is not None:
            data["origin"] = list(self.origin)
        if self.system:
            data["system"] = dict(self.system)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AttemptFacts:
        """Read what `to_json` gave."""
        transition, failure = data.get("transition"), data.get("failure")
        handled, origin = data.get("handled"), data.get("origin")
        return cls(
            key=AttemptKey(*data["key"]),
            ok=data["ok"],
            started=data["started"],
            finished=data["finished"],
            parents=tuple(InputRef.from_json(p) for p in data.get("parents", ())),
            frames=tuple(Frame.from_json(f) for f in data.get("frames", ())),
            transition=None if transition is None else Transition.from_json(transition),
            failure=None if failure is None else Failure.from_json(failure),
            handled=None if handled is None else Failure.from_json(handled),
            origin=None if origin is None else AttemptKey(*origin),
            system=data.get("system"),
        )


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """Where a value is: its address, and the place that holds its bytes.

    Args:
        address: SHA-256 of the encoded bytes, as 64 hex digits.
        size: The number of encoded bytes.
        type: The value's type as `module.QualName`, builtins without module.
        codec: How the bytes were made; `artifacts.codec` knows them.
        home: Storage key of the sealed attempt that holds it; empty if the value is large and
            has a file of its own by its address.
        offset: Where in the file of *home* it begins; 0 without *home*.
    """

    address: str
    size: int
    type: str
    codec: str
    home: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """Everything that a process needs in order to run one attempt; crosses processes as JSON.

    Args:
        key: Which attempt of which task.
        inputs: The sealed attempts it reads from: one, or for a join one per branch or element,
            in join order; none for `start` and for a join over an empty foreach.
        parents: The attempts before it in the graph; differs from *inputs* only for the join of
            an empty foreach, whose parent is the split itself.
        frames: The open splits around it, outermost first.
        retries: How many more attempts its user code may have after the first.
        fallback: Whether this attempt only runs the decorators' fallback, not the user's code.
        origin_run: The run being resumed, if any.
    """

    key: AttemptKey
    inputs: tuple[InputRef, ...] = ()
    parents: tuple[InputRef, ...] = ()
    frames: tuple[Frame, ...] = ()
    retries: int = 0
    fallback: bool = False
    origin_run: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the order as JSON values."""
        return {
            "key": list(self.key),
            "inputs": [i.to_json() for i in self.inputs],
            "parents": None if self.parents == self.inputs else [p.to_json() for p in self.parents],
            "frames": [f.to_json() for f in self.frames],
            "retries": self.retries,
            "fallback": self.fallback,
            "origin_run": self.origin_run,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TaskOrder:
        """Read what `to_json` gave."""
        inputs = tuple(InputRef.from_json(i) for i in data["inputs"])
        parents = data["parents"]
        return cls(
            key=AttemptKey(*data["key"]),
            inputs=inputs,
            parents=inputs if parents is None else tuple(InputRef.from_json(p) for p in parents),
            frames=tuple(Frame.from_json(f) for f in data["frames"]),
            retries=data["retries"],
            fallback=data["fallback"],
            origin_run=data["origin_run"],
        )
