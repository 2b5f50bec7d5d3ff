"""What attempts see, and what they leave: by reference where nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from plait.artifacts.errors import UnpicklableArtifact
from plait.artifacts.store import SealedAttempt
from plait.base.pathspec import AttemptKey
from plait.flow.errors import UnsetArtifact
from plait.flow.parameters import Parameter
from plait.flow.scope import Scope, bind, collect, is_hidden
from plait.flow.spec import FlowSpec
from plait.flow.step import step
from plait.flow.transition import NextNotCalled


class Linear(FlowSpec):
    """Sets, changes and deletes."""

    sizes: ClassVar[list[int]] = [1, 2]
    title = "a title"
    unused: ClassVar[dict[str, int]] = {"a": 1}

    def helper(self) -> str:
        return "helped"

    @property
    def summary(self) -> str:
        return f"{self.title} {self.missing_one}"

    @step
    def start(self) -> None:
        self.number = 3
        self.items = [1]
        self.text = "x" * 10
        self.same = [1, 2]
        self.gone = "soon"
        self._private = "carried"
        self.next(self.middle)

    @step
    def middle(self) -> None:
        self.next(self.end)

    @step
    def end(self) -> None: ...


@pytest.fixture
def linear(bench: Callable[..., Any]) -> Any:
    """A run of `Linear` in which `start` is done."""
    run = bench(Linear)
    run.start = run.run_step("start")
    return run


def middle(run: Any, change: Callable[[Any], object]) -> tuple[Any, Any]:
    """Run `middle` with another body; give its seal, and what it collected."""
    order = run.order("middle", run.start)
    flow = run.bind(order)
    change(flow)
    flow.next(flow.end)
    collected = collect(flow)
    return run.finish(flow, order), collected


def test_what_is_not_touched_is_passed_on_by_reference(linear: Any) -> None:
    """Private artifacts, class attributes and parameters too; nothing is read."""
    done, collected = middle(linear, lambda flow: None)

    assert collected.values == {}
    assert done.artifacts == linear.start.artifacts
    assert set(done.artifacts) == {
        *("number", "items", "text", "same", "gone", "_private"),
        *("sizes", "title", "unused"),
    }


def test_what_is_only_read_is_passed_on_by_reference(linear: Any) -> None:
    """Immutable values are not even encoded again."""

    def read(flow: Any) -> None:
        assert (flow.number, flow.items, flow.text, flow._private) == (3, [1], "x" * 10, "carried")
        assert flow.sizes == [1, 2]

    done, collected = middle(linear, read)

    assert set(collected.values) == {"items", "sizes"}
    assert collected.loaded == {name: linear.start.artifacts[name] for name in ("items", "sizes")}
    assert done.artifacts == linear.start.artifacts


def test_what_is_changed_in_place_is_kept(linear: Any) -> None:
    """The change is seen downstream, and the others stay where they are."""
    done, _ = middle(linear, lambda flow: flow.items.append(2))

    assert linear.values(done)["items"] == [1, 2]
    changed = {n for n in done.artifacts if done.artifacts[n] != linear.start.artifacts[n]}
    assert changed == {"items"}


def test_what_is_set_anew_is_kept(linear: Any) -> None:
    """Also over a value that was read before; an equal value stays where it is."""

    def set_(flow: Any) -> None:
        flow.number += 1
        flow.same = [1, 2]
        flow.new = "new"

    done, collected = middle(linear, set_)

    values = linear.values(done)
    assert (values["number"], values["same"], values["new"]) == (4, [1, 2], "new")
    assert done.artifacts["same"] == linear.start.artifacts["same"]
    assert set(collected.replaced) == {"number", "same"}


def test_what_is_deleted_is_gone_downstream(linear: Any) -> None:
    """Whether it was read before, or not, or was set here."""

    def delete(flow: Any) -> None:
        assert flow.items
        flow.mine = 1
        del flow.items, flow.gone, flow.mine
        for name in ("items", "gone", "mine"):
            assert not hasattr(flow, name)
            with pytest.raises(UnsetArtifact):
                delattr(flow, name)
        flow.gone = "back"

    done, _ = middle(linear, delete)

    values = linear.values(done)
    assert "items" not in values
    assert "mine" not in values
    assert values["gone"] == "back"


def test_a_class_attribute_that_is_deleted_has_its_own_value_again(linear: Any) -> None:
    """As with any object of Python's."""
    changed, _ = middle(linear, lambda flow: setattr(flow, "title", "another"))
    flow = linear.bind(order := linear.order("end", changed))

    assert flow.title == "another"
    del flow.title
    assert flow.title == "a title"
    assert linear.finish(flow, order).artifacts["title"] == linear.start.artifacts["title"]


