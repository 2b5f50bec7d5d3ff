"""Where everything of a flow lies in a storage: the one place that knows how keys are spelled.

<flow>/data/<aa>/<address>                    a large value; aa is the address's first two digits
<flow>/code/<aa>/<address>.tgz                a code package, by the address of its description
<flow>/runs/<run>/run.json                    the file by which a run claims its folder
<flow>/runs/<run>/removed                     there once nothing knows the run any more
<flow>/runs/<run>/<step>/<task>.<n>.attempt   the sealed attempt n, counted from 0
<flow>/runs/<run>/<step>/<task>.<n>.log       its log
<flow>/objects/<run>-<claim>/<key>            what steps of a run put by `S3(run=...)`; in S3 alone
"""

from __future__ import annotations

from plait.base.pathspec import AttemptKey, RunKey

_SEAL = ".attempt"
_DATA_PARTS = 4  # flow, "data", aa, address
_CODE_PARTS = 4  # flow, "code", aa, file
_PACKAGE = ".tgz"
_SEAL_PARTS = 5  # flow, "runs", run, step, file


def seal_key(key: AttemptKey) -> str:
    """Give the storage key of a sealed attempt."""
    return f"{key.flow}/runs/{key.run}/{key.step}/{key.task}.{key.attempt}{_SEAL}"


def log_key(key: AttemptKey) -> str:
    """Give the storage key of an attempt's log."""
    return f"{key.flow}/runs/{key.run}/{key.step}/{key.task}.{key.attempt}.log"


DATABASE = "metadata.db"
"""The file of the local store of facts, in the folder of a store."""

SPINS = "spins"
"""The folder, in that of a store, of the spins that were kept: each in one named by a number."""

RUN_FILE = "run.json"
"""The file by which a run claims its folder, and from which its tasks' processes learn of it."""

REMOVED_FILE = "removed"
"""The file that says of a run's folder that the facts about the run are gone, and it may go."""


def run_file_key(key: RunKey, name: str) -> str:
    """Give the storage key of the file *name* of a run itself."""
    return f"{key.flow}/runs/{key.run}/{name}"


def data_key(flow: str, address: str) -> str:
    """Give the storage key of a large value of *flow* by its address (64 hex digits)."""
    return f"{flow}/data/{address[:2]}/{address}"


def code_key(flow: str, address: str) -> str:
    """Give the storage key of a code package of *flow* by its address (64 hex digits)."""
    return f"{flow}/code/{address[:2]}/{address}{_PACKAGE}"


def code_prefix(flow: str) -> str:
    """Give the folder of the code packages of *flow*; what `iter_keys` takes."""
    return f"{flow}/code"


def data_prefix(flow: str) -> str:
    """Give the folder of the large values of *flow*; what `iter_keys` takes."""
    return f"{flow}/data"


def objects_prefix(flow: str, run: str, claim: str) -> str:
    """Give the folder of what the steps of a run keep in S3 by themselves.

    Args:
        flow: The flow's name.
        run: The run's number, which another store of facts may have given, too.
        claim: The run's own word, so that only one run has this folder; empty for a run of an
            earlier version, which had none.
    """
    return f"{flow}/objects/{run}-{claim}" if claim else f"{flow}/objects/{run}"


def runs_prefix(flow: str) -> str:
    """Give the folder of the runs of *flow*; what `iter_folders` takes."""
    return f"{flow}/runs"


def run_prefix(key: RunKey, step: str | None = None) -> str:
    """Give the folder of a run's keys, or of one step's within it; what `iter_keys` takes."""
    folder = f"{key.flow}/runs/{key.run}"
    return folder if step is None else f"{folder}/{step}"


def parse_data_key(key: str) -> str | None:
    """Give the address of the value that a storage key is for; None if it is no value's."""
    parts = key.split("/")
    if len(parts) == _DATA_PARTS and parts[1] == "data" and parts[3].startswith(parts[2]):
        return parts[3]
    return None


def parse_code_key(key: str) -> str | None:
    """Give the address of the code package that a storage key is for; None if it is none's."""
    parts = key.split("/")
    if len(parts) != _CODE_PARTS or parts[1] != "code" or not parts[3].endswith(_PACKAGE):
        return None
    address = parts[3].removesuffix(_PACKAGE)
    return address if address.startswith(parts[2]) else None


def parse_seal_key(key: str) -> AttemptKey | None:
    """Read what `seal_key` gave; None if *key* is no sealed attempt's."""
    if not key.endswith(_SEAL):
        return None
    parts = key.split("/")
    if len(parts) != _SEAL_PARTS or parts[1] != "runs":
        return None
    task, dot, attempt = parts[4][: -len(_SEAL)].rpartition(".")
    # `isdecimal` alone would let other scripts' digits and leading zeros through, and two keys
    # would then name one attempt.
    if not (dot and task and attempt.isdecimal() and str(int(attempt)) == attempt):
        return None
    return AttemptKey(parts[0], parts[2], parts[3], task, int(attempt))


def is_addressed(key: str) -> bool:
    """Say whether a key is the address of what it holds, so that equal things are kept once."""
    return parse_data_key(key) is not None or parse_code_key(key) is not None
