"""The class of the flow objects that steps run on: the user's, with constants and fixed names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from plait.flow.config import Config
from plait.flow.errors import FixedName
from plait.flow.members import OWN_NAMES, class_attributes
from plait.flow.parameters import Parameter
from plait.flow.step import is_step


class Fixed:
    """A method that an artifact can't take the place of: a step, or one of FlowSpec's own.

    Args:
        function: The method.
        what: What to call it when somebody tries.
    """

    def __init__(self, function: Callable[..., Any], what: str) -> None:
        self._function = function
        self._what = what

    def __get__(self, flow: object | None, owner: type) -> Any:
        return self._function if flow is None else MethodType(self._function, flow)

    def __set__(self, flow: object, value: object) -> None:
        raise FixedName(self._function.__name__, self._what)

    def __delete__(self, flow: object) -> None:
        raise FixedName(self._function.__name__, self._what)


class Constant:
    """A class attribute as steps see it: the run's value of it, a copy of its own in each task.

    The value that stands in the class would not do: each process that imports the flow evaluates
    it anew, and a list would be one object for all tasks that are forks of one process.

    Args:
        name: The attribute's name.
        value: What stands in the class.
    """

    def __init__(self, name: str, value: object) -> None:
        self._name = name
        self._value = value

    def __get__(self, flow: Any, owner: type) -> Any:
        if flow is None:
            return self._value
        return flow._plait.load(flow, self._name)  # noqa: SLF001  # it is plait's own


def is_constant(name: str, value: object) -> bool:
    """Say whether a class attribute is data, and so an artifact of every run."""
    if name.startswith("_") or isinstance(value, (Parameter, Config, ModuleType, type)):
        return False
    return not hasattr(type(value), "__get__") and not is_step(value)


def make_bound(cls: type, root: type, constants: Mapping[str, object]) -> type:
    """Make the class of the objects that steps run on.

    Args:
        cls: The user's flow.
        root: FlowSpec.
        constants: The data among its class attributes.
    """
    members: dict[str, Any] = {
        name: value
        for name, value in vars(cls).items()
        if name in ("__module__", "__qualname__", "__doc__")
    }
    for name in OWN_NAMES - {"index", "input"}:
        members[name] = Fixed(getattr(cls, name), "a method of every flow")
    for name, value in class_attributes(cls, root).items():
        if is_step(value) and isinstance(value, FunctionType):
            members[name] = Fixed(value, "a step")
        elif name in constants:
            members[name] = Constant(name, constants[name])
    return type(cls)(cls.__name__, (cls,), members)