def test_each_task_has_class_attributes_of_its_own(linear: Any) -> None:
    """A change is kept as an artifact, and the class stays as it was."""
    done, _ = middle(linear, lambda flow: flow.sizes.append(3))
    after = linear.bind(linear.order("end", done))
    other = linear.bind(linear.order("middle", linear.start))

    assert after.sizes == [1, 2, 3]
    assert other.sizes == [1, 2]
    assert Linear.sizes == [1, 2]
    assert after.title == "a title"


def test_class_attributes_are_those_of_the_run(bench: Callable[..., Any]) -> None:
    """A process that imports the flow later, or again, may have others in its class."""

    class Stamped(Linear):
        title = "first import"

    run = bench(Stamped)
    run.start = run.run_step("start")
    Stamped.title = "second import"

    assert run.bind(run.order("middle", run.start)).title == "first import"


def test_a_class_attribute_that_the_step_before_did_not_know_is_there(linear: Any) -> None:
    """Such as one that was added before a run is resumed."""
    old = linear.start
    artifacts = {name: ref for name, ref in old.artifacts.items() if name != "title"}
    before = SealedAttempt(old.facts, artifacts)
    order = linear.order("middle", old)
    scope = Scope(linear.store, order, linear.definition, linear.constants, inputs=[before])

    assert bind(linear.definition, scope).title == "a title"


def test_an_artifact_may_take_the_name_of_a_method(linear: Any) -> None:
    """It then hides the method downstream, as it does in the step that set it."""
    done, _ = middle(linear, lambda flow: setattr(flow, "helper", 5))
    after = linear.bind(linear.order("end", done))
    untouched = linear.bind(linear.order("middle", linear.start))

    assert after.helper == 5
    assert untouched.helper() == "helped"


def test_a_missing_artifact_is_answered_with_the_nearest(linear: Any) -> None:
    """It is an AttributeError, so that `hasattr` and `getattr` with a default work."""
    flow = linear.bind(linear.order("middle", linear.start))

    assert getattr(flow, "numbre", 7) == 7
    with pytest.raises(UnsetArtifact) as caught:
        flow.numbre  # noqa: B018  # the access is the act
    (found,) = caught.value.findings
    assert isinstance(caught.value, AttributeError)
    assert found.what == "step 'middle' has no artifact 'numbre'"
    assert found.why == "did you mean 'number'?"
    assert found.fix == "set self.numbre in this step, or in one on the way to it"


def test_a_property_says_itself_what_it_misses(linear: Any) -> None:
    """Not that it is missing itself."""
    flow = linear.bind(linear.order("middle", linear.start))

    with pytest.raises(UnsetArtifact, match="has no artifact 'missing_one'"):
        flow.summary  # noqa: B018  # the access is the act


def test_a_step_has_to_call_next(linear: Any) -> None:
    """Unless it failed, and a decorator dealt with that."""
    flow = linear.bind(linear.order("middle", linear.start))

    with pytest.raises(NextNotCalled) as caught:
        collect(flow)
    (found,) = caught.value.findings
    assert found.what == "step 'middle' returned before it called self.next"
    assert "self.next(self.end)" in found.why
    assert found.fix == "let every way through the step end in that line: no return before it"
    transition = collect(flow, handled=True).transition
    assert transition is not None
    assert transition.targets == ("end",)


def test_end_goes_nowhere(linear: Any) -> None:
    """It has no next."""
    assert linear.run()["number"] == 3
    assert linear.run_step("end", linear.start).facts.transition is None


