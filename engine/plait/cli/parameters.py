"""A flow's parameters as options of the commands that start a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from plait.base.errors import UsageError
from plait.cli.command import Command, Option
from plait.cli.session import Session

if TYPE_CHECKING:
    from plait.base.errors import Finding
    from plait.flow.parameters import Parameter

_GIVEN = "plait.cli.given_parameters"


class ParameterCommand(Command):
    """A command whose options include the parameters of the flow it is called for."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the flow's parameters, then the command's own options."""
        # Asked for many times in one call, and each option is to be the same object each time.
        options: list[click.Parameter] | None = ctx.meta.get(f"{_GIVEN}.options")
        if options is None:
            options = ctx.meta[f"{_GIVEN}.options"] = self.make_options(ctx)
        return [*options, *super().get_params(ctx)]

    def find_mistakes(self, ctx: click.Context) -> Sequence[Finding]:
        """Give what is wrong with the values of the flow's parameters."""
        from plait.flow.parameters import resolve_parameters

        try:
            resolve_parameters(_session(ctx).read_definition(), given_parameters(ctx))
        except UsageError as error:
            return error.findings
        return ()

    def make_options(self, ctx: click.Context) -> list[click.Parameter]:
        """Make the options for the flow's parameters."""
        definition = _session(ctx).read_definition()
        section = f"Parameters of {definition.name}"
        return [
            _make_option(parameter, position, section)
            for position, parameter in enumerate(definition.parameters.values())
        ]


class ResumeCommand(ParameterCommand):
    """A command that knows the flow's parameters only to say that it takes none."""

    def find_mistakes(self, ctx: click.Context) -> Sequence[Finding]:
        """Say of each parameter that was given that there is none to give."""
        from plait.runtime.origin import ParameterInResume

        given = given_parameters(ctx)
        return ParameterInResume(given).findings if given else ()

    def make_options(self, ctx: click.Context) -> list[click.Parameter]:
        """Make the options, which help leaves out."""
        # By their names alone: the rest may depend on configs, which come from the run resumed.
        from plait.flow.definition import read_declared

        parameters, _ = read_declared(_session(ctx).flow_class)
        return [
            Option(
                [*_spell(str(parameter.name)), f"parameter_{position}"],
                is_flag=False,
                flag_value="true",
                hidden=True,
                expose_value=False,
                allow_from_autoenv=False,
                callback=_keeper(str(parameter.name)),
            )
            for position, parameter in enumerate(parameters.values())
        ]


def given_parameters(ctx: click.Context) -> dict[str, object]:
    """Give the text that the command line gave for each parameter, by the parameter's name."""
    given: dict[str, object] = ctx.meta.get(_GIVEN, {})
    return given


def _session(ctx: click.Context) -> Session:
    session = ctx.find_object(Session)
    assert session is not None, "only a flow's program has parameters"
    return session


def _keeper(name: str) -> Callable[[click.Context, click.Parameter, str | None], None]:
    def keep(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta.setdefault(_GIVEN, {})[name] = value

    return keep


def _spell(name: str) -> list[str]:
    # `_` and `-` are the same in a parameter's name.
    spellings = (name, name.replace("_", "-"), name.replace("-", "_"))
    return list(dict.fromkeys(f"--{spelling}" for spelling in spellings))


def _make_option(parameter: Parameter, position: int, section: str) -> Option:
    from plait.flow.parameters import describe
    from plait.flow.types import Scalar

    about = describe(parameter)
    words = about.words[:1].upper() + about.words[1:]
    notes = [f"{about.help.rstrip('.')}. {words}." if about.help else f"{words}."]
    if about.default is not None:
        notes.append(f"[default: {about.default}]")
    if about.required:
        notes.append("[required]")
    # A truth value may be given by its name alone.
    alone: dict[str, Any] = (
        {"is_flag": False, "flag_value": "true"} if parameter.kind == Scalar(bool) else {}
    )
    return Option(
        # A name of its own for click, so that no parameter is taken for an option of the command.
        [*_spell(about.name), f"parameter_{position}"],
        type=str,
        metavar="|".join(about.choices) or "VALUE",
        help="  ".join(notes),
        section=section,
        expose_value=False,
        # `resolve_parameters` reads the environment itself, and knows more of it.
        allow_from_autoenv=False,
        callback=_keeper(about.name),
        **alone,
    )
