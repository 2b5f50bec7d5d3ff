"""The S3 servers that the questions about S3 are asked of, started for one program."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from plait.s3.connection import S3Connection
from plait.s3.location import Location
from plait.s3.retry import RetryPlan
from plait_harness.services import MOTO, SEAWEED, Program, start

BUCKET = "plait-bench"
ON_DISK = "SeaweedFS"
IN_MEMORY = "moto"
SERVERS: dict[str, Program] = {ON_DISK: SEAWEED, IN_MEMORY: MOTO}
"""A server written in Go that keeps objects on the disk, and one written in Python."""


@contextmanager
def serve(name: str) -> Iterator[str]:
    """Start a server with an empty bucket, set the variables by which it is found, give its URL."""
    with (
        tempfile.TemporaryDirectory(prefix="plait-bench-s3-") as folder,
        start(SERVERS[name], folder) as service,
    ):
        os.environ.update(service.env)
        # Some servers take a while after they answer until a bucket can be made.
        connection = S3Connection(service.url, RetryPlan(attempts=60, longest=0.5))
        where = Location(BUCKET)
        connection.call("make", where, lambda client: client.create_bucket(Bucket=BUCKET))
        yield service.url
