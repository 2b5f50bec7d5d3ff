"""Requests to one S3 server: a client for each process, and tries until it is done or hopeless."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, TypeVar
from urllib.parse import urlsplit

from plait.base.settings import resolve
from plait.s3.errors import (
    AWS,
    S3AccessDenied,
    S3BadConfig,
    S3BadCredentials,
    S3Error,
    S3Failed,
    S3InvalidRange,
    S3NoSuchBucket,
    S3NotAServer,
    S3NotFound,
    S3NotInstalled,
    S3Throttled,
    S3Unreachable,
    S3Untrusted,
)
from plait.s3.foreign import Foreign, ForeignFailure, refuse_foreign
from plait.s3.location import Location
from plait.s3.retry import RetryPlan, Trouble, classify

Result = TypeVar("Result")

POOL = 32
"""The most connections of one process."""


class KeyTaken(Exception):
    """An object was to be written only if there was none, and there is one."""


class CutShort(Exception):
    """A body ended before its announced length, or its bytes are not those announced."""


@dataclass(slots=True)
class S3Connection:
    """One server, as settings name it; requests are made by a client of the process's own.

    A client that is used on both sides of a fork may get the answers to another process's
    requests. So each process has its own. What makes one costs ten milliseconds of a task's time,
    even with the description of the service loaded. So `warm` makes one before the forks that is
    never used there and has no connection; each fork takes its copy of that one as its own.

    Args:
        endpoint: The server's URL; None for AWS's own.
        plan: How often to try.
        sleep: Waits; another one is only for tests.
    """

    endpoint: str | None = None
    plan: RetryPlan = field(default_factory=RetryPlan)
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    """How many requests this process has made, tries counted each."""
    heard: bool = False
    """Whether the server has ever answered; one that never has is not waited for long."""
    _session: Any = None
    _unused: Any = None
    _client: Any = None
    _pid: int = 0
    _warmed: int = 0
    _random: Random = field(default_factory=Random)

    def __post_init__(self) -> None:
        if self.endpoint and "@" in self.endpoint:
            # S3's requests have no place for a user and a password, and errors show the URL.
            scheme, separator, rest = self.endpoint.partition("://")
            self.endpoint = f"{scheme}{separator}{rest.rpartition('@')[2]}"

    @property
    def place(self) -> str:
        """The server, for messages."""
        return self.endpoint or AWS

    def warm(self) -> None:
        """Make a client for each process that is forked from this one. Opens nothing."""
        client = self._create()
        _rehearse(client)
        self._unused = client
        self._warmed = os.getpid()

    def client(self) -> Any:
        """Give this process's client of `boto3`. Raises S3NotInstalled, S3BadConfig."""
        # Held on to, as another thread may be told that its credentials are wrong.
        client = self._client
        if client is None or self._pid != os.getpid():
            pid = os.getpid()
            # In the process that warmed it, it has to stay unused: that one forks on.
            fresh = None if self._warmed == pid else self._unused
            self._client = client = fresh or self._create()
            self._unused = self._unused if self._warmed == pid else None
            self._pid = pid
            # Forked processes that draw the same pauses would come back at the same moments.
            # Not the global generator, whose state is the user's.
            self._random = Random()  # noqa: S311  # pauses, no secrets
            self.requests = 0
        return client

    def find_credentials(self) -> Any:
        """Give whose requests these are, as the library found out; None if nobody's are."""
        self.client()
        session = self._session
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            # Another thread may just have been told that they are wrong.
            found = None if session is None else session.get_credentials()
            return None if found is None else found.get_frozen_credentials()
        except (BotoCoreError, ClientError, OSError):
            return None  # a request of the library's fails for the same reason, and tells it

    def _create(self) -> Any:
        try:
            import boto3.session
            from botocore.config import Config
        except ImportError:
            raise S3NotInstalled from None
        from botocore.exceptions import BotoCoreError

        seconds = float(resolve("s3-timeout").value or 60)
        try:
            if self.endpoint:
                urlsplit(self.endpoint).port  # noqa: B018  # raises where the port is none
            session = self._session or boto3.session.Session()
            config = Config(
                # Tried again here, where it is known what came of the tries before.
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=seconds,
                max_pool_connections=POOL,
                s3={"addressing_style": "path"} if self.endpoint else {},
                # Servers other than AWS's often lack the newer kinds of sums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            )
            region = session.region_name or "us-east-1"
            client = session.client(
                "s3", endpoint_url=self.endpoint, region_name=region, config=config
            )
        except (BotoCoreError, ValueError, OSError) as error:
            raise S3BadConfig(self.place, str(error)) from None  # it says all that there is to say
        self._session = session
        client.meta.events.register("before-parse.s3", refuse_foreign)
        return client

    def call(
        self, action: str, where: Location, request: Callable[[Any], Result], *, again: bool = True
    ) -> Result:
        """Make a request, and make it again while that may help.

        Args:
            action: The verb for messages: `read`, `write`, ...
            where: What it is about.
            request: Takes a client, and does all that belongs to one try: a body is read in it.
            again: Whether to try again at all.

        Raises:
            S3Error: It did not succeed; the subclass says why.
            KeyTaken: See there.
        """
        begun = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                client = self.client()
                self.requests += 1
                result = request(client)
            except (S3Error, KeyTaken):
                self.heard = True
                raise
            except Exception as error:
                trouble, said = _understand(error)
                self.heard = self.heard or bool(getattr(error, "response", None))
                if not self.heard and _is_silence(error):
                    trouble = Trouble.UNREACHABLE
                if trouble is Trouble.UNKNOWN_CREDENTIALS:
                    # The next request looks for them anew: a file may be corrected by then.
                    self._session = self._client = None
                elapsed = time.monotonic() - begun
                pause = self.plan.pause(trouble, attempt, elapsed, self._random.random)
                if pause is None or not again:
                    tried = _Try(self.place, action, where, attempt, elapsed)
                    raise _tell(trouble, said, tried) from error
                self.sleep(pause)
            else:
                self.heard = True
                return result


def _is_silence(error: Exception) -> bool:
    """Say whether somebody took the connection and then said nothing."""
    from botocore.exceptions import ReadTimeoutError

    return isinstance(error, ReadTimeoutError)


def _rehearse(client: Any) -> None:
    """Have *client* go through a write and a read that are answered here, and sent to nobody.

    What it looks up at its first request, it has then found.
    """
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import BotoCoreError, ClientError

    def answer(request: Any, **_: Any) -> Any:
        return AWSResponse(request.url, 403, {}, _Empty())

    client.meta.events.register("before-send.s3", answer)
    try:
        for operation, more in ((client.put_object, {"Body": b""}), (client.get_object, {})):
            try:
                operation(Bucket="rehearsal", Key="x", **more)
            except (ClientError, BotoCoreError, ValueError):
                continue  # refused here, as it should be; or what is wrong is told when it matters
    finally:
        client.meta.events.unregister("before-send.s3", answer)


class _Empty:
    """A body without a byte, as the library reads it."""

    def stream(self, **_: Any) -> tuple[bytes, ...]:
        return ()

    def read(self, *_: Any, **__: Any) -> bytes:
        return b""


def _understand(error: Exception) -> tuple[Trouble, str]:
    """Say what an error amounts to, and what it says. Raises it on if it is none of S3's."""
    from botocore import exceptions as known
    from urllib3.exceptions import HTTPError

    if isinstance(error, known.ClientError):
        answer = error.response.get("Error", {})
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(answer.get("Code", ""))
        said = ": ".join(part for part in (code, str(answer.get("Message", ""))) if part)
        return classify(code, status), said or f"status {status}"
    kinds: tuple[tuple[tuple[type[Exception], ...], Trouble], ...] = (
        ((CutShort,), Trouble.BROKEN),
        ((ForeignFailure,), Trouble.FOREIGN_FAILURE),
        ((Foreign,), Trouble.FOREIGN),
        (
            (
                known.NoCredentialsError,
                known.PartialCredentialsError,
                known.CredentialRetrievalError,
                known.SSOError,
            ),
            Trouble.UNKNOWN_CREDENTIALS,
        ),
        (
            (known.EndpointConnectionError, known.ConnectTimeoutError, known.ProxyConnectionError),
            Trouble.UNREACHABLE,
        ),
        ((known.SSLError,), Trouble.UNTRUSTED if _is_lasting(str(error)) else Trouble.BROKEN),
        # The library lets the errors of the one below it pass where it reads what is no object.
        ((known.HTTPClientError, known.ResponseStreamingError, HTTPError), Trouble.BROKEN),
        ((known.BotoCoreError, ValueError), Trouble.REFUSED),
        ((OSError,), Trouble.BROKEN),
    )
    for types, trouble in kinds:
        if isinstance(error, types):
            return trouble, str(error)
    raise error


def _is_lasting(said: str) -> bool:
    """Say whether what went wrong with TLS goes wrong again, by what its library says of it."""
    return any(word in said for word in ("CERTIFICATE", "certificate", "WRONG_VERSION", "No such"))


@dataclass(frozen=True, slots=True)
class _Try:
    """What was tried: by which server, what and where, how often and for how long."""

    endpoint: str
    action: str
    where: Location
    attempts: int
    seconds: float


def _tell(trouble: Trouble, said: str, tried: _Try) -> Exception:
    """Give the error for a person."""
    url = str(tried.where)

    def not_a_server() -> Exception:
        return S3NotAServer(tried.action, url, tried.endpoint, said)

    told: dict[Trouble, Callable[[], Exception]] = {
        Trouble.TAKEN: lambda: KeyTaken(url),
        Trouble.GONE: lambda: S3NotFound(url),
        Trouble.NO_BUCKET: lambda: S3NoSuchBucket(url, tried.endpoint),
        Trouble.FOREIGN: not_a_server,
        Trouble.FOREIGN_FAILURE: not_a_server,
        Trouble.FORBIDDEN: lambda: S3AccessDenied(tried.action, url, tried.endpoint, said),
        Trouble.UNKNOWN_CREDENTIALS: lambda: S3BadCredentials(url, tried.endpoint, said),
        Trouble.BAD_RANGE: lambda: S3InvalidRange(url, said),
        Trouble.UNTRUSTED: lambda: S3Untrusted(tried.endpoint, said),
        Trouble.UNREACHABLE: lambda: S3Unreachable(tried.endpoint, said, tried.seconds),
        Trouble.THROTTLED: lambda: S3Throttled(tried.action, url, tried.attempts, said),
    }
    make = told.get(trouble)
    return make() if make else S3Failed(tried.action, url, tried.attempts, said)


def open_connection(endpoint: str | None = None) -> S3Connection:
    """Give a connection to the server that settings name; nothing is opened yet.

    Args:
        endpoint: Its URL, where that is not to come from PLAIT_S3_ENDPOINT_URL.
    """
    return S3Connection(endpoint or resolve("s3-endpoint-url").value)


_SETTINGS = ("s3-endpoint-url", "s3-timeout", "s3-conditional", "cache-mb", "datastore-sysroot-s3")

_shared: dict[tuple[str | None, ...], S3Connection] = {}
"""By what settings and AWS's variables say, so that what `warm` loads before the forks is there in
them, and that whoever corrects one of these in a notebook need not start anew."""


def share_connection() -> S3Connection:
    """Give this process's connection to the server that settings name; asks nobody yet.

    Raises:
        BadSetting: A setting of S3 has a value that it does not allow, whether or not it counts
            for what is about to be done: whoever set it is to hear of it at the first use.
    """
    for name in _SETTINGS:
        resolve(name)
    endpoint = resolve("s3-endpoint-url").value
    told = sorted(f"{name}={value}" for name, value in os.environ.items() if name[:4] == "AWS_")
    said = (endpoint, resolve("s3-timeout").value, *told)
    if said not in _shared:
        _shared[said] = open_connection(endpoint)
    return _shared[said]
