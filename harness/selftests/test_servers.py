"""Servers of a session: found by every process, started once, stopped at the end."""

from __future__ import annotations

import os
import sys
import urllib.request
from pathlib import Path

import pytest

from plait_harness import servers
from plait_harness.mistakes import Mistake, UnknownName
from plait_harness.servers import Server, Servers, find_lack
from plait_harness.services import Program, Service, start

LITTLE = Program(
    name="little",
    command=(sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "{port}"),
    users={"LITTLE_URL": "{url}"},
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> list[Service]:
    """The servers that there are, and those that were started."""
    started: list[Service] = []

    def begin(folder: str) -> list[Service]:
        started.append(start(LITTLE, folder))
        started[-1].home = f"{folder}-home"
        os.mkdir(f"{folder}-home")
        return started[-1:]

    def fail(folder: str) -> list[Service]:
        raise Mistake(f"no luck in {os.path.basename(folder)}")

    known = {
        "little": Server(lambda: None, begin),
        "broken": Server(lambda: None, fail),
        "absent": Server(lambda: "absent is not installed", fail),
    }
    monkeypatch.setattr(servers, "SERVERS", known)
    return started


def test_one_server_is_enough_for_all(tmp_path: Path, known: list[Service]) -> None:
    """Whoever asks first starts it, others find it; it ends with the session, its folders too."""
    folder = tmp_path / "servers"
    one, other = Servers(str(folder)), Servers(str(folder))
    found = [one.environment(["little"]), other.environment(["little"]), one.environment([])]

    assert found == [{"LITTLE_URL": known[0].url}] * 2 + [{}]
    assert len(known) == 1
    with urllib.request.urlopen(known[0].url, timeout=10) as answer:
        assert answer.status == 200
    other.stop()
    assert known[0].process.poll() is not None
    assert not folder.exists()
    assert not os.path.exists(str(known[0].home))
    other.stop()


def test_a_server_that_another_needs_is_stopped_where_that_fails(tmp_path: Path) -> None:
    """Nothing is left running by a server that could not be started."""
    first = start(LITTLE, str(tmp_path))

    def fail(service: Service) -> Service:
        raise Mistake(f"nothing before {service.url}")

    with pytest.raises(Mistake, match="nothing before"):
        servers._start_both(first, fail)
    assert first.process.poll() is not None


def test_postgres_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its programs or its driver are not installed, a context says so."""
    lack = servers._find_lack_of_postgres
    monkeypatch.setattr(servers, "find_programs", lambda: "/usr/bin")
    assert lack() is None
    monkeypatch.setattr(servers.importlib.util, "find_spec", lambda _name: None)
    assert "driver" in str(lack())
    monkeypatch.setattr(servers, "find_programs", lambda: None)
    assert "initdb" in str(lack())


def test_a_server_that_does_not_start_is_said(tmp_path: Path) -> None:
    """What keeps a server from starting reaches the case that needs it."""
    with pytest.raises(Mistake, match="no luck in broken"):
        Servers(str(tmp_path)).environment(["broken"])


def test_what_is_lacking_is_known_before() -> None:
    """A context whose server is not installed is not run, and one of no such name is a mistake."""
    assert find_lack(["little"]) is None
    assert find_lack(["little", "absent"]) == "absent is not installed"
    with pytest.raises(UnknownName, match="litle"):
        find_lack(["litle"])
