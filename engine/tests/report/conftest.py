"""The stores in memory of the client's tests, for runs that are made by hand."""

from __future__ import annotations

from client.conftest import other, world

__all__ = ["other", "world"]
