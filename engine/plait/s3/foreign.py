"""Whether what answers is an S3 server at all: the URL may be that of a page or another API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_PAGE = re.compile(rb"<(!doctype\s+)?html", re.IGNORECASE)
_SHOWN = 60
_LOOKED_AT = 1000
_REDIRECTS = range(300, 400)
_NOT_MODIFIED = 304
_TOO_MANY = 429
_FAILED = 500


class Foreign(Exception):
    """What answered speaks another language than S3's; its text says by what that is seen."""


class ForeignFailure(Foreign):
    """The same, and another try may do better."""


def refuse_foreign(response_dict: Mapping[str, Any], **_: Any) -> None:
    """Look at an answer before the library makes something of it, which it does of any page.

    Answers that say that a server, or what stands before it, is busy or broken may be pages; they
    are for another try.

    Args:
        response_dict: The answer as the library has it: status, headers, and the body, which is
            bytes unless it is that of an object.

    Raises:
        Foreign: No server of S3 answers so.
        ForeignFailure: No more does it, but it may be a failure of what stands before one.
    """
    status, body = int(response_dict["status_code"]), response_dict.get("body")
    headers = response_dict.get("headers", {})
    if status > _FAILED or status in (_TOO_MANY, _NOT_MODIFIED):
        return
    if isinstance(body, bytes) and body.strip():
        start = body.lstrip()[:_LOOKED_AT]
        # Whatever S3 says is in XML.
        if not start.startswith((b"<", b"\xef\xbb\xbf<")) or _PAGE.search(start):
            shown = " ".join(start[:_SHOWN].decode("utf-8", "replace").split())
            if status == _FAILED:
                # The library says so of any status, where what came with it is no XML.
                raise ForeignFailure(repr(shown))
            raise Foreign(f"status {status} and {shown!r}")
    elif status in _REDIRECTS and "x-amz-bucket-region" not in headers:
        # The library would ask where the bucket is, and that in the same way, without end.
        raise Foreign(f"status {status}, and sends on to {headers.get('location')!r}")


def check_tag(answer: Mapping[str, Any]) -> None:
    """Look whether an answer about an object names its content, as each of S3 does.

    Raises:
        Foreign: It does not.
    """
    if not answer.get("ETag"):
        raise Foreign("no ETag, which every object in S3 has")
