"""`Runner`: what `python flow.py run` does, as a call."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar

from plait.runner.arguments import FLAGS, check_surroundings, format_configs, format_options
from plait.runner.errors import BadRunArgument, NoSuchFlowFile, RunNotStarted
from plait.runner.executing import Executing, ExecutingRun, ExecutingTask, show
from plait.runner.process import Call, RunProcess

E = TypeVar("E", bound=Executing)

_PAUSE = 0.01
"""Seconds between two looks at whether a run has begun."""


def _flags(given: Mapping[str, Any]) -> frozenset[str]:
    # Before the command, what is true or false is an option without a value.
    return frozenset(name for name, value in given.items() if isinstance(value, bool))


class Runner:
    """Starts runs of a flow in a file, each in a process of its own.

    Options of the command line are keyword arguments: those before the command are given here, the
    command's own to `run` and `resume`, beside the flow's parameters. `-` is written `_`, and
    `--with` and `--tag` are `with_=[...]` and `tags=[...]`. What a flow does not know, it refuses
    itself, before there is a run.

    As a context manager it removes the files of its runs when it is left.

    Args:
        flow_file: The flow's file; relative to the folder that this process is in.
        show_output: Whether `run` and `resume` print what the run prints.
        env: Variables for the run over those of this process; None takes one away.
        cwd: The folder to run in; by default that of this process.
        stop_on_exit: Whether a run that still goes on when the context is left is stopped.
        top_level: Options before the command, such as `workers="spawn"` or `datastore_root=...`.
            Configs are given by name: `config={"cfg": "prod.json"}`, `config_value={"cfg": {...}}`.

    Raises:
        NoSuchFlowFile: There is no such file.
        BadRunArgument: An option has a value that a command line cannot hold, a variable is no
            text, or there is no folder *cwd*.
    """

    def __init__(
        self,
        flow_file: str | os.PathLike[str],
        show_output: bool = True,
        *,
        env: Mapping[str, str | None] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stop_on_exit: bool = False,
        **top_level: Any,
    ) -> None:
        path = os.fspath(flow_file)
        if not os.path.isfile(path):
            raise NoSuchFlowFile(path)
        self.flow_file = path
        # Written as it was given, since that is how the run's messages name it.
        self._script = path if cwd is None else os.path.abspath(path)
        self._setup(show_output, env, cwd, stop_on_exit, top_level)

    def _setup(
        self,
        show_output: bool,
        env: Mapping[str, str | None] | None,
        cwd: str | os.PathLike[str] | None,
        stop_on_exit: bool,
        top_level: Mapping[str, Any],
        named: str = "cwd",
    ) -> None:
        self._show = show if show_output else None
        self._env: dict[str, str | None] = dict(env or {})
        self._cwd = None if cwd is None else os.fspath(cwd)
        check_surroundings(self._env, self._cwd, named)
        self._stop_on_exit = stop_on_exit
        others = {n: v for n, v in top_level.items() if n not in ("config", "config_value")}
        self._before, handed = format_options(others, FLAGS | _flags(others))
        # Before the command no option is a parameter, so each is text, however long.
        self._before += [f"--{name.replace('_', '-')}={value}" for name, value in handed.items()]
        self._before += format_configs(top_level.get("config"), top_level.get("config_value"))
        self._files: dict[str, str] = {}
        self._runs: list[Executing] = []

    def run(self, **arguments: Any) -> ExecutingRun:
        """Run the flow to its end. A run that fails is no exception: see its `status`.

        Args:
            arguments: The flow's parameters, and options of `run`: `max_workers`, `tags`, ...

        Raises:
            RunNotStarted: The flow's program ended before there was a run.
            BadRunArgument: An argument has a value that a run cannot be given.
            KeyboardInterrupt: Ctrl-C; the run is stopped by then.
        """
        return self._follow(ExecutingRun, self._call("run", arguments))

    def resume(self, step_to_rerun: str | None = None, **arguments: Any) -> ExecutingRun:
        """Go on where a run failed, to the end.

        Args:
            step_to_rerun: The step that runs again, with all after it; by default what did not
                finish.
            arguments: Options of `resume`: `origin_run_id`, `max_workers`, ...

        Raises:
            RunNotStarted: The flow's program ended before there was a run.
        """
        return self._follow(ExecutingRun, self._call("resume", arguments, step_to_rerun))

    def spin(self, step: str, **arguments: Any) -> ExecutingTask:
        """Run one step alone, on what one of its past tasks had before it, to the end.

        A step that fails is no exception: see its `status`.

        Args:
            step: The step.
            arguments: Options of `spin`: `origin_run_id`, `spin_pathspec`, `index` (a number, or of
                nested foreaches several), `artifacts_module`, `skip_decorators` and `persist`.

        Raises:
            RunNotStarted: The flow's program ended before the step began.
            BadRunArgument: An argument has a value that a command line cannot hold.
        """
        return self._follow(ExecutingTask, self._call_spin(step, arguments))

    async def async_run(self, **arguments: Any) -> ExecutingRun:
        """Start a run as `run` does, and come back as soon as it has begun."""
        return await self._launch(ExecutingRun, self._call("run", arguments))

    async def async_resume(
        self, step_to_rerun: str | None = None, **arguments: Any
    ) -> ExecutingRun:
        """Start as `resume` does, and come back as soon as the run has begun."""
        return await self._launch(ExecutingRun, self._call("resume", arguments, step_to_rerun))

    async def async_spin(self, step: str, **arguments: Any) -> ExecutingTask:
        """Start as `spin` does, and come back as soon as the step has begun."""
        return await self._launch(ExecutingTask, self._call_spin(step, arguments))

    def cleanup(self) -> None:
        """Remove the files of the runs that have ended; what they printed can still be read."""
        for run in self._runs:
            run.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        import asyncio

        await asyncio.to_thread(self.cleanup)

    def _call_spin(self, step: str, arguments: Mapping[str, Any]) -> Call:
        given = dict(arguments)
        index = given.get("index")
        if isinstance(index, (list, tuple)):
            given["index"] = ",".join(map(str, index))
        call = self._call("spin", given, step, flags=_flags(given))
        for name, value in call.handed.items():
            # A step has no parameters of its own that could come by a file.
            raise BadRunArgument(name, value)
        return replace(call, kept="spun")

    def _call(
        self,
        command: str,
        arguments: Mapping[str, Any],
        step: str | None = None,
        flags: Collection[str] = (),
    ) -> Call:
        options, handed = format_options(arguments, flags)
        positional = [] if step is None else [step]
        return Call(
            script=self._script,
            before=self._before,
            command=[command, *options, *positional],
            handed=handed,
            env=self._env,
            cwd=self._cwd,
            files=self._files,
        )

    def _follow(self, kind: type[E], call: Call) -> E:
        process = RunProcess(call)
        process.follow(self._show)
        return self._began(kind, process)

    async def _launch(self, kind: type[E], call: Call) -> E:
        import asyncio

        process = RunProcess(call)
        try:
            while process.find_announced() is None and not process.ended.is_set():
                await asyncio.sleep(_PAUSE)
        except asyncio.CancelledError:
            await asyncio.to_thread(process.stop)
            process.clean_up()
            raise
        return self._began(kind, process)

    def _began(self, kind: type[E], process: RunProcess) -> E:
        if process.find_announced() is None:
            code = process.returncode
            assert code is not None, "it has ended"
            said = process.read("stderr").decode("utf-8", "backslashreplace")
            process.clean_up()
            before = "the step began" if kind is ExecutingTask else "there was a run"
            raise RunNotStarted(self.flow_file, code, said, before)
        run = kind(process, stop_on_exit=self._stop_on_exit)
        self._runs.append(run)
        return run

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.flow_file!r})"
