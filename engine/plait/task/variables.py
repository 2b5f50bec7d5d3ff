"""Environment variables that are there for one attempt and gone after it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType


class variables_set:  # noqa: N801  # it reads as what holds while it is entered
    """Sets variables while it is entered, and puts back what was there before.

    Args:
        variables: Name to value. Other variables that are changed meanwhile stay as they are.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._former: dict[str, str | None] = {}

    def __enter__(self) -> None:
        for name, value in self._variables.items():
            self._former[name] = os.environ.get(name)
            os.environ[name] = value

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, value in self._former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