def test_a_value_that_cannot_be_stored_is_named(linear: Any) -> None:
    """The flow object itself among them, and whatever holds it."""
    with pytest.raises(UnpicklableArtifact, match="artifact 'callback'"):
        middle(linear, lambda flow: setattr(flow, "callback", lambda: 3))
    with pytest.raises(UnpicklableArtifact) as caught:
        middle(linear, lambda flow: setattr(flow, "method", flow.helper))
    assert "artifact 'method'" in caught.value.findings[0].what
    assert "instead of self or its methods" in caught.value.findings[0].why


def test_names_that_plait_keeps_for_itself_are_known() -> None:
    """Only those of the foreaches."""
    names = ["_foreach_0", "_foreach_12", "_foreach_x", "_private", "foreach_0"]

    assert [is_hidden(name) for name in names] == [True, True, False, False, False]


class Fan(FlowSpec):
    """A foreach whose elements come from `make`."""

    make: ClassVar[Any] = None

    @step
    def start(self) -> None:
        self.items = type(self).make()
        self.next(self.work, foreach="items")

    @step
    def work(self) -> None:
        self.got = (self.index, self.input)
        self.next(self.join)

    @step
    def join(self, inputs: Any) -> None:
        self.all = [i.got for i in inputs]
        self.next(self.end)

    @step
    def end(self) -> None:
        self.outside = (self.index, self.input, self.foreach_stack())


