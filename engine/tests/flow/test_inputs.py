"""What a join reads from its inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from plait.flow.errors import UnsetArtifact
from plait.flow.inputs import JoinInput, JoinInputs, NoSuchInput, NoSuchInputArtifact
from plait.flow.parameters import Parameter
from plait.flow.spec import FlowSpec
from plait.flow.step import step


class Described:
    """A descriptor of the user's, which asks what it was read from."""

    def __get__(self, given: object, owner: type | None = None) -> tuple[object, type | None]:
        return given, owner


class Branches(FlowSpec):
    rate = Parameter("rate", default=0.5)
    sizes: ClassVar[list[int]] = [1]

    @property
    def doubled(self) -> int:
        return int(self.value * 2)

    def scaled(self, factor: int) -> int:
        return int(self.value * factor)

    described = Described()

    @step
    def start(self) -> None:
        self.common = "c"
        self.next(self.a, self.b)

    @step
    def a(self) -> None:
        self.value = 1
        self.sizes.append(2)
        self.next(self.last)

    @step
    def last(self) -> None:
        self.list = [1]
        self.next(self.join)

    @step
    def b(self) -> None:
        self.value = 2
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


class Elements(FlowSpec):
    _factor = 3

    @step
    def start(self) -> None:
        self.letters = ["x", "y", "z"]
        self.next(self.work, foreach="letters")

    @step
    def work(self) -> None:
        self.big = self.input * 3
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


@pytest.fixture
def branches(bench: Callable[..., Any]) -> Any:
    """The inputs of the join of `Branches`."""
    run = bench(Branches)
    start = run.run_step("start")
    last = run.run_step("last", run.run_step("a", start))
    flow = run.bind(run.order("join", last, run.run_step("b", start)))
    return JoinInputs(flow._plait)


@pytest.fixture
def elements(bench: Callable[..., Any]) -> Any:
    """The inputs of the join of `Elements`."""
    run = bench(Elements)
    seen: list[Any] = []

    def keep(order: Any) -> Any:
        if order.key.step == "join":
            seen.append(JoinInputs(run.bind(order)._plait))
        return type(run).run_task(run, order)

    run.run_task = keep
    run.run()
    return seen[0]


def test_inputs_come_in_the_order_of_next(branches: Any) -> None:
    """By iteration, by position, by slice and by the name of the last step of the branch."""
    assert [i.value for i in branches] == [1, 2]
    assert len(branches) == 2
    assert (branches[0].value, branches[-1].value) == (1, 2)
    assert [i.value for i in branches[::-1]] == [2, 1]
    assert (branches.last.value, branches.b.value) == (1, 2)
    assert dir(branches) == ["b", "last"]
    assert repr(branches) == "<2 inputs of 'join'>"
    assert repr(branches.last) == "<input last/3>"
    assert dir(branches.last) == [
        *("common", "foreach_stack", "index", "input", "list", "rate", "sizes", "value")
    ]


def test_inputs_come_in_the_order_of_the_elements(elements: Any) -> None:
    """Each knows its place and its element."""
    assert [i.big for i in elements] == ["xxx", "yyy", "zzz"]
    assert [(i.index, i.input) for i in elements] == [(0, "x"), (1, "y"), (2, "z")]
    assert elements[1].foreach_stack() == [(1, 3, "y")]


def test_parameters_and_class_attributes_are_there_too(branches: Any) -> None:
    """As the branch left them."""
    assert branches.last.rate == 0.5
    assert branches.last.common == "c"
    assert branches.last.sizes == [1, 2]
    assert branches.b.sizes == [1]
    assert (branches.b.index, branches.b.input, branches.b.foreach_stack()) == (None, None, [])


def test_methods_of_the_flow_work_on_an_input(branches: Any, elements: Any) -> None:
    """They read it as they read self."""
    assert [i.doubled for i in branches] == [2, 4]
    assert branches.b.scaled(10) == 20
    assert elements[0]._factor == 3
    held = branches.b
    assert held.described == (held, JoinInput)


