"""What tests of flows hold: one step's code, or a whole flow, run in the test's own process."""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # as in the package root: checkers know this name
if TYPE_CHECKING:
    from typing import Any

    from plait.testing.errors import BadStepSetting, StepFailed, WhichFlow
    from plait.testing.flows import run_flow
    from plait.testing.steps import StepResult, run_step

__all__ = ["BadStepSetting", "StepFailed", "StepResult", "WhichFlow", "run_flow", "run_step"]

# Loaded when asked for, since every start of pytest imports this package for its plugin.
_HOMES = {
    "BadStepSetting": "plait.testing.errors",
    "StepFailed": "plait.testing.errors",
    "StepResult": "plait.testing.steps",
    "WhichFlow": "plait.testing.errors",
    "run_flow": "plait.testing.flows",
    "run_step": "plait.testing.steps",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
