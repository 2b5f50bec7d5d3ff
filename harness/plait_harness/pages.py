"""Making the pages of a report from the templates in `harness/templates`."""

from __future__ import annotations

from typing import Any

from plait_harness.home import home_path


def write_html(path: str, template: str, **facts: Any) -> None:
    """Render a template of HTML, everything in it escaped, to a file.

    Args:
        path: The file to write.
        template: The template's file name.
        facts: What it shows.
    """
    # Imported here: only the process that gathers results makes pages.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(home_path("templates")),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(environment.get_template(template).render(**facts))
