"""What a flow class and its objects are made of: which names are plait's own, which the user's."""

from __future__ import annotations

STATE = "_plait"
"""The one attribute of a flow object that is plait's own, and never an artifact."""

CARD = "_plait_card_"
"""How the names begin under which an attempt's cards are among its artifacts; of it alone, so that
they are not passed on to the tasks after it."""

OWN_NAMES = frozenset({"foreach_stack", "index", "input", "merge_artifacts", "next"})
"""What every flow has for its steps to use; nothing of the user's may be called so."""

FREE_NAMES = frozenset({"name", "script_name"})
"""What every flow has as well, unless an artifact takes the name."""


def class_attributes(cls: type, root: type) -> dict[str, object]:
    """Give the attributes that *cls* adds to *root*, those of base classes first."""
    found: dict[str, object] = {}
    for base in reversed(cls.__mro__):
        if base is not object and base not in root.__mro__:
            found.update(vars(base))
    return found
