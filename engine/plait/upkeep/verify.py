"""Reading a whole store again: seals, values and code against their addresses, references."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from plait.artifacts.seal import (
    BadSeal,
    OtherSeal,
    check_head,
    parse_facts,
    parse_header,
    parse_index,
)
from plait.base.errors import PlaitError
from plait.base.layout import (
    RUN_FILE,
    code_key,
    code_prefix,
    data_key,
    data_prefix,
    parse_code_key,
    parse_data_key,
    parse_seal_key,
    run_file_key,
    runs_prefix,
    seal_key,
)
from plait.base.pathspec import AttemptKey, RunKey, parameters_key
from plait.base.records import ArtifactRef
from plait.metadata.protocol import RunRecord, Status
from plait.packaging.archive import check_archive
from plait.packaging.errors import DamagedPackage
from plait.storage.near import iter_near
from plait.storage.protocol import MissingKey, is_shared
from plait.upkeep.clean import Stores, list_flows
from plait.upkeep.ownership import Holding, belongs_here, find_expected, read_files, tell_holding
from plait.upkeep.rescue import PAGE, iter_runs


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written.

    Args:
        file: The file.
        what: What is wrong with it.
    """

    file: str
    what: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is: files of *flow* read, of how many there are."""

    flow: str
    done: int
    total: int


@dataclass(slots=True)
class Tally:
    """What was read, in the end."""

    files: int = 0
    size: int = 0
    runs: int = 0


@dataclass(slots=True)
class _Seals:
    """What the seals of a flow hold and need."""

    # Where values lie in seals, as `(home, offset, size, address)`.
    held: set[tuple[str, int, int, str]] = field(default_factory=set)
    # Who needs what, the first one that does; the artifact's name, and the file of its seal.
    needed: dict[ArtifactRef, tuple[str, str]] = field(default_factory=dict)
    # Seals whose damage was told already.
    damaged: set[str] = field(default_factory=set)


def verify(
    stores: Stores,
    tell: Callable[[Progress], object] | None = None,
    tally: Tally | None = None,
) -> Iterator[Damage]:
    """Read everything in a store again and give what is damaged or missing.

    Runs may go on meanwhile: what appears after the reading has begun is not looked at, and what
    is not whole yet has no name yet.

    Args:
        stores: The store.
        tell: Takes how far it is, after each file.
        tally: Counts what was read.
    """
    count = Tally() if tally is None else tally
    try:
        for sentence in stores.metadata.find_damage():
            yield Damage(stores.metadata.place.partition("@")[2], sentence)
        flows = list_flows(stores)
    except PlaitError as error:
        yield Damage(stores.metadata.place.partition("@")[2], error.findings[0].what)
        flows = sorted(stores.storage.iter_folders())
    for flow in flows:
        yield from _Reading(stores, flow, tell, count).read()


class _Reading:
    """The reading of one flow."""

    def __init__(
        self,
        stores: Stores,
        flow: str,
        tell: Callable[[Progress], object] | None,
        tally: Tally,
    ) -> None:
        self._stores, self._storage, self._flow = stores, stores.storage, flow
        self._tell, self._tally = tell, tally
        self._done = self._total = 0

    def read(self) -> Iterator[Damage]:
        """Give all damage."""
        # The facts come first: what they name is in the store by then. The files that a seal
        # refers to were there before the seal.
        try:
            metadata = self._stores.metadata
            artifacts = self._stores.artifacts(self._flow)
            # A damaged one is told where it is read itself.
            claims = read_files(artifacts, self._storage, pass_over=True)
            recorded = list(iter_runs(metadata, self._flow))
            expected = find_expected(recorded, metadata, artifacts, claims)
            runs = {run.key.run: run for run in expected}
            visible = [key for run in runs.values() for key in self._iter_visible(run)]
        except PlaitError:
            claims, recorded = {}, []  # reported as damage of the facts already
            runs, visible = {}, []
        files = list(self._storage.iter_keys(runs_prefix(self._flow)))
        data = list(self._storage.iter_keys(data_prefix(self._flow)))
        packages = list(self._storage.iter_keys(code_prefix(self._flow)))
        self._total = len(files) + len(data) + len(packages)
        self._tally.runs += len(runs)
        for record in recorded:
            holding = tell_holding(record, claims.get(record.key.run))
            if holding is Holding.OTHER and belongs_here(record, metadata, artifacts):
                what = f"is of another run than the facts know as {record.key}, as is all beside it"
                yield self._damage(run_file_key(record.key, RUN_FILE), what)
        seals = _Seals()
        for key in iter_near(self._storage, files, str):
            yield from self._read_run_file(key, seals, runs)
        yield from self._read_data(data)
        yield from self._read_packages(packages)
        yield from self._check_packages(runs, packages)
        listed = {*files, *data}
        yield from self._check_references(seals, listed)
        for attempt in visible:
            if seal_key(attempt) not in listed and not self._storage.has(seal_key(attempt)):
                run = self._stores.metadata.find_run(RunKey(attempt.flow, attempt.run))
                if run is not None:  # else it was removed meanwhile
                    yield self._damage(
                        seal_key(attempt), f"is missing: {attempt} is recorded as done"
                    )

    def _iter_visible(self, run: RunRecord) -> Iterator[AttemptKey]:
        """Give the attempts that must be sealed, because the facts say that they finished."""
        if run.status is Status.DONE:
            yield parameters_key(run.key)
        metadata = self._stores.metadata
        for step in metadata.list_steps(run.key):
            before = None
            while page := metadata.list_tasks(run.key, step.step, before=before, limit=PAGE):
                for task in page:
                    if task.status is Status.DONE and task.attempt is not None:
                        yield AttemptKey(*task.key, task.attempt)
                before = page[-1].key.task

    def _read_run_file(
        self, key: str, seals: _Seals, runs: dict[str, RunRecord]
    ) -> Iterator[Damage]:
        attempt = parse_seal_key(key)
        run = RunKey(self._flow, key.split("/")[2])
        try:
            content = self._storage.get(key)
            self._count(len(content))
            if attempt is not None:
                yield from self._read_seal(key, attempt, content, seals, known=run.run in runs)
            elif key == run_file_key(run, RUN_FILE):
                yield from self._read_claim(key, run, content)
        except MissingKey:
            self._count(0)  # removed since it was listed
        except PlaitError as error:
            self._count(0)
            yield self._damage(key, error.findings[0].what)

    def _read_claim(self, key: str, run: RunKey, content: bytes) -> Iterator[Damage]:
        try:
            claim = json.loads(content)
            if (claim["flow"], claim["run"]) != run:
                yield self._damage(key, f"is the file of run {claim['flow']}/{claim['run']}")
        except (ValueError, KeyError, TypeError) as error:
            yield self._damage(key, f"does not say which run it is of: {error!r}")

    def _read_seal(
        self,
        key: str,
        attempt: AttemptKey,
        content: bytes,
        seals: _Seals,
        *,
        known: bool,
    ) -> Iterator[Damage]:
        try:
            header = parse_header(content)
            check_head(content, header)
            parse_facts(content, header, attempt)
            index = parse_index(content, header, key)
        except BadSeal as error:
            seals.damaged.add(key)
            yield self._damage(key, f"is not a seal as it was written: {error}")
            return
        except OtherSeal as error:
            seals.damaged.add(key)
            yield self._damage(key, f"is in a format that this plait does not know: {error}")
            return
        if len(content) != header.file_size:
            seals.damaged.add(key)
            size = f"{len(content)} bytes and not {header.file_size}"
            yield self._damage(key, f"is not a seal as it was written: it has {size}")
        for name, ref in index.items():
            if ref.home != key:
                # What a run that is not known any more refers to may be gone. Its seals are kept
                # for the values in them.
                if known:
                    seals.needed.setdefault(ref, (name, key))
                continue
            value = content[ref.offset : ref.offset + ref.size]
            if len(value) != ref.size or sha256(value).hexdigest() != ref.address:
                seals.damaged.add(key)
                yield self._damage(key, f"does not hold artifact '{name}' as it was written")
            else:
                seals.held.add((key, ref.offset, ref.size, ref.address))

    def _read_data(self, keys: list[str]) -> Iterator[Damage]:
        """Compare each value with its address; several at once, for hashing uses one core each."""
        if not keys:
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            for key, damage in zip(keys, pool.map(self._read_value, keys), strict=True):
                what, size = damage
                self._count(size)
                if what:
                    yield self._damage(key, what)

    def _read_value(self, key: str) -> tuple[str, int]:
        address = parse_data_key(key)
        if address is None:
            return "is no value's file", 0
        try:
            content = self._storage.view_anew(key)
        except MissingKey:
            return "", 0  # removed since it was listed
        except PlaitError as error:
            return error.findings[0].what, 0
        found = sha256(content).hexdigest()
        if found == address:
            return "", len(content)
        what = f"does not hold the value of its name, but {found[:12]}..."
        if is_shared(self._storage.place) and self._is_whole_here(key, address):
            what += "; what this machine's cache keeps of it is whole"
        return what, len(content)

    def _is_whole_here(self, key: str, address: str) -> bool:
        try:
            return sha256(self._storage.view(key)).hexdigest() == address
        except PlaitError:
            return False  # there is none, here either

    def _read_packages(self, keys: list[str]) -> Iterator[Damage]:
        """Compare each code package with its address, file by file."""
        for key in keys:
            address = parse_code_key(key)
            size = 0
            try:
                if address is None:
                    yield self._damage(key, "is no code package's file")
                else:
                    content = self._storage.get(key)
                    size = len(content)
                    check_archive(content, address, key)
            except MissingKey:
                pass  # removed since it was listed
            except DamagedPackage as error:
                yield self._damage(key, f"is damaged: {error.findings[0].why}")
            except PlaitError as error:
                yield self._damage(key, error.findings[0].what)
            self._count(size)

    def _check_packages(self, runs: Mapping[str, RunRecord], listed: list[str]) -> Iterator[Damage]:
        """Look for the code package of each run."""
        there = set(listed)
        for run in runs.values():
            key = code_key(self._flow, run.facts["code"]) if run.facts.get("code") else None
            if key is None or key in there or self._storage.has(key):
                continue
            there.add(key)  # told once
            if self._stores.metadata.find_run(run.key) is not None:  # else removed meanwhile
                yield self._damage(key, f"is missing: run {run.key} ran with that code")

    def _check_references(self, seals: _Seals, listed: set[str]) -> Iterator[Damage]:
        for ref, (name, home) in seals.needed.items():
            key = ref.home or data_key(self._flow, ref.address)
            if key in listed:
                held = (ref.home, ref.offset, ref.size, ref.address) in seals.held
                if not ref.home or held or key in seals.damaged or self._holds(ref):
                    continue
                yield self._damage(home, f"looks for artifact '{name}' where it is not, in {key}")
            # It may have appeared meanwhile, and who needs it may be gone meanwhile.
            elif not self._storage.has(key) and self._storage.has(home):
                yield self._damage(key, f"is missing: artifact '{name}' of {home} refers to it")

    def _holds(self, ref: ArtifactRef) -> bool:
        try:
            value = self._storage.get_range(ref.home, ref.offset, ref.size)
        except MissingKey:
            return True  # removed meanwhile, and so is who needed it
        return sha256(value).hexdigest() == ref.address

    def _count(self, size: int) -> None:
        self._done += 1
        self._tally.files += 1
        self._tally.size += size
        if self._tell is not None:
            self._tell(Progress(self._flow, self._done, self._total))

    def _damage(self, key: str, what: str) -> Damage:
        return Damage(f"{self._storage.place}/{key}", what)
