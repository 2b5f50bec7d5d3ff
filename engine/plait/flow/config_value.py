"""The value of a config as flows see it: nested, read by attribute or by key, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from plait.base.errors import PlaitError, nearest
from plait.flow.source import find_caller


class UnknownConfigKey(PlaitError, AttributeError, KeyError):
    """A config was asked for a key that it does not have."""

    slug = "unknown-config-key"

    def __init__(self, path: str, key: object, known: tuple[object, ...]) -> None:
        super().__init__(
            f"config '{path}' has no key {key!r}",
            why=nearest(str(key), [str(name) for name in known]) or "it is empty",
            fix=f"add the key to what the config is read from, or write {path}.get({key!r}, ...) "
            "in a step if it may be missing",
            where=find_caller(),
        )


class ReadOnlyConfig(PlaitError, AttributeError, TypeError):
    """A step tried to change a config."""

    slug = "read-only-config"

    def __init__(self, path: str) -> None:
        super().__init__(
            f"config '{path}' cannot be changed",
            why="a config has the same value in every task of a run",
            fix="change a copy of it: .to_dict() of a config, list(...) of a list in one",
            where=find_caller(),
        )


def _refuse(self: Any, *_: object, **__: object) -> NoReturn:
    raise ReadOnlyConfig(self._path)


class ConfigValue(dict[Any, Any]):
    """A config, or a part of one: a dict that also has its keys as attributes.

    A key that is the name of a method of dicts, such as `items`, is read as `cfg["items"]`.

    Args:
        content: What it holds; parts that are dicts and lists become read-only as well.
        path: What it is called in messages, such as `cfg.model`.
    """

    __slots__ = ("_path",)
    _path: str

    def __init__(self, content: Mapping[Any, Any], path: str = "config") -> None:
        super().__init__({key: freeze(part, f"{path}.{key}") for key, part in content.items()})
        object.__setattr__(self, "_path", path)

    def to_dict(self) -> dict[Any, Any]:
        """Give a copy, of plain dicts and lists, that can be changed."""
        plain: dict[Any, Any] = thaw(self)
        return plain

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            # Python and its libraries ask every object for such, and expect the plain answer.
            raise AttributeError(name)
        return self[name]

    def __missing__(self, key: object) -> NoReturn:
        raise UnknownConfigKey(self._path, key, tuple(self))

    def __reduce__(self) -> Any:
        return freeze, (thaw(self), self._path)

    def __copy__(self) -> ConfigValue:
        return self

    __setattr__ = __delattr__ = __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class _Items(list[Any]):
    """A list in a config."""

    __slots__ = ("_path",)
    _path: str

    def __init__(self, content: list[Any] | tuple[Any, ...], path: str) -> None:
        super().__init__(freeze(part, f"{path}[{i}]") for i, part in enumerate(content))
        object.__setattr__(self, "_path", path)

    def __reduce__(self) -> Any:
        return freeze, (thaw(self), self._path)

    __setattr__ = __delattr__ = __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse


def freeze(content: Any, path: str) -> Any:
    """Give *content* with its dicts and lists, at any depth, made read-only.

    Args:
        content: What JSON, TOML or YAML can hold; other objects are left as they are.
        path: What it is called in messages.
    """
    if isinstance(content, Mapping):
        return ConfigValue(content, path)
    if isinstance(content, (list, tuple)):
        return _Items(content, path)
    return content


def thaw(content: Any) -> Any:
    """Give *content* with plain dicts and lists in place of read-only ones."""
    if isinstance(content, Mapping):
        return {key: thaw(part) for key, part in content.items()}
    if isinstance(content, list):
        return [thaw(part) for part in content]
    return content
