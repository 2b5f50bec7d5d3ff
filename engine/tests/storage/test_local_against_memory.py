"""The local storage does whatever the one in memory does, in any order of calls."""

import shutil
import tempfile

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from plait.storage.errors import BadKey
from plait.storage.local import LocalStorage
from plait.storage.memory import MemoryStorage
from plait.storage.protocol import MissingKey

_KEYS = st.sampled_from(
    ["a/1", "a/10", "a/b/c", "a/b-", "a-/x", "b", "é/日 本", "a//b", "..", "a/b/"]
)
_LOGS = st.sampled_from(["logs/1", "logs/deep/2", "log\\bad"])
_FOLDERS = st.sampled_from(["a", "a/b", "logs", "none", "b", "é", "../a", ""])
_DATA = st.binary(max_size=8) | st.sampled_from([1 << 19, (1 << 20) + 1]).map(bytes)


def _outcome(action, *args):
    try:
        result = action(*args)
    except (MissingKey, BadKey) as error:
        return type(error)
    return result if isinstance(result, bool | int | None) else [bytes(b) for b in [result]]


class LocalAgainstMemory(RuleBasedStateMachine):
    """Runs each call on both and compares what came of it."""

    def __init__(self):
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.local = LocalStorage(f"{self.folder}/store", f"{self.folder}/scratch")
        self.memory = MemoryStorage()

    def teardown(self):
        shutil.rmtree(self.folder)

    def both(self, name, *args):
        local, memory = (
            _outcome(getattr(storage, name), *args) for storage in (self.local, self.memory)
        )
        assert local == memory, (name, args)

    @rule(key=_KEYS, parts=st.lists(_DATA, max_size=3))
    def put(self, key, parts):
        self.both("put", key, parts)

    @rule(key=_KEYS, parts=st.lists(_DATA, max_size=3), other=st.none() | _KEYS)
    def upload(self, key, parts, other):
        outcomes = []
        for storage in (self.local, self.memory):
            with storage.upload() as upload:
                for part in parts:
                    upload.write(part)
                if other is not None:
                    outcomes.append(_outcome(storage.put, other, [b"between"]))
                outcomes.append(_outcome(upload.commit, key))
        half = len(outcomes) // 2
        assert outcomes[:half] == outcomes[half:]

    @rule(key=_LOGS, data=_DATA)
    def append(self, key, data):
        self.both("append", key, data)

    @rule(key=_KEYS | _LOGS | _FOLDERS)
    def read(self, key):
        for name in ("get", "view", "has", "size"):
            self.both(name, key)

    @rule(key=_KEYS | _LOGS, offset=st.integers(0, 1 << 21), length=st.integers(0, 1 << 70))
    def read_range(self, key, offset, length):
        self.both("get_range", key, offset, length)

    @rule(key=_KEYS | _LOGS | _FOLDERS)
    def delete(self, key):
        self.both("delete", key)

    @rule()
    def sweep(self):
        self.both("sweep")

    @rule(folder=_FOLDERS)
    def list_keys(self, folder):
        outcomes = []
        for storage in (self.local, self.memory):
            try:
                outcomes.append(list(storage.iter_keys(folder)))
            except BadKey as error:
                outcomes.append(type(error))
        assert outcomes[0] == outcomes[1]

    @invariant()
    def listings_agree(self):
        for folder in ("a", "logs"):
            assert list(self.local.iter_keys(folder)) == list(self.memory.iter_keys(folder))


TestLocalAgainstMemory = LocalAgainstMemory.TestCase
TestLocalAgainstMemory.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,  # a disk may pause
    suppress_health_check=[HealthCheck.too_slow],
)
