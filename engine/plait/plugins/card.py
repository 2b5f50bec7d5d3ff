"""`@card`: a page that a step leaves beside its artifacts, made when its code has ended."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from plait.base.errors import PlaitError, Where, nearest
from plait.cards.board import Board
from plait.cards.page import make_page
from plait.cards.record import CardRecord
from plait.cards.types import MAKERS, Subject, show_failure
from plait.flow.current import current, offer_current
from plait.flow.decorate import decorate
from plait.flow.members import CARD
from plait.flow.scope import list_refs, list_values
from plait.hooks.step import AttemptBegun, BadDecorator, StepDecorator

_MOST = 1e6
"""The longest timeout, in seconds; threads can't wait for much longer."""


class Card(StepDecorator):
    """Leaves a page with each task: what the step's code put on `current.card`, and its artifacts.

    A step may have several. Whatever goes wrong while a page is made, the task goes on: the page
    then shows what it was, and the task's log says it.

    Attributes:
        type: What the page shows: `default`, what the step put on it and its artifacts; `blank`,
            only what the step put on it; `html`, the artifact `html`, which is a page itself.
        id: A name for the card: `current.card["id"]` is it.
        timeout: How long the making of the page may take, in seconds.
    """

    name: ClassVar[str] = "card"
    defaults: ClassVar[Mapping[str, Any]] = {"type": "default", "id": None, "timeout": 45}
    allow_multiple: ClassVar[bool] = True

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        kind, name, timeout = (self.attributes[key] for key in self.defaults)
        if kind not in MAKERS:
            raise BadDecorator(
                self.name,
                f"there is no card of type {kind!r}",
                why=nearest(kind, MAKERS) if isinstance(kind, str) else "",
                fix=f"its types are: {', '.join(MAKERS)}",
            )
        if name is not None and not (isinstance(name, str) and name.isprintable() and name):
            raise BadDecorator(
                self.name,
                f"id={name!r} is no name",
                why="an id is text on one line",
                fix='write @card(id="summary")',
            )
        if type(timeout) not in (int, float) or not 0 < timeout <= _MOST:
            raise BadDecorator(
                self.name,
                f"timeout={timeout!r} is not a length of time",
                why="it is a number of seconds, more than 0",
                fix="write @card(timeout=45)",
            )
        self._type, self._id, self._timeout = str(kind), name, float(timeout)
        self._position = 0

    def before_step(self, event: AttemptBegun) -> None:  # noqa: ARG002  # the hook's signature
        """Give the step's code something to put things on."""
        board = current.get("card")
        if board is None:
            board = Board()
            offer_current("card", board)
        self._position = board.add(self._id)

    def wrap_step(self, event: AttemptBegun, body: Callable[[], None]) -> Callable[[], None]:
        """Have the page made when the step's code has ended, well or not."""
        board, position = current.get("card"), self._position

        def with_card() -> None:
            try:
                body()
            except Exception as error:
                self._keep(event, board, position, error)
                raise
            self._keep(event, board, position, None)

        return with_card

    def _keep(
        self, event: AttemptBegun, board: Board, position: int, error: Exception | None
    ) -> None:
        """Make the page, and put it among what the attempt leaves."""
        key = event.order.key
        made = time.time()
        title = str(key.task_key)
        clock = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(made))
        subtitle = f"attempt {key.attempt}, {clock}"
        failure = ""
        try:
            subject = Subject(
                title,
                subtitle,
                tuple(board.deck(position)),
                list_values(event.flow),
                list_refs(event.flow),
                "" if error is None else _trace(error),
            )
            page = _make_in_time(lambda: MAKERS[self._type](subject), self._timeout)
        except Exception as wrong:  # noqa: BLE001  # components are the user's code, too
            failure, text = _describe(wrong)
            page = make_page(
                title, show_failure("This card could not be made", text), subtitle=subtitle
            )
            called = "" if self._id is None else f" '{self._id}'"
            print(f"[plait] the card{called} could not be made: {failure}", file=sys.stderr)
        record = CardRecord(self._type, self._id, page, made, failure)
        # Not by assignment: the flow's class may have an opinion on that.
        vars(event.flow)[f"{CARD}{position}"] = record.to_plain()


class SlowCard(PlaitError):
    """The making of a card took too long."""

    slug = "slow-card"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"making the card took longer than {seconds:g} s",
            why="that is its timeout",
            fix="write @card(timeout=...) with more seconds, or put less on the card",
        )


def _make_in_time(make: Callable[[], str], seconds: float) -> str:
    """Give the page; in a thread beside, which is left behind if it does not come to an end."""
    results: list[str] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            page = make()
            # What can't be written as text must be known now, not when the attempt is sealed.
            page.encode("utf-8")
            results.append(page)
        except BaseException as error:  # noqa: BLE001  # raised again where it can be dealt with
            errors.append(error)

    thread = threading.Thread(target=work, name="plait-card", daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        error = errors[0]
        raise error if isinstance(error, Exception) else RuntimeError(repr(error))
    raise SlowCard(seconds)


def _trace(error: BaseException) -> str:
    from plait.task.boundary import describe_failure

    return describe_failure(error).traceback


def _describe(error: Exception) -> tuple[str, str]:
    """Give what went wrong in a line, and in full."""
    from plait.task.boundary import describe_failure

    failure = describe_failure(error)
    return failure.summary, failure.traceback


def _attributes(*, type: str = "default", id: str | None = None, timeout: float = 45) -> None: ...  # noqa: A002  # as users write it, and only its type is read


card = decorate(Card, _attributes)
