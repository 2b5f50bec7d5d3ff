"""The engines that cases can be rendered for: plait, and by their names alone another with its API.

What a template says is the same for all of them. Here is what another one calls by another name;
of what it does, nothing is assumed.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Engine:
    """What an engine calls things.

    Args:
        name: The package that flows import.
        store: What it keeps its runs in, in the folder that a flow is run in.
        expect: The module of what step bodies state expectations with.
        inputs: The function of that module that gives the inputs of a join `len`; empty if they
            have it.
        names: What plait exports under another name, or elsewhere: plait's name -> its own.
        variable: What its environment variables begin with.
        env: Environment variables that it needs.
    """

    name: str
    store: str
    expect: str = "plait_harness.expect"
    inputs: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    variable: str = "PLAIT_"
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_plait(self) -> bool:
        """Whether it is plait, whose store and processes are looked into as well."""
        return self.name == "plait"

    def translate(self, source: str) -> str:
        """Give a template's own imports of plait as this engine's."""
        if self.is_plait:
            return source
        return re.sub(
            r"^(\s*)from plait import ", rf"\1from {self.name} import ", source, flags=re.MULTILINE
        )

    def translate_files(self, files: Mapping[str, str | bytes]) -> dict[str, str | bytes]:
        """Give a template's files with the imports in those that are text."""
        return {
            path: self.translate(content) if isinstance(content, str) else content
            for path, content in files.items()
        }

    def translate_env(self, env: Mapping[str, str]) -> dict[str, str]:
        """Give environment variables by the engine's names."""
        return {
            self.variable + name.removeprefix("PLAIT_")
            if name.startswith("PLAIT_")
            else name: value
            for name, value in env.items()
        }

    def import_lines(self, names: list[str]) -> list[str]:
        """Give the lines that import names of plait's, in order, from where the engine has them."""
        plain = [name for name in names if name not in self.names]
        lines = [f"from {self.name} import {', '.join(plain)}"] if plain else []
        for name in names:
            if name in self.names:
                module, _, own = self.names[name].rpartition(".")
                module = f"{self.name}.{module}" if module else self.name
                lines.append(f"from {module} import {own}" + ("" if own == name else f" as {name}"))
        return lines


PLAIT = Engine("plait", ".plait")

METAFLOW = Engine(
    "metaflow",
    ".metaflow",
    expect="plait_harness.expect_metaflow",
    inputs="counted",
    names={
        "FailureHandledByCatch": "plugins.catch_decorator.FailureHandledByCatch",
        "MergeArtifactsException": "exception.UnhandledInMergeArtifactsException",
        "MissingInMergeArtifactsException": "exception.MissingInMergeArtifactsException",
        "Plait": "Metaflow",
        "PlaitError": "exception.MetaflowException",
        "PlaitNamespaceMismatch": "exception.MetaflowNamespaceMismatch",
        "PlaitNotFound": "exception.MetaflowNotFound",
        "TimeoutException": "plugins.timeout_decorator.TimeoutException",
    },
    variable="METAFLOW_",
    # Without a name for the user it refuses to run.
    env={"METAFLOW_USER": "harness", "USERNAME": "harness"},
)

ENGINES = {engine.name: engine for engine in (PLAIT, METAFLOW)}
"""Every engine that a context may name."""


def is_installed(engine: Engine) -> bool:
    """Say whether this interpreter could import the engine."""
    return importlib.util.find_spec(engine.name) is not None
