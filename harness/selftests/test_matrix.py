"""Choosing and crossing specifications: names, files, folders, what is left out, and the order."""

from __future__ import annotations

import json
import os
import shlex
import sys

import pytest

from plait_harness.home import HOME, home_path
from plait_harness.matrix import Selection, build_matrix
from plait_harness.mistakes import Mistake
from plait_harness.options import OPTIONS, command_for, read_options
from plait_harness.sources import choose_checkers

GRAPH = {
    "name": "theirs",
    "shows": "Two steps.",
    "graph": {"start": {"linear": "end", "quals": ["theirs-only"]}, "end": {}},
}

TEMPLATES = '''
from plait_harness import FlowTest, steps


class Theirs(FlowTest):
    """Somebody's own."""

    PRIORITY = 7

    @steps(0, ["theirs-only"], required=True)
    def first(self):
        self.x = 1

    @steps(1, ["all"])
    def rest(self):
        pass

    def check_results(self, flow, checker):
        pass


class Other(Theirs):
    """Another."""
'''


@pytest.fixture
def theirs(tmp_path):
    """A folder with somebody's own graphs and tests."""
    (tmp_path / "graphs").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "graphs" / "theirs.json").write_text(json.dumps(GRAPH))
    (tmp_path / "tests" / "theirs.py").write_text(TEMPLATES)
    return tmp_path


def refused(**chosen: tuple[str, ...]) -> str:
    """Give what is said of a selection that is refused."""
    with pytest.raises(Mistake) as refusal:
        build_matrix(Selection(**chosen))
    return str(refusal.value)


def ids(**chosen: tuple[str, ...]) -> list[str]:
    """Give the ids of the cases of a selection."""
    return [case.id for case in build_matrix(Selection(**chosen)).cases]


def test_names_are_found_in_any_case():
    """`--tests basicartifact` means BasicArtifact."""
    assert ids(
        contexts=("DEV-local",), graphs=("Single-Linear-Step",), tests=("basicartifact",)
    ) == ["BasicArtifact[single-linear-step-dev-local-cli]"]


def test_somebodys_files_and_folders_are_taken(theirs):
    """A folder gives all that is in it; `FILE::NAME` one of a file; names come from the harness."""
    graphs, tests = str(theirs / "graphs"), str(theirs / "tests")
    both = ids(contexts=("dev-local",), graphs=(graphs,), tests=(tests,))
    one = ids(
        contexts=("dev-local",),
        graphs=(os.path.join(graphs, "theirs.json"),),
        tests=(os.path.join(tests, "theirs.py::Theirs"),),
    )
    mixed = ids(contexts=("dev-local",), graphs=(graphs,), tests=("BasicArtifact",))

    assert both == ["Other[theirs-dev-local-cli]", "Theirs[theirs-dev-local-cli]"]
    assert one == ["Theirs[theirs-dev-local-cli]"]
    assert mixed == ["BasicArtifact[theirs-dev-local-cli]"]


def test_builtin_is_all_of_plaits_beside_somebodys_own(theirs):
    """Of plait's what does not fit is no mistake; of one's own, and of what is named, it is."""
    graphs, tests = (str(theirs / "graphs"),), str(theirs / "tests")

    def choose(**chosen):
        return build_matrix(Selection(contexts=("dev-local",), **chosen))

    plaits = choose(graphs=graphs, tests=("builtin",))
    assert {case.graph.name for case in plaits.cases} == {"theirs"}
    assert {"BasicArtifact", "Lineage"} <= {case.template.name for case in plaits.cases}
    assert plaits.lonely == ()

    both = choose(graphs=graphs, tests=("Builtin", tests))
    assert {case.template.name for case in both.cases} == {
        "Theirs",
        "Other",
        *(case.template.name for case in plaits.cases),
    }
    named = choose(graphs=graphs, tests=("builtin", "WideForeach"))
    assert [sentence.split()[1] for sentence in named.lonely] == ["'WideForeach'"]
    narrow = theirs / "narrow.py"
    narrow.write_text(TEMPLATES.replace("theirs-only", "foreach").replace("Theirs", "Narrow"))
    own = choose(graphs=graphs, tests=("builtin", f"{narrow}::Narrow"))
    assert [sentence.split()[1] for sentence in own.lonely] == ["'Narrow'"]
    other = choose(graphs=("builtin", *graphs), tests=(os.path.join(tests, "theirs.py"),))
    assert ([case.graph.name for case in other.cases], other.lonely) == (["theirs"] * 2, ())


