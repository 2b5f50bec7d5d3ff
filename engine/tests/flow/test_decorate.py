"""How decorators are written in code and on the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plait.base.errors import shown_path
from plait.flow.decorate import BadWith, decorate, parse_with
from plait.flow.step import MisplacedDecorator, decorators_of, findings_of, step
from plait.hooks import registry
from plait.hooks.registry import UnknownDecorator
from plait.hooks.step import BadDecorator, StepDecorator
from plait.plugins.catch import Catch, catch
from plait.plugins.retry import Retry, retry

HERE = shown_path(__file__)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


class Note(StepDecorator):
    """Does nothing, with any value."""

    name: ClassVar[str] = "note"
    defaults: ClassVar[Mapping[str, Any]] = {"text": "", "other": None}


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `--with note` known."""
    monkeypatch.setitem(registry.BUILT_IN, "note", f"{__name__}:Note")
    monkeypatch.setattr(registry, "_load", lambda target: Note)


def test_a_decorator_is_written_bare_or_called() -> None:
    """Both forms stand above @step; those written first are outermost."""

    class Flow:
        @catch(var="failure")
        @retry
        @step
        def start(self) -> None: ...

    outer, inner = decorators_of(Flow.start)
    assert isinstance(outer, Catch)
    assert outer.attributes == {"var": "failure", "print_exception": True}
    assert isinstance(inner, Retry)
    assert inner.attributes == {"times": 3, "minutes_between_retries": 2}
    assert (inner.where and inner.where.file) == HERE


def test_a_decorator_called_without_attributes_has_its_defaults() -> None:
    """`@retry()` and `@retry` are the same."""

    class Flow:
        @retry()
        @step
        def start(self) -> None: ...

    (only,) = decorators_of(Flow.start)
    assert only.attributes == Retry.defaults


def test_a_decorator_says_what_it_is() -> None:
    """`help(retry)` and a notebook show the words of its class."""
    assert repr(retry) == "@retry"
    assert retry.__doc__ == Retry.__doc__
    assert retry.__name__ == "retry"


def test_a_wrong_attribute_is_found_when_the_flow_is_read() -> None:
    """A typing mistake ends in one finding with its line, not in a traceback."""

    class Flow:
        @retry(tims=3)  # type: ignore[call-overload]  # the mistake that is tested
        @step
        def start(self) -> None: ...

    (found,) = findings_of(Flow.start)
    assert found.slug == "bad-decorator"
    assert found.what == "@retry: there is no attribute 'tims'"
    assert found.why == "did you mean 'times'?"
    assert (found.where and found.where.file) == HERE


def test_an_attribute_without_its_name_is_refused() -> None:
    """`@retry(5)` does not silently mean something else."""
    with pytest.raises(BadDecorator, match=r"@retry\(times=5\)"):
        retry(5)  # type: ignore[call-overload]  # the mistake that is tested


@pytest.mark.parametrize("target", [property(lambda self: 1), int, staticmethod(len)])
def test_a_decorator_on_what_is_not_a_function_is_refused(target: Any) -> None:
    """The same, bare and called."""
    for decorator in (retry, retry(times=1)):
        with pytest.raises(MisplacedDecorator, match="@retry is on"):
            decorator(target)


def test_a_decorator_on_a_function_outside_a_class_is_refused_at_once() -> None:
    """No flow would ever be read that has it, so nothing could say it later."""
    with pytest.raises(MisplacedDecorator, match="the function 'helper'"):

        @retry
        def helper() -> None: ...


def test_any_decorator_class_can_be_made_usable() -> None:
    """Decorators of other packages are written in the same way."""
    note = decorate(Note)

    class Flow:
        @note(text="hi")
        @step
        def start(self) -> None: ...

    (only,) = decorators_of(Flow.start)
    assert only.attributes == {"text": "hi", "other": None}


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("retry", {}),
        ("retry:", {}),
        (" retry : times = 3 ", {"times": 3}),
        ("retry:times=3,minutes_between_retries=0", {"times": 3, "minutes_between_retries": 0}),
        ("retry:minutes_between_retries=0.5", {"minutes_between_retries": 0.5}),
    ],
)
def test_with_makes_a_decorator(text: str, attributes: dict[str, Any]) -> None:
    """Attributes are read as JSON."""
    made = parse_with(text)

    assert isinstance(made, Retry)
    assert made.attributes == {**Retry.defaults, **attributes}
    assert made.where is None


@pytest.mark.usefixtures("note")
@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("plain", "plain"),
        ("two words ", "two words"),
        ("", ""),
        ('"a,b"', "a,b"),
        (r'"say \"hi\""', 'say "hi"'),
        ("'a,b'", "a,b"),
        (r"'it\'s'", "it's"),
        (r"a\,b", "a,b"),
        (r"C:\\dir", r"C:\dir"),
        (r"one\ntwo\tthree", "one\ntwo\tthree"),
        ("ends\\", "ends\\"),
        ("[1, 2]", [1, 2]),
        ('{"a": "x,y"}', {"a": "x,y"}),
        ("true", True),
        ("True", True),
        ("False", False),
        ("None", None),
        ("null", None),
        ("-1.5e3", -1500.0),
        ("3x", "3x"),
        ("a=b", "a=b"),
        ("größer", "größer"),
    ],
)
def test_with_reads_a_value(value: str, read: object) -> None:
    """JSON where it is JSON, text where not; quotes and backslashes keep commas."""
    first = parse_with(f"note:text={value}")
    between = parse_with(f"note:text={value},other=1") if not value.endswith("\\") else None

    assert first.attributes["text"] == read
    assert type(first.attributes["text"]) is type(read)
    assert between is None or between.attributes == {"text": read, "other": 1}


@pytest.mark.usefixtures("note")
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the name of a decorator is missing"),
        (":times=3", "the name of a decorator is missing"),
        ("note:text", "'text' has no '='"),
        ("note:text=1,other", "'other' has no '='"),
        ("note:1x=3", "'1x' is not the name of an attribute"),
        ("note:text=1,text=2", "'text' is given twice"),
        ("note:text='a,b", 'the quote before "a,b" is not closed'),
        ("note:text='a'b", 'the quote before "a\'b" is not closed'),
    ],
)
def test_with_says_what_it_cannot_read(text: str, why: str) -> None:
    """The message shows the text and how to write it."""
    with pytest.raises(BadWith) as caught:
        parse_with(text)

    (found,) = caught.value.findings
    assert found.what == f"--with {text!r} cannot be read"
    assert found.why.replace("'", '"') == why.replace("'", '"')


def test_with_names_the_nearest_decorator() -> None:
    """A typing mistake in the name is answered with the name that there is."""
    with pytest.raises(UnknownDecorator, match="did you mean 'retry'"):
        parse_with("rety:times=3")


def test_with_says_which_attributes_there_are() -> None:
    """An attribute that does not exist is refused at once."""
    with pytest.raises(BadDecorator, match="did you mean 'times'"):
        parse_with("retry:time=3")


@pytest.mark.usefixtures("note")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(value=JSON, text=st.text())
def test_with_reads_back_what_json_writes(value: Any, text: str) -> None:
    """Whatever the value; and text in single quotes, with backslashes where they are needed."""
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    made = parse_with(f"note:text={json.dumps(value)} , other='{quoted}'")

    assert made.attributes == {"text": value, "other": text}
