"""Objects into S3: whole or not at all, in one request or in parts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from plait.s3.connection import CutShort, KeyTaken, S3Connection
from plait.s3.errors import S3Failed, S3NotFound
from plait.s3.lanes import PART, side_by_side
from plait.s3.location import Location
from plait.s3.objects import WRITER, Labels, compare

_LEAST_PART = 5 << 20
"""S3 allows no smaller part, but for the last."""
_MOST_PARTS = 10_000


def write_object(
    connection: S3Connection,
    where: Location,
    data: bytes | bytearray | memoryview,
    *,
    exclusive: bool = False,
    labels: Labels | None = None,
) -> bool:
    """Write an object in one request; it is there whole or not at all.

    Args:
        connection: The server.
        where: The object.
        data: Its bytes, at most 5 GB.
        exclusive: Whether to leave an object be that is there already, by a conditional write.
        labels: What to say of it.

    Returns:
        False if *exclusive* and there is one already, which was not written by this call.

    Raises:
        S3Error: It could not be written.
    """
    token, tries = os.urandom(12).hex(), 0
    arguments = (labels or Labels()).arguments(token)
    if exclusive:
        arguments["IfNoneMatch"] = "*"

    def request(client: Any) -> None:
        nonlocal tries
        tries += 1
        answer = client.put_object(Bucket=where.bucket, Key=where.key, Body=data, **arguments)
        try:
            compare(data, answer)
        except CutShort:
            # It is this call's object that is there, in bytes that were changed on the way.
            arguments.pop("IfNoneMatch", None)
            raise

    try:
        connection.call("write", where, request)
    except KeyTaken:
        # The answer to an earlier try may have been lost, and the object be this very one.
        return tries > 1 and _is_writer(connection, where, token)
    return True


def write_file(
    connection: S3Connection,
    where: Location,
    path: str,
    *,
    exclusive: bool = False,
    labels: Labels | None = None,
    note: Callable[[str], Callable[[], None]] | None = None,
) -> bool:
    """Write a file as an object, in parts if it is large; it is there whole or not at all.

    Args:
        connection: The server.
        where: The object.
        path: The file, which must not change meanwhile.
        exclusive: As for `write_object`.
        labels: What to say of it.
        note: Told of an upload in parts by its id; what it gives is called when that has ended.

    Returns:
        As `write_object` does.

    Raises:
        S3Error: It could not be written.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        if size <= PART:
            data = file.read()
            return write_object(connection, where, data, exclusive=exclusive, labels=labels)
        upload = _PartsUpload(connection, where, labels or Labels(), exclusive=exclusive)
        upload_id = upload.begin()
        ended = note(upload_id) if note is not None else None
        try:
            return upload.send(file.fileno(), size)
        except BaseException:
            abort_upload(connection, where, upload_id)
            raise
        finally:
            if ended is not None:
                ended()


class _PartsUpload:
    """One upload in parts: begin, parts, end."""

    def __init__(
        self, connection: S3Connection, where: Location, labels: Labels, *, exclusive: bool
    ) -> None:
        self._connection, self._where, self._exclusive = connection, where, exclusive
        self._token = os.urandom(12).hex()
        self._labels = labels.arguments(self._token)
        self._target = {"Bucket": where.bucket, "Key": where.key}

    def begin(self) -> str:
        def request(client: Any) -> str:
            return str(client.create_multipart_upload(**self._target, **self._labels)["UploadId"])

        upload_id = self._connection.call("write", self._where, request)
        self._target["UploadId"] = upload_id
        return upload_id

    def send(self, descriptor: int, size: int) -> bool:
        part = max(PART, -(-size // _MOST_PARTS), _LEAST_PART)
        etags: dict[int, str] = {}
        self._connection.client()  # made here once, and not by several threads at once

        def send_part(number: int) -> None:
            offset = (number - 1) * part
            data = _read_at(descriptor, offset, part)
            if len(data) < min(part, size - offset):
                url = str(self._where)
                raise S3Failed("write", url, 1, "the file became shorter while it was sent")

            def request(client: Any) -> str:
                answer = client.upload_part(**self._target, PartNumber=number, Body=data)
                compare(data, answer)
                return str(answer["ETag"])

            etags[number] = self._connection.call("write", self._where, request)

        side_by_side(send_part, range(1, -(-size // part) + 1))
        return self._finish(etags)

    def _finish(self, etags: Mapping[int, str]) -> bool:
        parts = [{"PartNumber": number, "ETag": etags[number]} for number in sorted(etags)]
        extra = {"IfNoneMatch": "*"} if self._exclusive else {}
        tries = 0

        def request(client: Any) -> None:
            nonlocal tries
            tries += 1
            client.complete_multipart_upload(
                **self._target, MultipartUpload={"Parts": parts}, **extra
            )

        try:
            self._connection.call("write", self._where, request)
        except (KeyTaken, S3NotFound) as error:
            # Where the answer to an earlier try was lost, the upload is over, and the object there.
            if tries > 1 and _is_writer(self._connection, self._where, self._token):
                return True
            if isinstance(error, KeyTaken):
                abort_upload(self._connection, self._where, self._target["UploadId"])
                return False
            raise
        return True


def abort_upload(connection: S3Connection, where: Location, upload_id: str) -> None:
    """Drop an upload in parts with all that was sent; nothing happens if there is none."""

    def request(client: Any) -> None:
        client.abort_multipart_upload(Bucket=where.bucket, Key=where.key, UploadId=upload_id)

    try:
        connection.call("remove", where, request)
    except S3NotFound:
        return


def _is_writer(connection: S3Connection, where: Location, token: str) -> bool:
    def request(client: Any) -> bool:
        answer = client.head_object(Bucket=where.bucket, Key=where.key)
        return bool(answer.get("Metadata", {}).get(WRITER) == token)

    try:
        return connection.call("look at", where, request)
    except S3NotFound:
        return False


def _read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Read up to *length* bytes of a file from *offset* on."""
    pieces, missing = [], length
    while missing:
        piece = os.pread(descriptor, missing, offset)
        if not piece:
            break
        pieces.append(piece)
        offset, missing = offset + len(piece), missing - len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def remove_object(connection: S3Connection, where: Location) -> None:
    """Remove an object; nothing happens if there is none."""

    def request(client: Any) -> None:
        client.delete_object(Bucket=where.bucket, Key=where.key)

    try:
        connection.call("remove", where, request)
    except S3NotFound:
        return
