"""Pages out of templates: one file each, which loads nothing and runs nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from plait.base.version import VERSION
from plait.cards.page import POLICY, read_style
from plait.cards.values import format_bytes
from plait.report.errors import ReportExtraMissing
from plait.report.words import count, format_moment, format_seconds

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = os.path.dirname(__file__)


def render_page(template: str, facts: Mapping[str, Any]) -> str:
    """Give a page.

    Args:
        template: The file's name in `templates`.
        facts: What the template shows, by the names that it uses.

    Raises:
        ReportExtraMissing: Jinja2 is not installed.
    """
    try:
        import jinja2  # noqa: F401  # whether it is there is what is asked
    except ImportError as error:
        raise ReportExtraMissing("Jinja2") from error
    return (
        _environment()
        .get_template(template)
        .render(policy=POLICY, style=read_style() + _read_own_style(), version=VERSION, **facts)
    )


def write_page(page: str, file: str) -> str:
    """Write a page to *file*, whole or not at all, and give the file's full name."""
    path = os.path.abspath(file)
    draft = f"{path}.{os.getpid()}.part"
    try:
        with open(draft, "w", encoding="utf-8", errors="backslashreplace") as target:
            target.write(page)
        os.replace(draft, path)
    except BaseException as error:
        if isinstance(error, OSError):
            error.filename = file  # the draft is not what anybody asked for
        if os.path.exists(draft):
            os.unlink(draft)
        raise
    return path


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(os.path.join(_HERE, "templates")),
        # Names, values and logs are other people's text: all of it is escaped.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        bytes=format_bytes, count=count, moment=format_moment, seconds=format_seconds
    )
    return environment


@cache
def _read_own_style() -> str:
    with open(os.path.join(_HERE, "templates", "report.css"), encoding="utf-8") as file:
        return file.read()
