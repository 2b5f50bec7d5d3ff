"""The command `spin`: one step alone, on what one of its past tasks had before it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from plait.base.errors import PlaitError, UsageError, nearest
from plait.base.exits import DONE, INTERRUPTED
from plait.base.pathspec import AttemptKey, RunKey, parse_pathspec
from plait.cli.command import Command, Option
from plait.cli.commands.dump import show_value
from plait.cli.console import Console
from plait.cli.reading import NoSuchStep, find_tasks, get_run, open_store, short_name
from plait.cli.screen import Screen
from plait.cli.session import Session
from plait.client.opened_run import OpenedRun
from plait.client.opened_task import OpenedTask
from plait.client.source import Connection
from plait.metadata.protocol import Status
from plait.runtime.options import RunOptions

if TYPE_CHECKING:
    from plait.flow.definition import FlowDefinition
    from plait.wiring.spins import Spun

_RUNS = 50
"""So many of the latest runs are looked through for one that came to the step."""

_SHOWN_BYTES = 1000


class BadSpin(UsageError):
    """What `spin` was asked for cannot be: there is no such task, or it has no such input."""

    slug = "bad-spin"

    def __init__(self, step: str, problem: str, *, why: str = "", fix: str) -> None:
        super().__init__(f"step '{step}' cannot be spun: {problem}", why=why, fix=fix)


class SpinFailed(PlaitError):
    """The step that was spun failed."""

    slug = "spin-failed"

    def __init__(self, step: str, summary: str) -> None:
        super().__init__(
            f"step '{step}' failed",
            why=summary,
            fix="mend it and spin it again; no run knows of this",
        )


@click.command(
    cls=Command,
    examples={
        "train": "run 'train' on what it had in the latest run that came to it",
        "train --index 3": "as the task of the element at position 3",
        "train --spin-pathspec 5/train/17": "as that task",
        "train --artifacts-module values.py": "with what ARTIFACTS in that file says",
    },
)
@click.argument("step", metavar="STEP")
@click.option(
    "--origin-run-id",
    cls=Option,
    metavar="RUN",
    help="The run to take its inputs from.  [default: the latest that came to the step]",
)
@click.option(
    "--spin-pathspec",
    cls=Option,
    metavar="run/step/task",
    help="The task of the step whose inputs it has.",
)
@click.option(
    "--index",
    cls=Option,
    metavar="N[,N...]",
    help="Which element of the foreach it is in; of nested ones the outermost first.",
)
@click.option(
    "--artifacts-module",
    cls=Option,
    metavar="FILE",
    help="A Python file whose ARTIFACTS, a dictionary, has values in place of what was there.",
)
@click.option(
    "--skip-decorators/--no-skip-decorators",
    cls=Option,
    default=False,
    help="Leave out the step's decorators.",
)
@click.option(
    "--persist/--no-persist",
    cls=Option,
    default=False,
    help="Keep the results, in a store of their own.",
)
@click.option("--announce-file", cls=Option, hidden=True, allow_from_autoenv=False)
@click.option("--keep-in", cls=Option, hidden=True, allow_from_autoenv=False)
@click.pass_obj
def spin(session: Session, /, step: str, **given: Any) -> int:
    """Run one step alone, in a process of its own, on what one of its past tasks had before it.

    Prints what it set and where it would go. The step's code is as it is now; no run and no result
    of a run is changed, and nothing is kept unless you say so. It has one attempt, however many
    @retry allows.
    """
    from plait.wiring.runs import load_run_configs
    from plait.wiring.spins import spun_task

    # By their names alone: the rest may depend on configs, which come from the task's run.
    known = [one.__name__ for one in session.flow_class(use_cli=False)]
    if step not in known:
        session.read_definition()
        raise BadSpin(
            step, "the flow has no such step", why=nearest(step, known), fix="name a step of it"
        )
    with open_store(session) as connection:
        task, more = _find_task(session, connection, step, given)
        task.find_sealed()  # whether it is here is looked at before the process is forked
        attempt = task.find_attempt()
        if attempt is None:
            raise BadSpin(
                step,
                f"task {short_name(task)} has not finished",
                why="what it had before it is known only then",
                fix="wait for it, or name another by --spin-pathspec",
            )
        latest = connection.metadata().list_runs(session.flow_name, limit=1)
        highest = max(int(latest[0].key.run), int(task.key.run))
        name = short_name(task)
        past = AttemptKey(*task.key, attempt)
    run = RunKey(task.key.flow, task.key.run)
    session.use_configs(lambda declared: load_run_configs(run, declared, session.choices.stores))
    definition = session.read_definition()
    values = _read_module(given["artifacts_module"], step, definition)
    screen = Screen(sys.stdout)
    if not session.choices.quiet:
        screen.line(screen.paint(f"spins {step} on the inputs of {name}{more}", "bold"))
    with spun_task(
        definition,
        past,
        RunOptions(
            workers=session.choices.workers,
            command=session.respawn_command(),
            package_suffixes=session.choices.package_suffixes,
            announce_file=given["announce_file"],
            keep_code=given["persist"],
        ),
        session.choices.stores,
        Console(
            screen,
            Screen(sys.stderr),
            program=session.program,
            quiet=session.choices.quiet,
        ),
        highest=highest,
        given=values,
        persist=given["persist"],
        keep_in=given["keep_in"],
        plain=given["skip_decorators"],
    ) as spun:
        _print(screen, spun, place=spun.place if given["persist"] else None)
        return _end(screen, step, spun)


def _find_task(
    session: Session, connection: Connection, step: str, given: Mapping[str, Any]
) -> tuple[OpenedTask, str]:
    """Give the past task, and what to say of how it was chosen."""
    run, path, index = given["origin_run_id"], given["spin_pathspec"], given["index"]
    if path is not None:
        if run is not None or index is not None:
            raise BadSpin(
                step,
                "--spin-pathspec names the task already",
                fix="leave out --origin-run-id and --index",
            )
        form = "run/step/task"
        parts = parse_pathspec(path.removeprefix(f"{session.flow_name}/"), parts=(3, 3), form=form)
        if parts[1] != step:
            raise BadSpin(
                step,
                f"'{path}' is a task of step '{parts[1]}'",
                fix=f"write 'spin {parts[1]}', or name a task of '{step}'",
            )
        return next(iter(find_tasks(session, connection, path))), ""
    tasks = _find_tasks(session, connection, step, run)
    if index is None:
        if len(tasks) == 1:
            return tasks[0], ""
        return tasks[0], f", the first of {len(tasks)}; --index chooses another"
    wanted = _parse_index(step, index)
    known = {_position(task): task for task in reversed(tasks)}
    if wanted not in known:
        places = [",".join(map(str, place)) for place in sorted(known)]
        shown = ", ".join(places[:12]) + (", ..." if len(places) > 12 else "")
        raise BadSpin(
            step,
            f"run {tasks[0].key.run} has no task of it at index {index}",
            why=f"there is: {shown}" if any(known) else "the step is in no foreach",
            fix="write one of these, outermost foreach first" if any(known) else "leave it out",
        )
    return known[wanted], ""


def _find_tasks(
    session: Session, connection: Connection, step: str, run: str | None
) -> Sequence[OpenedTask]:
    if run is not None:
        get_run(session, connection, run)
        return list(find_tasks(session, connection, f"{run}/{step}"))
    latest = connection.metadata().list_runs(session.flow_name, limit=_RUNS)
    runs = [OpenedRun(connection, record) for record in latest]
    # Where facts are shared, the latest may be another person's, with its values elsewhere.
    for past in chain(filter(OpenedRun.is_here, runs), runs):
        try:
            return list(find_tasks(session, connection, f"{past.key.run}/{step}"))
        except NoSuchStep:
            continue  # it did not come to that
    get_run(session, connection, None)
    raise BadSpin(
        step,
        f"none of the latest {_RUNS} runs came to it",
        why="it begins with what one of its past tasks had before it",
        fix="run the flow once, or name an older run by --origin-run-id",
    )


def _parse_index(step: str, text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise BadSpin(
            step, f"'{text}' is no index", fix="write a number from 0; of nested foreaches, 0,2"
        )
    return tuple(int(part) for part in parts)


def _position(task: OpenedTask) -> tuple[int, ...]:
    facts = task.find_facts()
    frames = () if facts is None else facts.frames
    return tuple(frame.index for frame in frames if frame.foreach is not None)


def _read_module(path: str | None, step: str, definition: FlowDefinition) -> dict[str, Any]:
    """Give the artifacts that a Python file has for the step."""
    if path is None:
        return {}
    import runpy

    if not definition.graph[step].parents:
        raise BadSpin(
            step, "nothing is before it that could be replaced", fix="leave out --artifacts-module"
        )
    try:
        found = runpy.run_path(path).get("ARTIFACTS")
    except Exception as error:
        raise BadSpin(
            step,
            f"'{path}' cannot be run",
            why=f"{type(error).__name__}: {error}",
            fix="mend it: it is run as Python runs a file",
        ) from error
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise BadSpin(
            step,
            f"'{path}' sets no ARTIFACTS",
            why="they are a dictionary of values by name",
            fix='write ARTIFACTS = {"name": value} in it',
        )
    return found


def _print(screen: Screen, spun: Spun, *, place: str | None) -> None:
    from plait.flow.scope import is_hidden

    sealed = spun.sealed
    changed = {
        name: ref
        for name, ref in sorted(sealed.artifacts.items())
        if spun.before.get(name) != ref and not is_hidden(name)
    }
    widest = max(map(len, changed), default=0)
    for name, ref in changed.items():
        head = f"  {name:<{widest}}  {screen.paint(ref.type, 'dim')}"
        if ref.size > _SHOWN_BYTES:
            screen.line(f"{head}  <{ref.size} bytes>")
            continue
        try:
            first, *rest = show_value(spun.artifacts.load(ref, name=name))
        except PlaitError as error:
            first, rest = f"<cannot be read: {error.findings[0].what}>", []
        screen.line(f"{head}  {first}".rstrip())
        for line in rest:
            screen.line(f"      {line}")
    if not changed:
        screen.line("  it set nothing")
    transition = sealed.facts.transition
    if transition is not None:
        width = "" if transition.width is None else f", {transition.width} tasks"
        screen.line(f"would go to {' and '.join(transition.targets)}{width}")
    if place is not None:
        screen.line(f"kept in {place}; read it with metadata('local@{place}')")


def _end(screen: Screen, step: str, spun: Spun) -> int:
    if spun.outcome.status is Status.INTERRUPTED:
        return INTERRUPTED
    failure = spun.outcome.failure
    if failure is not None:
        raise SpinFailed(step, failure.summary)
    if spun.sealed.facts.handled is not None:
        screen.line(f"failed, and was caught: {spun.sealed.facts.handled.summary}")
    return DONE
