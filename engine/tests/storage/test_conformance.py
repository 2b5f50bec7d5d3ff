"""The suite catches storages that break a promise, each by a check that says which."""

import pytest

from plait.storage.conformance import CHECKS, check_storage
from plait.storage.memory import MemoryStorage


class _Overwriting(MemoryStorage):
    def put(self, key, parts):
        self.delete(key)
        return super().put(key, parts)


class _ForgettingParts(MemoryStorage):
    def put(self, key, parts):
        return super().put(key, list(parts)[:1])


class _Unsorted(MemoryStorage):
    def iter_keys(self, prefix):
        return reversed(list(super().iter_keys(prefix)))


class _ByNameOnly(MemoryStorage):
    def iter_keys(self, prefix):
        super().iter_keys(prefix)
        return iter(sorted(key for key in self._objects if key.startswith(prefix)))


class _SharingViews(MemoryStorage):
    def view(self, key):
        return memoryview(self.get(key))


class _LosingEmpty(MemoryStorage):
    def has(self, key):
        return super().has(key) and self.size(key) > 0


class _GivingNothingForMissing(MemoryStorage):
    def get(self, key):
        return super().get(key) if self.has(key) else b""


class _TakingAnyKey(MemoryStorage):
    def has(self, key):
        return key in self._objects


class _Whole(MemoryStorage):
    def get_range(self, key, offset, length):
        return self.get(key)[offset:]


class _EarlyPut(MemoryStorage):
    def put(self, key, parts):
        if self.has(key):
            return False
        self.append(key, b"")
        for part in parts:
            self.append(key, part)
        return True


class _Swallowing(MemoryStorage):
    def put(self, key, parts):
        try:
            return super().put(key, parts)
        except LookupError:
            return False


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (_Overwriting, "put over an empty object"),
        (_ForgettingParts, "get: expected"),
        (_Unsorted, "iter_keys 'a'"),
        (_ByNameOnly, "iter_keys 'a'"),
        (_SharingViews, "readonly"),
        (_LosingEmpty, "has: expected True"),
        (_GivingNothingForMissing, "get 'none': expected MissingKey"),
        (_TakingAnyKey, "has of '': expected BadKey"),
        (_Whole, "a range inside"),
        (_Swallowing, "put: expected the error of its parts"),
        (_EarlyPut, "has: expected False"),
    ],
)
def test_a_broken_storage_is_caught(broken, promise):
    """Running the suite over a storage with one planted mistake names the promise it breaks."""
    with pytest.raises(AssertionError, match=promise):
        check_storage(broken)


def test_the_suite_runs_every_check():
    """No check is written and then forgotten in the list."""
    import plait.storage.conformance as module

    written = {name for name in vars(module) if name.startswith("check_")}

    assert {check.__name__ for check in CHECKS} == written - {"check_storage", "check_key"}
    check_storage(MemoryStorage)
