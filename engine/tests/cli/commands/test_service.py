"""`plait service`: what its options take."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_port(port, capsys, monkeypatch):
    """`plait service --port` takes 0 to 65535."""
    from plait.cli.plait import main

    monkeypatch.setattr("sys.argv", ["plait", "service", "--db", "sqlite:///x.db", "--port", port])
    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "--port" in capsys.readouterr().err
