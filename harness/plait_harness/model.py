"""Predicts from a graph file alone which tasks a run of it has, so that the engine can be judged.

This is the harness's second opinion: it shares no code with the engine, and takes the rules from
the documentation instead. Where both disagree, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, NoReturn

_MOST_TURNS = 10_000
"""A loop that goes round more often is taken for one without an end."""

_BACK = ""
"""Stands for the join of a way that leads back to where it came from."""


class UnpredictableGraph(ValueError):
    """A graph can't be predicted: it is not a valid flow, or has a node the model doesn't know."""


class TaskId(NamedTuple):
    """Names one task of a run apart from any engine's numbering.

    Args:
        step: The step's name.
        position: The index of the element in each foreach open around the task, outermost first.
        turn: How many tasks of the step there are before it at the same position, in a loop.
    """

    step: str
    position: tuple[int, ...] = ()
    turn: int = 0

    def __str__(self) -> str:
        place = "".join(f"[{index}]" for index in self.position)
        return f"{self.step}{place}" + (f" (turn {self.turn})" if self.turn else "")


class FrameModel(NamedTuple):
    """One entry of a task's foreach stack.

    Args:
        index: The position of the element.
        num_splits: How many elements there are.
        value: The element itself.
    """

    index: int  # type: ignore[assignment]  # the engine's word; nobody searches in a frame
    num_splits: int
    value: Any


@dataclass(frozen=True, slots=True)
class TaskModel:
    """What is known of one task before it runs.

    Args:
        id: Its name.
        parents: The tasks before it in the graph, in join order. The join of an empty foreach has
            one, the task that split.
        inputs: The tasks whose results it is given, in join order: `parents`, but none for
            `start` and for the join of an empty foreach.
        stack: What `foreach_stack()` answers in it, outermost first.
        width: How many elements it fans out over; None unless it is a foreach.
        case: The value by which it chooses its successor; None unless it is a switch.
        joins: Whether it is a join, which finds the artifacts of `inputs` in them alone.
    """

    id: TaskId
    parents: tuple[TaskId, ...]
    inputs: tuple[TaskId, ...]
    stack: tuple[FrameModel, ...]
    width: int | None = None
    case: str | None = None
    joins: bool = False

    @property
    def step(self) -> str:
        """The step's name."""
        return self.id.step

    @property
    def position(self) -> tuple[int, ...]:
        """The index of the element in each open foreach, outermost first."""
        return self.id.position

    @property
    def index(self) -> int | None:
        """What `self.index` is in the task."""
        return self.stack[-1].index if self.stack else None

    @property
    def input(self) -> Any:
        """What `self.input` is in the task; None outside a foreach."""
        return self.stack[-1].value if self.stack else None


@dataclass(frozen=True)
class Prediction:
    """Everything predicted of a run in which no task fails.

    Args:
        steps: The names of all steps, in the order of the graph file.
        tasks: Every task, each after its parents.
        paths: Every way from `start` to `end` through the graph, as the names of its steps; none
            goes round a loop.
    """

    steps: tuple[str, ...]
    tasks: tuple[TaskModel, ...]
    paths: tuple[tuple[str, ...], ...]
    _by_id: dict[TaskId, TaskModel] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {task.id: task for task in self.tasks})

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many tasks each step has; 0 for one that no task leads to."""
        counts = dict.fromkeys(self.steps, 0)
        for task in self.tasks:
            counts[task.step] += 1
        return counts

    @cached_property
    def _by_step(self) -> Mapping[str, tuple[TaskModel, ...]]:
        grouped: dict[str, list[TaskModel]] = {step: [] for step in self.steps}
        for task in self.tasks:
            grouped[task.step].append(task)
        return {
            step: tuple(sorted(tasks, key=lambda task: (task.position, task.id.turn)))
            for step, tasks in grouped.items()
        }

    def of(self, step: str) -> tuple[TaskModel, ...]:
        """Give the tasks of *step*, in foreach order."""
        return self._by_step[step]

    def task(self, step: str, *position: int, turn: int = 0) -> TaskModel:
        """Give one task. Raises KeyError."""
        return self._by_id[TaskId(step, position, turn)]

    def lineages(self, task: TaskModel) -> tuple[tuple[TaskId, ...], ...]:
        """Give every path on which values come to *task*, in join order, *task* itself the last.

        A path begins at `start`, or at the join of an empty foreach, which is given nothing.
        """
        return self._lineages[task.id]

    @cached_property
    def _lineages(self) -> Mapping[TaskId, tuple[tuple[TaskId, ...], ...]]:
        found: dict[TaskId, tuple[tuple[TaskId, ...], ...]] = {}
        # Parents stand before their children in `tasks`, so one pass in order sees each once.
        for task in self.tasks:
            before = [path for parent in task.inputs for path in found[parent]] or [()]
            found[task.id] = tuple((*path, task.id) for path in before)
        return found


class _Self:
    """Stands for `self` where the source of a foreach's elements mentions it."""

    def __init__(self, stack: Sequence[FrameModel]) -> None:
        self._stack = tuple(stack)
        self.index = stack[-1].index if stack else None
        self.input = stack[-1].value if stack else None

    def foreach_stack(self) -> list[tuple[int, int, Any]]:
        """Answer as the engine's would."""
        return [tuple(frame) for frame in self._stack]


