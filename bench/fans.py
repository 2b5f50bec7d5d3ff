"""The flow of the benches: a foreach over numbers, which are squared in tasks and come together."""

from __future__ import annotations

_SUM = "sum(i.y for i in inputs)"


def fan(width: int, *, gather: str = _SUM, wants: str = "", before: str = "pass") -> str:
    """Give the source of the flow `Fan`, without its import.

    Args:
        width: How many numbers.
        gather: What its join makes of `inputs`.
        wants: What that has to be, by its end; by default the sum.
        before: A statement that the join begins with.
    """
    return f"""
class Fan(FlowSpec):
    @step
    def start(self):
        self.items = list(range({width}))
        self.next(self.square, foreach="items")

    @step
    def square(self):
        self.y = self.input**2
        self.next(self.join)

    @step
    def join(self, inputs):
        {before}
        self.gathered = {gather}
        self.next(self.end)

    @step
    def end(self):
        assert self.gathered == {wants or f"sum(n * n for n in range({width}))"}


if __name__ == "__main__":
    Fan()
"""
