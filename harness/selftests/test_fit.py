"""Which function becomes the body of which step, and which templates do not fit which graphs."""

from __future__ import annotations

import pytest

from plait_harness.fit import Fit, Misfit, check_names, find_lonely, fit
from plait_harness.mistakes import Mistake

TEMPLATE = '''
class Mine(FlowTest):
    """It."""
    {attributes}

    @steps(0, ["foreach-split"], required={required})
    def split(self):
        self.x = 1

    @steps(1, ["join", "start"])
    def meeting(self):
        self.x = 2

    @steps(2, [{rest}])
    def rest(self):
        self.x = 3

    def check_results(self, flow, checker):
        pass
'''


def source(*, required: bool = False, rest: str = '"all"', attributes: str = "") -> str:
    """Give the template with some of it changed."""
    return TEMPLATE.format(required=required, rest=rest, attributes=attributes)


def test_the_lowest_precedence_of_those_sharing_a_qualifier_wins(make_template, make_graph, shapes):
    """`start` has the qualifiers of two functions here; the one with precedence 0 gets it."""
    found = fit(make_template(source()), make_graph(shapes["foreach"]))

    assert isinstance(found, Fit)
    assert {step: body.name for step, body in found.chosen.items()} == {
        "start": "split",
        "inner": "rest",
        "join": "meeting",
        "end": "rest",
    }


def test_a_step_that_no_function_is_for_makes_a_misfit(make_template, make_graph, shapes):
    """The reason names the step and its qualifiers."""
    found = fit(make_template(source(rest='"end"')), make_graph(shapes["foreach"]))

    assert isinstance(found, Misfit)
    assert found.why == "no function for step 'inner' (all, foreach-inner, linear)"


def test_a_required_function_has_to_be_chosen(make_template, make_graph, shapes):
    """A template whose required function nobody needs does not fit."""
    template = make_template(source(required=True))

    assert isinstance(fit(template, make_graph(shapes["foreach"])), Fit)
    found = fit(template, make_graph(shapes["linear"]))
    assert isinstance(found, Misfit)
    assert found.why == "'split' is required: no step for it (foreach-split)"


def test_two_functions_of_one_precedence_are_an_error(make_template, make_graph, shapes):
    """Nothing says which of them is meant."""
    template = make_template(source().replace("@steps(2,", "@steps(1,"))

    with pytest.raises(Mistake, match="'meeting' and 'rest' both have precedence 1 for a step"):
        fit(template, make_graph(shapes["linear"]))


def test_an_exclusion_keeps_its_because(make_template, make_graph, shapes):
    """What is excluded by name is not combined, and the reason is the one given."""
    graph = make_graph(shapes["linear"])
    skipped = fit(make_template(source(attributes='SKIP_GRAPHS = {"shape": "too odd"}')), graph)
    only = fit(make_template(source(attributes='ONLY_GRAPHS = {"other": "it is best"}')), graph)

    assert (skipped.excluded, skipped.why) == (True, "too odd")
    assert (only.excluded, only.why) == (True, "only on other: it is best")


def test_a_template_or_graph_alone_is_found(make_template, make_graph, shapes):
    """A template that fits no graph, and a graph that fits no template, are told with a reason."""
    template = make_template(source(required=True))
    lonely = find_lonely([fit(template, make_graph(shapes["linear"]))])

    assert [(kind, said) for kind, _, said in lonely] == [
        (
            "template",
            (
                "template 'Mine' fits no graph; on shape: 'split' is required: "
                "no step for it (foreach-split)"
            ),
        ),
        (
            "graph",
            (
                "graph 'shape' fits no template; on Mine: 'split' is required: "
                "no step for it (foreach-split)"
            ),
        ),
    ]


def test_a_qualifier_that_no_graph_has_is_an_error(make_template, make_graph, shapes):
    """A misspelt qualifier would silently match nothing."""
    template = make_template(source(rest='"foreach-iner", "all"'))

    with pytest.raises(Mistake) as refusal:
        check_names([template], [make_graph(shapes["foreach"])])
    assert str(refusal.value) == (
        "template 'Mine': no graph has the qualifier 'foreach-iner' that 'rest' asks for\n"
        "  did you mean 'foreach-inner' or 'foreach' or 'foreach-split'?"
    )


def test_a_graph_that_is_not_there_cannot_be_excluded(make_template, make_graph, shapes):
    """A misspelt graph in an exclusion would silently exclude nothing."""
    template = make_template(source(attributes='SKIP_GRAPHS = {"shap": "too odd"}'))

    with pytest.raises(Mistake, match=r"no graph, named by template 'Mine', 'shap'\n.*'shape'"):
        check_names([template], [make_graph(shapes["foreach"])])
