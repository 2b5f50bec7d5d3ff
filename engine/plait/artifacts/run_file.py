"""The file by which a run claims its folder among the values, and which says whose the folder is.

Facts and values may be apart: one root in S3 may hold runs of several stores of facts, which count
their runs each by itself. So a number alone does not tell whose values are below it. The word that
is in a run's facts and in its file does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from plait.base.errors import PlaitError
from plait.base.layout import REMOVED_FILE, RUN_FILE, run_file_key, run_prefix
from plait.base.pathspec import RunKey
from plait.storage.protocol import MissingKey, Storage, is_shared

CLAIM = "claim"
"""The name, among a run's facts, of the word that its file has, too."""
DATASTORE = "datastore"
"""The name, among a run's facts, of where its values are, as `name_datastore` gives it."""

LOCAL = "local"
"""What `name_datastore` gives for a folder, wherever that is: folders are moved and mounted."""

_REREADS = 3
"""How often a damaged file is read again, where another read may give something else."""


class DamagedRunFile(PlaitError):
    """The file by which a run claims its folder is not as it was written."""

    slug = "damaged-run-file"

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(
            f"the file '{file}' of a run is damaged",
            why=f"it should say whose the results beside it are, and does not: {reason}",
            fix="restore that file from a copy",
        )


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a run's file says.

    Args:
        key: The run.
        created: Seconds since 1970.
        user: Who started it.
        namespace: The namespace it was started in.
        tags: All its tags at the start.
        current: What decorators of the flow give `current`, by name.
        claim: The word that its facts have, too, and no other run; empty for one of an earlier
            version of plait.
        code: The address of its code package; None for none.
    """

    key: RunKey
    created: float
    user: str
    namespace: str
    tags: frozenset[str]
    current: Mapping[str, Any] = field(default_factory=dict)
    claim: str = ""
    code: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the file's content as JSON values."""
        return {
            "flow": self.key.flow,
            "run": self.key.run,
            "created": self.created,
            "user": self.user,
            "namespace": self.namespace,
            "tags": sorted(self.tags),
            "current": dict(self.current),
            "claim": self.claim,
            "code": self.code,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave."""
        return cls(
            RunKey(data["flow"], data["run"]),
            data["created"],
            data["user"],
            data["namespace"],
            frozenset(data["tags"]),
            # Runs of earlier versions have none of these.
            data.get("current", {}),
            data.get("claim", ""),
            data.get("code"),
        )

    def is_of(self, created: float, facts: Mapping[str, Any]) -> bool:
        """Say whether this is the file of the run that is recorded so.

        Args:
            created: When that run was created, as it is recorded.
            facts: Its facts.
        """
        claim = facts.get(CLAIM, "")
        if self.claim or claim:
            return bool(self.claim == claim)
        # Runs of earlier versions; a service may keep milliseconds.
        return abs(self.created - created) < 0.002


def claim_folder(storage: Storage, file: RunFile) -> bool:
    """Take the folder of a run; False if another run has it already, and then nothing changed.

    Where two may put one key at the same instant, each puts one by its own word first, and looks
    what else is there. Whoever comes later sees the earlier one's; if both see each other's,
    neither takes the folder.
    """
    name = run_file_key(file.key, RUN_FILE)
    content = [json.dumps(file.to_json()).encode()]
    if storage.excludes():
        return storage.put(name, content)
    mark = run_file_key(file.key, f"{file.claim}.{CLAIM}")
    storage.put(mark, [file.claim.encode()])
    try:
        alone = list(storage.iter_keys(run_prefix(file.key))) == [mark]
        return alone and storage.put(name, content)
    finally:
        storage.delete(mark)


def load_run_file(storage: Storage, key: RunKey) -> RunFile:
    """Read the file of a run. Raises MissingKey, DamagedRunFile."""
    name = run_file_key(key, RUN_FILE)
    again = _REREADS
    while True:
        content = storage.get(name)
        try:
            file = RunFile.from_json(json.loads(content))
            if file.key == key:
                return file
            reason = f"it is the file of {file.key}"
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = repr(error)
        # The damage may have come about on the way here.
        if not again or not storage.refresh(name):
            raise DamagedRunFile(f"{storage.place}/{name}", reason)
        again -= 1


def find_run_file(storage: Storage, key: RunKey) -> RunFile | None:
    """Read the file of a run, or give None if there is none. Raises DamagedRunFile."""
    try:
        return load_run_file(storage, key)
    except MissingKey:
        return None


def mark_removed(storage: Storage, key: RunKey, file: RunFile | None, facts: str) -> None:
    """Say in a run's folder that it is being removed, for whoever has to go on with that.

    Args:
        storage: Where the folder is.
        key: The run.
        file: The file in it; without one there is nothing to say.
        facts: The place of the facts about the run, which only they know to be gone.
    """
    if file is not None:
        storage.put(run_file_key(key, REMOVED_FILE), [_format_mark(file, facts)])


def unmark_removed(storage: Storage, key: RunKey) -> None:
    """Take back what `mark_removed` said."""
    storage.delete(run_file_key(key, REMOVED_FILE))


def is_removed(storage: Storage, key: RunKey, file: RunFile | None, facts: str) -> bool:
    """Say whether a run of which *facts* know nothing was being removed from them.

    Args:
        storage: Where its folder is.
        key: The run.
        file: The file in it; None if that is gone already.
        facts: The place of the facts.
    """
    try:
        mark = storage.get(run_file_key(key, REMOVED_FILE))
    except MissingKey:
        return False
    return (
        mark.endswith(f"\n{facts}".encode()) if file is None else mark == _format_mark(file, facts)
    )


def _format_mark(file: RunFile, facts: str) -> bytes:
    return f"{file.claim}\n{facts}".encode()


def name_datastore(place: str) -> str:
    """Give what the facts of a run say about where its values are: a URL, or `LOCAL`.

    Args:
        place: The place of a storage.
    """
    return place if is_shared(place) else LOCAL


def tell_elsewhere(facts: Mapping[str, Any], place: str) -> str:
    """Say where a run wrote its values, such as `in a folder`; nothing if that may be *place*.

    Args:
        facts: The run's facts.
        place: Where somebody looks for the values.
    """
    written = facts.get(DATASTORE)
    if written is None or written == name_datastore(place):
        return ""
    return "in a folder" if written == LOCAL else f"in {written}"
