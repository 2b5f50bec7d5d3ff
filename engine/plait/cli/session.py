"""What one call of a flow's program knows: the flow, the first options, how it was started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plait.base.errors import UsageError
from plait.base.settings import StoreChoice

if TYPE_CHECKING:
    from plait.flow.config import ConfigDeclaration
    from plait.flow.definition import FlowDefinition
    from plait.hooks.flow import FlowOption


class ConfigInResume(UsageError):
    """A config was given to a command that has them from a run there is already."""

    slug = "config-in-resume"

    def __init__(self, names: Iterable[str]) -> None:
        given = ", ".join(f"'{name}'" for name in sorted(set(names)))
        super().__init__(
            f"a resumed run takes no configs, and was given {given}",
            why="it has those of the run that it goes on with, so that what that run finished "
            "still holds",
            fix="leave --config and --config-value out, or start over with 'run'",
        )


@dataclass(frozen=True, slots=True)
class Choices:
    """The options that go before the command.

    Args:
        quiet: Whether only tasks' own lines and errors are printed.
        workers: How tasks' processes start: `fork`, `spawn` or `inline`.
        metadata: Where facts are kept.
        datastore: Where values are kept.
        datastore_root: The folder of the local store; None for the nearest `.plait`.
        event_logger: The sidecar that is told a run's events, as `NAME` or `NAME:ARGUMENT`.
        monitor: The sidecar that is told a run's numbers, in the same form.
        lint: Whether to look for mistakes that a run can do without finding.
        coverage: Whether to measure which lines of the flow's code a run reaches.
        environment: What tasks run in.
        package_suffixes: Suffixes of more files that travel with the flow's code.
        decorators: Decorators for all steps, as `--with` takes them.
        config: Name and path of each config that a file was given for.
        config_value: Name and value of each config that a value was given for, as text.
        flow_options: What was given for the options of the flow's decorators, by name.
    """

    quiet: bool = False
    workers: str = "fork"
    metadata: str = "local"
    datastore: str = "local"
    datastore_root: str | None = None
    event_logger: str = "null"
    monitor: str = "null"
    lint: bool = True
    coverage: bool = False
    environment: str = "local"
    package_suffixes: str = ""
    decorators: tuple[str, ...] = ()
    config: tuple[tuple[str, str], ...] = ()
    config_value: tuple[tuple[str, str], ...] = ()
    flow_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stores(self) -> StoreChoice:
        """Which stores are meant."""
        return StoreChoice(self.datastore_root, self.datastore, self.metadata)


@dataclass(slots=True)
class Session:
    """One call of a flow's program.

    Args:
        flow_class: The user's class.
        program: What the user typed to start it, such as `python flow.py`; for messages.
        command: The arguments that start it again: the interpreter and the script.
        choices: The options before the command; set once they are read.
    """

    flow_class: type
    program: str
    command: tuple[str, ...]
    choices: Choices = field(default_factory=Choices)
    _definitions: dict[tuple[str, ...], FlowDefinition] = field(default_factory=dict)
    _configs: Mapping[str, Any] | None = None

    @property
    def flow_name(self) -> str:
        """The flow's name."""
        return self.flow_class.__name__

    def find_flow_options(self) -> list[tuple[str, FlowOption]]:
        """Give the options that decorators of the flow bring, each with the decorator's name."""
        from plait.flow.flow_decorate import flow_decorators_of
        from plait.flow.step import PendingDecorator

        return [
            (decorator.name, option)
            for decorator in flow_decorators_of(self.flow_class)
            for option in (
                decorator.decorator.options  # type: ignore[union-attr]  # one of a flow
                if isinstance(decorator, PendingDecorator)
                else decorator.options
            )
        ]

    def read_definition(self, more: Sequence[str] = ()) -> FlowDefinition:
        """Validate the flow and give what it is.

        Args:
            more: Decorators for all steps beside those given before the command.

        Raises:
            InvalidFlow: The flow breaks rules; holds every finding.
        """
        from plait.flow.definition import read_definition

        decorators = (*self.choices.decorators, *more)
        if decorators not in self._definitions:
            self._definitions[decorators] = read_definition(
                self.flow_class,
                with_=decorators,
                configs=self._load_configs(),
                lint=self.choices.lint,
            )
        return self._definitions[decorators]

    def use_configs(self, read: Callable[[Mapping[str, ConfigDeclaration]], Any]) -> None:
        """Take the values of the flow's configs, if it has any, from a run there is already.

        Args:
            read: Gives the values of configs, by the names that steps use.

        Raises:
            ConfigInResume: The command line gave some, too.
        """
        from plait.flow.definition import read_declared

        given = (*self.choices.config, *self.choices.config_value)
        if given:
            raise ConfigInResume(name for name, _ in given)
        _, declared = read_declared(self.flow_class)
        self._configs = read(declared) if declared else {}

    def _load_configs(self) -> Mapping[str, Any]:
        if self._configs is None:
            from plait.flow.definition import read_declared

            _, declared = read_declared(self.flow_class)
            chosen = self.choices
            if declared or chosen.config or chosen.config_value:
                from plait.flow.config_load import load_configs
                from plait.flow.config_source import GivenConfigs

                given = GivenConfigs(chosen.config, chosen.config_value)
                self._configs = load_configs(self.flow_name, declared, given, os.environ)
            else:
                self._configs = {}
        return self._configs

    def respawn_command(self, more: Sequence[str] = ()) -> tuple[str, ...]:
        """Give the arguments that start this program again with the same choices, up to a command.

        Nothing if there is no way to start it again.

        Args:
            more: Decorators for all steps beside those given before the command.
        """
        if not self.command:
            return ()
        chosen = self.choices
        options = [f"--metadata={chosen.metadata}", f"--datastore={chosen.datastore}"]
        if chosen.datastore_root is not None:
            options.append(f"--datastore-root={chosen.datastore_root}")
        if not chosen.lint:
            options.append("--no-lint")
        options.extend(f"--with={spec}" for spec in (*chosen.decorators, *more))
        return (*self.command, *options)


def describe_start() -> tuple[str, tuple[str, ...]]:
    """Say how this process was started.

    Returns:
        What the user typed, for messages, and the arguments that start it again; none for what
        came from a pipe or from `-c`, which only the first process could read.
    """
    import shlex

    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if spec is not None:
        name = spec.name.removesuffix(".__main__")
        return f"python -m {name}", (sys.executable, "-m", name)
    script = sys.argv[0]
    if script in ("", "-", "-c"):
        return f"python {script}".rstrip(), ()
    # Python notes the file by its full name, before the flow's module can change the folder.
    noted = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    path = noted if os.path.basename(noted) == os.path.basename(script) else script
    return f"python {shlex.quote(script)}", (sys.executable, os.path.abspath(path))
