"""Fingerprints: equal for equal values in any copy, different for any other."""

from __future__ import annotations

import collections
import datetime
import decimal
import itertools
import math
import pickle
import subprocess
import sys

import numpy
import pytest

from plait_harness.fingerprint import fingerprint


class Point:
    """A class of a person's own."""

    def __init__(self, x):
        self.x = x


DIFFERENT = [
    None,
    0,
    1,
    True,
    1.0,
    -0.0,
    0.0,
    "1",
    "",
    "\udc80",
    b"1",
    bytearray(b"1"),
    (),
    [],
    [[]],
    [1],
    (1,),
    {},
    {1: 2},
    {2: 1},
    {1: [2]},
    set(),
    {1},
    {1, 2},
    frozenset({1}),
    range(3),
    slice(1),
    1j,
    int,
    math.sqrt,
    Point(1),
    Point(2),
    collections.OrderedDict(a=1),
    collections.Counter("a"),
    datetime.date(2024, 1, 1),
    decimal.Decimal("1.10"),
    decimal.Decimal("1.1"),
    numpy.arange(3),
    numpy.arange(3.0),
    numpy.arange(4).reshape(2, 2),
    numpy.arange(4),
    numpy.array([Point(1)], dtype=object),
    numpy.int64(1),
    KeyError("x"),
    ValueError("x"),
]


@pytest.mark.parametrize("value", DIFFERENT, ids=lambda value: type(value).__name__)
def test_a_copy_has_the_same(value):
    """A value that went through a pickle is the same value."""
    assert fingerprint(pickle.loads(pickle.dumps(value))) == fingerprint(value)


def test_every_other_value_has_another():
    """Type, order and nesting all count."""
    for one, other in itertools.combinations(DIFFERENT, 2):
        assert fingerprint(one) != fingerprint(other), (one, other)


def test_the_order_of_a_dict_counts_but_not_that_of_a_set():
    """A dict remembers its order; a set has none."""
    assert fingerprint({1: 1, 2: 2}) != fingerprint({2: 2, 1: 1})
    assert fingerprint({"a", "b", "c"}) == fingerprint({"c", "b", "a"})


def test_what_contains_itself_has_one():
    """A circle ends."""
    circle: list = [1]
    circle.append(circle)

    assert fingerprint(circle) == fingerprint(pickle.loads(pickle.dumps(circle)))


def test_processes_agree():
    """Nothing of a process, such as its hash seed, comes into it."""
    source = (
        "from plait_harness.fingerprint import fingerprint\n"
        "print(fingerprint([{'a', 'b', 'c'}, {'x': (1, 2.5)}, frozenset('xyz')]))"
    )
    printed = {
        subprocess.check_output([sys.executable, "-c", source], env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    }

    assert printed == {
        fingerprint([{"a", "b", "c"}, {"x": (1, 2.5)}, frozenset("xyz")]).encode() + b"\n"
    }
