"""Who runs this, and where: the user's name, the host, and the system tags that say so."""

from __future__ import annotations

import os
import sys
import time
from functools import cache

from plait.base.errors import UsageError
from plait.base.settings import resolve
from plait.base.version import VERSION


class UnknownUser(UsageError):
    """No user name can be found, so that runs could not say whose they are."""

    slug = "unknown-user"

    def __init__(self) -> None:
        super().__init__(
            "plait cannot tell who you are",
            why="none of PLAIT_USER, SUDO_USER, USERNAME, USER is set, and the system has no name "
            "for this user",
            fix="set PLAIT_USER to your name",
        )


@cache
def host_name() -> str:
    """Give the name of this machine."""
    import platform

    return platform.node() or "localhost"


def platform_name() -> str:
    """Give the system and the processor of this machine, such as `linux-x86_64`."""
    import platform

    return f"{sys.platform}-{platform.machine() or 'unknown'}"


def user_name() -> str:
    """Give the name of the person who runs this.

    Raises:
        UnknownUser: Nothing says.
        NoSuchProfile, BadProfile: The profile in use cannot be read.
    """
    # The variable, or what a profile says in its place.
    given = resolve("user").value
    if given and given != "root":
        return given
    for variable in ("SUDO_USER", "USERNAME", "USER"):
        name = os.environ.get(variable)
        if name and name != "root":
            return name
    # root in a container is somebody too, but any other answer is better.
    named = given or os.environ.get("USER")
    if named:
        return named
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except (ImportError, KeyError):
        raise UnknownUser from None


def system_tags(now: float) -> tuple[str, ...]:
    """Give the tags that plait itself puts on a run that starts at *now* (seconds since 1970)."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return (
        f"user:{user_name()}",
        "runtime:dev",
        f"python_version:{version}",
        f"plait_version:{VERSION}",
        f"date:{time.strftime('%Y-%m-%d', time.gmtime(now))}",
    )
