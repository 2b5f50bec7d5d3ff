"""Context files: what they extend, what they lack, and the environment that cases get."""

from __future__ import annotations

import os
import sys

import pytest

from plait_harness.contexts import (
    CheckSpec,
    clean_environment,
    load_contexts,
    parse_contexts,
)
from plait_harness.home import home_path
from plait_harness.interpreters import find_python, interpreter_of
from plait_harness.mistakes import Mistake


def read(*contexts: dict) -> dict:
    """Read contexts; what a file has to say of each is added."""
    return parse_contexts({"contexts": [{"shows": "It.", **each} for each in contexts]}, file="c")


def refused(*contexts: dict) -> str:
    """Give what is said of contexts that are refused."""
    with pytest.raises(Mistake) as refusal:
        read(*contexts)
    return str(refusal.value)


def test_a_context_has_what_it_extends():
    """Its own values win; environments are merged; being disabled is not handed on."""
    contexts = read(
        {
            "name": "base",
            "disabled": True,
            "env": {"A": "1", "B": "1"},
            "run_options": ["--x"],
            "checks": ["cli", {"checker": "mli", "python": "python3.13"}],
            "disabled_tests": {"Slow": "it is"},
        },
        {"name": "mine", "extends": "base", "env": {"B": "2"}, "start": "fresh"},
    )

    mine = contexts["mine"]
    assert (mine.disabled, mine.start, mine.env) == (False, "fresh", {"A": "1", "B": "2"})
    assert mine.run_options == ("--x",)
    assert mine.checks == (CheckSpec("cli"), CheckSpec("mli", "python3.13"))
    assert [check.name for check in mine.checks] == ["cli", "mli-python3.13"]
    assert mine.disabled_tests == {"Slow": "it is"}


def test_what_a_context_runs_is_said_in_one_way():
    """A list of what it runs takes the place of one of what it leaves out, and the reverse."""
    contexts = read(
        {"name": "without", "disabled_tests": {"Slow": "it is"}},
        {"name": "only", "extends": "without", "enabled_tests": {"Quick": "it is"}},
        {"name": "again", "extends": "only", "disabled_tests": {"Odd": "it is"}},
    )

    only, again = contexts["only"], contexts["again"]
    assert (only.disabled_tests, only.enabled_tests) == ({}, {"Quick": "it is"})
    assert (again.disabled_tests, again.enabled_tests) == ({"Odd": "it is"}, {})


def test_the_harness_has_its_two_contexts():
    """dev-local and local-spawn are there, and on."""
    contexts = load_contexts(home_path("contexts.json"))

    assert list(contexts)[:2] == ["dev-local", "local-spawn"]
    assert (contexts["dev-local"].start, contexts["local-spawn"].start) == ("fork", "fresh")
    assert not contexts["dev-local"].disabled


@pytest.mark.parametrize(
    ("contexts", "said"),
    [
        ([{"name": "a"}, {"name": "a"}], "c: context 'a' is there twice"),
        (
            [{"name": "near", "extends": "bse"}, {"name": "base"}],
            "there is no context to extend in c, named by 'near': 'bse'\n  did you mean 'base'?",
        ),
        (
            [{"name": "a", "extends": "b"}, {"name": "b", "extends": "a"}],
            "c: contexts extend each other in a circle\n  a -> b -> a",
        ),
        (
            [{"name": "a", "colour": "red"}],
            (
                "c is not a valid file of contexts\n"
                "  context 'a': Additional properties are not allowed ('colour' was unexpected)"
            ),
        ),
        (
            [{"name": "a", "disabled_tests": {"X": ""}}],
            (
                "c is not a valid file of contexts\n"
                "  context 'a'/disabled_tests/X: '' should be non-empty"
            ),
        ),
    ],
)
def test_wrong_contexts_are_named(contexts, said):
    """Each mistake is told with the file and the context."""
    assert refused(*contexts) == said


def test_a_context_says_what_this_machine_lacks():
    """An interpreter that is not there is what is missing."""
    contexts = read(
        {"name": "here", "python": sys.executable},
        {"name": "there", "python": "python9.9"},
        {"name": "judged-there", "checks": [{"checker": "mli", "python": "python9.9"}]},
    )

    assert contexts["here"].missing() is None
    assert contexts["there"].missing() == "there is no interpreter 'python9.9'"
    assert contexts["judged-there"].missing() == "there is no interpreter 'python9.9'"


def test_interpreters_are_found_by_name_or_path():
    """None means this interpreter."""
    assert interpreter_of(None) == sys.executable
    assert interpreter_of(sys.executable) == sys.executable
    assert find_python("python9.9") is None
    with pytest.raises(Mistake, match=r"there is no interpreter 'python9\.9'"):
        interpreter_of("python9.9")


def test_cases_see_only_what_selects_code():
    """What somebody happens to have set is left out, unless it is to be inherited."""
    environ = {"PATH": "/bin", "PYTHONPATH": "/code", "PLAIT_WORKERS": "spawn", "EDITOR": "ed"}

    assert clean_environment(environ, inherit=True) == environ
    assert clean_environment(environ, inherit=False) == {
        "PATH": "/bin",
        "PYTHONPATH": "/code",
        "LANG": "C.UTF-8",
    }
    assert clean_environment({}, inherit=False)["PATH"] == os.defpath
