"""The list of differences from another engine: what it lets pass, and what fails because of it.

The other engine here is plait itself, in a context that has a list: what is judged is the list.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from plait_harness.contexts import ContextSpec, parse_contexts
from plait_harness.crossing import Case
from plait_harness.differences import (
    check_differences,
    hold_against_list,
    load_differences,
    read_reasons,
)
from plait_harness.engines import METAFLOW, PLAIT
from plait_harness.fit import fit
from plait_harness.gates import Breach
from plait_harness.home import home_path
from plait_harness.matrix import Matrix
from plait_harness.mistakes import Mistake
from plait_harness.render import render
from plait_harness.result import CaseResult, CheckResult
from plait_harness.sources import choose_contexts, choose_templates

ENTRY = """
[[difference]]
test = "Mine"
graph = "*"
shows = "got 'b'"
reason = "It says b."
documented = "the letter"
"""

PAGE = """
| what | there | here | why |
|---|---|---|---|
| the letter | b | a | it comes first |
"""

TEMPLATE = '''
class Mine(FlowTest):
    """A word."""

    @steps(0, ["join"])
    def step_join(self):
        assert_equals(2, len(inputs))

    @steps(1, ["all"])
    def step_all(self):
        pass

    def check_results(self, flow, checker):
        assert_exception(lambda: Run("x"), PlaitNotFound)
'''


@pytest.fixture
def make_case(tmp_path: Path, make_template: Callable, make_graph: Callable) -> Callable[..., Case]:
    """Give a function that makes a case whose context has a list, of this text."""

    def make(entries: str, page: str = PAGE) -> Case:
        (tmp_path / "differences.toml").write_text(f'page = "page.md"\n{entries}', "utf-8")
        (tmp_path / "page.md").write_text(page, encoding="utf-8")
        context = ContextSpec(
            "other", "A.", differences="differences.toml", file=str(tmp_path / "contexts.json")
        )
        nodes = {"start": {"linear": "end"}, "end": {}}
        fitted = fit(make_template(TEMPLATE), make_graph(nodes))
        load_differences.cache_clear()
        return Case(context, "cli", fitted, ())

    return make


def result_of(tmp_path: Path, *messages: str) -> CaseResult:
    """Give the result of a case in which checks failed with these messages."""
    checks = [CheckResult("mli", "failed", message) for message in messages]
    return CaseResult("Mine", str(tmp_path), 0, (CheckResult("always", "passed"), *checks), 1.0)


def judge(case: Case, result: CaseResult) -> list[tuple[str, str]]:
    """Give the checker and the outcome of each check of a case, held against its list."""
    return [(c.checker, c.outcome) for c in hold_against_list(case, result).checks]


def test_a_difference_that_is_listed_passes(make_case, tmp_path):
    """It is no failure, and still told from what passed."""
    result = result_of(tmp_path, "expected 'a', got 'b'")

    assert judge(make_case(ENTRY), result) == [("always", "passed"), ("mli", "differs")]


def test_a_difference_that_is_not_listed_fails(make_case, tmp_path):
    """It stays a failure, and says where it is not listed."""
    held = hold_against_list(make_case(""), result_of(tmp_path, "expected 'a', got 'b'"))

    assert [check.checker for check in held.failed] == ["mli", "differences"]
    assert "does not list it" in held.failed[-1].message


def test_an_entry_that_is_no_difference_any_more_fails(make_case, tmp_path):
    """A case that passes must not be listed."""
    held = hold_against_list(make_case(ENTRY), result_of(tmp_path))

    assert [check.checker for check in held.failed] == ["differences"]
    assert "take it out" in held.failed[0].message


def test_another_failure_is_not_taken_for_the_difference(make_case, tmp_path):
    """What is listed has to show; a failure of another kind fails."""
    held = hold_against_list(make_case(ENTRY), result_of(tmp_path, "no such file"))

    assert [check.checker for check in held.failed] == ["mli", "differences"]
    assert "nothing shows \"got 'b'\"" in held.failed[-1].message


def test_without_a_list_nothing_is_held_against_one(make_case, tmp_path):
    """Contexts of plait's own have none."""
    case = make_case(ENTRY)
    case = dataclasses.replace(case, context=dataclasses.replace(case.context, differences=""))
    result = result_of(tmp_path, "broken")

    assert hold_against_list(case, result) is result


