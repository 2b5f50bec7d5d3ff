"""What can go wrong between plait and an S3 server, each with what a person can do about it."""

from __future__ import annotations

import reprlib

from plait.base.errors import PlaitError, UsageError

_SHOWN = 100
"""Keys of more characters are shown by their ends."""


AWS = "AWS S3"
"""The name of the server where no endpoint is set."""


class S3Error(PlaitError):
    """The base of all mistakes about S3; `except S3Error` catches each of them."""


class S3BadURL(S3Error, UsageError):
    """A text is not the URL of an object or of a prefix."""

    slug = "s3-bad-url"

    def __init__(self, text: object, why: str = "", fix: str = "") -> None:
        super().__init__(
            f"{text!r} is not a URL of S3" if not why else f"{text!r} is no URL for this",
            why=why
            or "it has the form s3://BUCKET/KEY, and a bucket's name is of 3 to 63 lower-case "
            "letters, digits, dots and hyphens",
            fix=fix or "write it like s3://my-bucket/some/prefix",
        )


class S3BadKey(S3Error, UsageError):
    """A text is not the key of an object below the root of an `S3`."""

    slug = "s3-bad-key"

    def __init__(self, key: object, why: str, fix: str = "") -> None:
        shown = repr(key) if isinstance(key, str) and len(key) <= _SHOWN else reprlib.repr(key)
        super().__init__(
            f"{shown} is not a key that this S3 takes",
            why=why,
            fix=fix
            or "with run= or s3root= give keys below it, such as 'models/a.bin'; without, URLs",
        )


class S3BadRoot(S3Error, UsageError):
    """An `S3` was made, and where its objects are can't be told."""

    slug = "s3-bad-root"

    def __init__(self, why: str, fix: str) -> None:
        super().__init__("S3() does not know where its objects are", why=why, fix=fix)


class S3BadValue(S3Error, UsageError):
    """Something is to be written that is neither text nor bytes nor a file."""

    slug = "s3-bad-value"

    def __init__(self, key: str, value: object, why: str = "", fix: str = "") -> None:
        super().__init__(
            f"what is to be written to '{key}' is of type {type(value).__name__}"
            if not why
            else f"what is to be written to '{key}' can't be",
            why=why or "objects in S3 are bytes",
            fix=fix
            or "give text, bytes or a file that is open for reading; pickle or encode other "
            "values, or keep them as artifacts",
        )


class S3BadFile(S3Error, UsageError):
    """A file that is to be written can't be read."""

    slug = "s3-bad-file"

    def __init__(self, key: str, path: object, why: str) -> None:
        super().__init__(
            f"{path!r} can't be written to '{key}'",
            why=why,
            fix="give the path of a file that is there and that you may read; of a folder, the "
            "path of each file in it",
        )


class S3BadLabel(S3Error, UsageError):
    """What is to be said of an object, its kind or its metadata, can't be kept with it."""

    slug = "s3-bad-label"

    def __init__(self, key: str, name: str, why: str) -> None:
        super().__init__(
            f"the {name} of '{key}' can't be kept in S3",
            why=why,
            fix="give a content_type such as 'text/csv', and metadata as a short dict of what JSON "
            "knows; what is more belongs into an object of its own",
        )


class S3NotFound(S3Error):
    """There is no object of that key."""

    slug = "s3-not-found"

    def __init__(self, url: str, origin: str = "") -> None:
        # Of a resumed run, whose steps that had finished did not run again.
        elsewhere = (
            f"look also below the run that this one goes on from, S3(run=Run('{origin}')), where "
            "its finished steps put what they put; or "
        )
        super().__init__(
            f"there is nothing at {url}",
            why="the server knows no object of that key",
            fix=(elsewhere if origin else "")
            + "list what is there with list_paths(), or pass return_missing=True",
        )
        self.url = url


class S3NoSuchBucket(S3Error):
    """The bucket does not exist."""

    slug = "s3-no-such-bucket"

    def __init__(self, url: str, endpoint: str) -> None:
        super().__init__(
            f"there is no bucket for {url}",
            why=f"{endpoint} says NoSuchBucket",
            fix="make the bucket, or name another one, or another server by PLAIT_S3_ENDPOINT_URL",
        )


