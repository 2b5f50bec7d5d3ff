"""Which namespace holds, and what it shows."""

from __future__ import annotations

import pytest

from plait.client.namespaces import (
    default_namespace,
    get_namespace,
    is_seen,
    namespace,
    tags_seen,
)
from plait.metadata.errors import BadTag

pytestmark = pytest.mark.usefixtures("world")


def test_the_default_is_the_users_own() -> None:
    """Without a word from anybody, it is the tag that the user's runs have."""
    assert get_namespace() == "user:ada"


def test_the_environment_can_name_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PLAIT_NAMESPACE` holds until `namespace` is called, and again after `default_namespace`."""
    monkeypatch.setenv("PLAIT_NAMESPACE", "project:churn")

    said = [get_namespace(), namespace("user:bob"), get_namespace(), default_namespace()]

    assert said == ["project:churn", "user:bob", "user:bob", "project:churn"]


def test_none_sees_all() -> None:
    """The namespace None is no condition."""
    assert namespace(None) is None
    assert get_namespace() is None
    assert tags_seen(frozenset({"a"})) == {"a"}
    assert is_seen(frozenset())


def test_a_namespace_is_one_more_tag_to_have() -> None:
    """What has the tag is seen, whatever else it has."""
    namespace("project:churn")

    assert tags_seen(frozenset({"a"})) == {"a", "project:churn"}
    assert is_seen(frozenset({"project:churn", "b"}))
    assert not is_seen(frozenset({"project:chur"}))


def test_a_namespace_is_compared_as_tags_are() -> None:
    """An accent typed as a character of its own is the same as one typed with its letter."""
    assert namespace("Ame\u0301lie") == "Am\u00e9lie"


def test_what_cannot_be_a_tag_cannot_be_a_namespace() -> None:
    """It would silently show nothing."""
    with pytest.raises(BadTag):
        namespace("")

    assert get_namespace() == "user:ada"