def test_an_entry_without_a_reason_in_the_page_fails_the_run(make_case):
    """The row has to be there, and to say why."""
    expected = [
        Breach(
            "differences",
            "differences.toml: Mine on *: 'the letter' has no row with a reason in page.md",
        )
    ]
    full = frozenset({"other"})

    assert list(check_differences(Matrix((make_case(ENTRY),), full=full))) == []
    for page in (PAGE.replace("the letter", "a letter"), PAGE.replace("it comes first", "")):
        assert list(check_differences(Matrix((make_case(ENTRY, page),), full=full))) == expected


def test_an_entry_about_no_case_fails_a_whole_run(make_case):
    """Of a part of the cases nothing can be said."""
    case = make_case(ENTRY.replace("Mine", "Yours"))

    said = list(check_differences(Matrix((case,), full=frozenset({"other"}))))
    assert said == [Breach("differences", "differences.toml: Yours on *: there is no such case")]
    assert list(check_differences(Matrix((case,)))) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("page =", "can't be read"),
        (ENTRY.replace('reason = "It says b."', ""), "does not say each of"),
        (ENTRY.replace("It says b.", ""), "does not say each of"),
        (ENTRY + ENTRY, "Mine on * is there twice"),
    ],
)
def test_a_wrong_list_is_a_mistake(tmp_path, text, said):
    """What it lacks is said."""
    file = tmp_path / "list.toml"
    file.write_text(text, encoding="utf-8")

    with pytest.raises(Mistake, match=said.replace("*", r"\*")):
        load_differences(str(file))


def test_the_list_of_metaflow_is_documented():
    """Each entry is about a template that there is, and has a row with a reason."""
    listed = load_differences(home_path("differences.toml"))
    rows = read_reasons(listed.page)
    templates = choose_templates(()).specs

    assert rows is not None
    for entry in listed.entries.values():
        assert entry.test in templates
        assert rows.get(entry.documented), entry
    disabled = choose_contexts(["metaflow"]).specs["metaflow"].disabled_tests
    assert not {entry.test for entry in listed.entries.values()} & disabled.keys()


def test_a_template_becomes_a_flow_of_metaflows(make_template, make_graph):
    """Only names differ: those of imports, and the length that the inputs of joins are given."""
    nodes = {
        "start": {"branch": ["a", "b"]},
        "a": {"linear": "join"},
        "b": {"linear": "join"},
        "join": {"linear": "end", "join": True},
        "end": {},
    }
    fitted = fit(make_template(TEMPLATE), make_graph(nodes))
    ours, theirs = render(fitted, PLAIT), render(fitted, METAFLOW)

    added = set(theirs.flow.splitlines()) - set(ours.flow.splitlines())
    assert added == {
        "from metaflow import FlowSpec, step",
        "from plait_harness.expect_metaflow import assert_equals, counted",
        "        inputs = counted(inputs)",
    }
    assert set(theirs.check.splitlines()) - set(ours.check.splitlines()) == {
        "from metaflow import Run",
        "from metaflow.exception import MetaflowNotFound as PlaitNotFound",
    }


def test_names_of_other_engines_are_translated():
    """Imports in a template's own source and files, and variables of the environment."""
    source = "import os\n    from plait import Run\nfrom plait.cards import Table\n"

    assert PLAIT.translate(source) == source
    assert METAFLOW.translate(source) == source.replace("plait import", "metaflow import")
    assert METAFLOW.translate_files({"a.py": "from plait import Run", "b": b"from plait "}) == {
        "a.py": "from metaflow import Run",
        "b": b"from plait ",
    }
    assert METAFLOW.translate_env({"PLAIT_USER": "ada", "A": "b"}) == {
        "METAFLOW_USER": "ada",
        "A": "b",
    }


def test_an_engine_that_is_not_installed_is_told():
    """Its context can't run, and says so; the others can."""
    context = {"name": "a", "shows": "A."}
    contexts = [context, {**context, "name": "b", "engine": "metaflow"}]
    ours, theirs = parse_contexts({"contexts": contexts}).values()
    absent = dataclasses.replace(METAFLOW, name="not_to_be_found")

    assert (ours.missing(), theirs.engine) == (None, METAFLOW)
    assert dataclasses.replace(theirs, engine=absent).missing() == (
        "not_to_be_found is not installed"
    )
