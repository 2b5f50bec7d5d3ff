"""What can't be pickled is found in a value, however it is wrapped, and the way to it is named."""

import collections
import functools
import pickle
import threading
from dataclasses import dataclass

import pytest

from plait.artifacts.culprit import find_culprit

LOCK = threading.Lock()


@dataclass
class Config:
    """A value with attributes."""

    handler: object
    name: str = "x"


class Slotted:
    """A value with slots instead, one of them never set."""

    __slots__ = ("__mangled", "handler", "unset")

    def __init__(self, handler):
        self.__mangled = None
        self.handler = handler


class OneSlot:
    """A value whose slots are written as one string."""

    __slots__ = "handler"  # noqa: PLC0205  # Python allows it, so users write it

    def __init__(self, handler):
        self.handler = handler


class Refusing:
    """A value whose class refuses to be pickled."""

    def __reduce__(self):
        raise ValueError("not me")


class Stateless:
    """A value whose class fails to give its state."""

    def __getstate__(self):
        raise KeyError("state")


class Ill:
    """A value whose class gives pickle something that it can't use."""

    def __reduce__(self):
        return 5


class Endless:
    """A value that is made from another of its kind, and so on."""

    def __reduce__(self):
        return Endless, (Endless(),)


class Hidden:
    """A value that makes up its state when asked."""

    def __getstate__(self):
        return {"made": [threading.Lock()]}


class Elusive:
    """A value that raises at whatever is asked of it, as a proxy to nothing does."""

    def __init__(self, handler):
        object.__setattr__(self, "handler", handler)

    @property
    def __class__(self):
        raise RuntimeError("no object behind this proxy")

    @property
    def __dict__(self):
        raise RuntimeError("no object behind this proxy")

    def __reduce_ex__(self, protocol):
        return Elusive, (LOCK,)


class Sharing:
    """A value that pickles what it shares with others after what can't be pickled begins."""

    def __init__(self, shared):
        self.shared = shared

    def __reduce__(self):
        return Sharing, (self.shared, lambda: 0)


class Proxy(dict):
    """A dict that looks other than it is."""

    def items(self):
        raise AssertionError("asked for items")

    def __getattr__(self, name):
        raise AssertionError(f"asked for {name}")


def _find(value):
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever pickle raises
        pickle.dumps(value, 5)
    return find_culprit("x", value, caught.value)


def _local_class():
    class Local:
        pass

    return Local


@pytest.mark.parametrize(
    ("value", "path", "type_"),
    [
        (LOCK, "x", "_thread.lock"),
        ([1, LOCK], "x[1]", "_thread.lock"),
        ({"callbacks": [1, 2, Config(LOCK)]}, "x['callbacks'][2].handler", "_thread.lock"),
        ((0, {"a": ({1: LOCK},)}), "x[1]['a'][0][1]", "_thread.lock"),
        ({LOCK: 1}, "x{key <_thread.lock>}", "_thread.lock"),
        ({("a", 1): LOCK}, "x[<tuple>]", "_thread.lock"),
        ({"k" * 99: LOCK}, "x['" + "k" * 39 + "...]", "_thread.lock"),
        ({1, LOCK}, "x{...}", "_thread.lock"),
        (frozenset([LOCK]), "x{...}", "_thread.lock"),
        (collections.deque([0, LOCK]), "x[1]", "_thread.lock"),
        (collections.OrderedDict(a=LOCK), "x['a']", "_thread.lock"),
        ([Slotted(LOCK)], "x[0].handler", "_thread.lock"),
        ([OneSlot(LOCK)], "x[0].handler", "_thread.lock"),
        (Config(lambda: 0), "x.handler", "function"),
        ([threading], "x[0]", "module"),
        ((i for i in ()), "x", "generator"),
        ({"r": Refusing()}, "x['r']", f"{__name__}.Refusing"),
        ({"s": Stateless()}, "x['s']", f"{__name__}.Stateless"),
        ({"i": Ill()}, "x['i']", f"{__name__}.Ill"),
        ({"h": [Hidden()]}, "x['h'][0]", f"{__name__}.Hidden"),
        ([functools.partial(lambda: 0)], "x[0]", "functools.partial"),
        ([_local_class()()], "x[0]", f"{__name__}._local_class.<locals>.Local"),
        ({"c": _local_class()}, "x['c']", "type"),
        ([Proxy(a=LOCK)], "x[0]", f"{__name__}.Proxy"),
        ({10**5000: LOCK}, "x[<int>]", "_thread.lock"),
        ([Elusive(LOCK)], "x[0]", f"{__name__}.Elusive"),
        ([1.5] * 10**5 + [LOCK], "x[100000]", "_thread.lock"),
        ({n: [n] for n in range(10**4)} | {"z": LOCK}, "x['z']", "_thread.lock"),
    ],
)
def test_the_way_to_the_culprit(value, path, type_):
    """The path is written as Python would, down to what fails on its own."""
    culprit = _find(value)

    assert culprit.path == path
    assert culprit.type == type_


