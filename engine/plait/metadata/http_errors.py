"""The mistakes and mishaps between a store of facts behind a service and whoever uses it."""

from __future__ import annotations

from plait.base.errors import PlaitError, UsageError


class ServiceUnreachable(PlaitError):
    """The metadata service does not answer, and nothing can be done without it."""

    slug = "service-unreachable"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"the metadata service at {url} does not answer",
            why=reason,
            fix=f"check that it runs, and that PLAIT_SERVICE_URL names it: curl -i {url}/healthz",
        )


class ServiceRefused(PlaitError):
    """The metadata service does not take our token."""

    slug = "service-refused"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"the metadata service at {url} does not let us in",
            why="PLAIT_SERVICE_TOKEN is not its token, or not set",
            fix="export PLAIT_SERVICE_TOKEN=..., as whoever runs the service says",
        )


class NotAService(PlaitError):
    """What answers at the URL is no metadata service, or one that takes other requests."""

    slug = "not-a-service"

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(
            f"what answers at {url} is not a metadata service that this plait can use",
            why=reason,
            fix="check PLAIT_SERVICE_URL; and that plait is of one version here and there",
        )


class FactsNotSent(PlaitError):
    """A run came to its end, and the metadata service was not there to be told."""

    slug = "facts-not-sent"

    def __init__(self, url: str, count: int, seconds: float, reason: str) -> None:
        super().__init__(
            f"the run's end could not be told to the metadata service at {url}",
            why=f"{count} facts wait; it was tried for {seconds:g} s more\n{reason}",
            fix="nothing that tasks did is lost: each attempt's result is sealed with the values.\n"
            "Once the service is back: plait status, which writes what it lacks; or resume the run",
        )


class BadServiceURL(UsageError):
    """The URL of the metadata service is missing, or none."""

    slug = "bad-service-url"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"'{url}' is not the URL of a metadata service"
            if url
            else "no metadata service is named",
            why=why,
            fix="export PLAIT_SERVICE_URL=http://127.0.0.1:8080",
        )


class BadServiceToken(UsageError):
    """The token cannot be sent in a header of HTTP; it is not shown."""

    slug = "bad-service-token"

    def __init__(self) -> None:
        super().__init__(
            "the token of the metadata service cannot be sent",
            why="it is blank, or has a line's end or another character in it that is not of ASCII",
            fix="export PLAIT_SERVICE_TOKEN=$(cat token), as the service has it",
        )


class BadServiceWait(UsageError):
    """How long to wait for the metadata service is not a number of seconds."""

    slug = "bad-service-wait"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"'{text}' is not a number of seconds to wait for the metadata service",
            why="it is what PLAIT_SERVICE_WAIT says",
            fix="export PLAIT_SERVICE_WAIT=60",
        )
