"""Profiles: settings for all flows in a file, read where the environment says nothing."""

from __future__ import annotations

import json
import os

import pytest

from plait.base.profile import (
    BadProfile,
    BadProfileName,
    NoSuchProfile,
    find_file,
    list_profiles,
    load_profile,
    parse_profile,
    save_profile,
)
from plait.base.settings import SETTINGS, BadSetting, Value, resolve, resolve_kept


@pytest.fixture
def env(tmp_path) -> dict[str, str]:
    """An environment that says where profiles are, and nothing else."""
    return {"PLAIT_HOME": str(tmp_path / "home")}


def test_the_environment_comes_before_the_profile(env) -> None:
    """Then the profile, then the default; each value says where it is from."""
    file = find_file(None, env)
    assert resolve("workers", env).source == "default"
    save_profile(file, {"PLAIT_WORKERS": "inline"})

    assert resolve("workers", env) == Value("inline", file)
    there = {**env, "PLAIT_WORKERS": "spawn"}
    assert resolve("workers", there) == Value("spawn", "PLAIT_WORKERS")
    assert resolve_kept("workers", there) == Value("inline", file)


def test_a_profile_that_changed_is_read_again(env) -> None:
    """A notebook that stays open sees what `plait configure` did."""
    file = find_file(None, env)
    for name in ("ada", "grace hopper"):
        save_profile(file, {"PLAIT_USER": name})
        assert resolve("user", env).value == name


def test_each_profile_has_a_file(env) -> None:
    """By its name; one that there is not is an error that names the nearest."""
    save_profile(find_file("test", env), {"PLAIT_USER": "tester"})
    save_profile(find_file(None, env), {"PLAIT_USER": "ada"})

    assert list_profiles(env["PLAIT_HOME"]) == ["test"]
    assert resolve("user", {**env, "PLAIT_PROFILE": "test"}).value == "tester"
    with pytest.raises(NoSuchProfile, match="no profile 'tset'") as raised:
        resolve("user", {**env, "PLAIT_PROFILE": "tset"})
    assert "did you mean 'test'?" in str(raised.value)
    with pytest.raises(NoSuchProfile, match="there is no profile at all"):
        resolve("user", {"PLAIT_HOME": "/nowhere", "PLAIT_PROFILE": "x"})
    with pytest.raises(BadProfileName):
        find_file("../x", env)


def test_only_the_owner_can_read_a_profile(env) -> None:
    """File 0600 in a folder 0700, also where it was there before with other rights."""
    file = find_file(None, env)
    save_profile(file, {})
    os.chmod(file, 0o666)
    save_profile(file, {"PLAIT_USER": "ada"})

    assert os.stat(file).st_mode & 0o777 == 0o600
    assert os.stat(env["PLAIT_HOME"]).st_mode & 0o777 == 0o700
    assert os.listdir(env["PLAIT_HOME"]) == ["config.json"]


def test_a_profile_that_cannot_be_written_stays(tmp_path) -> None:
    """The error names the file, and no draft is left."""
    (tmp_path / "config.json").mkdir()
    with pytest.raises(OSError, match=r"config\.json'$"):
        save_profile(str(tmp_path / "config.json"), {})
    assert os.listdir(tmp_path) == ["config.json"]


def test_values_are_as_the_environment_would_say_them() -> None:
    """Numbers and truth as text; null is as good as not there."""
    content = json.dumps({"PLAIT_A": 1, "PLAIT_B": True, "PLAIT_C": "x", "PLAIT_D": None}).encode()
    assert parse_profile(content, "f") == {"PLAIT_A": "1", "PLAIT_B": "1", "PLAIT_C": "x"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[]", "it is a list"),
        (b"3", "it is 3"),
        (b'{"METAFLOW_USER": "a"}', "'METAFLOW_USER' is not the name"),
        (b'{"PLAIT_USER": {}}', "the value of PLAIT_USER is an object"),
    ],
)
def test_what_is_no_profile_is_refused(content, said, env) -> None:
    """With the file and what is wrong with it."""
    file = find_file(None, env)
    os.makedirs(env["PLAIT_HOME"])
    with open(file, "wb") as target:
        target.write(content)
    with pytest.raises(BadProfile) as raised:
        load_profile(env)
    assert file in str(raised.value)
    assert said in str(raised.value)


def test_a_profile_that_cannot_be_read_is_said(env) -> None:
    """A folder in its place, say."""
    os.makedirs(find_file(None, env))
    with pytest.raises(BadProfile, match="Is a directory"):
        load_profile(env)


def test_a_value_of_a_profile_is_checked(env) -> None:
    """The message names the file."""
    file = find_file(None, env)
    save_profile(file, {"PLAIT_WORKERS": "forks"})
    with pytest.raises(BadSetting, match="did you mean 'fork'") as raised:
        resolve("workers", env)
    assert f"{file} says so" in str(raised.value)


def test_what_s3_needs_can_be_asked_for(env) -> None:
    """By `plait configure aws`: each has its variable, and nothing holds by itself."""
    asked = [setting.name for setting in SETTINGS.values() if setting.section == "aws"]
    assert [resolve(name, env).value for name in asked] == [None, None]
    given = {"PLAIT_DATASTORE_SYSROOT_S3": "s3://box/p", "PLAIT_S3_ENDPOINT_URL": "http://x"}
    save_profile(find_file(None, env), given)
    assert [resolve(name, env).value for name in asked] == ["s3://box/p", "http://x"]
