"""Attempts and values of one flow, over a storage: written once, then sealed, checked when read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from plait.artifacts import codec
from plait.artifacts.comparison import Comparison, Differs
from plait.artifacts.errors import (
    DamagedArtifact,
    DamagedAttempt,
    MissingArtifact,
    MissingAttempt,
    UnknownFormat,
    UnpicklableArtifact,
    UnreadableArtifact,
)
from plait.artifacts.run_file import RunFile, find_run_file
from plait.artifacts.seal import (
    BadSeal,
    Encoded,
    Header,
    OtherSeal,
    UnreadIndex,
    check_head,
    format_seal,
    parse_facts,
    parse_header,
    parse_index,
    take_index,
)
from plait.artifacts.sink import Sink
from plait.base.errors import PlaitError
from plait.base.layout import data_key, parse_seal_key, run_prefix, seal_key
from plait.base.pathspec import AttemptKey, RunKey
from plait.base.records import ArtifactRef, AttemptFacts
from plait.storage.near import iter_near
from plait.storage.protocol import MissingKey, Storage

__all__ = ["ArtifactStore", "Encoded", "SealedAttempt", "UnreadAttempt"]

T = TypeVar("T")

_FIRST_READ = 16384
"""Most seals are smaller than this, so that one read gets all of one, values included."""
_REREADS = 3
"""How often damaged bytes are read again, where another read may give others."""
_CACHED = 256
"""So many seals are kept parsed, each with its bytes if one read got them all."""


@dataclass(frozen=True, slots=True)
class SealedAttempt:
    """A finished attempt: its facts, and where each of its artifacts lies, by name.

    `artifacts` is every artifact visible at its end, its own and those passed on by reference.
    """

    facts: AttemptFacts
    artifacts: Mapping[str, ArtifactRef]


@dataclass(frozen=True, slots=True)
class UnreadAttempt:
    """A finished attempt of which only the facts were looked at; the store's `read` does the rest.

    So who chooses among thousands reads each from the storage once.
    """

    facts: AttemptFacts
    index: UnreadIndex


class ArtifactStore:
    """The values and sealed attempts of one flow.

    A seal never changes, so the last few hundred read are kept parsed; what is kept stays right in
    a forked child.

    Args:
        storage: Where the bytes lie.
        flow: The flow's name.
    """

    def __init__(self, storage: Storage, flow: str) -> None:
        self.flow = flow
        self._storage = storage
        # By storage key, the last used at the end; the bytes are empty if one read wasn't enough.
        self._cache: dict[str, tuple[SealedAttempt, bytes]] = {}

    @property
    def place(self) -> str:
        """Where the values are, for messages: a folder or a URL."""
        return self._storage.place

    # Writing

    def encode(self, name: str, value: object) -> Encoded:
        """Make bytes of *value* and give their address; a large value is in the store then.

        Args:
            name: The artifact's name, for messages.
            value: The value.

        Raises:
            UnpicklableArtifact: It, or something in it, can't be pickled.
        """
        with Sink(self._storage.upload) as sink:
            codec_name = _dump(name, value, sink)
            address, payload = sink.finish()
            if payload is None:
                sink.commit(data_key(self.flow, address))
        return Encoded(address, sink.size, codec.type_name(type(value)), codec_name, payload)

    def seal(
        self,
        facts: AttemptFacts,
        values: Mapping[str, Encoded],
        carried: Mapping[str, ArtifactRef],
    ) -> bool:
        """Make the attempt appear, whole: one file with its facts, index and small values.

        Args:
            facts: What the attempt says of itself, its key included.
            values: What `encode` gave for each artifact that the attempt made.
            carried: The artifacts that it passes on; of a name in both, *values* counts.

        Returns:
            False if this attempt was already sealed; then nothing changed.
        """
        return self._storage.put(seal_key(facts.key), format_seal(facts, values, carried))

    def seal_all(self, attempts: Iterable[tuple[AttemptFacts, Mapping[str, ArtifactRef]]]) -> None:
        """Seal attempts that made no value of their own, several at once where that is faster.

        Args:
            attempts: What each says of itself, and the artifacts that it passes on.
        """
        self._storage.put_all(
            [(seal_key(facts.key), format_seal(facts, {}, carried)) for facts, carried in attempts]
        )

    # Reading attempts

    def bring(self, keys: Iterable[AttemptKey]) -> None:
        """Bring attempts near, see the storage's `bring`."""
        self._storage.bring([seal_key(key) for key in keys])

    def iter_near(self, keys: Iterable[AttemptKey], *, keep: bool = False) -> Iterator[AttemptKey]:
        """Give *keys* one after another, for who reads each attempt when it gets its key.

        Where the storage is far away, many are brought near at a time.

        Args:
            keys: Any number of attempts.
            keep: As for the storage's `bring`.
        """
        return iter_near(self._storage, keys, seal_key, keep=keep)

    def find(self, key: AttemptKey) -> SealedAttempt | None:
        """Give the attempt, or None if it is not sealed. Raises DamagedAttempt, UnknownFormat."""
        home = seal_key(key)
        entry = self._cache.pop(home, None)
        if entry is None:
            entry = self._read_seal(home, lambda data, header: _parse(key, home, data, header))
            if entry is None:
                return None
            if len(self._cache) >= _CACHED:
                # A tuple, because another thread of a client may be reading attempts too.
                self._cache.pop(next(iter(tuple(self._cache))), None)
        self._cache[home] = entry
        return entry[0]

    def get(self, key: AttemptKey) -> SealedAttempt:
        """Give the attempt. Raises MissingAttempt, DamagedAttempt, UnknownFormat."""
        sealed = self.find(key)
        if sealed is None:
            raise MissingAttempt(key, self._file(seal_key(key)))
        return sealed

    def find_facts(self, key: AttemptKey) -> AttemptFacts | None:
        """Give the attempt's facts alone, or None if it is not sealed; its index is not parsed.

        Raises DamagedAttempt, UnknownFormat.
        """
        entry = self._cache.get(seal_key(key))
        if entry is not None:
            return entry[0].facts
        unread = self.find_unread(key)
        return None if unread is None else unread.facts

    def find_unread(self, key: AttemptKey) -> UnreadAttempt | None:
        """Read the attempt and look at its facts alone; None if it is not sealed.

        Raises DamagedAttempt, UnknownFormat.
        """

        def parse(data: bytes, header: Header) -> UnreadAttempt:
            return UnreadAttempt(parse_facts(data, header, key), take_index(data, header))

        return self._read_seal(seal_key(key), parse)

    def read(self, unread: UnreadAttempt) -> SealedAttempt:
        """Give all of what `find_unread` gave, without asking the storage. Raises UnknownFormat."""
        home = seal_key(unread.facts.key)
        try:
            return SealedAttempt(unread.facts, unread.index.parse(home))
        except OtherSeal as error:
            raise UnknownFormat(self._file(home), str(error)) from error

    def find_run_file(self, run: str) -> RunFile | None:
        """Give the file by which a run claims its folder; None if there is none.

        Raises DamagedRunFile.
        """
        return find_run_file(self._storage, RunKey(self.flow, run))

    def iter_attempts(self, run: str, step: str | None = None) -> Iterator[AttemptKey]:
        """Give the keys of all sealed attempts of a run, or of one step, sorted as in the store."""
        for key in self._storage.iter_keys(run_prefix(RunKey(self.flow, run), step)):
            attempt = parse_seal_key(key)
            if attempt is not None:
                yield attempt

    # Reading values

    def load(self, ref: ArtifactRef, *, name: str = "") -> object:
        """Read a value, checked against its address.

        Args:
            ref: Where it is.
            name: The artifact's name, for messages.

        Raises:
            DamagedArtifact: The bytes are not those that were written.
            MissingArtifact: There are none.
            UnreadableArtifact: Python can't make the value of them in this process.
            UnknownFormat: They are encoded in a way that this plait does not know.
        """
        payload = self.load_bytes(ref, name=name)
        if ref.codec not in codec.CODECS:
            raise UnknownFormat(self._file(self.storage_key(ref)), f"codec '{ref.codec}'")
        try:
            return codec.load(payload, ref.codec)
        except MemoryError:
            raise  # not the value's fault
        except codec.BadPayload as error:
            raise DamagedArtifact(name, self._file(self.storage_key(ref)), str(error)) from error
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise UnreadableArtifact(name, ref.type, reason) from error

    def load_bytes(self, ref: ArtifactRef, *, name: str = "") -> bytes | memoryview:
        """Read a value's encoded bytes, checked against its address.

        Those of a large value are private, writable memory. Raises DamagedArtifact,
        MissingArtifact.
        """
        key = self.storage_key(ref)
        for again in range(_REREADS, -1, -1):
            data = self._read(ref, name)
            if sha256(data).hexdigest() == ref.address:
                return data
            # The damage may have come about on the way here, or in what this machine keeps.
            if not again or not self._storage.refresh(key):
                break
            self._cache.pop(key, None)
        reason = f"{ref.size} bytes from {ref.offset} on don't have the SHA-256 {ref.address}"
        raise DamagedArtifact(name, self._file(key), reason)

    def storage_key(self, ref: ArtifactRef) -> str:
        """Give the key of the object that holds a value's bytes."""
        return ref.home or data_key(self.flow, ref.address)

    def locate(self, ref: ArtifactRef) -> str:
        """Give where the object is that holds a value's bytes, for people: a path or a URL."""
        return self._file(self.storage_key(ref))

    def unchanged(self, ref: ArtifactRef, now: object, *, name: str = "") -> bool:
        """Say whether a value that was loaded, and maybe mutated since, is still what *ref* holds.

        Two pickles of equal values can differ, for a pickle says which parts are one object, and
        loading alone changes that. So where the bytes differ, the stored value is loaded afresh
        and encoded again: then only a real change makes a difference. Nothing is written.

        Args:
            ref: Where the value was loaded from.
            now: The value, or what `encode` gave for it.
            name: The artifact's name, for messages.

        Raises:
            UnpicklableArtifact: The value can't be pickled any more.
            PlaitError: *ref* can't be loaded.
        """
        if type(now) is Encoded:  # `isinstance` would ask `now.__class__`, which may be a proxy's
            return now.address in (ref.address, _address(name, self.load(ref, name=name)))
        comparison = Comparison(self._read(ref, name))
        try:
            _dump(name, now, comparison)
        except Differs as difference:
            if difference.in_buffer(ref.codec):
                return False
        else:
            return comparison.is_complete
        return _address(name, now) == _address(name, self.load(ref, name=name))

    def _read(self, ref: ArtifactRef, name: str) -> bytes | memoryview:
        key = self.storage_key(ref)
        data: bytes | memoryview
        try:
            if not ref.home:
                data = self._storage.view(key)
            elif (entry := self._cache.get(key)) is not None and entry[1]:
                data = entry[1][ref.offset : ref.offset + ref.size]
            else:
                data = self._storage.get_range(key, ref.offset, ref.size)
        except MissingKey as error:
            raise MissingArtifact(name, self._file(key)) from error
        if len(data) != ref.size:
            reason = f"there are {len(data)} bytes of {ref.size} from {ref.offset} on"
            raise DamagedArtifact(name, self._file(key), reason)
        return data

    def _read_seal(self, home: str, parse: Callable[[bytes, Header], T]) -> T | None:
        """Give what *parse* makes of a seal's checked head; None if there is no seal."""
        for again in range(_REREADS, -1, -1):
            try:
                return parse(*self._read_head(home))
            except MissingKey:
                return None
            except (BadSeal, OtherSeal) as error:
                # The damage may have come about on the way here, or in what this machine keeps.
                if again and self._storage.refresh(home):
                    continue
                kind = DamagedAttempt if isinstance(error, BadSeal) else UnknownFormat
                raise kind(self._file(home), str(error)) from error
        raise AssertionError("the last time round either gives or raises")

    def _read_head(self, home: str) -> tuple[bytes, Header]:
        """Read and check a seal, at least up to its body."""
        data = self._storage.get_range(home, 0, _FIRST_READ)
        header = parse_header(data)
        size = len(data) if len(data) < _FIRST_READ else self._storage.size(home)
        if size != header.file_size:
            raise BadSeal(f"it should have {header.file_size} bytes and has {size}")
        if header.body_offset > len(data):
            rest = header.body_offset - len(data)
            data += self._storage.get_range(home, len(data), rest)
        check_head(data, header)
        return data, header

    def _file(self, key: str) -> str:
        return f"{self._storage.place}/{key}"


def _parse(key: AttemptKey, home: str, data: bytes, header: Header) -> tuple[SealedAttempt, bytes]:
    """Read all of a seal, and give its bytes too if one read got all."""
    sealed = SealedAttempt(parse_facts(data, header, key), parse_index(data, header, home))
    return sealed, data if header.file_size <= _FIRST_READ else b""


def _dump(name: str, value: object, output: codec.Output) -> str:
    try:
        return codec.dump(value, output)
    except (PlaitError, Differs, MemoryError):
        raise  # not the value's fault
    except Exception as error:
        # Loaded only here, where something went wrong.
        from plait.artifacts.culprit import find_culprit

        culprit = find_culprit(name, value, error)
        raise UnpicklableArtifact(name, codec.type_name(type(value)), culprit) from error


def _address(name: str, value: object) -> str:
    sink = Sink(None)
    _dump(name, value, sink)
    return sink.finish()[0]
