"""Puts the harness's specifications into wheels: for whoever installs it, and has no checkout."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SPECIFICATIONS = (
    "contexts.json",
    "differences.toml",
    "checkers",
    "graphs",
    "schemas",
    "templates",
    "tests",
)


class SpecificationsHook(BuildHookInterface):  # type: ignore[type-arg]  # of no configuration
    """Adds what lies beside the package in a checkout, where `plait_harness.home` looks for it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files to include.

        An editable install has the checkout. A copy there would never be read, and would grow old.
        """
        if version == "editable":
            return
        for name in SPECIFICATIONS:
            build_data["force_include"][f"harness/{name}"] = f"plait_harness/home/{name}"
