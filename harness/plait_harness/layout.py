"""Holding every file of a local store against the documented layout, with no engine code.

What stands where is said in docs/store-format.md. What a seal says of values is checked by `seals`;
this is about what else lies there, or lies there under a wrong name.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
from collections.abc import Callable, Iterator

from plait_harness.seals import DamagedSeal, SealReader

_ADDRESS = "(?P<part>[0-9a-f]{2})/(?P<address>(?P=part)[0-9a-f]{62})"
_DATA = re.compile(rf"[^/]+/data/{_ADDRESS}")
_CODE = re.compile(rf"[^/]+/code/{_ADDRESS}[.]tgz")
_RUN = re.compile(r"[^/]+/runs/[^/]+/run[.]json")
_ATTEMPT = re.compile(r"[^/]+/runs/[^/]+/[^/]+/[^/]+[.][0-9]+[.]attempt")
_LOG = re.compile(r"[^/]+/runs/[^/]+/[^/]+/[^/]+[.][0-9]+[.]log")


def check_layout(reader: SealReader) -> Iterator[str]:
    """Give a sentence for each file that is none of a store's, or not what its name says.

    Args:
        reader: What has read the store's seals, if any; values that it checked are not read again.
    """
    checked = {home for home, _, _ in reader.checked}
    for key in reader.iter_keys():
        form, read = next(((m, r) for f, r in _FORMS if (m := f.fullmatch(key))), (None, None))
        if form is None:
            yield f"a file that is not of the format is in the store: {key}"
        elif read is not None and key not in checked:
            try:
                found = read(reader.bytes_of(key))
            except (DamagedSeal, ValueError, tarfile.TarError, EOFError, OSError) as error:
                yield f"{key} in the store can't be read: {error}"
            else:
                if found != form["address"]:
                    yield f"{key} in the store holds what has another address, {found}"


def _address_of_value(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _address_of_package(data: bytes) -> str:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as package:
        first = package.next()
        opened = None if first is None or first.name != "INFO" else package.extractfile(first)
        if opened is None:
            raise ValueError("its first member is not INFO")
        return hashlib.sha256(opened.read()).hexdigest()


_FORMS: tuple[tuple[re.Pattern[str], Callable[[bytes], str] | None], ...] = (
    (_ATTEMPT, None),
    (_LOG, None),
    (_DATA, _address_of_value),
    (_RUN, None),
    (_CODE, _address_of_package),
)
"""Every form that a key of the store may have, the frequent ones first; what gives its address."""
