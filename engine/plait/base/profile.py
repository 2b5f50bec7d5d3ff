"""The file in which a person keeps settings for all of their flows, one for each profile."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from plait.base.errors import UsageError, nearest

HOME = "~/.plaitconfig"
"""The folder of the profiles, if PLAIT_HOME does not name another."""

_NAME = re.compile(r"PLAIT_[A-Z0-9_]+\Z")
_PROFILE = re.compile(r"[\w.-]+\Z")

# By file: what it was when it was read, and what it said. The client asks each time it is used.
_read: dict[str, tuple[tuple[int, int, int], Mapping[str, str]]] = {}


class NoSuchProfile(UsageError):
    """PLAIT_PROFILE or `--profile` names a profile that there is not."""

    slug = "no-such-profile"

    def __init__(self, profile: str, folder: str) -> None:
        super().__init__(
            f"there is no profile '{profile}' in {folder}",
            why=nearest(profile, list_profiles(folder)) or "there is no profile at all",
            fix=f"make it: plait configure import FILE --profile {profile}; or name another",
        )


class BadProfile(UsageError):
    """The file of a profile, or one that should become one, does not hold settings."""

    slug = "bad-profile"

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(
            f"{file} holds no settings of plait: {problem}",
            why="it has to be one JSON object, with names of variables and texts, such as "
            '{"PLAIT_USER": "ada"}',
            fix="mend it; 'plait configure reset' removes a profile's file",
        )


class BadProfileName(UsageError):
    """A profile is to have a name that cannot be part of a file's name."""

    slug = "bad-profile-name"

    def __init__(self, profile: str) -> None:
        super().__init__(
            f"{profile!r} cannot be the name of a profile",
            why="it becomes part of a file's name",
            fix="write letters, digits, '-', '_' and '.'",
        )


def find_folder(environ: Mapping[str, str]) -> str:
    """Give the folder of the profiles, which may not be there."""
    return os.path.abspath(os.path.expanduser(environ.get("PLAIT_HOME") or HOME))


def find_file(profile: str | None, environ: Mapping[str, str]) -> str:
    """Give the file of a profile, which may not be there; None is the one without a name.

    Raises:
        BadProfileName: No file could be called so.
    """
    if profile and not _PROFILE.match(profile):
        raise BadProfileName(profile)
    name = f"config_{profile}.json" if profile else "config.json"
    return os.path.join(find_folder(environ), name)


def list_profiles(folder: str) -> list[str]:
    """Give the names of the profiles in *folder*, sorted."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    found = (re.fullmatch(r"config_(.+)\.json", name) for name in names)
    return sorted(match[1] for match in found if match)


def load_profile(environ: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Give the file of the profile in use, and what it says, by the names of variables.

    Args:
        environ: Says where and which, by PLAIT_HOME and PLAIT_PROFILE.

    Raises:
        NoSuchProfile: PLAIT_PROFILE names one that there is not.
        BadProfile: The file does not hold settings.
    """
    profile = environ.get("PLAIT_PROFILE")
    file = find_file(profile, environ)
    try:
        found = os.stat(file)
    except OSError:
        if profile:
            raise NoSuchProfile(profile, os.path.dirname(file)) from None
        return file, {}
    state = (found.st_mtime_ns, found.st_size, found.st_ino)
    known = _read.get(file)
    if known is None or known[0] != state:
        try:
            with open(file, "rb") as source:
                content = source.read()
        except OSError as error:
            raise BadProfile(file, error.strerror or str(error)) from error
        known = _read[file] = (state, parse_profile(content, file))
    return file, known[1]


def parse_profile(content: bytes, file: str) -> dict[str, str]:
    """Read what a profile's file holds.

    Args:
        content: JSON in UTF-8.
        file: Its name, for messages.

    Raises:
        BadProfile: It is something else.
    """
    import json

    try:
        found = json.loads(content)
    except ValueError as error:
        raise BadProfile(file, f"it is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise BadProfile(file, f"it is {_kind(found)}")
    settings = {}
    for name, value in found.items():
        if not _NAME.match(name):
            raise BadProfile(file, f"{name!r} is not the name of a variable PLAIT_...")
        if value is None:
            continue
        if not isinstance(value, (str, int, float)):
            raise BadProfile(file, f"the value of {name} is {_kind(value)}")
        # As a variable of the environment would say it.
        settings[name] = str(int(value)) if isinstance(value, bool) else str(value)
    return settings


def save_profile(file: str, settings: Mapping[str, str]) -> None:
    """Write a profile's file, whole or not at all, so that only its owner can read it.

    Args:
        file: Where; its folder is made if need be.
        settings: What it is to say.
    """
    write_private(file, format_profile(settings))


def format_profile(settings: Mapping[str, str]) -> bytes:
    """Give what `parse_profile` reads, sorted by name."""
    import json

    return json.dumps(dict(sorted(settings.items())), indent=2, ensure_ascii=False).encode() + b"\n"


def write_private(file: str, content: bytes) -> None:
    """Write a file that may hold secrets: whole or not at all, for its owner alone."""
    folder = os.path.dirname(os.path.abspath(file))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    draft = f"{file}.{os.getpid()}.part"
    try:
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "wb") as target:
            target.write(content)
        os.replace(draft, file)
    except OSError as error:
        error.filename = file  # the draft is not what anybody asked for
        if os.path.exists(draft):
            os.unlink(draft)
        raise


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", type(None): "null"}
    return kinds.get(type(value), f"{value!r}")