class S3AccessDenied(S3Error):
    """These credentials may not do this."""

    slug = "s3-access-denied"

    def __init__(self, action: str, url: str, endpoint: str, said: str) -> None:
        # AWS has a word of its own for credentials that are wrong.
        vague = "" if endpoint == AWS else "; some servers say so of wrong credentials, too"
        super().__init__(
            f"you may not {action} {url}",
            why=f"{endpoint} says: {said.rstrip('.')}{vague}",
            fix="ask for the right to it, or set credentials that have it: AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        )


class S3BadCredentials(S3Error):
    """There are no credentials, or the server does not know them."""

    slug = "s3-bad-credentials"

    def __init__(self, url: str, endpoint: str, said: str) -> None:
        super().__init__(
            f"{endpoint} does not accept the credentials for {url}",
            why=said,
            fix="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN, if they "
            "are for a time), or name a profile of ~/.aws/credentials by AWS_PROFILE",
        )


class S3BadConfig(S3Error, UsageError):
    """What AWS's library is told by variables and files is wrong, so that it can't be set up."""

    slug = "s3-bad-config"

    def __init__(self, endpoint: str, said: str) -> None:
        super().__init__(
            f"boto3 can't be set up to ask {endpoint}",
            why=said,
            fix="correct or unset what says so: a variable such as AWS_PROFILE, AWS_ACCESS_KEY_ID "
            "with AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION or PLAIT_S3_ENDPOINT_URL, or a line "
            "of ~/.aws/config or ~/.aws/credentials",
        )


class S3InvalidRange(S3Error):
    """A range begins after the object's end, or is none."""

    slug = "s3-invalid-range"

    def __init__(self, url: str, said: str, fix: str = "") -> None:
        super().__init__(
            f"{url} has no such range",
            why=said,
            fix=fix or "ask for a range that begins within the object; info() tells its size",
        )


class S3Unreachable(S3Error):
    """No server answers at the endpoint."""

    slug = "s3-unreachable"

    def __init__(self, endpoint: str, said: str, seconds: float) -> None:
        super().__init__(
            f"no S3 server answers at {endpoint}",
            why=f"{said} (tried for {seconds:.0f} s)",
            fix="check the network, and that PLAIT_S3_ENDPOINT_URL names the server",
        )


class S3NotAServer(S3Error):
    """Something answers at the endpoint that is no S3 server."""

    slug = "s3-not-a-server"

    def __init__(self, action: str, url: str, endpoint: str, said: str) -> None:
        super().__init__(
            f"what answers at {endpoint} is no S3 server",
            why=f"asked to {action} {url}, it answered with {said}",
            fix="correct PLAIT_S3_ENDPOINT_URL: http or https, host, port and path of the server's "
            "S3 interface, and not of its console or of a page before it",
        )


class S3Untrusted(S3Error):
    """The server can't show that it is the one that is meant, or speaks no TLS at all."""

    slug = "s3-untrusted"

    def __init__(self, endpoint: str, said: str) -> None:
        super().__init__(
            f"no connection that can be trusted is possible to {endpoint}",
            why=said,
            fix="name the file of the authority that has signed its certificate by AWS_CA_BUNDLE; "
            "if the server speaks no TLS, let PLAIT_S3_ENDPOINT_URL begin with http://",
        )


class S3Throttled(S3Error):
    """The server asks to go slower, and went on asking."""

    slug = "s3-throttled"

    def __init__(self, action: str, url: str, attempts: int, said: str) -> None:
        super().__init__(
            f"S3 refuses to {action} {url}: too many requests",
            why=f"{said} ({attempts} times, each after a longer pause)",
            fix="run fewer tasks at once (--max-workers), or ask for a higher limit",
        )


class S3Failed(S3Error):
    """The server did not do as asked, for a reason of its own."""

    slug = "s3-failed"

    def __init__(self, action: str, url: str, attempts: int, said: str) -> None:
        times = "once" if attempts == 1 else f"{attempts} times"
        super().__init__(
            f"S3 could not {action} {url}",
            why=f"{said} (tried {times})",
            fix="look into the server's log; what was not written whole is not there",
        )


class S3Closed(S3Error, UsageError, FileNotFoundError):
    """An `S3`, or bytes that it read, are used after its end."""

    slug = "s3-closed"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} after the end of its 'with', or after close()",
            why="an S3 lets go there of all that it has read",
            fix="use it within the 'with'; keep what is needed longer in a variable, as found.blob "
            "or found.text, or copy the file",
        )


class S3ScratchFailed(S3Error):
    """What was read can't be kept in a file of this machine."""

    slug = "s3-scratch-failed"

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(
            f"S3 can't keep what it reads in '{folder}'",
            why=f"the system says: {reason}",
            fix="make room there, or name another folder by S3(tmproot='/some/folder'), or by "
            "TMPDIR",
        )


class S3NotInstalled(S3Error, UsageError):
    """The library that talks to S3 is not installed."""

    slug = "s3-not-installed"

    def __init__(self) -> None:
        super().__init__(
            "S3 needs the package boto3",
            why="it is not installed here",
            fix="pip install 'plait[s3]'",
        )