def test_a_checker_is_found_from_any_folder(theirs, monkeypatch):
    """Judges run in the folders of their cases."""
    (theirs / "checkers").mkdir()
    (theirs / "checkers" / "mine.py").write_text("")
    monkeypatch.chdir(theirs)

    assert choose_checkers(["checkers"]).specs["mine"].file == str(theirs / "checkers" / "mine.py")


def test_a_context_may_run_a_few_graphs_only(tmp_path):
    """Each template on so many of these as the context says, the first that it fits."""
    context = {
        "name": "few",
        "shows": "A few.",
        "only_graphs": {"switch": "a way", "small-foreach": "elements", "start-end": "small"},
        "graphs_each": 1,
        "disabled_tests": {"Foreach*": "not these"},
    }
    file = tmp_path / "few.json"
    file.write_text(json.dumps({"contexts": [context]}))

    matrix = build_matrix(
        Selection(contexts=(str(file),), tests=("BasicArtifact", "FailingStep", "ForeachStack"))
    )
    assert [case.id for case in matrix.cases] == [
        "BasicArtifact[switch-few-cli]",
        "FailingStep[start-end-few-cli]",
    ]
    reasons = {(each.template, each.graph): each.why for each in matrix.excluded}
    assert reasons["BasicArtifact", "start-end"] == "few runs a template on 1 of its graphs"
    assert reasons["BasicArtifact", "linear"].startswith("few runs only graphs switch, ")
    assert reasons["ForeachStack", "small-foreach"] == "disabled in few: not these"


def test_somebodys_context_is_taken(tmp_path):
    """A file of contexts gives those of its contexts that are not disabled."""
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps(
            {
                "contexts": [
                    {"name": "mine", "shows": "It.", "enabled_tests": {"BasicArtifact": "it is"}},
                    {"name": "off", "shows": "It.", "disabled": True},
                ]
            }
        )
    )
    chosen = {"graphs": ("start-end",), "tests": ("BasicArtifact", "Lineage")}
    matrix = build_matrix(Selection(contexts=(str(path),), **chosen))

    assert [case.id for case in matrix.cases] == ["BasicArtifact[start-end-mine-cli]"]
    assert [(each.template, each.why) for each in matrix.excluded] == [
        ("Lineage", "mine runs only BasicArtifact: it is")
    ]
    assert matrix.full == frozenset()
    assert ids(contexts=(f"{path}", "off"), **chosen) == [
        "BasicArtifact[start-end-mine-cli]",
        "BasicArtifact[start-end-off-cli]",
        "Lineage[start-end-off-cli]",
    ]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"contexts": ("dev-lokal",)}, "there is no context 'dev-lokal'\n  did you mean 'dev-l"),
        ({"graphs": ("smal-foreach",)}, "there is no graph 'smal-foreach'\n  did you mean 'small-"),
        ({"tests": ("BasicArtefact",)}, "there is no test 'BasicArtefact'\n  did you mean 'Basic"),
        ({"checkers": ("mly",)}, "there is no checker 'mly'\n  did you mean 'mli'"),
        ({"executors": ("http",)}, "there is no executor 'http'\n  there is: api, cli"),
        ({"graphs": ("nowhere/",)}, "there is no file or folder nowhere/\n  it was given as a gra"),
        ({"tests": ("nowhere.py",)}, "there is no file or folder nowhere.py\n  it was given as a"),
        ({"graphs": (home_path("tests"),)}, f"there is no graph in {home_path('tests')}\n  looked"),
        (
            {"tests": (f"{home_path('tests/artifacts.py')}::Basic",)},
            f"there is no test in {home_path('tests/artifacts.py')} called 'Basic'\n  did you",
        ),
    ],
)
def test_an_unknown_name_is_an_error_with_what_is_near(chosen, said):
    """Every option says what it might have meant, or what there is."""
    assert refused(**chosen).startswith(said)


def test_one_name_twice_is_an_error(theirs):
    """Two graphs of one name in a folder are told with both files."""
    (theirs / "graphs" / "again.json").write_text(json.dumps(GRAPH))

    said = refused(graphs=(str(theirs / "graphs"),))
    assert said.startswith("graph 'theirs' is there twice\n")
    assert "again.json" in said


