"""Finding specifications: the harness's own by name, or those in somebody's files and folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from plait_harness.contexts import ContextSpec, load_contexts
from plait_harness.graphs import GraphSpec, load_graph
from plait_harness.home import home_path
from plait_harness.mistakes import Mistake, UnknownName, refuse
from plait_harness.templates import TemplateSpec, load_templates

_Spec = TypeVar("_Spec")


EVERY_CONTEXT = "all"
"""What stands for all contexts of the harness, also those that are disabled."""


@dataclass(frozen=True, slots=True)
class CheckerSource:
    """A checker: its name is that of its file, which holds a subclass of `Checker`."""

    name: str
    file: str


@dataclass(frozen=True, slots=True)
class Chosen(Generic[_Spec]):
    """What an option chose.

    Args:
        specs: The specifications chosen, by name.
        known: All that there are: the harness's own, and those of the files and folders given.
        narrowed: Whether the option left any of the harness's own out, or brought others in.
    """

    specs: Mapping[str, _Spec]
    known: Mapping[str, _Spec]
    narrowed: bool


def choose_contexts(wanted: Sequence[str]) -> Chosen[ContextSpec]:
    """Choose contexts; none wanted means all that are not disabled."""
    own = home_path("contexts.json")
    families = _load_own("context", own, ".json", load_contexts)
    # A context that varies something is all its settings.
    wanted = [name for each in wanted for name in _members(each, families)]
    chosen = _choose("context", wanted, own, ".json", load_contexts)
    if wanted:
        # A file given as a whole leaves its disabled contexts off; a name turns one on.
        named = {name.rpartition("::")[2].lower() for name in wanted}
        specs = {
            name: spec
            for name, spec in chosen.specs.items()
            if not spec.disabled or named & {name.lower(), spec.family.lower()}
        }
    else:
        specs = {name: spec for name, spec in chosen.specs.items() if not spec.disabled}
    return Chosen(specs, chosen.known, chosen.narrowed)


def _members(wanted: str, contexts: Mapping[str, ContextSpec]) -> list[str]:
    name = wanted.lower()
    if name == EVERY_CONTEXT:
        return list(contexts)
    return [own for own, spec in contexts.items() if spec.family.lower() == name] or [wanted]


def choose_graphs(wanted: Sequence[str]) -> Chosen[GraphSpec]:
    """Choose graphs; none wanted means all."""
    return _choose("graph", wanted, home_path("graphs"), ".json", _load_graphs)


def choose_templates(wanted: Sequence[str]) -> Chosen[TemplateSpec]:
    """Choose templates; none wanted means all."""
    return _choose("test", wanted, home_path("tests"), ".py", load_templates)


def choose_checkers(wanted: Sequence[str]) -> Chosen[CheckerSource]:
    """Choose checkers; none wanted means all."""
    return _choose("checker", wanted, home_path("checkers"), ".py", _load_checkers)


BUILTIN = "builtin"
"""The name that stands for all specifications of plait's own."""


def split_names(text: str) -> list[str]:
    """Split a comma-separated option; empty parts are no matter."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _choose(
    kind: str,
    wanted: Sequence[str],
    own_path: str,
    suffix: str,
    load: Callable[[str], Mapping[str, _Spec]],
) -> Chosen[_Spec]:
    own = _load_own(kind, own_path, suffix, load)
    if not wanted:
        return Chosen(own, own, narrowed=False)
    others: dict[str, _Spec] = {}
    for given in filter(_is_path, wanted):
        path, _, only = given.partition("::")
        loaded = _load_all(kind, path, suffix, load)
        parts = {n: s for n, s in loaded.items() if only in (n, getattr(s, "family", ""))}
        if only and not parts:
            raise UnknownName(f"{kind} in {path} called", only, loaded)
        others.update(parts if only else loaded)
    # Somebody else's may have the name of one of the harness's own, and then is the one meant.
    known = {**own, **others}
    by_lower = {name.lower(): name for name in known}
    specs = dict(others)
    unknown: list[Mistake] = []
    for name in wanted:
        if _is_path(name):
            continue
        if name.lower() == BUILTIN:
            specs = {**own, **specs}
            continue
        if name.lower() in by_lower:
            found = by_lower[name.lower()]
            specs[found] = known[found]
        else:
            unknown.append(UnknownName(kind, name, known))
    refuse(unknown)
    narrowed = bool(others) or any(name not in specs for name in own)
    return Chosen(specs, known, narrowed)


def _load_graphs(path: str) -> dict[str, GraphSpec]:
    graph = load_graph(path)
    return {graph.name: graph}


def _load_checkers(path: str) -> dict[str, CheckerSource]:
    name = os.path.splitext(os.path.basename(path))[0]
    # Judges load it from the folders of their cases.
    return {name: CheckerSource(name, os.path.abspath(path))}


@cache
def _load_own(
    kind: str, path: str, suffix: str, load: Callable[[str], Mapping[str, Any]]
) -> dict[str, Any]:
    # The harness's own stay as they are while it runs.
    return _load_all(kind, path, suffix, load)


def _is_path(name: str) -> bool:
    is_file = name.partition("::")[0].endswith((".json", ".py"))
    return is_file or os.sep in name or os.path.isdir(name)


def absolute(name: str) -> str:
    """Give what an option named so that it means the same in any folder."""
    return os.path.abspath(name) if _is_path(name) else name


def _load_all(
    kind: str, path: str, suffix: str, load: Callable[[str], Mapping[str, _Spec]]
) -> dict[str, _Spec]:
    found: dict[str, _Spec] = {}
    origin: dict[str, str] = {}
    for file in _iter_files(kind, path, suffix):
        for name, spec in load(file).items():
            if name in found:
                raise Mistake(f"{kind} '{name}' is there twice", f"{origin[name]}\n{file}")
            found[name] = spec
            origin[name] = file
    return found


def _list_folder(path: str, suffix: str) -> list[str]:
    if not os.path.isdir(path):
        return []
    # Sorted, because every worker has to see the same cases in the same order.
    names = sorted(os.listdir(path))
    return [os.path.join(path, n) for n in names if n.endswith(suffix) and n[0] not in "_."]


def _iter_files(kind: str, path: str, suffix: str) -> Iterable[str]:
    if os.path.isdir(path):
        files = _list_folder(path, suffix)
        # Graphs that `--generate` found are cases from then on.
        files += _list_folder(os.path.join(path, "found"), suffix)
        if not files:
            raise Mistake(f"there is no {kind} in {path}", f"looked for files *{suffix}")
        return files
    if not os.path.exists(path):
        raise Mistake(f"there is no file or folder {path}", f"it was given as a {kind}")
    return [path]
