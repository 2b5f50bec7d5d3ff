"""`plait completion`: the script that a shell reads."""

from __future__ import annotations

import pytest

from plait.cli.commands.completion import SCRIPTS
from plait.cli.plait import call_plait


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_the_command_prints_the_script(shell: str, capsys) -> None:
    """As it is, to be read by the shell."""
    assert call_plait(["completion", shell]) == 0
    assert capsys.readouterr().out == SCRIPTS[shell]
