"""Which part of a value can't be pickled, and how a person would write the way to it.

The value is pickled once more by a pickler that notes each object it comes to, so that when it
fails, the last ones noted are the culprit and what surrounds it. Then the containers of the value
are searched, breadth first, for the latest of them that can be reached and fails on its own. So the
work is bounded by the pickle that failed plus one walk, however large or cyclic the value is.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any, NamedTuple, cast

from plait.artifacts.codec import PROTOCOL, type_name
from plait.artifacts.errors import Culprit

_NOTED = 64
_WALKED = 100_000
"""At most so many objects are looked at; a culprit further in is named by its type alone."""
_TRIED = 8
_DEEPEST = 40
_SHOWN_KEY = 40

_NEVER = frozenset({str, bytes, int, float, complex, bool, type(None)})
"""Exact types that always pickle; not worth finding, and shared all over a value."""


def find_culprit(name: str, value: object, error: Exception) -> Culprit:
    """Find what kept *value* from being pickled.

    Args:
        name: What the value is called; the path begins with it.
        value: The value.
        error: What pickling it raised.
    """
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, RecursionError):
        reason = (
            "RecursionError: it is nested more deeply than Python can follow, or something in it "
            "calls itself without end while it is pickled"
        )
    for path, found in _reached(name, value, _note(value)):
        if found is value or _fails(found):
            return Culprit(path, type_name(type(found)), reason)
    return Culprit(name, type_name(type(value)), reason)


class _Nowhere:
    """Where bytes go that nobody wants."""

    def write(self, data: object, /) -> None:
        """Forget *data*."""


class _NotingPickler(pickle.Pickler):
    """Notes each object that it comes to, parents before their parts."""

    def __init__(self) -> None:
        # Buffers are dropped, or a look for the culprit would copy every array.
        super().__init__(_Nowhere(), PROTOCOL, buffer_callback=lambda _: False)
        self.noted: deque[object] = deque(maxlen=_NOTED)

    def persistent_id(self, obj: object) -> None:
        """Note *obj*; it is pickled as always."""
        if type(obj) not in _NEVER:
            self.noted.append(obj)


def _note(value: object) -> list[object]:
    """Give the last objects that a pickler came to before it failed, the latest first."""
    pickler = _NotingPickler()
    try:
        pickler.dump(value)
    except Exception:  # noqa: BLE001  # whatever it is, the caller has it already
        return list(reversed(pickler.noted))
    return []  # it fails only sometimes


def _fails(value: object) -> bool:
    try:
        pickle.Pickler(_Nowhere(), PROTOCOL, buffer_callback=lambda _: False).dump(value)
    except Exception:  # noqa: BLE001  # that it raises is the answer
        return True
    return False


def _reached(name: str, value: object, wanted: list[object]) -> Iterator[tuple[str, object]]:
    """Give those of *wanted* that lie in *value*, with the way there, in the order of *wanted*."""
    ranks = {id(obj): rank for rank, obj in enumerate(wanted)}
    # Each object walked, by number: the number of its parent, and the step from there. Keeping the
    # objects keeps their ids from being given to others.
    walked: list[tuple[object, int, _Step]] = [(value, -1, _Step(_NAME, name))]
    seen = {id(value)}
    found: dict[int, int] = {}
    for number, (obj, _, _) in enumerate(walked):  # which grows meanwhile
        rank = ranks.get(id(obj))
        if rank is not None:
            found[rank] = number
            if rank == 0:
                break
        for step, part in _parts(obj):
            if len(walked) >= _WALKED:
                break
            if type(part) not in _NEVER and id(part) not in seen:
                seen.add(id(part))
                walked.append((part, number, step))
    for rank in sorted(found)[:_TRIED]:
        steps: list[str] = []
        number = found[rank]
        while number >= 0:
            _, number, step = walked[number]
            steps.append(step.format())
        if len(steps) <= _DEEPEST:
            yield "".join(reversed(steps)), wanted[rank]


class _Step(NamedTuple):
    """One step on a way into a value: a form with a place for *key*; written out only if shown."""

    form: str
    key: object = None

    def format(self) -> str:
        return self.form.format(self.key if self.form in _VERBATIM else _shown(self.key))


_NAME, _ATTRIBUTE, _ITEM, _KEY, _ELEMENT = "{0}", ".{0}", "[{0}]", "{{key {0}}}", "{{...}}"
_VERBATIM = (_NAME, _ATTRIBUTE)

# The methods of the base types, for a subclass may have others of the same name.
_CONTAINERS: tuple[tuple[type, Callable[[Any], Iterator[object]], str], ...] = (
    (list, list.__iter__, _ITEM),
    (tuple, tuple.__iter__, _ITEM),
    (deque, deque.__iter__, _ITEM),
    (set, set.__iter__, _ELEMENT),
    (frozenset, frozenset.__iter__, _ELEMENT),
)


def _shown(key: object) -> str:
    # Only of these types is `repr` known to be short, quick and without surprises.
    if type(key) not in _NEVER:
        return f"<{type_name(type(key))}>"
    try:
        text = repr(key)
    except ValueError:
        return "<int>"  # of more digits than Python writes out
    return text if len(text) <= _SHOWN_KEY else f"{text[:_SHOWN_KEY]}..."


def _parts(obj: object) -> Iterator[tuple[_Step, object]]:
    """Give what *obj* is made of, as far as pickle follows it, with the step to each part."""
    # Not `isinstance`, which asks `obj.__class__`, and a proxy may answer by an error.
    kind = type(obj)
    if issubclass(kind, dict):
        for key, part in dict.items(cast("dict[object, object]", obj)):
            yield _Step(_ITEM, key), part
            yield _Step(_KEY, key), key
    for base, iterate, form in _CONTAINERS:
        if issubclass(kind, base):
            for position, part in enumerate(iterate(obj)):
                yield _Step(form, position), part
    if not issubclass(kind, type | ModuleType | FunctionType):  # these pickle by name
        for attribute, part in _attributes(obj):
            yield _Step(_ATTRIBUTE, attribute), part


def _attributes(obj: object) -> Iterator[tuple[str, object]]:
    attributes = _attribute(obj, "__dict__")
    if type(attributes) is dict:
        yield from attributes.items()
    for cls in type(obj).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            yield slot, _attribute(obj, slot)


def _attribute(obj: object, name: str) -> object:
    """Give an attribute, or None if there is none: a slot may be unset, or have a mangled name."""
    try:
        # Not `getattr`, which asks the object's class first.
        return cast("object", object.__getattribute__(obj, name))
    except Exception:  # noqa: BLE001  # it may be a property of the user's; then it is not followed
        return None
