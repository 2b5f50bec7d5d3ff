"""How text and objects become values of parameters."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Any, Literal

import pytest

from plait.flow.types import BadValue, JSONType, Separated, convert, infer_kind


class Color(Enum):
    RED = "red"
    DARK_BLUE = "blue"
    CRIMSON = RED


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@pytest.mark.parametrize(
    ("type_", "given", "value"),
    [
        (str, " a b ", " a b "),
        (str, "", ""),
        (str, "héllo 世界", "héllo 世界"),
        (int, "3", 3),
        (int, " -3 ", -3),
        (int, "1_000", 1000),
        (int, 3, 3),
        (float, "3", 3.0),
        (float, "1e-3", 0.001),
        (float, 3, 3.0),
        (float, 0.5, 0.5),
        (bool, "true", True),
        (bool, "Yes", True),
        (bool, " ON ", True),
        (bool, "1", True),
        (bool, "t", True),
        (bool, "False", False),
        (bool, "no", False),
        (bool, "0", False),
        (bool, "off", False),
        (bool, False, False),
        (JSONType, '{"a": [1, null]}', {"a": [1, None]}),
        (JSONType, "3", 3),
        (JSONType, '"text"', "text"),
        (JSONType, {"a": (1, 2)}, {"a": [1, 2]}),
        (JSONType(), "[]", []),
        (Color, "RED", Color.RED),
        (Color, "red", Color.RED),
        (Color, "CRIMSON", Color.RED),
        (Color, "blue", Color.DARK_BLUE),
        (Color, Color.DARK_BLUE, Color.DARK_BLUE),
        (Level, "2", Level.HIGH),
        (Level, "LOW", Level.LOW),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (Literal[1, 2], 2, 2),
        (Literal[True, "x"], "True", True),
    ],
)
def test_a_value_is_converted(type_: Any, given: object, value: object) -> None:
    """Text is parsed as its type says; an object of the right type is taken as it is."""
    got = convert(infer_kind(type_, None, None), given)

    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("type_", "given", "why"),
    [
        (int, "3.5", "'3.5' is not a whole number"),
        (int, "", "'' is not a whole number"),
        (int, 3.5, "3.5 (float) is not a whole number"),
        (int, True, "True (bool) is not a whole number"),
        (float, "much", "'much' is not a number"),
        (float, None, "None (NoneType) is not a number"),
        (bool, "maybe", "'maybe' is neither true nor false"),
        (bool, 1, "1 (int) is not true or false"),
        (str, 3, "3 (int) is not text"),
        (JSONType, "{'a': 1}", "{'a': 1} is not JSON: Expecting property name"),
        (JSONType, "x" * 200, "x... is not JSON: "),
        (JSONType, "[" * 100_000, "... is not JSON: "),
        (int, "9" * 5000, "999... is not a whole number"),
        (JSONType, {1, 2}, "{1, 2} cannot be JSON: "),
        (Color, "REED", "'REED' is not one of RED, DARK_BLUE, CRIMSON; did you mean 'RED'?"),
        (Color, "zzz", "'zzz' is not one of RED, DARK_BLUE, CRIMSON"),
        (Color, 3, "3 is not one of RED, DARK_BLUE, CRIMSON"),
        (Literal[1, 2], True, "True is not one of 1, 2"),
        (Literal["a", "b"], "c", "'c' is not one of a, b"),
    ],
)
def test_what_is_not_a_value_is_refused_with_its_reason(
    type_: Any, given: object, why: str
) -> None:
    """The reason has what was given and what was wanted."""
    with pytest.raises(BadValue) as caught:
        convert(infer_kind(type_, None, None), given)

    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "default", "separator", "given", "value"),
    [
        (None, None, ",", "a,b", ["a", "b"]),
        (None, None, ",", "", []),
        (None, None, ",", "a, b", ["a", " b"]),
        (None, None, "::", "a::b", ["a", "b"]),
        (int, None, ",", "1, 2", [1, 2]),
        (None, [0.5], ";", "1;2", [1.0, 2.0]),
        (None, [], ",", "1,2", ["1", "2"]),
        (Color, None, ",", "RED,blue", [Color.RED, Color.DARK_BLUE]),
        (int, None, ",", (1, "2"), [1, 2]),
    ],
)
def test_a_separator_makes_a_list(
    type_: Any, default: Any, separator: str, given: object, value: object
) -> None:
    """Each part is converted as its type says."""
    assert convert(infer_kind(type_, default, separator), given) == value


def test_a_list_is_refused_with_the_part_that_is_wrong() -> None:
    """So is what is no list at all."""
    kind = infer_kind(int, None, ",")

    with pytest.raises(BadValue, match="'x' is not a whole number"):
        convert(kind, "1,x")
    with pytest.raises(BadValue, match=r"3 \(int\) is neither a list nor text"):
        convert(kind, 3)


@pytest.mark.parametrize(
    ("default", "words"),
    [
        (None, "text"),
        (lambda context: 3, "text"),
        ("x", "text"),
        (True, "true or false"),
        (3, "a whole number"),
        (0.5, "a number"),
        ({"a": 1}, "JSON"),
        ([1], "JSON"),
        ((1, 2), "JSON"),
        (Color.RED, "one of RED, DARK_BLUE, CRIMSON"),
        (Level.LOW, "one of LOW, HIGH"),
    ],
)
def test_the_default_says_the_type(default: object, words: str) -> None:
    """A function says nothing, so that without `type=` its parameter is text."""
    assert infer_kind(None, default, None).words == words


@pytest.mark.parametrize(
    ("type_", "default", "separator", "why"),
    [
        (list, None, None, "type=list is not one that parameters have"),
        ("int", None, None, "type=int is not one that parameters have"),
        (None, {1, 2}, None, "the default {1, 2} is of type set"),
        (None, None, "", "separator='' is not a text"),
        (None, None, 3, "separator=3 is not a text"),
    ],
)
def test_a_type_that_there_is_not_is_refused(
    type_: Any, default: Any, separator: Any, why: str
) -> None:
    """The reason shows what was written."""
    with pytest.raises(BadValue) as caught:
        infer_kind(type_, default, separator)

    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("type_", "value", "text"),
    [
        (int, 3, "3"),
        (bool, True, "True"),
        (JSONType, {"a": "ü"}, '{"a": "ü"}'),
        (Color, Color.DARK_BLUE, "DARK_BLUE"),
        (Literal["a", 2], 2, "2"),
    ],
)
def test_a_value_is_shown_as_text_that_would_give_it(type_: Any, value: object, text: str) -> None:
    """What help shows can be pasted back."""
    kind = infer_kind(type_, None, None)

    assert kind.format(value) == text
    assert kind.parse(text) == value


def test_a_list_is_shown_with_its_separator() -> None:
    """And it says of itself that it is one."""
    kind = infer_kind(int, None, ",")

    assert isinstance(kind, Separated)
    assert kind.format([1, 2]) == "1,2"
    assert kind.words == "a whole number, any number of times, divided by ','"
    assert kind.choices == ()


def test_only_a_choice_lists_what_it_takes() -> None:
    """A command line shows them in its help."""
    kinds = [infer_kind(type_, None, None) for type_ in (Color, str, JSONType)]

    assert [kind.choices for kind in kinds] == [("RED", "DARK_BLUE", "CRIMSON"), (), ()]
