"""A decorator of our own: `@signed` leaves in each task who answers for its results."""

from collections.abc import Mapping
from typing import Any, ClassVar

from plait.flow.decorate import decorate
from plait.hooks.step import AttemptBegun, StepDecorator


class Signed(StepDecorator):
    """Sets the artifact `signature` when the step's code has ended without an exception.

    Attributes:
        by: Who answers for the step.
    """

    name: ClassVar[str] = "signed"
    defaults: ClassVar[Mapping[str, Any]] = {"by": "nobody"}

    def after_step(self, event: AttemptBegun) -> None:
        """Sign what the step has made."""
        event.flow.signature = f"{event.order.key.step} by {self.attributes['by']}"


def _attributes(*, by: str = "nobody") -> None: ...


signed = decorate(Signed, _attributes)
