"""The mistakes that whoever starts the metadata service can make."""

from __future__ import annotations

from plait.base.errors import PlaitError, UsageError


class ServiceNotInstalled(PlaitError):
    """The libraries that the service is made of are not installed."""

    slug = "service-not-installed"

    def __init__(self, module: str) -> None:
        super().__init__(
            "the metadata service cannot be started here",
            why=f"the library {module} is not installed",
            fix="pip install 'plait[service]'",
        )


class BadDatabaseURL(UsageError):
    """`--db`, or PLAIT_SERVICE_DB, names no database that the service can keep facts in."""

    slug = "bad-database-url"

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"the service cannot keep facts in '{kind}'" if kind else "no database is named",
            why="it knows SQLite and PostgreSQL"
            if kind
            else "neither --db nor PLAIT_SERVICE_DB says where the service is to keep facts",
            fix="write --db sqlite:///folder/facts.db or --db postgresql://user@host/database;\n"
            "a URL with a password in it belongs into PLAIT_SERVICE_DB",
        )


class TokenNeeded(UsageError):
    """The service is to answer other machines, but anybody could write to it."""

    slug = "service-token-needed"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"the service does not listen on {host} without a token",
            why="everybody who reaches this machine could read and change what it holds",
            fix="set PLAIT_SERVICE_TOKEN, or name a file that holds it: --token-file FILE",
        )


class BadTokenFile(UsageError):
    """The file that should hold the token cannot be read, or holds none."""

    slug = "bad-token-file"

    def __init__(self, path: str, why: str) -> None:
        super().__init__(
            f"there is no token in {path}",
            why=why,
            fix="write one into it: python -c 'import secrets; print(secrets.token_hex(32))'",
        )


class PortTaken(PlaitError):
    """Nobody can listen where the service should."""

    slug = "port-taken"

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(
            f"the service cannot listen on {host}:{port}",
            why=why,
            fix="choose another --port; 0 takes one that is free",
        )
