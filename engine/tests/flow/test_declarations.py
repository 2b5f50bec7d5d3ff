"""What is wrong with parameters as they are declared."""

from __future__ import annotations

from typing import Any

import pytest

from plait.base.errors import Finding, shown_path
from plait.flow.declarations import check_parameters
from plait.flow.include import IncludeFile
from plait.flow.parameters import Parameter

HERE = shown_path(__file__)


def find_all(**parameters: Parameter) -> list[Finding]:
    for name, parameter in parameters.items():
        parameter.__set_name__(object, name)
    return list(check_parameters(parameters))


def find(**parameters: Parameter) -> list[tuple[str, str]]:
    return [(found.slug, found.what) for found in find_all(**parameters)]


@pytest.mark.parametrize("name", ["alpha", "learning-rate", "a1", "größe", "Alpha_B", "class"])
def test_good_names_are_good(name: str) -> None:
    """Letters of any script, digits, underscores and dashes."""
    assert find(x=Parameter(name)) == []


@pytest.mark.parametrize("name", ["", "1a", "-a", "_a", "a b", "a.b", "a=b", 3, None])
def test_names_that_no_command_line_takes_are_found(name: Any) -> None:
    """They could not be given as options."""
    assert find(x=Parameter(name)) == [
        ("bad-parameter-name", f"a parameter cannot be called {name!r}")
    ]


@pytest.mark.parametrize("name", ["max-workers", "max_workers", "Tag", "with", "help"])
def test_names_of_plaits_own_options_are_found(name: str) -> None:
    """The run command has them already."""
    assert find(x=Parameter(name)) == [
        ("reserved-parameter-name", f"parameter '{name}' has the name of an option of plait's own")
    ]


def test_names_that_a_shell_cannot_tell_apart_are_found() -> None:
    """Neither options nor variables know `-` from `_`, nor variables case."""
    assert find(a=Parameter("a-b"), c=Parameter("A_B"), d=Parameter("d")) == [
        ("clashing-parameters", "parameters 'a-b' and 'A_B' cannot be told apart")
    ]


def test_a_private_parameter_is_found() -> None:
    """Nobody would find it among the results."""
    assert find(_x=Parameter("x")) == [
        ("bad-parameter-name", "parameter 'x' is the private attribute '_x'")
    ]


@pytest.mark.parametrize(
    ("parameters", "why", "fix"),
    [
        (
            {"_x": Parameter("x")},
            "a parameter is seen by everybody who reads the run",
            "call it x",
        ),
        (
            {"x": Parameter("1a")},
            "it is an option of the command line and a variable of the environment",
            "use letters, digits, '_' and '-', a letter first",
        ),
        (
            {"x": Parameter("tag")},
            "--tag is an option of the run command",
            "keep the attribute and change the name: x = Parameter('tag-value')",
        ),
        (
            {"x": Parameter("a-b"), "y": Parameter("a_b")},
            "both are set by PLAIT_RUN_A_B; case, '-' and '_' make no difference",
            "rename one of them",
        ),
    ],
)
def test_a_name_that_cannot_be_is_answered_with_why_and_what_to_do(
    parameters: dict[str, Parameter], why: str, fix: str
) -> None:
    """Both are read by somebody who does not know the rule."""
    (found,) = find_all(**parameters)

    assert (found.why, found.fix) == (why, fix)
    assert found.where is not None


@pytest.mark.parametrize(
    ("parameter", "slug", "why"),
    [
        (Parameter("x", type=dict), "bad-parameter-type", "type=dict is not one"),
        (Parameter("x", default=object), "", ""),
        (Parameter("x", default={1}), "bad-parameter-type", "the default {1} is of type set"),
        (Parameter("x", type=int, default="y"), "bad-parameter-default", "'y' is not a whole"),
        (Parameter("x", type=str, default=3), "bad-parameter-default", "3 (int) is not text"),
        (Parameter("x", default={"a": {1}}), "bad-parameter-default", "cannot be JSON"),
        (IncludeFile("x", default=3), "bad-parameter-default", "3 (int) is not a path"),
        (IncludeFile("x", encoding="utf-9"), "bad-parameter-default", "no encoding 'utf-9'"),
        (IncludeFile("x", default="there.txt"), "", ""),
    ],
)
def test_types_and_defaults_that_do_not_fit_are_found(
    parameter: Parameter, slug: str, why: str
) -> None:
    """Before anything runs, also where the default would not be used."""
    found = list(check_parameters({"x": parameter}))

    assert [f.slug for f in found] == ([slug] if slug else [])
    assert all(why in f.why for f in found)
    assert all(f.where and f.where.file == HERE for f in found)
