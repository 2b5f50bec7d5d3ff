"""S3 storages for the tests of this folder, each in a prefix of its own."""

from __future__ import annotations

from itertools import count

import pytest

from plait.s3.connection import S3Connection
from plait.s3.location import Location
from plait.storage.blob_cache import BlobCache
from plait.storage.s3 import S3Storage
from plait.storage.s3_place import S3Place

BUCKET = "plait-tests"
_numbers = count()
connections: dict[str, S3Connection] = {}
"""By URL: a new client costs a second where no byte code can be kept."""


def _make_factory(url, tmp_path):
    def make(connection=None, *, cache_bytes=1 << 30, name=None, **more):
        number = name or next(_numbers)
        place = S3Place(
            connection or connections.setdefault(url, S3Connection(url)),
            Location(BUCKET, f"test-{number}"),
            str(tmp_path / f"scratch-{number}-{next(_numbers)}"),
            BlobCache(str(tmp_path / f"cache-{number}"), cache_bytes),
            **more,
        )
        return S3Storage(place)

    return make


@pytest.fixture
def make_storage(moto, tmp_path):
    """Gives a new, empty storage at each call; in a server in memory."""
    return _make_factory(moto.url, tmp_path)


@pytest.fixture
def make_on_disk(seaweed, tmp_path):
    """Gives a new, empty storage at each call; in a server that keeps it on the disk."""
    return _make_factory(seaweed.url, tmp_path)
