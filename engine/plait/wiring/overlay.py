"""Stores over other ones, for what is tried out: values are read from below and written above."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from plait.base.settings import StoreChoice
from plait.storage.overlay import OverlayStorage
from plait.wiring.stores import Stores, open_stores

if TYPE_CHECKING:
    from plait.flow.definition import FlowDefinition


@dataclass(frozen=True, slots=True)
class Below:
    """What lies below; crosses processes as text.

    Args:
        root: The folder of the store below.
        own: The folder of keys that are not looked for there.
        plain: Whether the flow is taken without its decorators.
        datastore: Where the values below are; None for where settings say.
    """

    root: str
    own: str
    plain: bool = False
    datastore: str | None = None

    def to_text(self) -> str:
        """Give it as text for a variable of the environment."""
        return json.dumps([self.root, self.own, self.plain, self.datastore])

    @classmethod
    def from_text(cls, text: str | None) -> Below | None:
        """Read what `to_text` gave; None of nothing."""
        return cls(*json.loads(text)) if text else None


def open_below(below: Below, *, scratch: str | None = None) -> Stores:
    """Open the stores below, to read."""
    return open_stores(StoreChoice(below.root, below.datastore), scratch=scratch)


def lay_over(stores: Stores, below: Below) -> Stores:
    """Give *stores* with what lies below them."""
    from plait.logs.store import LogStore

    lower = open_below(below, scratch=f"{stores.scratch}-below").storage
    storage = OverlayStorage(stores.storage, lower, own=below.own)
    return replace(stores, storage=storage, logs=LogStore(storage))


def leave_out_decorators(definition: FlowDefinition) -> FlowDefinition:
    """Give the flow as if no step had a decorator."""
    from plait.hooks.step import AttemptPlan

    return replace(
        definition,
        decorators=dict.fromkeys(definition.decorators, ()),
        plans=dict.fromkeys(definition.plans, AttemptPlan()),
    )
