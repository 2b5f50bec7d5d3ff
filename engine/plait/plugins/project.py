"""`@project`: flows that belong together, and which branch of their work a run is of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from plait.base.errors import Where
from plait.flow.flow_decorate import decorate_flow
from plait.hooks.flow import FlowDecorator, FlowOption, RunPlanned, RunTraits
from plait.hooks.step import BadDecorator

_LONGEST = 128


class Project(FlowDecorator):
    """Makes a flow part of a project, and each run of it part of a branch of that project.

    The branch is `user.NAME` of whoever runs it, unless one is given: then it is `test.BRANCH`.
    With *production* it is `prod`, or `prod.BRANCH`.

    Attributes:
        name: The project: lower case, digits and underscores.
        branch: The branch; may be given by `--branch` instead.
        production: Whether runs are production's; may be said by `--production` instead.
    """

    name: ClassVar[str] = "project"
    defaults: ClassVar[Mapping[str, Any]] = {"name": None, "branch": None, "production": False}
    options: ClassVar[tuple[FlowOption, ...]] = (
        FlowOption("branch", "The branch of the project that runs belong to."),
        FlowOption("production", "Make runs those of production.", is_flag=True),
    )

    def __init__(
        self, attributes: Mapping[str, Any] | None = None, *, where: Where | None = None
    ) -> None:
        super().__init__(attributes, where=where)
        project = self.attributes["name"]
        if not _is_name(project, "a-z0-9_"):
            raise BadDecorator(
                self.name,
                "it has no name" if project is None else f"name={project!r} is no project's name",
                why=f"a name is lower case, digits and underscores, at most {_LONGEST} of them",
                fix="write @project(name='fraud_detection')",
            )
        _check_branch(self.attributes["branch"])
        if not isinstance(self.attributes["production"], bool):
            raise BadDecorator(
                self.name,
                f"production={self.attributes['production']!r} is neither True nor False",
                fix="write @project(name=..., production=True)",
            )

    def plan_run(self, event: RunPlanned) -> RunTraits:
        """Tag a run with its project and branch, and let its steps ask for both."""
        for key in ("branch", "production"):
            if key in event.options and self.attributes[key]:
                raise BadDecorator(
                    self.name,
                    f"--{key} is given, and {key}= is written in the code",
                    why="it has one value, and nothing says which of them",
                    fix=f"leave one of them out, such as --{key}",
                )
        branch = event.options.get("branch", self.attributes["branch"])
        _check_branch(branch)
        production = bool(event.options.get("production", self.attributes["production"]))
        project = self.attributes["name"]
        full = format_branch(branch, production=production, user=event.user)
        return RunTraits(
            tags=frozenset({f"project:{project}", f"project_branch:{full}"}),
            current={
                "project_name": project,
                "branch_name": full,
                "is_production": production,
                "project_flow_name": f"{project}.{full}.{event.flow}",
            },
        )


def format_branch(branch: str | None, *, production: bool, user: str) -> str:
    """Give the full name of a branch.

    Args:
        branch: What was given, or None.
        production: Whether it is production's.
        user: Who runs the flow.
    """
    if production:
        return "prod" if branch is None else f"prod.{branch}"
    return f"user.{user}" if branch is None else f"test.{branch}"


def _check_branch(branch: object) -> None:
    if branch is not None and not _is_name(branch, "A-Za-z0-9_.-"):
        raise BadDecorator(
            Project.name,
            f"branch={branch!r} is no branch's name",
            why=f"a branch is letters, digits, '_', '-' and '.', at most {_LONGEST} of them",
            fix="give a name such as --branch new_model",
        )


def _is_name(text: object, characters: str) -> bool:
    return isinstance(text, str) and bool(
        re.fullmatch(f"[{characters}]{{1,{_LONGEST}}}", text, re.ASCII)
    )


def _attributes(*, name: str, branch: str | None = None, production: bool = False) -> None: ...


project = decorate_flow(Project, _attributes)
