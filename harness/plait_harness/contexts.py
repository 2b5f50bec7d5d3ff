"""Contexts: under which interpreter, environment and options a case runs, and who judges it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from plait_harness.engines import ENGINES, PLAIT, Engine, is_installed
from plait_harness.interpreters import find_lack_of_python
from plait_harness.limits import Limits
from plait_harness.mistakes import Mistake, UnknownName
from plait_harness.schemas import read_json, validate
from plait_harness.servers import find_lack

Start = Literal["fork", "fresh"]


@dataclass(frozen=True, slots=True)
class CheckSpec:
    """One judge of a context.

    Args:
        checker: The checker's name.
        python: The interpreter that it runs under; None for that of the flow.
    """

    checker: str
    python: str | None = None

    @property
    def name(self) -> str:
        """Its name among the judges of a case."""
        return self.checker if self.python is None else f"{self.checker}-{self.python}"


@dataclass(frozen=True, slots=True)
class ContextSpec:
    """One context, with everything that it extends already in it.

    Args:
        name: Its name.
        shows: One sentence: what it is there for.
        disabled: Whether it runs only when named.
        python: The interpreter of the flow: a name on the `PATH` or a path; None for this one.
        python_options: Options of the interpreter, such as `-O`.
        start: `fork` starts commands by forking a prepared process, where that is the same
            thing; `fresh` always starts a new interpreter.
        engine: Whose flows the cases are: `plait`, or `metaflow`, which has to be installed.
        differences: If not empty, the file beside the context's own that lists the cases which are
            to come out otherwise than with plait.
        only_graphs: If not empty, the only graphs to run here: name -> because.
        graphs_each: If not 0, a template runs only on so many of the graphs that it fits, the
            first of them in the order of `only_graphs`.
        env: Environment variables, in which stand `{nonce}` for a word that no other case has,
            `{number}` for a number below 2**32 that the same case always has, `{folder}` for the
            case's folder and `{home}` for its home folder.
        home: The name of its home folder.
        limits: What its processes are not allowed, or have less of.
        top_options: Arguments before the command.
        run_options: Arguments after `run`.
        executors: The ways to run a flow: `cli` is the real command, `api` the
            `Runner` of the engine.
        checks: The judges.
        timeout: Seconds that one command may take.
        services: The servers that cases need, see `servers`; one of each runs for the session.
        pre_command: A command to run in the case's folder before the flow; may be empty.
        disabled_tests: Templates not to run here: name -> because. A `*` in a name stands for
            anything.
        enabled_tests: If not empty, the only templates to run here: name -> because.
        file: Where it was read from.
        family: The context of the file that it is one of several settings of; empty if it is not.
        settings: Its values of what that context varies.
    """

    name: str
    shows: str
    disabled: bool = False
    python: str | None = None
    python_options: tuple[str, ...] = ()
    start: Start = "fork"
    engine: Engine = PLAIT
    differences: str = ""
    only_graphs: Mapping[str, str] = field(default_factory=dict)
    graphs_each: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    home: str = "home"
    limits: Limits = field(default_factory=Limits)
    top_options: tuple[str, ...] = ()
    run_options: tuple[str, ...] = ()
    executors: tuple[str, ...] = ("cli",)
    checks: tuple[CheckSpec, ...] = (CheckSpec("cli"), CheckSpec("mli"))
    timeout: float = 60.0
    services: tuple[str, ...] = ()
    pre_command: tuple[str, ...] = ()
    disabled_tests: Mapping[str, str] = field(default_factory=dict)
    enabled_tests: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    family: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str | None:
        """Say what this machine lacks to run the context; None if nothing."""
        if not is_installed(self.engine):
            return f"{self.engine.name} is not installed"
        if self.python is not None:
            lack = find_lack_of_python(self.python, ("plait",))
            if lack is not None:
                return lack
        for check in self.checks:
            if check.python is not None:
                lack = find_lack_of_python(check.python, ("plait", "plait_harness.checking"))
                if lack is not None:
                    return lack
        return self.limits.find_lack() or find_lack(self.services)


def load_contexts(path: str) -> dict[str, ContextSpec]:
    """Read a file of contexts: name -> context, in the order of the file.

    Raises:
        Mistake: The file is not one, a name is there twice, or extends what is not there.
    """
    return parse_contexts(read_json(path), file=path)


def parse_contexts(data: Any, *, file: str = "") -> dict[str, ContextSpec]:
    """Read contexts from their JSON form; see `load_contexts`."""
    validate(data, "contexts", file=file, name_of=_context_namer(data))
    raw: dict[str, Mapping[str, Any]] = {}
    for entry in data["contexts"]:
        if entry["name"] in raw:
            raise Mistake(f"{file}: context '{entry['name']}' is there twice")
        raw[entry["name"]] = entry
    parsed: dict[str, ContextSpec] = {}
    for name in raw:
        for spec in _iter_settings(_extended(name, raw, file), file):
            if spec.name in parsed:
                raise Mistake(f"{file}: context '{spec.name}' is there twice", f"{name} varies")
            parsed[spec.name] = spec
    return parsed


def clean_environment(environ: Mapping[str, str], *, inherit: bool) -> dict[str, str]:
    """Give the environment that cases start from.

    Args:
        environ: The environment of the harness.
        inherit: Whether all of it is handed on. By default only what says which code runs and
            where programs lie is, so that no case depends on what somebody had set.
    """
    if inherit:
        return dict(environ)
    kept = {name: value for name, value in environ.items() if name in _KEPT}
    kept.setdefault("PATH", os.defpath)
    # Without a UTF-8 locale Python would still use UTF-8 mode, but what a flow starts might not.
    kept.setdefault("LANG", "C.UTF-8")
    return kept


_KEPT = frozenset(
    {"PATH", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TZ"}
    | {"SYSTEMROOT", "COMSPEC", "PATHEXT"}  # nothing starts on Windows without these
)


_EITHER = ("enabled_tests", "disabled_tests")


def _extended(
    name: str, raw: Mapping[str, Mapping[str, Any]], file: str, below: tuple[str, ...] = ()
) -> dict[str, Any]:
    if name in below:
        raise Mistake(
            f"{file}: contexts extend each other in a circle", " -> ".join((*below, name))
        )
    if name not in raw:
        raise UnknownName(f"context to extend in {file}, named by '{below[-1]}':", name, raw)
    entry = raw[name]
    if "extends" not in entry:
        return dict(entry)
    base = _extended(entry["extends"], raw, file, (*below, name))
    # A context that is off by default doesn't turn off those that build on it.
    base.pop("disabled", None)
    # Which templates it runs, it says in one of two ways, whatever the other one said.
    for given, other in (_EITHER, _EITHER[::-1]):
        if given in entry:
            base.pop(other, None)
    merged = {**base, **entry}
    merged["env"] = {**base.get("env", {}), **entry.get("env", {})}
    return merged


def _iter_settings(entry: Mapping[str, Any], file: str) -> Iterator[ContextSpec]:
    """Give the context, or one for each combination of the values of what it varies."""
    varied: Mapping[str, Mapping[str, Any]] = entry.get("vary", {})
    if not varied:
        yield _parse_context(entry, file)
        return
    for values in itertools.product(*varied.values()):
        settings = dict(zip(varied, values, strict=True))
        own = {**entry, "name": "-".join([entry["name"], *values])}
        for axis, value in settings.items():
            change = varied[axis][value]
            for key in ("top_options", "run_options"):
                own[key] = [*own.get(key, ()), *change.get(key, ())]
            for key in ("env", "disabled_tests"):
                own[key] = {**own.get(key, {}), **change.get(key, {})}
            own["start"] = change.get("start", own.get("start", "fork"))
        yield _parse_context({**own, "family": entry["name"], "settings": settings}, file)


def _parse_context(entry: Mapping[str, Any], file: str) -> ContextSpec:
    left_out = ("extends", "checks", "vary", *Limits.KEYS)
    facts = {key: value for key, value in entry.items() if key not in left_out}
    facts["limits"] = Limits.from_json(entry)
    for key in (
        "python_options",
        "top_options",
        "run_options",
        "executors",
        "services",
        "pre_command",
    ):
        if key in facts:
            facts[key] = tuple(facts[key])
    if "engine" in entry:
        facts["engine"] = ENGINES[entry["engine"]]
    if "checks" in entry:
        facts["checks"] = tuple(_parse_checks(entry["checks"]))
    return ContextSpec(**facts, file=file)


def _parse_checks(entries: Iterable[Any]) -> Iterable[CheckSpec]:
    for entry in entries:
        yield CheckSpec(entry) if isinstance(entry, str) else CheckSpec(**entry)


def _context_namer(data: Any) -> Any:
    def name_of(path: list[str]) -> str:
        if len(path) < 2 or path[0] != "contexts":
            return ""
        entry = data["contexts"][int(path[1])]
        named = entry.get("name") if isinstance(entry, dict) else None
        place = f"context '{named}'" if named else f"context {path[1]}"
        return "/".join([place, *path[2:]])

    return name_of
