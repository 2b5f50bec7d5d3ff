"""`@step` marks methods, and says so when it stands on something else."""

from __future__ import annotations

import pytest

from plait.base.errors import shown_path
from plait.flow.step import (
    MisplacedDecorator,
    decorators_of,
    findings_of,
    is_step,
    step,
)
from plait.plugins.retry import retry

HERE = shown_path(__file__)


def test_a_step_is_the_same_function_with_a_mark() -> None:
    """Nothing is wrapped, so that signatures, names and tracebacks stay the user's."""

    def start(self: object) -> None: ...

    assert step(start) is start
    assert is_step(start)
    assert decorators_of(start) == ()


def test_a_function_without_the_mark_is_no_step() -> None:
    """Neither is anything else that happens to be in a class."""

    def helper(self: object) -> None: ...

    assert [is_step(member) for member in (helper, 3, None, "start")] == [False] * 4


@pytest.mark.parametrize("target", [3, int, property(lambda self: 1), staticmethod(len)])
def test_step_on_what_is_not_a_function_is_refused(target: object) -> None:
    """The message says what it stands on and what to write."""
    with pytest.raises(MisplacedDecorator, match="not on a step") as caught:
        step(target)  # type: ignore[type-var]  # the mistake that is tested

    (found,) = caught.value.findings
    assert found.where is not None
    assert found.where.file == HERE


def test_a_decorator_below_step_is_found_when_the_flow_is_read() -> None:
    """It is kept as a finding, so that it is reported together with all others."""

    class Flow:
        @step
        @retry(times=1)
        def start(self) -> None: ...

    (found,) = findings_of(Flow.start)
    assert found.slug == "misplaced-decorator"
    assert found.what == "@retry stands below @step on 'start'"
    assert found.fix == "move @retry to the line above @step"
    assert found.where is not None
    assert found.where.file == HERE
