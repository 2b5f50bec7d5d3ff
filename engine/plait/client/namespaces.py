"""Which runs the client sees: those with one tag, the namespace, or all."""

from __future__ import annotations

from plait.base.identity import user_name
from plait.base.settings import resolve
from plait.metadata.rules import check_tags


class _Unset:
    """Stands for: nobody chose a namespace, the default holds."""


_UNSET = _Unset()
_chosen: str | _Unset | None = _UNSET


def namespace(name: str | None) -> str | None:
    """See only runs with the tag *name* from now on.

    Args:
        name: A tag, such as `user:ada` or `project:churn`; None sees all runs.

    Returns:
        The namespace: *name*, in the form that tags are kept in.

    Raises:
        BadTag: *name* can't be a tag.
    """
    global _chosen  # noqa: PLW0603  # the namespace is this module's one piece of state
    _chosen = None if name is None else _as_tag(name)
    return _chosen


def get_namespace() -> str | None:
    """Give the namespace; None if all runs are seen."""
    if isinstance(_chosen, _Unset):
        # Asked for each time: the variables that say so may be set after the import.
        return _as_tag(resolve("namespace").value or f"user:{user_name()}")
    return _chosen


def default_namespace() -> str | None:
    """Go back to the default namespace and give it: `PLAIT_NAMESPACE`, else `user:<your name>`."""
    global _chosen  # noqa: PLW0603  # see namespace
    _chosen = _UNSET
    return get_namespace()


def tags_seen(tags: frozenset[str] = frozenset()) -> frozenset[str]:
    """Give the tags that a run must have to be listed: *tags*, and the namespace."""
    name = get_namespace()
    return tags if name is None else tags | {name}


def is_seen(tags: frozenset[str]) -> bool:
    """Say whether the namespace shows a run that has *tags*."""
    name = get_namespace()
    return name is None or name in tags


def _as_tag(name: str) -> str:
    (tag,) = check_tags([name])
    return tag
