"""What an error of a request amounts to, and how long to wait before another try. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Trouble(Enum):
    """What an error of a request amounts to."""

    THROTTLED = "throttled"
    """The server asks to go slower."""
    BROKEN = "broken"
    """The server or the wire failed; the same request may do better."""
    UNREACHABLE = "unreachable"
    """Nobody listens there."""
    UNTRUSTED = "untrusted"
    """Who answers can't show who it is, or speaks no TLS."""
    CONFLICT = "conflict"
    """Another request on the same key was under way."""
    TAKEN = "taken"
    """The key holds something already, and was to be written only if it did not."""
    GONE = "gone"
    """There is no such object."""
    NO_BUCKET = "no bucket"
    """There is no such bucket."""
    FORBIDDEN = "forbidden"
    """These credentials may not do it."""
    UNKNOWN_CREDENTIALS = "unknown credentials"
    """There are none, or the server does not know them."""
    BAD_RANGE = "bad range"
    """The range begins after the object's end."""
    FOREIGN = "foreign"
    """What answers is no S3 server."""
    FOREIGN_FAILURE = "foreign failure"
    """The like, or what stands before a server failed."""
    REFUSED = "refused"
    """Anything else that another try would not mend."""


_TRANSIENT = (
    Trouble.THROTTLED,
    Trouble.BROKEN,
    Trouble.UNREACHABLE,
    Trouble.CONFLICT,
    Trouble.FOREIGN_FAILURE,
)

_BY_CODE = {
    "SlowDown": Trouble.THROTTLED,
    "Throttling": Trouble.THROTTLED,
    "ThrottlingException": Trouble.THROTTLED,
    "TooManyRequests": Trouble.THROTTLED,
    "RequestLimitExceeded": Trouble.THROTTLED,
    "RequestTimeout": Trouble.BROKEN,
    "InternalError": Trouble.BROKEN,
    "BadDigest": Trouble.BROKEN,  # the body was changed on its way
    "IncompleteBody": Trouble.BROKEN,
    "XAmzContentSHA256Mismatch": Trouble.BROKEN,
    "ConditionalRequestConflict": Trouble.CONFLICT,
    "OperationAborted": Trouble.CONFLICT,
    "PreconditionFailed": Trouble.TAKEN,
    "NoSuchKey": Trouble.GONE,
    "NoSuchUpload": Trouble.GONE,
    "NoSuchBucket": Trouble.NO_BUCKET,
    "AccessDenied": Trouble.FORBIDDEN,
    "InvalidAccessKeyId": Trouble.UNKNOWN_CREDENTIALS,
    "SignatureDoesNotMatch": Trouble.UNKNOWN_CREDENTIALS,
    "ExpiredToken": Trouble.UNKNOWN_CREDENTIALS,
    "InvalidToken": Trouble.UNKNOWN_CREDENTIALS,
    "TokenRefreshRequired": Trouble.UNKNOWN_CREDENTIALS,
    "InvalidRange": Trouble.BAD_RANGE,
}
_BY_STATUS = {
    403: Trouble.FORBIDDEN,
    404: Trouble.GONE,
    409: Trouble.CONFLICT,
    412: Trouble.TAKEN,
    416: Trouble.BAD_RANGE,
    429: Trouble.THROTTLED,
    500: Trouble.BROKEN,
    502: Trouble.BROKEN,
    503: Trouble.THROTTLED,
    504: Trouble.BROKEN,
}


def classify(code: str, status: int) -> Trouble:
    """Say what an answer of the server amounts to.

    Args:
        code: The error's code in the answer's body; for an answer without a body, as to HEAD, its
            status in digits.
        status: The HTTP status.
    """
    return _BY_CODE.get(code) or _BY_STATUS.get(status) or Trouble.REFUSED


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How often to try, and how long to wait in between.

    The pause before try n is drawn evenly from nothing to `base * 2**n` ("full jitter", so that
    a thousand tasks that failed at one moment don't come back at one moment).

    Args:
        attempts: The most tries in all.
        base: Seconds, after a server that failed.
        throttled_base: Seconds, after a server that asked to go slower.
        longest: The longest pause, in seconds.
        unreachable_seconds: How long a server that nobody answers for is tried.
    """

    attempts: int = 8
    base: float = 0.05
    throttled_base: float = 0.2
    longest: float = 5.0
    unreachable_seconds: float = 10.0

    def pause(
        self, trouble: Trouble, attempt: int, elapsed: float, draw: Callable[[], float]
    ) -> float | None:
        """Give the seconds to wait before the next try; None if there is to be none.

        Args:
            trouble: What went wrong.
            attempt: How many tries there were, at least 1.
            elapsed: Seconds since the first one began.
            draw: Gives a number from 0 to 1.
        """
        if trouble not in _TRANSIENT:
            return None
        if trouble is Trouble.UNREACHABLE:
            # A refused connection costs nothing, so time counts and not tries: a server that is
            # being restarted is waited for.
            if elapsed >= self.unreachable_seconds:
                return None
        elif attempt >= self.attempts:
            return None
        base = self.throttled_base if trouble is Trouble.THROTTLED else self.base
        return float(min(self.longest, base * 2 ** min(attempt, 16)) * draw())
