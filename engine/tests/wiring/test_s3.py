"""Settings become an S3 store: its bucket, its server, its patience, its cache."""

from __future__ import annotations

import os

import pytest

from plait import S3
from plait.base.settings import BadSetting, StoreChoice
from plait.s3.connection import share_connection
from plait.wiring.s3 import NoS3Root, open_s3_storage
from plait.wiring.stores import open_source, open_stores


@pytest.fixture
def environ(monkeypatch, tmp_path):
    """An environment in which the store is in S3."""
    monkeypatch.setenv("PLAIT_DATASTORE_SYSROOT_S3", "s3://team/some/prefix/")
    monkeypatch.setenv("PLAIT_S3_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PLAIT_CACHE_DIR", str(tmp_path / "cache"))
    return monkeypatch


def test_the_datastore_may_be_chosen_by_option_and_by_variable(environ, tmp_path):
    """Either gives the S3 store, and facts stay in the folder."""
    chosen = open_stores(StoreChoice(str(tmp_path), datastore="s3"))
    environ.setenv("PLAIT_DATASTORE", "s3")
    default = open_stores(StoreChoice(str(tmp_path)))

    assert chosen.storage.place == default.storage.place == "s3://team/some/prefix"
    assert default.metadata.place.startswith(f"local@{tmp_path}")


def test_the_bucket_has_to_be_named(environ, tmp_path):
    """Without one, and with what is no URL, it is said at once."""
    environ.delenv("PLAIT_DATASTORE_SYSROOT_S3")
    with pytest.raises(NoS3Root):
        open_s3_storage(str(tmp_path))
    environ.setenv("PLAIT_DATASTORE_SYSROOT_S3", "team/prefix")
    with pytest.raises(BadSetting, match="team/prefix"):
        open_s3_storage(str(tmp_path))


def test_the_size_of_the_cache_is_a_number(environ, tmp_path):
    """PLAIT_CACHE_MB takes whole numbers only."""
    environ.setenv("PLAIT_CACHE_MB", "-1")
    with pytest.raises(BadSetting, match="'-1'"):
        open_s3_storage(str(tmp_path))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLAIT_S3_TIMEOUT", "abc"),
        ("PLAIT_S3_TIMEOUT", "0.0"),
        ("PLAIT_S3_TIMEOUT", "-1"),
        ("PLAIT_S3_TIMEOUT", "nan"),
        ("PLAIT_CACHE_MB", "1.5"),
        ("PLAIT_CACHE_MB", "\u0663"),
        ("PLAIT_S3_CONDITIONAL", "foo"),
        ("PLAIT_S3_ENDPOINT_URL", "ftp://host"),
        ("PLAIT_DATASTORE_SYSROOT_S3", "team"),
    ],
)
def test_a_bad_setting_of_s3_is_told_at_the_first_use(environ, tmp_path, name, value):
    """By the store and by `S3`, whichever of them heeds it; before any request."""
    environ.setenv(name, value)
    for use in (lambda: open_s3_storage(str(tmp_path)), S3):
        with pytest.raises(BadSetting, match=f"{name}='{value}'"):
            use()


def test_the_cache_is_where_caches_are(environ, tmp_path):
    """XDG_CACHE_HOME, then ~/.cache, where PLAIT_CACHE_DIR names none."""
    environ.delenv("PLAIT_CACHE_DIR")
    environ.setenv("HOME", str(tmp_path / "home"))
    environ.delenv("XDG_CACHE_HOME", raising=False)
    at_home = open_s3_storage(str(tmp_path)).cache_folder
    environ.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    by_variable = open_s3_storage(str(tmp_path)).cache_folder

    assert at_home == os.path.join(tmp_path, "home", ".cache", "plait", "blobs")
    assert by_variable == os.path.join(tmp_path, "xdg", "plait", "blobs")


def test_one_connection_for_each_server(environ):
    """So that what is loaded before the forks is there in them."""
    first = share_connection()
    assert share_connection() is first
    environ.setenv("PLAIT_S3_ENDPOINT_URL", "http://127.0.0.1:10")
    assert share_connection() is not first


@pytest.mark.parametrize(("text", "heeds"), [("yes", True), ("no", False)])
def test_what_is_known_of_the_server_is_not_tried(environ, tmp_path, text, heeds):
    """PLAIT_S3_CONDITIONAL says whether conditional writes count; nobody is asked then."""
    environ.setenv("PLAIT_S3_CONDITIONAL", text)
    assert open_s3_storage(str(tmp_path)).excludes() is heeds


def test_patience_is_a_setting(environ):
    """PLAIT_S3_TIMEOUT is how long a request may be silent."""
    environ.setenv("PLAIT_S3_TIMEOUT", "7")
    environ.setenv("PLAIT_S3_ENDPOINT_URL", "http://127.0.0.1:11")
    assert share_connection().client().meta.config.read_timeout == 7
    environ.setenv("PLAIT_S3_TIMEOUT", "0.5")
    assert share_connection().client().meta.config.read_timeout == 0.5


def test_who_reads_by_url_need_not_say_that_values_are_in_s3(environ, tmp_path):
    """Where a bucket is named and there is no folder with values; what is said counts, too."""
    environ.chdir(tmp_path)
    url = "http://127.0.0.1:9"
    places = [open_source(url).storage.place]
    environ.setenv("PLAIT_DATASTORE", "local")
    places.append(open_source(url).storage.place)
    environ.delenv("PLAIT_DATASTORE")
    (tmp_path / ".plait" / "store").mkdir(parents=True)
    places.append(open_source(url).storage.place)
    places.append(open_source(url, StoreChoice(datastore="s3")).storage.place)

    here = str(tmp_path / ".plait" / "store")
    assert places == ["s3://team/some/prefix", here, here, "s3://team/some/prefix"]