class Sized:
    """Something of a user's with a length."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> str:
        return ["p", "q"][index]


@pytest.mark.parametrize(
    ("value", "elements"),
    [
        ([5, 6], [5, 6]),
        ((5, 6), [5, 6]),
        ("ab", ["a", "b"]),
        (b"ab", [97, 98]),
        (range(2), [0, 1]),
        ({"k": 1, "l": 2}, ["k", "l"]),
        ({7}, [7]),
        (Sized(), ["p", "q"]),
        ([], []),
        (bytearray(b"a"), [97]),
    ],
)
def test_a_foreach_takes_anything_with_a_length(
    bench: Callable[..., Any], value: Any, elements: list[Any]
) -> None:
    """One task an element, in its order; nothing of it is left behind the join."""

    class Made(Fan):
        make = staticmethod(lambda: value)

    end = bench(Made).run()

    assert end["all"] == list(enumerate(elements))
    assert end["outside"] == (None, None, [])
    assert not [name for name in end if is_hidden(name)]


def test_an_array_can_be_fanned_out_over(bench: Callable[..., Any]) -> None:
    """By the rows of an array."""
    np = pytest.importorskip("numpy")

    class Array(Fan):
        make = staticmethod(lambda: np.arange(4).reshape(2, 2))

    assert [(i, list(row)) for i, row in bench(Array).run()["all"]] == [(0, [0, 1]), (1, [2, 3])]


def test_the_elements_are_stored_once(bench: Callable[..., Any]) -> None:
    """A list is its own; only what has no order of its own is written as a list too."""

    class List(Fan):
        make = staticmethod(lambda: [1, 2])

    class Set(Fan):
        make = staticmethod(lambda: {1, 2})

    in_list, in_set = (bench(cls).run_step("start").artifacts for cls in (List, Set))

    assert in_list["_foreach_0"].address == in_list["items"].address
    assert in_set["_foreach_0"].address != in_set["items"].address


def test_a_foreach_may_be_over_what_another_step_or_a_class_made(
    bench: Callable[..., Any],
) -> None:
    """Over an artifact that is only passed on, over a class attribute, over a parameter."""

    class Over(FlowSpec):
        letters: ClassVar[list[str]] = ["x", "y"]

        pairs = Parameter("pairs", separator=",", default="xx,yy")

        @step
        def start(self) -> None:
            self.items = ["a", "b"]
            self.next(self.first)

        @step
        def first(self) -> None:
            self.next(self.second, foreach="items")

        @step
        def second(self) -> None:
            self.next(self.third, foreach="letters")

        @step
        def third(self) -> None:
            self.next(self.fourth, foreach="pairs")

        @step
        def fourth(self) -> None:
            self.stack = self.foreach_stack()
            self.next(self.join3)

        @step
        def join3(self, inputs: Any) -> None:
            self.stacks = [i.stack for i in inputs]
            self.here = (self.index, self.input, self.foreach_stack())
            self.next(self.join2)

        @step
        def join2(self, inputs: Any) -> None:
            self.stacks = [i.stacks for i in inputs]
            self.heres = [i.here for i in inputs]
            self.next(self.join1)

        @step
        def join1(self, inputs: Any) -> None:
            self.stacks = [i.stacks for i in inputs]
            self.heres = [i.heres for i in inputs]
            self.next(self.end)

        @step
        def end(self) -> None: ...

    end = bench(Over).run()

    assert end["stacks"][1][0][1] == [(1, 2, "b"), (0, 2, "x"), (1, 2, "yy")]
    assert end["heres"][1][0] == (0, "x", [(1, 2, "b"), (0, 2, "x")])


def test_the_elements_are_those_at_the_end_of_the_step(bench: Callable[..., Any]) -> None:
    """What changes after `self.next` changes the width too, so that both agree."""

    late = bench(Fan)
    flow = late.bind(order := late.order("start"))
    flow.items = [1]
    flow.next(flow.work, foreach="items")
    flow.items.append(2)
    done = late.finish(flow, order)

    assert done.facts.transition.width == 2
    assert late.values(done)["_foreach_0"] == [1, 2]


def test_inside_an_inner_foreach_over_nothing_the_outer_one_goes_on(
    bench: Callable[..., Any],
) -> None:
    """Its join has no input to learn the outer element from, and knows it all the same."""

    class Empty(FlowSpec):
        @step
        def start(self) -> None:
            self.outer = ["a", "b"]
            self.next(self.split, foreach="outer")

        @step
        def split(self) -> None:
            self.inner: list[int] = []
            self.next(self.work, foreach="inner")

        @step
        def work(self) -> None:
            self.next(self.inner_join)

        @step
        def inner_join(self, inputs: Any) -> None:
            self.seen = (len(inputs), list(inputs), self.input)
            self.next(self.outer_join)

        @step
        def outer_join(self, inputs: Any) -> None:
            self.all = [i.seen for i in inputs]
            self.next(self.end)

        @step
        def end(self) -> None: ...

    assert bench(Empty).run()["all"] == [(0, [], "a"), (0, [], "b")]


def test_a_foreach_that_failed_leaves_no_transition(bench: Callable[..., Any]) -> None:
    """Whoever keeps what a failed attempt made does not stumble over what it did not make."""
    run = bench(Fan)
    flow = run.bind(run.order("start"))
    flow.other = 1

    collected = collect(flow, handled=True)

    assert collected.transition is None
    assert collected.values == {"other": 1}


def test_a_join_in_a_foreach_asks_the_input_that_it_was_given(
    bench: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It need not be in the store yet: a scheduler hands over what it has just been told."""

    class Nested(FlowSpec):
        @step
        def start(self) -> None:
            self.outer = ["a"]
            self.next(self.split, foreach="outer")

        @step
        def split(self) -> None:
            self.inner = [1]
            self.next(self.work, foreach="inner")

        @step
        def work(self) -> None:
            self.next(self.inner_join)

        @step
        def inner_join(self, inputs: Any) -> None:
            self.next(self.outer_join)

        @step
        def outer_join(self, inputs: Any) -> None:
            self.next(self.end)

        @step
        def end(self) -> None: ...

    run = bench(Nested)
    joins: list[Any] = []

    def keep(order: Any) -> Any:
        joins.append(order)
        return type(run).run_task(run, order)

    run.run_task = keep
    run.run()
    order = next(each for each in joins if each.key.step == "inner_join")
    inputs = [
        run.store.get(AttemptKey(order.key.flow, order.key.run, ref.step, ref.task, ref.attempt))
        for ref in order.inputs
    ]
    monkeypatch.setattr(run.store, "get", lambda key: pytest.fail(f"{key} was read"))
    scope = Scope(run.store, order, run.definition, run.constants, inputs=inputs)

    assert scope.inherited.keys() == {"_foreach_0"}
