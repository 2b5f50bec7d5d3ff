"""The page of a run: how it went, as it is at this moment."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plait.base.errors import PlaitError
from plait.base.records import Failure
from plait.client.opened_run import OpenedRun
from plait.metadata.protocol import Status, StepRecord, TaskRecord
from plait.report.pages import render_page
from plait.report.picture import StepShown, describe, make_picture
from plait.report.records import FailureShown, Limits, RunSeen, StepSeen, ValueShown
from plait.report.task import Budget, cut_traceback, find_state, read_task, show_values
from plait.report.timeline import Chosen, choose_tasks, make_bar, make_ticks, share_out
from plait.report.words import format_seconds

_STATES = ("failed", "lost", "interrupted", "running", "done", "cloned")
"""The states of tasks, in the order in which they are counted up."""

_FACTS = ("script", "arguments", "host", "python", "workers")
"""What is shown of the circumstances of a run."""


def make_run_page(
    run: OpenedRun,
    *,
    unpickle: bool = False,
    limits: Limits | None = None,
    clock: Callable[[], float] = time.time,
) -> str:
    """Give the page of a run, which may go on: then it is as it is now.

    Args:
        run: The run.
        unpickle: Whether values of any type are shown. Reading those that are not of Python's own
            plain types runs code that is in them, so that is only for stores that you trust.
        limits: How much to show.
        clock: Gives the time, in seconds since 1970.

    Raises:
        ReportExtraMissing: Jinja2 is not installed.
    """
    seen = read_run(run, unpickle=unpickle, limits=limits or Limits(), now=clock())
    return render_page("run.html.j2", {"run": seen, "title": f"{seen.flow}/{seen.run}"})


def read_run(run: OpenedRun, *, unpickle: bool, limits: Limits, now: float) -> RunSeen:
    """Read what the page of a run shows."""
    record = run.renew()
    graph = record.facts.get("graph") or _guess_graph(run.list_steps())
    names = list(graph["steps"])
    known = {step.step: step for step in run.list_steps()}
    names += [name for name in reversed(known) if name not in graph["steps"]]
    records = {name: list(run.iter_tasks(name)) if name in known else [] for name in names}
    ended = record.finished or (now if record.status is Status.RUNNING else None)
    times = [t.finished or now for tasks in records.values() for t in tasks]
    # Facts of a killed run's tasks can be younger than its last word.
    last = max([record.created, *times, *([] if ended is None else [ended])])
    budget = Budget(limits, unpickle, record.created, last)
    first = _find_first_failure(run, records)
    shares = share_out([len(tasks) for tasks in records.values()], limits.tasks)
    chosen = {
        name: _choose(tasks, max(most, 1), now, first)
        for (name, tasks), most in zip(records.items(), shares, strict=True)
    }
    failure = _show_failure(run, first, limits)  # while there is still room for all of it
    steps = [
        _read_step(run, name, graph["steps"].get(name), records[name], chosen[name], budget)
        for name in names
    ]
    shown = {step.name: StepShown(step.state, _second_line(step)) for step in steps}
    every = [task for tasks in records.values() for task in tasks]
    system = sorted(record.system_tags)
    parameters, without = _read_parameters(run, budget)
    return RunSeen(
        flow=record.key.flow,
        run=record.key.run,
        doc=graph.get("doc", ""),
        status=record.status.value,
        created=record.created,
        finished=record.finished,
        seconds=max((ended or last) - record.created, 0.0),
        now=now,
        user=next((tag[5:] for tag in system if tag.startswith("user:")), ""),
        tags=sorted(record.user_tags),
        system_tags=system,
        origin="" if record.origin_run is None else f"{record.key.flow}/{record.origin_run}",
        facts=[(name, _say(record.facts[name])) for name in _FACTS if record.facts.get(name)],
        failure=failure,
        parameters=parameters,
        without_parameters=without,
        picture=make_picture(graph, shown),
        steps=steps,
        ticks=make_ticks(last - record.created),
        total=len(every),
        counts=_count(every) or "no task",
    )


def _read_parameters(run: OpenedRun, budget: Budget) -> tuple[list[ValueShown], str]:
    """Give the run's parameters, and why there are none to show where they can't be read."""
    try:
        return show_values(run, dict(sorted(run.parameters().items())), budget), ""
    except PlaitError as error:
        return [], error.findings[0].what


def _guess_graph(steps: Sequence[StepRecord]) -> dict[str, Any]:
    """Give a graph without lines, for a run that does not say what its graph was."""
    node: dict[str, Any] = {"kind": None, "next": [], "join": False, "cases": [], "decorators": []}
    return {"steps": {step.step: node for step in reversed(steps)}}


def _say(fact: object) -> str:
    return " ".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _choose(tasks: Sequence[TaskRecord], most: int, now: float, first: TaskRecord | None) -> Chosen:
    """Decide which tasks of a step are shown; the one that failed first is always among them."""
    chosen = choose_tasks(tasks, most, now)
    if first is None or first in chosen.tasks or first not in tasks:
        return chosen
    return Chosen((first, *chosen.tasks[1:]), chosen.total)


def _find_first_failure(
    run: OpenedRun, records: Mapping[str, Sequence[TaskRecord]]
) -> TaskRecord | None:
    key = run.record.failed_task
    if key is not None:
        found = next((t for t in records.get(key.step, ()) if t.key == key), None)
        if found is not None:
            return found
    failed = [t for tasks in records.values() for t in tasks if t.status is Status.FAILED]
    return min(failed, key=lambda task: task.finished or 0.0, default=None)


def _show_failure(run: OpenedRun, task: TaskRecord | None, limits: Limits) -> FailureShown | None:
    failure: Failure | None = run.record.failure
    if failure is None and task is not None:
        failure = task.failure
    if failure is None:
        return None
    return FailureShown(
        task="" if task is None else "/".join(task.key),
        anchor="" if task is None else f"task-{task.key.step}-{task.key.task}",
        summary=failure.summary,
        where=failure.where,
        traceback=cut_traceback(failure, limits),
    )


def _read_step(
    run: OpenedRun,
    name: str,
    node: Mapping[str, Any] | None,
    records: Sequence[TaskRecord],
    chosen: Chosen,
    budget: Budget,
) -> StepSeen:
    node = node or {"kind": None, "join": False, "decorators": [], "next": []}
    began = min((task.created for task in records), default=None)
    # A task that runs goes on to the right edge.
    ended = max((task.finished or budget.last for task in records), default=None)
    bar = seconds = None
    if began is not None and ended is not None:
        bar = make_bar(began, ended, budget.first, budget.last)
        seconds = max(ended - began, 0.0)
    file, line = node.get("file"), node.get("line")
    return StepSeen(
        name=name,
        doc=node.get("doc", ""),
        place=f"{file}:{line}" if file else "",
        words=describe({**node, "decorators": []}),
        decorators=[word for word in node["decorators"] if word != "step"],
        targets=node["next"],
        state=_find_step_state(records, run.record.status),
        counts=_count(records),
        began=began,
        seconds=seconds,
        bar=bar,
        tasks=[read_task(run, task, budget) for task in chosen.tasks],
        total=chosen.total,
    )


def _find_step_state(records: Sequence[TaskRecord], status: Status) -> str:
    states = {find_state(task) for task in records}
    if not states:
        return "waiting" if status is Status.RUNNING else "not begun"
    # Of tasks that are done and tasks that were taken over, the step is done.
    return next(state for state in _STATES if state in states)


def _count(records: Sequence[TaskRecord]) -> str:
    counted = Counter(find_state(task) for task in records)
    return ", ".join(f"{counted[state]:,} {state}" for state in _STATES if counted[state])


def _second_line(step: StepSeen) -> str:
    if step.seconds is None:
        return step.state
    return f"{step.counts} \u00b7 {format_seconds(step.seconds)}"
