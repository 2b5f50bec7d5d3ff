"""The command `plait service`: the metadata service, in this terminal until it is ended."""

from __future__ import annotations

import sys

import click

from plait.cli.command import Command, Option
from plait.cli.screen import Screen


@click.command(
    cls=Command,
    examples={
        "--db sqlite:///facts.db": "for this machine, in a file",
        "--db postgresql://plait@db/plait --host 0.0.0.0 --token-file token": "for a team",
    },
)
@click.option(
    "--db", cls=Option, metavar="URL", help="The database: sqlite:///FILE or "
    "postgresql://USER@HOST/DATABASE; else it is PLAIT_SERVICE_DB, where a password may be.",
)  # fmt: skip
@click.option("--host", cls=Option, default="127.0.0.1", help="The address to listen on.")
@click.option(
    "--port", cls=Option, type=click.IntRange(0, 65535), default=8080,
    help="The port to listen on; 0 takes a free one.",
)  # fmt: skip
@click.option(
    "--token-file", cls=Option, metavar="FILE",
    help="The file that holds the token; else it is PLAIT_SERVICE_TOKEN.",
)  # fmt: skip
@click.option(
    "--interface", cls=Option, type=click.Choice(["all", "metaflow"]), default="all",
    help="What it speaks: plait's interface and Metaflow's, or Metaflow's alone.",
)  # fmt: skip
def service(db: str | None, host: str, port: int, token_file: str | None, interface: str) -> None:
    """Keep facts about runs for all who share them, over HTTP.

    Runs write to it with --metadata service and PLAIT_SERVICE_URL. It ends in order on SIGTERM.
    """
    from plait import __version__
    from plait.base.settings import resolve
    from plait.service.connections import Patience
    from plait.service.serve import read_token, serve

    token = read_token(token_file)
    patience = Patience(
        head=float(resolve("service-head-seconds").value or 0),
        idle=float(resolve("service-idle-seconds").value or 0),
        most=int(resolve("service-connections").value or 0),
    )
    serve(
        db or resolve("service-db").value or "",
        host=host,
        port=port,
        token=token,
        version=__version__,
        tell=Screen(sys.stderr).line,
        own_interface=interface == "all",
        patience=patience,
    )