def test_the_reason_is_what_pickle_says():
    """The reason is the error's type and text."""
    assert _find(LOCK).reason == "TypeError: cannot pickle '_thread.lock' object"
    assert _find([Refusing()]).reason == "ValueError: not me"


def test_cycles():
    """Values that hold themselves are searched once."""
    value = {"a": {}}
    value["a"]["back"] = value
    value["list"] = [value, value["a"], LOCK]
    value["list"].append(value["list"])

    assert _find(value).path == "x['list'][2]"


def test_the_shortest_way_is_named():
    """Of several ways to the culprit, the one with the fewest steps is shown."""
    config = Config(LOCK)

    assert _find([[[config]], {"a": config}]).path == "x[1]['a'].handler"


def test_too_deep_a_value():
    """A value that is nested too deeply is named itself, not a way of a thousand steps."""
    value = []
    for _ in range(100_000):
        value = [value]

    culprit = _find(value)

    assert culprit.path == "x"
    assert culprit.reason == (
        "RecursionError: it is nested more deeply than Python can follow, or something in it calls "
        "itself without end while it is pickled"
    )


def test_a_way_of_forty_steps_is_the_longest_that_is_written_out():
    """Of a longer one, it is what is around the culprit that is named."""
    value = LOCK
    for _ in range(39):
        value = [value]
    at_the_edge, beyond = _find(value), _find([value])

    assert (at_the_edge.path, at_the_edge.type) == ("x" + "[0]" * 39, "_thread.lock")
    assert (beyond.path, beyond.type) == ("x" + "[0]" * 39, "list")


@pytest.mark.parametrize(("most", "path"), [(2, "x"), (3, "x[1]")])
def test_so_many_objects_are_looked_at_and_no_more(monkeypatch, most, path):
    """The value itself is one of them."""
    monkeypatch.setattr("plait.artifacts.culprit._WALKED", most)

    assert _find([[], LOCK]).path == path


def test_a_value_that_pickles_without_end():
    """So is one whose class calls itself for ever."""
    assert _find(Endless()).reason.startswith("RecursionError: it is nested more deeply")


def test_a_value_that_fails_only_once():
    """If the second look finds nothing wrong, the value itself is named, and the first reason."""
    culprit = find_culprit("x", [1], ValueError("the moon"))

    assert (culprit.path, culprit.type, culprit.reason) == ("x", "list", "ValueError: the moon")


def test_parts_that_pickle_on_their_own_are_not_blamed():
    """A part that the culprit shares with others is not taken for it, though pickled later."""
    shared = [1]

    assert _find([shared, Sharing(shared)]).path == "x[1]"


def test_a_culprit_far_away():
    """In a value too large to search, the value itself is named."""
    culprit = _find([*([] for _ in range(100_000)), LOCK])

    assert (culprit.path, culprit.type) == ("x", "list")
    assert "_thread.lock" in culprit.reason


def test_large_buffers_are_not_copied_in_the_search():
    """Searching beside a large array takes no memory for it."""
    import tracemalloc

    value = [pickle.PickleBuffer(bytearray(32 << 20)), LOCK]
    tracemalloc.start()
    culprit = find_culprit("x", value, TypeError())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert culprit.path == "x[1]"
    assert peak < 1 << 20
