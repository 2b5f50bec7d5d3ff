"""How a flow's program is started again for a task: by an interpreter with the same switches."""

from __future__ import annotations

from plait.base.errors import UsageError


class CannotSpawn(UsageError):
    """Tasks are to be spawned, and nobody knows how to start the flow's program again."""

    slug = "cannot-spawn"

    def __init__(self) -> None:
        super().__init__(
            "tasks of this flow cannot be spawned",
            why="each would start the flow's program anew, and this one is no file that could be "
            "started: it came from a pipe or from python -c",
            fix="write the flow in a file and run that, or use --workers fork or inline",
        )


def respawn_command(command: tuple[str, ...]) -> tuple[str, ...]:
    """Give what starts a program again, with the switches of this interpreter (`-O`, `-W`, ...).

    Args:
        command: The interpreter and the program; nothing if it cannot be started again.

    Raises:
        CannotSpawn: There is nothing to start.
    """
    # `multiprocessing` asks it for the same purpose. It is private, so type stubs don't have it.
    from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]  # see above

    if not command:
        raise CannotSpawn
    python, *arguments = command
    return (python, *_args_from_interpreter_flags(), *arguments)
