"""What a test template is: a class of step bodies, chosen by qualifier, with its expectations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    # Only for annotations: a template file is loaded where neither is needed.
    from plait_harness.checker import Checker
    from plait_harness.graphs import GraphSpec

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class StepRule:
    """What `@steps` said about one template function.

    Args:
        precedence: Among the functions that share a qualifier with a node, the lowest one wins.
        quals: The qualifiers that the function asks for; sharing one is enough.
        required: Whether the template fits a graph only if this function was chosen there.
    """

    precedence: int
    quals: frozenset[str]
    required: bool


def steps(
    precedence: int, quals: Sequence[str], required: bool = False
) -> Callable[[_Function], _Function]:
    """Offer a template function as the body of every step that has one of *quals*.

    Args:
        precedence: Of the functions sharing a qualifier with a node, the lowest number wins.
        quals: Qualifiers: a graph's own, or built in: `all start end join linear split foreach
            switch`, by what the node is.
        required: The template fits a graph only if this function was chosen at least once there.
    """

    def mark(function: _Function) -> _Function:
        rule = StepRule(precedence, frozenset(quals), required)
        function.harness_rule = rule  # type: ignore[attr-defined]  # how the loader finds it
        return function

    return mark


def tag(decorator: str) -> Callable[[_Function], _Function]:
    """Put a decorator on every step that the function becomes the body of.

    Args:
        decorator: Its source without the `@`: `retry(times=2)`. Several tags keep the order in
            which they are written, the topmost outermost.
    """

    def mark(function: _Function) -> _Function:
        before = getattr(function, "harness_tags", ())
        function.harness_tags = (decorator, *before)  # type: ignore[attr-defined]  # as above
        return function

    return mark


class FlowTest:
    """The base of every template.

    A subclass has functions under `@steps`, whose *source* becomes the body of the steps they are
    chosen for, and `check_results`, whose source judges the run. Nothing else of the class or its
    file goes into the generated flow: what the bodies need at module level stands in `HEADER`.

    In scope in bodies: `self`, in joins `inputs`, the public names of `plait`,
    `assert_equals(expected, got)`, `assert_exception(func, type)`, `ExpectationFailed`,
    `is_resumed()`, `origin_run_id_for_resume()`, `ResumeFromHere`, `TestRetry`, and what `HEADER`
    brings. A body neither returns nor calls `self.next`: the graph says where a step goes.
    A foreach variable is already set when the body of its step begins; the body may change the
    elements but not how many there are, since the model predicts the tasks from the graph alone.

    Wherever an attribute takes *source*, a `str` is Python source and any other value is written
    as its `repr`.
    """

    PRIORITY: ClassVar[int] = 100
    """Ascending: foundations have low numbers and run first."""

    PARAMETERS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Flow parameters: name -> keyword arguments of `Parameter`, each as source:
    `{"greeting": {"default": "'hi'", "type": "str"}, "count": {"default": 3}}`."""

    INCLUDE_FILES: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Flow files: name -> keyword arguments of `IncludeFile`, each as source."""

    CONFIGS: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Flow configs: name -> keyword arguments of `Config`, each as source. They stand before all
    else in the class, so that defaults, class attributes and `@tag` may use them."""

    FLOW_DECORATORS: ClassVar[Sequence[str]] = ()
    """Decorators of the class, each as source without the `@`, the first outermost."""

    BASES: ClassVar[Sequence[str]] = ("FlowSpec",)
    """What the flow is derived from, in order: names that `HEADER` brings, or FlowSpec."""

    CLASS_VARS: ClassVar[Mapping[str, Any]] = {}
    """Class attributes of the flow: name -> source."""

    HEADER: ClassVar[str] = ""
    """Source put after the imports of `flow.py` and of `check.py`: imports, classes, functions."""

    REQUIRED_FILES: ClassVar[Mapping[str, str | bytes]] = {}
    """Files put in the case's folder before the run: path relative to it -> content (a `str` is
    written as UTF-8). The folder is the working directory of the run."""

    TOP_OPTIONS: ClassVar[Sequence[str]] = ()
    """Arguments before `run`, after the context's."""

    RUN_OPTIONS: ClassVar[Sequence[str]] = ()
    """Arguments after `run`, after the context's: parameters, `--tag`, ..."""

    ENV: ClassVar[Mapping[str, str]] = {}
    """Environment variables of the run and of the checks, on top of the context's."""

    TIMEOUT: ClassVar[float | None] = None
    """Seconds that the run may take; the context's limit if None."""

    SHOULD_FAIL: ClassVar[bool | int] = False
    """The exit code that the run must end with: False is 0, True is 1. With 2 (wrong usage) there
    is no run to read back, so `check_results` gets a checker whose `run_id` is None."""

    LEAVES: ClassVar[Sequence[str]] = ()
    """Files, relative to the case's folder, that the bodies leave there on purpose."""

    RESUME: ClassVar[bool | int] = False
    """How often the flow is resumed: True is 1. Every run but the last has to fail by
    `ResumeFromHere`; the last is what `SHOULD_FAIL` is about and what is judged. The model says
    which tasks it takes over, and which run again."""

    RESUME_STEP: ClassVar[str | None] = None
    """The step to resume from; None resumes where it failed."""

    RESUME_OPTIONS: ClassVar[Sequence[str]] = ()
    """Arguments after `resume`, after the context's; it gets none of `RUN_OPTIONS`."""

    RESUME_CHANGES: ClassVar[Mapping[str, str]] = {}
    """Source that is in `flow.py` -> what stands there instead when it is resumed."""

    GENERATED: ClassVar[bool] = False
    """Whether `--generate` crosses it with the graphs that it makes, where no `--tests` are named.
    It has to fit every graph there is, and check of each what it can."""

    ONLY_GRAPHS: ClassVar[Mapping[str, str]] = {}
    """If not empty, the only graphs to combine with: name -> because."""

    SKIP_GRAPHS: ClassVar[Mapping[str, str]] = {}
    """Graphs not to combine with although they would fit: name -> because."""

    def check_results(self, flow: GraphSpec, checker: Checker) -> None:
        """Judge a finished run; the source of this goes into `check.py`, once per checker.

        In scope besides what is in scope in bodies: `predict` and `TaskId` of the reference model,
        `NotOffered` to raise where an interface can't be asked, `assert_same`, and `HEADER`.

        Args:
            flow: The graph of the case; iterating gives its nodes (`node.name`, `node.quals`, ...)
                in the order of the file.
            checker: How results are read back; see `plait_harness.checker.Checker`.
        """
        raise NotImplementedError
