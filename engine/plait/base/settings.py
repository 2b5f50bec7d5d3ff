"""Every setting of plait, once: its default, its environment variable and what it means."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from plait.base.errors import UsageError, nearest
from plait.base.profile import HOME, load_profile


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that a person can set.

    Args:
        name: Kebab-case, as the command line's option without its dashes.
        env: The environment variable that sets it.
        default: What holds when nobody says; None where there is no default.
        meaning: One sentence.
        choices: The values allowed; empty if any is.
        section: The word after `plait configure` that asks for it; empty if none does.
        form: A regular expression that values match; empty if any will do.
        rule: What that asks for, in words.
        example: A value of that form.
    """

    name: str
    env: str
    default: str | None
    meaning: str
    choices: tuple[str, ...] = ()
    section: str = ""
    form: str = ""
    rule: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Value:
    """A setting's value, with where it came from: `default`, the variable, a profile's file."""

    value: str | None
    source: str


class BadSetting(UsageError):
    """An environment variable, or a profile, holds a value that its setting does not allow."""

    slug = "bad-setting"

    def __init__(self, setting: Setting, value: str, source: str) -> None:
        place = "" if source == setting.env else f"{source} says so; "
        why, fix = f"it is not {setting.rule}", f"write it like {setting.example}"
        if setting.choices:
            why = nearest(value, setting.choices)
            fix = f"set it to one of: {', '.join(setting.choices)}"
        super().__init__(
            f"{setting.env}={hide_login(value)!r} is not a value of '{setting.name}'",
            why=place + why,
            fix=fix,
        )


def hide_login(text: str) -> str:
    """Give a value as it may be shown: of a URL with a password or a token before its `@`, less."""
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "", text
    login, at, place = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    # Alone before an `@`, it is a name but with HTTP, where it may be a token.
    if not at or not (colon or scheme.endswith(("http", "https"))) or scheme == "s3":
        return text
    shown = f"{user}:****" if colon and user.isalnum() else "****"
    return f"{scheme}{separator}{shown}@{place}"


@dataclass(frozen=True, slots=True)
class StoreChoice:
    """Which stores somebody asked for; what is None is as settings say.

    Args:
        root: The folder of what is kept on this machine.
        datastore: Where values are kept: `local` or `s3`.
        metadata: Where facts are kept: `local`, `service` or `service@URL`.
    """

    root: str | None = None
    datastore: str | None = None
    metadata: str | None = None


DEFAULT_STORES = StoreChoice()
"""The stores that settings name."""

BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
"""What a bucket of S3 may be called, as a regular expression."""

PREFIX = r"(?:/(?!\.{1,2}(?:/|\Z))[^/\x00-\x1f\x7f\ud800-\udfff]+)*/?"
"""What may follow the bucket in the URL of a folder, as a regular expression.

No part of it is empty, `.` or `..`: servers that keep files, and proxies, take those away, so that
two URLs would mean one folder, or one that leads elsewhere.
"""

_SECONDS = r"(?=.*[1-9])[0-9]{1,6}(\.[0-9]{1,3})?"
_IS_SECONDS = "a number of seconds above 0"

_DEFAULT_WORKERS = "fork" if sys.platform == "linux" else "spawn"

SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        Setting(
            "datastore",
            "PLAIT_DATASTORE",
            "local",
            "Where values are kept: in a folder, or in S3.",
            ("local", "s3"),
        ),
        Setting(
            "datastore-root",
            "PLAIT_DATASTORE_ROOT",
            None,
            "The folder of the local store; by default the nearest .plait above the working "
            "directory, else a new one in it.",
        ),
        Setting(
            "s3-timeout",
            "PLAIT_S3_TIMEOUT",
            "60",
            "Seconds without a byte after which a request to S3 is given up and made again.",
            form=r"(?=[^1-9]*[1-9])[0-9]{1,6}(\.[0-9]+)?",
            rule="a number of seconds above 0",
            example="60",
        ),
        Setting(
            "s3-conditional",
            "PLAIT_S3_CONDITIONAL",
            "auto",
            "Whether the S3 server heeds conditional writes; auto finds out.",
            ("auto", "yes", "no"),
        ),
        Setting(
            "cache-dir",
            "PLAIT_CACHE_DIR",
            None,
            "The folder where large values from S3 are kept on this machine; by default "
            "plait/blobs in XDG_CACHE_HOME or ~/.cache.",
        ),
        Setting(
            "cache-mb",
            "PLAIT_CACHE_MB",
            "10000",
            "The most megabytes of values that are kept there.",
            form=r"[0-9]{1,12}",
            rule="a whole number of megabytes, 0 or more",
            example="10000",
        ),
        Setting(
            "metadata",
            "PLAIT_METADATA",
            "local",
            "Where facts are kept: in a file, or by a metadata service.",
            ("local", "service"),
        ),
        Setting(
            "service-url",
            "PLAIT_SERVICE_URL",
            None,
            "The metadata service, such as http://127.0.0.1:8080.",
        ),
        Setting(
            "service-token", "PLAIT_SERVICE_TOKEN", None, "What the metadata service wants to hear."
        ),
        Setting(
            "service-wait",
            "PLAIT_SERVICE_WAIT",
            "60",
            "Seconds for which a run's end is tried to be told to a service that is away.",
        ),
        Setting(
            "service-db",
            "PLAIT_SERVICE_DB",
            None,
            "The database of a metadata service that is started here, as for plait service --db.",
        ),
        Setting(
            "service-head-seconds",
            "PLAIT_SERVICE_HEAD_SECONDS",
            "10",
            "Seconds after which a metadata service that is started here closes a connection on "
            "which no whole head of a request has come.",
            form=_SECONDS,
            rule=_IS_SECONDS,
            example="10",
        ),
        Setting(
            "service-idle-seconds",
            "PLAIT_SERVICE_IDLE_SECONDS",
            "60",
            "Seconds for which it keeps a connection on which there was one, for another.",
            form=_SECONDS,
            rule=_IS_SECONDS,
            example="60",
        ),
        Setting(
            "service-connections",
            "PLAIT_SERVICE_CONNECTIONS",
            "1000",
            "How many connections it has open at most; fewer if it may not open as many files.",
            form=r"[1-9][0-9]{0,5}",
            rule="a whole number from 1 to 999999",
            example="1000",
        ),
        Setting(
            "workers",
            "PLAIT_WORKERS",
            _DEFAULT_WORKERS,
            "How a task's process starts: fork of a prepared one, spawn of a new one, or inline in "
            "the run's own (for debuggers).",
            ("fork", "spawn", "inline"),
        ),
        Setting(
            "event-logger",
            "PLAIT_EVENT_LOGGER",
            "null",
            "The sidecar that is told each event of a run, as NAME or NAME:ARGUMENT; null is none.",
        ),
        Setting(
            "monitor",
            "PLAIT_MONITOR",
            "null",
            "The sidecar that is told a run's numbers, as NAME or NAME:ARGUMENT; null is none.",
        ),
        Setting(
            "environment",
            "PLAIT_ENVIRONMENT",
            "local",
            "What tasks run in: this Python with what is installed in it.",
            ("local",),
        ),
        Setting(
            "package-suffixes",
            "PLAIT_PACKAGE_SUFFIXES",
            "",
            "Suffixes of more files that travel with the flow's code, such as .csv,.txt.",
        ),
        Setting(
            "keep-code",
            "PLAIT_KEEP_CODE",
            "1",
            "Keep the code of each run with its results.",
            ("0", "1"),
        ),
        Setting("namespace", "PLAIT_NAMESPACE", None, "The namespace that the client reads in."),
        Setting("user", "PLAIT_USER", None, "Your name, as runs are tagged with it."),
        Setting(
            "lint", "PLAIT_LINT", "1", "Refuse flows also for what they could run with.", ("0", "1")
        ),
        Setting("coverage", "PLAIT_COVERAGE", "0", "Measure the flow's code in runs.", ("0", "1")),
        Setting(
            "datastore-sysroot-s3",
            "PLAIT_DATASTORE_SYSROOT_S3",
            None,
            "The place in S3 that results are kept in: s3://BUCKET/PREFIX.",
            section="aws",
            form=rf"s3://{BUCKET}{PREFIX}",
            rule="s3://BUCKET/PREFIX, with a bucket's name of 3 to 63 lower-case letters, digits, "
            "dots and hyphens, and no part of the prefix that is empty, '.' or '..'",
            example="s3://my-bucket/plait",
        ),
        Setting(
            "s3-endpoint-url",
            "PLAIT_S3_ENDPOINT_URL",
            None,
            "The URL of another server that speaks S3; without it, it is AWS's.",
            section="aws",
            form=r"https?://[^\s/?#]+(/[^\s?#]*)?",
            rule="a URL that begins with http:// or https:// and has no '?' and no '#'",
            example="https://s3.example.org:9000",
        ),
        Setting("home", "PLAIT_HOME", HOME, "The folder of the files of 'plait configure'."),
        Setting("profile", "PLAIT_PROFILE", None, "Which of these files counts, by its name."),
        Setting("quiet", "PLAIT_QUIET", "0", "Print less.", ("0", "1")),
        Setting("debug", "PLAIT_DEBUG", "0", "Show plait's own tracebacks.", ("0", "1")),
    )
}


def resolve(name: str, environ: Mapping[str, str] | None = None) -> Value:
    """Give a setting's value and where it came from.

    The environment comes first, then the profile of `plait configure`, then the default.

    Args:
        name: A name in `SETTINGS`.
        environ: The environment to read; the process's own by default.

    Raises:
        BadSetting: The value is not allowed.
        NoSuchProfile, BadProfile: The profile in use cannot be read.
    """
    setting = SETTINGS[name]
    value = (os.environ if environ is None else environ).get(setting.env)
    if not value:
        return resolve_kept(name, environ)
    check_value(setting, value, setting.env)
    return Value(value, setting.env)


def resolve_kept(name: str, environ: Mapping[str, str] | None = None) -> Value:
    """Give what a setting has when its own variable is not set; as `resolve` in all else."""
    setting = SETTINGS[name]
    file, kept = load_profile(os.environ if environ is None else environ)
    value = kept.get(setting.env)
    if not value:
        return Value(setting.default, "default")
    check_value(setting, value, file)
    return Value(value, file)


def check_value(setting: Setting, value: str, source: str) -> None:
    """Refuse a value that a setting does not allow. Raises BadSetting, which names *source*."""
    if (setting.choices and value not in setting.choices) or (
        setting.form and not re.fullmatch(setting.form, value)
    ):
        raise BadSetting(setting, value, source)
