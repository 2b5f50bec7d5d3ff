"""Times as users get them: `datetime` objects in local time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def local_time(at: float) -> datetime:
    """Give *at*, seconds since 1970, as a `datetime` in local time, without a time zone.

    Without one, because then `datetime.now() - run.created_at` works as users write it. The hour
    that the clock goes through twice in autumn is told apart by `fold`, so that `timestamp()` of
    the result is *at* again.
    """
    # Imported here, because most scripts read values and never ask for a time.
    from datetime import datetime

    return datetime.fromtimestamp(at)  # noqa: DTZ006  # local time is what is promised


def find_local_time(at: float | None) -> datetime | None:
    """Give *at* as `local_time` does, or None if it is None."""
    return None if at is None else local_time(at)