def test_one_input_is_one_object_while_it_is_held(branches: Any) -> None:
    """So that a change in place is not lost between two lines."""
    held = branches[0]
    held.list.append(2)

    assert branches.last is held
    assert branches.last.list == [1, 2]


def test_a_value_is_read_when_it_is_asked_for(
    branches: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And once."""
    reads: list[str] = []
    store: Any = branches._plait_scope.store
    load = store.load

    def count(ref: Any, *, name: str = "") -> object:
        reads.append(name)
        return load(ref, name=name)

    monkeypatch.setattr(store, "load", count)
    first = branches[0]
    assert first.value == first.value == 1

    assert reads == ["value"]


def test_a_step_that_does_not_lead_here_is_answered_with_those_that_do(branches: Any) -> None:
    """The name is that of the step right before the join."""
    with pytest.raises(NoSuchInput) as caught:
        branches.a  # noqa: B018  # the access is the act
    (found,) = caught.value.findings
    assert found.what == "join 'join' has no input from a step 'a'"
    assert found.why == "there is: b, last"
    assert found.fix == "name the step that stands right before the join on that branch"


def test_the_tasks_of_a_foreach_have_no_names(elements: Any) -> None:
    """The message says how they are gone through."""
    with pytest.raises(NoSuchInput, match="has 3 inputs from step 'work'"):
        elements.work  # noqa: B018  # the access is the act
    with pytest.raises(NoSuchInput, match=r"\[i.big for i in inputs\]"):
        elements.big  # noqa: B018  # the access is the act


def test_a_position_that_there_is_not_is_said(branches: Any) -> None:
    """With how many there are."""
    with pytest.raises(IndexError, match=r"has 2 inputs, so there is no inputs\[2\]"):
        branches[2]


def test_an_artifact_that_an_input_has_not_is_answered_with_the_nearest(
    branches: Any, elements: Any
) -> None:
    """With the task; what plait keeps for itself is not shown."""
    with pytest.raises(NoSuchInputArtifact) as caught:
        branches.b.valu  # noqa: B018  # the access is the act
    (found,) = caught.value.findings
    assert found.what == "input Branches/1/b/4 has no artifact 'valu'"
    assert found.why == "did you mean 'value'?"
    assert not hasattr(elements[0], "_foreach_0")
    assert "_foreach_0" not in dir(elements[0])
    assert "letters" in dir(elements[0])
    assert not hasattr(branches, "__array__")
    assert not hasattr(branches[0], "__array__")


def test_a_join_begins_without_the_artifacts_of_its_branches(bench: Callable[..., Any]) -> None:
    """The message says how to get at them."""
    run = bench(Branches)
    start = run.run_step("start")
    last = run.run_step("last", run.run_step("a", start))
    flow = run.bind(run.order("join", last, run.run_step("b", start)))

    with pytest.raises(UnsetArtifact) as caught:
        flow.value  # noqa: B018  # the access is the act
    (found,) = caught.value.findings
    assert found.what == "step 'join' has no artifact 'value'"
    assert found.why == "a join begins without the artifacts of its branches"
    assert found.fix == ("read it as inputs.last.value, or call self.merge_artifacts(inputs) first")
    assert len(caught.value.findings) == 1
    assert caught.value.findings[0] == found
    assert pickle_round_trip(caught.value).format() == caught.value.format()


def test_the_join_of_a_foreach_is_told_to_go_through_its_inputs(elements: Any) -> None:
    """Its inputs have no names."""
    scope = elements._plait_scope
    with pytest.raises(UnsetArtifact, match=r"read it as \[i.big for i in inputs\]"):
        scope.load(Elements(use_cli=False), "big")


def pickle_round_trip(error: Any) -> Any:
    import pickle

    return pickle.loads(pickle.dumps(error))


def test_an_input_that_is_not_made_yet_answers_questions() -> None:
    """Python asks objects that it copies for methods before they have anything."""
    assert not hasattr(JoinInput.__new__(JoinInput), "_plait_scope")