def test_a_template_that_fits_nothing_is_told(theirs):
    """It is told with the first reason, and so is a graph."""
    matrix = build_matrix(
        Selection(
            contexts=("dev-local",),
            graphs=("start-end", str(theirs / "graphs")),
            tests=(str(theirs / "tests" / "theirs.py::Theirs"),),
        )
    )

    assert matrix.lonely == (
        (
            "graph 'start-end' fits no template; on Theirs: 'first' is required: "
            "no step for it (theirs-only)"
        ),
    )
    assert [each.why for each in matrix.excluded] == [
        "'first' is required: no step for it (theirs-only)"
    ]


def test_foundations_come_first_and_a_seed_draws_the_rest():
    """Cases are in ascending priority; a seed draws that of equals, each time the same."""
    plain = build_matrix(Selection(contexts=("dev-local",))).cases
    drawn = build_matrix(Selection(contexts=("dev-local",), seed=5)).cases
    again = build_matrix.__wrapped__(Selection(contexts=("dev-local",), seed=5)).cases

    for cases in (plain, drawn):
        priorities = [case.template.priority for case in cases]
        assert priorities == sorted(priorities)
    assert [case.id for case in drawn] == [case.id for case in again]
    assert [case.id for case in drawn] != [case.id for case in plain]
    assert sorted(case.id for case in drawn) == sorted(case.id for case in plain)


def test_only_a_whole_context_counts_as_one():
    """What an option leaves out makes a context less than full."""
    assert build_matrix(Selection(contexts=("dev-local",))).full == {"dev-local"}
    for chosen in (
        {"graphs": ("start-end",)},
        {"tests": ("BasicArtifact",)},
        {"checkers": ("mli",)},
        {"executors": ("cli",)},
    ):
        assert build_matrix(Selection(contexts=("dev-local",), **chosen)).full == frozenset()


def test_a_context_that_can_not_run_is_kept_apart(tmp_path):
    """Its cases are not there, and why is said."""
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({"contexts": [{"name": "old", "shows": "It.", "python": "python9.9"}]})
    )

    matrix = build_matrix(Selection(contexts=(str(path),)))
    assert (matrix.cases, matrix.not_run) == ((), {"old": "there is no interpreter 'python9.9'"})


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"checks": ["mly"]}, "there is no checker, named by context 'mine', 'mly'"),
        ({"executors": ["http"]}, "there is no executor, named by context 'mine', 'http'"),
        ({"only_graphs": {"lin": "x"}}, "there is no graph, named by context 'mine', 'lin'"),
        ({"disabled_tests": {"Basic": "x"}}, "there is no test, named by context 'mine', 'Basic'"),
        (
            {"disabled_tests": {"Lineage": "x"}, "enabled_tests": {"Lineage": "x"}},
            "context 'mine' both enables and disables tests",
        ),
    ],
)
def test_what_a_context_names_has_to_be_there(tmp_path, facts, said):
    """A context that names what is not there is an error."""
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"contexts": [{"name": "mine", "shows": "It.", **facts}]}))

    assert refused(contexts=(str(path),)).startswith(said)


def test_the_command_that_repeats_a_case_names_it_alone(theirs):
    """Run with its options, it selects that case and no other."""
    given = {
        "contexts": "dev-local,local-spawn",
        "graphs": f"start-end,{theirs / 'graphs'}",
        "tests": str(theirs / "tests"),
        "checkers": "mli",
    }
    options = read_options(lambda dest: given.get(dest.removeprefix("harness_"), _DEFAULTS[dest]))
    case = build_matrix(options.selection).cases[-1]

    command = command_for(case, options)
    assert command == (
        f"{shlex.join([sys.executable, os.path.join(HOME, 'run_tests.py')])} "
        "--debug --contexts local-spawn "
        f"--graphs {theirs / 'graphs' / 'theirs.json'}::theirs "
        f"--tests {theirs / 'tests' / 'theirs.py'}::Theirs --checkers mli"
    )
    words = shlex.split(command)
    assert ids(
        contexts=(words[4],), graphs=(words[6],), tests=(words[8],), checkers=(words[10],)
    ) == [case.id]


_DEFAULTS = {option.dest: option.declaration()["default"] for option in OPTIONS}
