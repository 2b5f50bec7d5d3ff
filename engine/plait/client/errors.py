"""What the client says when there is nothing to read where somebody looks."""

from __future__ import annotations

from collections.abc import Iterable

from plait.base.errors import PlaitError, UsageError, nearest


class PlaitNotFound(PlaitError):
    """There is no flow, run, step, task, attempt or artifact of that name."""

    slug = "not-found"

    def __init__(self, kind: str, name: str, *, place: str, hint: str) -> None:
        looked = f"looked in {place}"
        super().__init__(
            f"there is no {kind} '{name}'",
            why=f"{looked}\n{hint}" if hint else looked,
            fix="check the name, and that this is the store you mean; if not, call metadata(...)",
        )


class ChildNotFound(PlaitNotFound, KeyError):
    """Square brackets were given an id that the object has nothing under."""

    slug = "child-not-found"

    def __init__(self, kind: str, parent: str, wanted: object, known: Iterable[str]) -> None:
        if isinstance(wanted, str):
            why, fix = nearest(wanted, known), f"list what there is: list({parent})"
        else:
            why = f"the id is of type {type(wanted).__name__}, and ids are text"
            fix = f'write it with quotes: {parent}["{wanted}"]'
        PlaitError.__init__(self, f"{parent} has no {kind} {wanted!r}", why=why, fix=fix)


class ArtifactNotFound(PlaitNotFound, AttributeError):
    """A task has no artifact of that name."""

    slug = "artifact-not-found"

    def __init__(self, task: str, name: str, known: Iterable[str], *, finished: bool) -> None:
        if finished:
            why, fix = nearest(name, known), f"list what there is: list(Task('{task}'))"
        else:
            why = "no attempt at it has finished yet, and its artifacts are seen only then"
            fix = f"wait until Task('{task}').finished is True"
        PlaitError.__init__(self, f"task '{task}' has no artifact '{name}'", why=why, fix=fix)


class ResultsNotFound(PlaitNotFound):
    """An attempt is known to have finished, but its results are not where they were written."""

    slug = "results-not-found"

    def __init__(self, attempt: str, place: str, elsewhere: str) -> None:
        said = f"; its run wrote its values {elsewhere}" if elsewhere else ""
        PlaitError.__init__(
            self,
            f"the results of {attempt} are not there",
            why=f"it is known to have finished, but its sealed file is not in {place}{said}",
            fix="if its values are elsewhere, name the place: PLAIT_DATASTORE_ROOT for a folder,\n"
            "PLAIT_DATASTORE=s3 with PLAIT_DATASTORE_SYSROOT_S3 for S3; if the folder was\n"
            "moved or cleaned, bring the file back; else run the flow again",
        )


class PlaitNamespaceMismatch(PlaitError):
    """What was asked for exists, but outside of the namespace."""

    slug = "namespace-mismatch"

    def __init__(self, pathspec: str, namespace: str, tags: Iterable[str]) -> None:
        owners = sorted(tag for tag in tags if tag.startswith("user:"))
        whose = f"; it has {' and '.join(repr(tag) for tag in owners)}" if owners else ""
        wider = f"namespace({owners[0]!r})" if owners else "namespace(None)"
        super().__init__(
            f"'{pathspec}' is not in your namespace '{namespace}'",
            why=f"only what has the tag '{namespace}' is seen{whose}",
            fix=f"call {wider} first" + (", or namespace(None) to see all runs" if owners else ""),
        )


class BadStream(UsageError):
    """A task's output was asked for by a name that is no stream."""

    slug = "bad-stream"

    def __init__(self, name: object, known: Iterable[str]) -> None:
        streams = tuple(known)
        super().__init__(
            f"{name!r} is not a stream of a task",
            why=nearest(name, streams) if isinstance(name, str) else "",
            fix="write one of: " + ", ".join(repr(stream) for stream in streams),
        )
