"""Logs are kept per attempt as output arrives, within their limit."""

from __future__ import annotations

import pytest

from plait.base.layout import log_key
from plait.base.pathspec import AttemptKey
from plait.logs.lines import LogLine, text_of
from plait.logs.store import LogStore, LogWriter
from plait.storage.memory import MemoryStorage
from plait.storage.protocol import Buffer

KEY = AttemptKey("HelloFlow", "3", "greet", "7", 0)


class CountingStorage(MemoryStorage):
    """A storage that counts what is appended to it."""

    def __init__(self) -> None:
        super().__init__()
        self.appends = 0

    def append(self, key: str, data: Buffer) -> None:
        self.appends += 1
        super().append(key, data)


@pytest.fixture
def storage() -> CountingStorage:
    """An empty storage."""
    return CountingStorage()


@pytest.fixture
def store(storage: CountingStorage) -> LogStore:
    """A store of logs over it."""
    return LogStore(storage)


def lines(*texts: bytes, at: float = 1.0) -> list[LogLine]:
    """Give lines of stdout."""
    return [LogLine(at, "stdout", text, ended=True) for text in texts]


def test_each_attempt_has_its_log(store: LogStore) -> None:
    """Lines are added at the end of their own attempt's log."""
    again = KEY._replace(attempt=1)
    store.append(KEY, lines(b"a", b"b"))
    store.append(again, lines(b"x"))
    store.append(KEY, lines(b"c"))

    assert store.read(KEY) == lines(b"a", b"b", b"c")
    assert store.read(again) == lines(b"x")


def test_no_output_no_log(store: LogStore, storage: CountingStorage) -> None:
    """An attempt that printed nothing has no lines, and no object in the storage."""
    writer = LogWriter(store, KEY)
    store.append(KEY, [])

    assert writer.write("stdout", b"", 1.0) == writer.close(2.0) == []
    assert store.read(KEY) == []
    assert list(storage.iter_keys("HelloFlow")) == []


def test_a_log_is_followed(store: LogStore, storage: CountingStorage) -> None:
    """Whole lines are given as they come, each once; half of one waits for its other half."""
    assert store.read_from(KEY, 0) == ([], 0)

    store.append(KEY, lines(b"a", b"b"))
    found, offset = store.read_from(KEY, 0)
    assert found == lines(b"a", b"b")
    assert store.read_from(KEY, offset) == ([], offset)

    storage.append(log_key(KEY), b"1.0 out . ha")
    assert store.read_from(KEY, offset) == ([], offset)
    storage.append(log_key(KEY), b"lf\n1.0 out . c\n")
    assert store.read_from(KEY, offset)[0] == lines(b"half", b"c")


def test_streams_are_kept_in_order_of_arrival(store: LogStore) -> None:
    """Lines of both streams are kept as they ended, and what is left at the end as it began."""
    writer = LogWriter(store, KEY)
    shown = writer.write("stdout", b"one\ntw", 1.0)
    shown += writer.write("stderr", b"bad\nworse", 2.0)
    shown += writer.write("stdout", b"o\n", 3.0)
    shown += writer.write("stdout", b"three", 4.0)
    shown += writer.close(5.0)

    assert shown == store.read(KEY)
    assert shown == [
        LogLine(1.0, "stdout", b"one", ended=True),
        LogLine(2.0, "stderr", b"bad", ended=True),
        LogLine(3.0, "stdout", b"two", ended=True),
        LogLine(5.0, "stderr", b"worse", ended=False),
        LogLine(5.0, "stdout", b"three", ended=False),
    ]
    assert writer.close(6.0) == []


@pytest.mark.parametrize(
    ("size", "texts", "is_all"), [(9999, 3, True), (30, 1, False), (1, 0, False)]
)
def test_the_end_of_a_log(store: LogStore, size: int, texts: int, is_all: bool) -> None:
    """Of whole lines only; of what was never written there is nothing, and that is all of it."""
    writer = LogWriter(store, KEY)
    writer.write("stdout", b"first\nsecond\nthird\n", 1.0)
    lines, whole = store.read_tail(KEY, size)

    assert [line.text for line in lines] == [b"first", b"second", b"third"][3 - texts :]
    assert whole is is_all
    assert LogStore(MemoryStorage()).read_tail(KEY, size) == ([], True)


def test_a_chunk_costs_at_most_one_append(store: LogStore, storage: CountingStorage) -> None:
    """A chunk of many lines is one append; one that ends no line is none."""
    writer = LogWriter(store, KEY)
    writer.write("stdout", b"x\n" * 1000, 1.0)
    assert storage.appends == 1
    writer.write("stdout", b"no end yet", 1.0)
    assert storage.appends == 1
    writer.write("stderr", b"nor here", 1.0)
    writer.close(2.0)
    assert storage.appends == 2


def test_the_limit_is_kept(store: LogStore, storage: CountingStorage) -> None:
    """What fits in the limit is kept, then one line says so; the rest is only shown."""
    writer = LogWriter(store, KEY, limit_bytes=10)
    shown = writer.write("stdout", b"12345\n123\nover\nmore\n", 1.0)
    notice = shown[2]
    shown += writer.write("stderr", b"x", 2.0) + writer.write("stdout", b"more\n" * 99, 2.0)
    shown += writer.close(3.0)

    assert text_of(store.read(KEY)) == (
        "12345\n123\n[plait] the log has reached its limit of 10 bytes (--max-log-size); "
        "what follows is not kept\n"
    )
    assert storage.appends == 1
    assert len(shown) == 5 + 99 + 1
    assert [line for line in shown if line.text.startswith(b"[plait]")] == [notice]


@pytest.mark.parametrize(("limit", "kept"), [(4, 1), (5, 2), (0, 0)])
def test_the_limit_counts_newlines(store: LogStore, limit: int, kept: int) -> None:
    """Output of just the limit is kept whole, its newlines counted and its last line without."""
    writer = LogWriter(store, KEY, limit_bytes=limit)
    writer.write("stdout", b"ab\ncd", 1.0)
    writer.close(2.0)

    texts = [line.text for line in store.read(KEY)]
    assert texts[:kept] == [b"ab", b"cd"][:kept]
    assert len(texts) == (kept if kept == 2 else kept + 1)
