"""Settings in, the S3 store out: which bucket, which server, which cache."""

from __future__ import annotations

import os

from plait.base.errors import UsageError
from plait.base.settings import resolve
from plait.s3.connection import share_connection
from plait.s3.location import parse_folder
from plait.storage.blob_cache import BlobCache
from plait.storage.s3 import S3Storage
from plait.storage.s3_place import S3Place

_BYTES_PER_MB = 1_000_000


class NoS3Root(UsageError):
    """The S3 store is asked for, and nothing says which bucket."""

    slug = "no-s3-root"

    def __init__(self) -> None:
        super().__init__(
            "the datastore is s3, and no bucket is named",
            why="PLAIT_DATASTORE_SYSROOT_S3 is not set",
            fix="set it to a bucket and a prefix, such as s3://my-bucket/plait",
        )


def open_s3_storage(scratch: str) -> S3Storage:
    """Give the S3 store that settings name; asks nobody yet.

    Args:
        scratch: The folder of unfinished uploads.

    Raises:
        NoS3Root: No bucket is named.
        BadSetting: A setting of S3 has a value that it does not allow.
    """
    root = resolve("datastore-sysroot-s3").value
    if not root:
        raise NoS3Root
    conditional = {"yes": True, "no": False}.get(resolve("s3-conditional").value or "")
    cache = BlobCache(_cache_folder(), int(resolve("cache-mb").value or 0) * _BYTES_PER_MB)
    place = S3Place(share_connection(), parse_folder(root), scratch, cache, conditional)
    return S3Storage(place)


def _cache_folder() -> str:
    given = resolve("cache-dir").value
    if given:
        return os.path.abspath(os.path.expanduser(given))
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(home, "plait", "blobs")
