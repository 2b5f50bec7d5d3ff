"""`merge_artifacts`: carrying on, by reference, what all branches of a join agree on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plait.base.errors import Finding, PlaitError, Where, nearest
from plait.base.records import ArtifactRef
from plait.flow.inputs import JoinInput, sealed_of
from plait.flow.scope import Scope, is_hidden
from plait.flow.source import find_caller

_SMALL = 65536
"""Encoded bytes up to which two values are compared by more than their addresses."""


class MergeArtifactsException(PlaitError):
    """Artifacts differ between the inputs of a join; nothing was merged."""

    slug = "ambiguous-artifact"

    def __init__(self, findings: Iterable[Finding]) -> None:
        found = tuple(findings)
        super().__init__(found[0].what)
        self.findings = found


class MissingInMergeArtifactsException(PlaitError):
    """`include` names artifacts that no input has; nothing was merged."""

    slug = "missing-in-merge"

    def __init__(self, findings: Iterable[Finding]) -> None:
        found = tuple(findings)
        super().__init__(found[0].what)
        self.findings = found


class BadMerge(PlaitError):
    """`merge_artifacts` was called with arguments that it can't do anything with."""

    slug = "bad-merge"


class MergeOutsideJoin(PlaitError):
    """`merge_artifacts` was called in a step that is not a join."""

    slug = "merge-outside-join"

    def __init__(self, step: str) -> None:
        super().__init__(
            f"step '{step}' cannot merge artifacts",
            why="it is not a join; the artifacts of the step before it are here already",
            fix="call self.merge_artifacts(inputs) in a step that takes (self, inputs)",
            where=find_caller(),
        )


def merge_artifacts(
    flow: object,
    scope: Scope,
    inputs: Iterable[JoinInput],
    include: Sequence[str],
    exclude: Sequence[str],
) -> None:
    """Make every artifact that is equal in all inputs an artifact of the join, by reference.

    Args:
        flow: The join's flow object; artifacts that it has set already are kept as they are.
        scope: What the join sees.
        inputs: The inputs to merge.
        include: The only names to merge; all if empty.
        exclude: Names not to merge.

    Raises:
        MergeOutsideJoin: The step is not a join.
        BadMerge: Both *include* and *exclude* are given, or one of them is a text, or *inputs*
            are not those of a join.
        MissingInMergeArtifactsException: A name in *include* is in no input.
        MergeArtifactsException: An artifact has different values in two inputs.
    """
    if not scope.node.is_join:
        raise MergeOutsideJoin(scope.step)
    chosen = _check_arguments(inputs, include, exclude)
    where = find_caller()
    definition = scope.definition
    fixed = definition.parameters.keys() | definition.configs.keys()
    found: dict[str, dict[str, ArtifactRef]] = {}
    for given in chosen:
        for name, ref in sealed_of(given).artifacts.items():
            found.setdefault(name, {}).setdefault(ref.address, ref)
    wanted = [
        name
        for name in include or found
        if name not in exclude
        and name not in fixed
        and not is_hidden(name)
        and not scope.is_set_here(flow, name)
    ]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise MissingInMergeArtifactsException(
            _missing(name, scope.step, found, where) for name in missing
        )
    conflicts = [name for name in wanted if not _is_one_value(scope, name, found[name])]
    if conflicts:
        raise MergeArtifactsException(
            _conflict(name, scope.step, chosen, where) for name in conflicts
        )
    for name in wanted:
        scope.take(flow, name, next(iter(found[name].values())))


def _check_arguments(
    inputs: Iterable[JoinInput], include: Sequence[str], exclude: Sequence[str]
) -> list[JoinInput]:
    where = find_caller()
    if include and exclude:
        raise BadMerge(
            "merge_artifacts has both include and exclude",
            why="include names all that is merged, so that there is nothing to leave out",
            fix="give one of them",
            where=where,
        )
    for name, value in (("include", include), ("exclude", exclude)):
        if isinstance(value, str):
            raise BadMerge(
                f"merge_artifacts has {name}={value!r}, which is text",
                why=f"{name} is a list of names",
                fix=f"write {name}=[{value!r}]",
                where=where,
            )
    chosen = list(inputs)
    if not all(isinstance(given, JoinInput) for given in chosen):
        raise BadMerge(
            "merge_artifacts was given something else than the inputs of the join",
            fix="write self.merge_artifacts(inputs)",
            where=where,
        )
    return chosen


def _is_one_value(scope: Scope, name: str, refs: Mapping[str, ArtifactRef]) -> bool:
    """Say whether all references are to one value, or to values that are equal all the same.

    The bytes of a pickle also say which of its parts are one object, which nobody sees in the
    value. Only small ones of one type are looked at, since this reads them.
    """
    first, *others = refs.values()
    try:
        return all(
            first.type == other.type
            and max(first.size, other.size) <= _SMALL
            and scope.store.unchanged(first, scope.store.load(other, name=name), name=name)
            for other in others
        )
    except PlaitError:
        return False  # what can't be read can't be compared either; the conflict is reported


def _missing(name: str, step: str, known: Iterable[str], where: Where | None) -> Finding:
    return Finding(
        slug=MissingInMergeArtifactsException.slug,
        what=f"step '{step}' cannot merge artifact '{name}': no input has it",
        why=nearest(name, [n for n in known if not n.startswith("_")]),
        fix=f"take '{name}' out of include, or set self.{name} before merge_artifacts(inputs)",
        where=where,
    )


def _conflict(name: str, step: str, inputs: Sequence[JoinInput], where: Where | None) -> Finding:
    holders: dict[str, list[str]] = {}
    branches = {sealed_of(given).facts.key.step for given in inputs}
    for given in inputs:
        sealed = sealed_of(given)
        if name in sealed.artifacts:
            holder = f"branch '{sealed.facts.key.step}'"
            if len(branches) < len(inputs):
                holder = f"task {sealed.facts.key.step}/{sealed.facts.key.task}"
            holders.setdefault(sealed.artifacts[name].address, []).append(holder)
    shown = [f"{by[0]} holds {address[:8]}" for address, by in holders.items()]
    more = f"; and {len(shown) - 4} other values" if len(shown) > 4 else ""
    return Finding(
        slug=MergeArtifactsException.slug,
        what=f"step '{step}' cannot merge artifact '{name}'",
        why="; ".join(shown[:4]) + more,
        fix=f"set self.{name} in '{step}' before merge_artifacts(inputs), or pass "
        f"exclude=['{name}']",
        where=where,
    )
