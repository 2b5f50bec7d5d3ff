"""The names that a flow's own object uses, which no step, Parameter or artifact may take."""

from __future__ import annotations

RESERVED_NAMES = frozenset(
    {
        "cmd",
        "foreach_stack",
        "index",
        "input",
        "inputs",
        "merge_artifacts",
        "name",
        "next",
        "script_name",
    }
)
"""What `FlowSpec` offers inside a step; a step of such a name would hide it from all others."""

START = "start"
"""The step at which a run begins, unless another is marked."""

END = "end"
"""The step at which a run ends, unless another is marked."""
