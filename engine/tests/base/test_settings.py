"""Settings, who is running this, and the clocks."""

from __future__ import annotations

import os
import time

import pytest

from plait.base import identity
from plait.base.clock import SystemClock
from plait.base.identity import UnknownUser, host_name, system_tags, user_name
from plait.base.settings import BadSetting, Value, hide_login, resolve

USERS = ("PLAIT_USER", "SUDO_USER", "USERNAME", "USER")


def test_a_setting_says_where_its_value_came_from() -> None:
    """The variable where it is set and not empty, else the default."""
    assert resolve("datastore", {}) == Value("local", "default")
    assert resolve("workers", {"PLAIT_WORKERS": "inline"}) == Value("inline", "PLAIT_WORKERS")
    assert resolve("datastore-root", {"PLAIT_DATASTORE_ROOT": ""}) == Value(None, "default")


def test_a_value_that_is_not_allowed_is_refused() -> None:
    """The message names the variable, the value, and what would do."""
    with pytest.raises(BadSetting, match="PLAIT_WORKERS='forks'") as raised:
        resolve("workers", {"PLAIT_WORKERS": "forks"})
    assert "fork, spawn, inline" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://ada:pw@host:1/x", "http://ada:****@host:1/x"),
        ("http://ada:p:w/w@w://w@host", "http://ada:****@host"),
        ("https://token@host", "https://****@host"),
        ("http://:pw@host", "http://****@host"),
        ("service@http://ada:pw@host", "service@http://ada:****@host"),
        ("ada:pw@host:9000", "ada:****@host:9000"),
        ("postgresql://ada@host/x", "postgresql://ada@host/x"),
        ("s3://bucket/a:b@c", "s3://bucket/a:b@c"),
        ("http://host/x", "http://host/x"),
        ("ada@host", "ada@host"),
    ],
)
def test_a_login_is_not_shown(text: str, shown: str) -> None:
    """But for the name in it, and what is none is shown whole."""
    assert hide_login(text) == shown


def test_a_message_about_a_value_has_no_password_in_it() -> None:
    """However wrong the value is."""
    for value in ("http://ada:pw@host/?x", "htp://ada:pw@host", "ada:pw@host", "http://pw@h?#"):
        with pytest.raises(BadSetting) as raised:
            resolve("s3-endpoint-url", {"PLAIT_S3_ENDPOINT_URL": value})
        assert "pw" not in str(raised.value)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give an environment in which no variable says who runs this."""
    for name in USERS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_name_given_to_plait_wins(nobody: pytest.MonkeyPatch) -> None:
    """PLAIT_USER before the system's variables."""
    nobody.setenv("USER", "bob")
    assert user_name() == "bob"
    nobody.setenv("PLAIT_USER", "ada")
    assert user_name() == "ada"


def test_whoever_became_root_is_still_themselves(nobody: pytest.MonkeyPatch) -> None:
    """`sudo` does not make it root's run; root alone is root."""
    nobody.setenv("USER", "root")
    assert user_name() == "root"
    nobody.setenv("SUDO_USER", "ada")
    assert user_name() == "ada"


def test_the_system_knows_who_this_is(nobody: pytest.MonkeyPatch) -> None:
    """Without variables, the account's name; without an account, a clear error."""
    import pwd

    assert user_name() == pwd.getpwuid(os.getuid()).pw_name
    nobody.setattr(os, "getuid", lambda: 4_000_000)
    with pytest.raises(UnknownUser, match="PLAIT_USER"):
        user_name()


def test_system_tags_say_who_what_and_when(nobody: pytest.MonkeyPatch) -> None:
    """The tags that plait puts on each run."""
    nobody.setenv("PLAIT_USER", "ada")
    tags = system_tags(0.0)

    assert tags[0] == "user:ada"
    assert tags[-1] == "date:1970-01-01"
    assert [tag.partition(":")[0] for tag in tags] == [
        "user", "runtime", "python_version", "plait_version", "date",
    ]  # fmt: skip
    assert host_name()
    assert identity.VERSION


def test_the_clocks_are_the_machines() -> None:
    """One tells the time of day, the other only goes forward."""
    clock = SystemClock()

    assert abs(clock.now() - time.time()) < 60
    assert clock.elapsed() <= clock.elapsed()
