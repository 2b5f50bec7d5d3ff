"""What may be a key, the same for every storage, so that none can lead out of its root."""

from __future__ import annotations

import re

from plait.storage.errors import BadKey

_SEGMENT = r"(?!\.{1,2}(?:/|\Z))[^/\\\0\ud800-\udfff]+"
# Half a surrogate pair has no UTF-8 form, so no file system or URL could hold it.
_KEY = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*\Z")


def is_key(text: str) -> bool:
    """Say whether *text* may be a key, or the folder of keys."""
    return _KEY.match(text) is not None


def check_key(text: str) -> None:
    """Refuse what may not be a key. Raises BadKey."""
    if _KEY.match(text) is None:
        raise BadKey(text)
