"""Settings become a connection to the metadata service."""

from __future__ import annotations

import pytest

from plait.base.settings import StoreChoice
from plait.metadata.http_errors import BadServiceWait
from plait.wiring.stores import open_stores


def test_how_long_a_run_waits_for_the_service_is_a_setting(monkeypatch, tmp_path):
    """PLAIT_SERVICE_WAIT is a number of seconds; what is none is told before anything is asked."""
    monkeypatch.setenv("PLAIT_SERVICE_URL", "http://127.0.0.1:9")
    choice = StoreChoice(str(tmp_path), metadata="service")
    monkeypatch.setenv("PLAIT_SERVICE_WAIT", "7.5")
    assert open_stores(choice).metadata.place == "service@http://127.0.0.1:9"
    monkeypatch.setenv("PLAIT_SERVICE_WAIT", "long")
    with pytest.raises(BadServiceWait, match="long"):
        _ = open_stores(choice).metadata.place
