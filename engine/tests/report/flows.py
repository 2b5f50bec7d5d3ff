"""Flows whose names, values, tags and output try to be HTML."""

from __future__ import annotations

import sys

from plait import FlowSpec, Parameter, card, catch, current, retry, step
from plait.cards import BarChart, Image, LineChart, Markdown, Table

EVIL = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154"
    "789c63606060000000040001f61738550000000049454e44ae426082"
)


class Stranger:
    """A value of no plain type."""

    def __repr__(self) -> str:
        return f"Stranger{EVIL}"


class WildFlow(FlowSpec):
    """A flow that <script>document.title='ran'</script> tries to be HTML."""

    width = Parameter("width", default=3, help="How <b>many</b>.")
    bad = Parameter("bad", default=-1)
    label = EVIL

    @card
    @step
    def start(self):
        """Begin with <img src=x onerror=alert(1)>."""
        setattr(self, EVIL, 1)
        self.text = EVIL
        self.stranger = Stranger()
        self.large = "x" * 10_000
        self.items = list(range(self.width))
        current.card.append(Markdown(f"# Figures\n\n{EVIL}"))
        current.card.append(Table([[EVIL, 1]], headers=["what", "n"]))
        current.card.append(BarChart({"a": 3, EVIL: -1}, label="bars"))
        current.card.append(LineChart({"a": [1, 2, 1], "b": [2, 1, 3]}, label="lines"))
        current.card.append(Image(PNG, label="a picture"))
        self.next(self.work, foreach="items")

    @card(id=EVIL.replace("\n", ""), type="blank")
    @retry(times=1, minutes_between_retries=0)
    @step
    def work(self):
        """Work on one."""
        print(f"working on {self.input}: {EVIL}")
        print("a warning", file=sys.stderr)
        if self.input == self.bad:
            raise ValueError(f"{EVIL} at {self.input}")
        self.next(self.join)

    @catch(var="caught")
    @step
    def join(self, inputs):
        """Join."""
        self.count = len(list(inputs))
        if self.count == 2:
            raise KeyError("passed over")
        self.next(self.end)

    @step
    def end(self):
        """End."""


class TurnFlow(FlowSpec):
    """A switch that goes back."""

    @step
    def start(self):
        """Begin."""
        self.rounds = 0
        self.next(self.turn)

    @step
    def turn(self):
        """Turn, or go on."""
        self.rounds += 1
        self.mode = "again" if self.rounds < 2 else "on"
        self.next({"again": self.turn, "on": self.end}, condition="mode")

    @step
    def end(self):
        """End."""
