"""`plait service`: what its options take."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from serving import started

from plait_harness.services import metadata_program, start


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_port(port, capsys, monkeypatch):
    """`plait service --port` takes 0 to 65535."""
    from plait.cli.plait import main

    monkeypatch.setattr("sys.argv", ["plait", "service", "--db", "sqlite:///x.db", "--port", port])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "--port" in capsys.readouterr().err


@pytest.mark.parametrize(("interface", "status"), [("all", 200), ("metaflow", 404)])
def test_it_speaks_the_interface_that_was_chosen(interface, status, tmp_path):
    """`plait service --interface` is plait's and Metaflow's, or Metaflow's alone."""
    with start(metadata_program(interface=interface), str(tmp_path)) as service:
        assert get(f"{service.url}/flows") == 200
        assert get(f"{service.url}/api/1/flows") == status


def test_an_interface_that_there_is_not(capsys, monkeypatch):
    """The message says which there are."""
    from plait.cli.plait import main

    words = ["plait", "service", "--db", "sqlite:///x.db", "--interface", "mine"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("--interface", "'mine'", "all", "metaflow"))


def test_the_database_may_be_named_where_nobody_looks(tmp_path, new_database):
    """PLAIT_SERVICE_DB is as good as `--db`, and `ps` shows no password of it."""
    database = new_database().replace("plait@", "plait:s3cret@")
    with started(tmp_path, db=None, PLAIT_SERVICE_DB=database) as service:
        assert get(f"http://127.0.0.1:{service.port}/flows") == 200
        command = Path(f"/proc/{service.process.pid}/cmdline").read_bytes()
    assert b"s3cret" not in command


def test_without_a_database_nothing_is_started(capsys, monkeypatch):
    """The message names both ways to name one."""
    from plait.cli.plait import main

    monkeypatch.setattr("sys.argv", ["plait", "service"])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert all(word in said for word in ("bad-database-url", "--db", "PLAIT_SERVICE_DB"))


@pytest.mark.parametrize(
    ("variable", "wrong"),
    [
        ("PLAIT_SERVICE_HEAD_SECONDS", "0"),
        ("PLAIT_SERVICE_HEAD_SECONDS", "ten"),
        ("PLAIT_SERVICE_IDLE_SECONDS", "0.00"),
        ("PLAIT_SERVICE_IDLE_SECONDS", "-1"),
        ("PLAIT_SERVICE_CONNECTIONS", "0"),
        ("PLAIT_SERVICE_CONNECTIONS", "1.5"),
    ],
)
def test_what_is_borne_is_a_number(variable, wrong, capsys, monkeypatch):
    """A setting that is none is told, and nothing is started."""
    from plait.cli.plait import main

    monkeypatch.setattr("sys.argv", ["plait", "service", "--db", "sqlite:///x.db"])
    monkeypatch.setenv(variable, wrong)
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert f"{variable}='{wrong}'" in capsys.readouterr().err


def get(url: str) -> int:
    """Give the status of what is there."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
