"""A store on the disk whose runs are made by hand, without running anything."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from plait.artifacts.run_file import CLAIM, DATASTORE, RunFile, claim_folder, name_datastore
from plait.base.pathspec import PARAMETERS_STEP, AttemptKey, RunKey
from plait.base.records import (
    ArtifactRef,
    AttemptFacts,
    Failure,
    Transition,
    TransitionKind,
)
from plait.base.settings import StoreChoice
from plait.logs.lines import LogLine
from plait.logs.store import LogStore
from plait.metadata.protocol import AttemptEnded, AttemptStarted, NewRun, RunEnded, Status
from plait.packaging.manifest import read_code
from plait.packaging.store import CodeStore
from plait.storage.protocol import Storage
from plait.upkeep.clean import Cleaned, clean
from plait.upkeep.plan import Policy
from plait.upkeep.verify import Damage, verify
from plait.wiring.stores import Stores, open_stores

FLOW = "F"
LARGE = 70_000


class FixedClock:
    """A clock that stands."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def elapsed(self) -> float:
        return self.at


class House:
    """A store, and the hand that makes runs in it."""

    def __init__(self, root: Path, *, storage: Storage | None = None) -> None:
        self.root = root
        self.stores: Stores = open_stores(StoreChoice(str(root)))
        if storage is not None:
            self.stores = replace(self.stores, storage=storage, logs=LogStore(storage))

    def begin(
        self,
        created: float = 100.0,
        *,
        origin: str | None = None,
        parameters: Mapping[str, object] | None = None,
        facts: Mapping[str, Any] | None = None,
        flow: str = FLOW,
    ) -> RunKey:
        """Begin a run."""
        word = os.urandom(4).hex()
        place = name_datastore(self.stores.storage.place)
        said = {CLAIM: word, DATASTORE: place, **(facts or {})}
        new = NewRun(flow, created, frozenset({"a"}), origin_run=origin, facts=said)
        key = self.stores.metadata.create_run(new)
        file = RunFile(
            key, created, "ada", "user:ada", frozenset(), claim=word, code=said.get("code")
        )
        assert claim_folder(self.stores.storage, file)
        self.seal(AttemptKey(*key, PARAMETERS_STEP, "0", 0), parameters or {})
        return key

    def seal(
        self,
        key: AttemptKey,
        values: Mapping[str, object],
        carried: Mapping[str, ArtifactRef] | None = None,
        **facts: Any,
    ) -> None:
        """Seal an attempt, and report nothing."""
        store = self.stores.artifacts(key.flow)
        encoded = {name: store.encode(name, value) for name, value in values.items()}
        # Nothing that is made here is the last step, unless it is said so.
        onward = Transition(TransitionKind.LINEAR, ("end",)) if facts.get("ok", True) else None
        given = {"ok": True, "started": 101.0, "finished": 102.0, "transition": onward, **facts}
        store.seal(AttemptFacts(key=key, **given), encoded, carried or {})

    def task(
        self,
        run: RunKey,
        task: str,
        values: Mapping[str, object] | None = None,
        carried: Mapping[str, ArtifactRef] | None = None,
        **facts: Any,
    ) -> AttemptKey:
        """Make a task of the step `work`, from its start to its report."""
        key = AttemptKey(*run, "work", task, 0)
        self.seal(key, values or {}, carried, **facts)
        ok = facts.get("ok", True)
        self.stores.metadata.record(
            [
                AttemptStarted(key.task_key, 0, 101.0),
                AttemptEnded(key.task_key, 0, 102.0, ok=ok, final=True),
            ]
        )
        return key

    def end(self, run: RunKey, at: float = 103.0, status: Status = Status.DONE) -> RunKey:
        """End a run."""
        self.stores.metadata.record([RunEnded(run, at, status)])
        return run

    def done(self, values: Mapping[str, object], at: float = 103.0) -> RunKey:
        """Make a run with one task that ended well."""
        run = self.begin(at - 1)
        self.task(run, "1", values)
        return self.end(run, at)

    def keep_code(self, folder: Path, text: str, flow: str = FLOW) -> str:
        """Keep the code of a flow that is written as *text*, and give its address."""
        script = folder / f"{text}-code" / "flow.py"
        script.parent.mkdir(exist_ok=True)
        script.write_text(text)
        return CodeStore(self.stores.storage, flow).keep(read_code(flow, str(script)))

    def print(self, key: AttemptKey, text: bytes = b"hello") -> None:
        """Write a line to an attempt's log."""
        self.stores.logs.append(key, [LogLine(101.5, "stdout", text, True)])

    def refs(self, key: AttemptKey) -> Mapping[str, ArtifactRef]:
        """Give where the artifacts of an attempt are."""
        return self.stores.artifacts(key.flow).get(key).artifacts

    def load(self, key: AttemptKey, name: str) -> object:
        """Read an artifact, from the disk and not from what is kept parsed."""
        store = open_stores(StoreChoice(str(self.root))).artifacts(key.flow)
        return store.load(store.get(key).artifacts[name], name=name)

    def clean(self, *, dry_run: bool = False, now: float = 1000.0, **policy: Any) -> Cleaned:
        """Clean, and give what was done to the flow `F`."""
        cleaned = clean(self.stores, Policy(**policy), dry_run=dry_run, clock=FixedClock(now))
        return {each.flow: each for each in cleaned}[FLOW]

    def verify(self) -> list[Damage]:
        """Read everything again."""
        return list(verify(self.stores))

    def files(self) -> list[str]:
        """Give the storage keys of all files."""
        return sorted(key for f in self.stores.storage.iter_folders() for key in self.keys(f))

    def keys(self, prefix: str) -> list[str]:
        """Give the storage keys below a folder."""
        return list(self.stores.storage.iter_keys(prefix))

    def runs(self) -> Sequence[str]:
        """Give the ids of the runs that are known, newest first."""
        return [run.key.run for run in self.stores.metadata.list_runs(FLOW)]


def large(character: str) -> bytes:
    """Give a value that gets a file of its own."""
    return character.encode() * LARGE


FAILURE = Failure.from_json(
    {
        "kind": "exception", "summary": "ValueError: no", "traceback": "", "exit_code": None,
        "signal": None, "where": "", "retry": True,
    }
)  # fmt: skip