def predict(spec: Mapping[str, Any]) -> Prediction:
    """Predict the run of a flow in which no task fails.

    Args:
        spec: A graph file's content: `name`, `shows` and `graph`.

    Returns:
        The tasks, and how they hang together.

    Raises:
        UnpredictableGraph: The graph has no `start`, names a step that is not there, joins what it
            did not split, or goes round a loop for ever.
    """
    walk = _Walk(spec.get("name", "?"), spec["graph"])
    # The paths first: finding them refuses loops without a switch, on which no walk would end.
    paths = tuple(walk.iter_paths())
    last, join = walk.run("start", parents=(), stack=())
    if join is not None:
        walk.fail(join, f"joins what no step split: it comes after '{last.step}'")
    return Prediction(steps=tuple(walk.nodes), tasks=tuple(walk.tasks), paths=paths)


class _Walk:
    """Runs a graph in the mind, depth first: every split's parts one after another."""

    def __init__(self, name: str, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        self.name = name
        self.nodes = nodes
        self.tasks: list[TaskModel] = []
        self.turns: dict[tuple[str, tuple[int, ...]], int] = {}

    def run(
        self, step: str, *, parents: tuple[TaskId, ...], stack: tuple[FrameModel, ...]
    ) -> tuple[TaskId, str | None]:
        """Run *step* and all after it, up to the join that closes the split around it.

        Returns:
            The last task before that join, and the join; no join where the walk reached the end.
        """
        inputs = parents
        while True:
            node = self.node(step)
            elements = self.elements(step, stack) if "foreach" in node else None
            place = (step, tuple(frame.index for frame in stack))
            turn = self.turns[place] = self.turns.get(place, -1) + 1
            if turn > _MOST_TURNS:
                self.fail(step, "goes round a loop for ever")
            case = self.case(step, stack, turn) if "switch" in node else None
            task = TaskModel(
                id=TaskId(*place, turn),
                parents=parents,
                inputs=inputs,
                stack=stack,
                width=None if elements is None else len(elements),
                case=case,
                joins=bool(node.get("join")),
            )
            self.tasks.append(task)
            if "branch" in node:
                ends = [self.run(to, parents=(task.id,), stack=stack) for to in node["branch"]]
                step = self.shared_join(step, [join for _, join in ends])
                parents = inputs = tuple(last for last, _ in ends)
            elif elements is not None:
                parts = self.run_elements(node["foreach"], task.id, stack, elements)
                join = self.closing_join(node["foreach"])
                step = self.shared_join(step, [*(join for _, join in parts), join])
                inputs = tuple(last for last, _ in parts)
                parents = inputs or (task.id,)
            elif "linear" in node or case is not None:
                step = node["linear"] if case is None else node["switch"][case]
                if self.node(step).get("join"):
                    return task.id, step
                parents = inputs = (task.id,)
            else:
                return task.id, None

    def run_elements(
        self,
        step: str,
        split: TaskId,
        stack: tuple[FrameModel, ...],
        elements: Sequence[Any],
    ) -> list[tuple[TaskId, str | None]]:
        """Run *step* and all after it once per element."""
        return [
            self.run(
                step, parents=(split,), stack=(*stack, FrameModel(index, len(elements), element))
            )
            for index, element in enumerate(elements)
        ]

    def elements(self, step: str, stack: Sequence[FrameModel]) -> list[Any]:
        """Give what the foreach *step* fans out over, by evaluating the source in the graph."""
        source = self.nodes[step]["foreach_var_default"]
        elements: list[Any] = self.evaluate(step, source, stack, make=list)
        return elements

    def case(self, step: str, stack: Sequence[FrameModel], turn: int) -> str:
        """Give the case that the switch *step* chooses when it runs for the time *turn*, from 0."""
        node = self.nodes[step]
        case: str = self.evaluate(step, node["condition_default"], stack, turn=turn)
        if case not in node["switch"]:
            self.fail(step, f"has no case for {case!r}")
        return case

    def evaluate(
        self,
        step: str,
        source: str,
        stack: Sequence[FrameModel],
        *,
        make: Callable[[Any], Any] = str,
        turn: int = 0,
    ) -> Any:
        """Give what *make* makes of the value of Python source that the graph has at *step*."""
        try:
            # The same source becomes a line of the generated flow, so it is trusted as that is.
            names = {"self": _Self(stack), "turn": turn}
            return make(eval(source, names))  # noqa: S307  # trusted, see above
        except Exception as error:
            raise UnpredictableGraph(
                f"graph '{self.name}', step '{step}': {source!r} can't be evaluated: {error!r}"
            ) from error

    def closing_join(self, step: str, passed: frozenset[str] = frozenset()) -> str | None:
        """Give the join that closes the split around *step*, without running anything.

        Args:
            step: The step.
            passed: The switches before it, to which it may lead back.
        """
        while True:
            node = self.node(step)
            if "branch" in node:
                ends = [self.closing_join(to, passed) for to in node["branch"]]
                step = self.shared_join(step, ends)
            elif "foreach" in node:
                step = self.shared_join(step, [self.closing_join(node["foreach"], passed)])
            elif "switch" in node:
                return self.shared_end(step, passed)
            elif "linear" in node:
                if self.node(node["linear"]).get("join"):
                    return str(node["linear"])
                step = node["linear"]
            else:
                return None

    def shared_end(self, step: str, passed: frozenset[str]) -> str | None:
        """Give the join to which all cases of a switch lead, those that lead back left out."""
        if step in passed:
            return _BACK
        joins = {
            case if self.node(case).get("join") else self.closing_join(case, passed | {step})
            for case in self.nodes[step]["switch"].values()
        }
        joins.discard(_BACK)
        if len(joins) > 1:
            named = ", ".join(sorted(map(str, joins)))
            self.fail(step, f"chooses, but its cases don't meet in one join: {named}")
        return joins.pop() if joins else _BACK

    def shared_join(self, step: str, joins: Sequence[str | None]) -> str:
        """Give the join at which all parts of a split arrive, which must be one and the same."""
        first = joins[0]
        if first is None or any(join != first for join in joins):
            named = ", ".join(sorted({str(join) for join in joins}))
            self.fail(step, f"splits, but its parts don't meet in one join: {named}")
        return first

    def node(self, step: str) -> Mapping[str, Any]:
        """Give a node by name."""
        if step not in self.nodes:
            raise UnpredictableGraph(f"graph '{self.name}' has no step '{step}'")
        return self.nodes[step]

    def fail(self, step: str, problem: str) -> NoReturn:
        """Refuse the graph."""
        raise UnpredictableGraph(f"graph '{self.name}': step '{step}' {problem}")

    def iter_paths(self) -> Iterator[tuple[str, ...]]:
        """Give every path from `start` to `end`, in the order of the graph."""
        pending: list[tuple[str, ...]] = [("start",)]
        while pending:
            path = pending.pop()
            node = self.node(path[-1])
            if path[-1] in path[:-1]:
                if not any("switch" in self.node(step) for step in path[path.index(path[-1]) :]):
                    self.fail(path[-1], "comes after itself")
                continue
            after = node.get("branch") or [
                *(node[form] for form in ("linear", "foreach") if form in node),
                *dict.fromkeys(node.get("switch", {}).values()),
            ]
            if not after and path[-1] != "end" and len(self.nodes) > 1:
                self.fail(path[-1], "is followed by none, and is not 'end'")
            if not after:
                yield path
            # The last one pushed is followed first, so the first branch has to be it.
            pending.extend((*path, step) for step in reversed(after))
