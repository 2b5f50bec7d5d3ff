"""What a fork of the prepared process does to become a script, and to end as one.

Imported by `zygote`, and like it by its place, so that a script finds no more of the harness.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    # `typing` itself is not loaded in every interpreter.
    from collections.abc import Collection, Mapping
    from types import TracebackType
    from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_CAPBSET_DROP = 24

IN_SPITE_OF_PERMISSIONS = (1, 2)
"""Capabilities of Linux by which root writes and reads in spite of permissions."""


_system_call: Any = None

_out_of_sight: list[Any] = []
"""Modules of the harness's own that a script is not to find."""


def set_process_option(option: int, value: int) -> None:
    """Call prctl where there is one."""
    global _system_call  # noqa: PLW0603  # found before the first fork: to find it costs 2 ms
    if sys.platform == "linux":
        if _system_call is None:
            import ctypes

            _system_call = ctypes.CDLL(None).prctl
        _system_call(option, value, 0, 0, 0)


def become(request: Mapping[str, Any], loaded: Collection[str]) -> None:
    """Turn this child into the script: everything that `python script.py` would find set.

    Args:
        request: What to become.
        loaded: The modules that the script may find loaded.
    """
    import signal

    set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != request["parent"]:
        os._exit(137)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["cwd"])
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for target, path, how in (
        (0, os.devnull, os.O_RDONLY),
        (1, request["stdout"], write),
        (2, request["stderr"], write),
    ):
        opened = os.open(path, how, 0o666)
        os.dup2(opened, target)
        os.close(opened)
    os.closerange(3, 1024)
    limit(request["limits"])
    if request["program"]:
        program = request["program"]
        # What Python ignores for itself is not ignored in a program started from a shell.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execve(program[0], [*program, *request["argv"]], request["env"])
    os.environ.clear()
    os.environ.update(request["env"])
    argv = request["argv"]
    sys.argv = list(argv)
    sys.orig_argv = [sys.executable, *argv]
    sys.path.insert(0, os.path.dirname(os.path.abspath(argv[0])))
    if not request["keep"]:
        more = [name for name in sys.modules if name not in loaded and name != "__main__"]
        # Out of sight, and not taken apart: that costs more than the fork.
        _out_of_sight.extend(sys.modules.pop(name) for name in more)


def limit(limits: Mapping[str, Any]) -> None:
    """Give up what the script is not to have."""
    if "umask" in limits:
        os.umask(limits["umask"])
    if "open_files" in limits:
        from resource import RLIMIT_NOFILE, setrlimit

        setrlimit(RLIMIT_NOFILE, (limits["open_files"],) * 2)
    if limits.get("as_anybody"):
        # What root has left out for good, a program that it becomes does not get.
        for capability in IN_SPITE_OF_PERMISSIONS:
            set_process_option(PR_CAPBSET_DROP, capability)


def run_script(argv: list[str]) -> NoReturn:
    """Run a script as the main module and leave the process as an interpreter would.

    Args:
        argv: The script and its arguments.
    """
    path = os.path.abspath(argv[0])
    main = type(sys)("__main__")
    # Kept, or else the functions that are running here would lose their globals.
    sys.modules["__main__"], kept = main, sys.modules["__main__"]
    from importlib.machinery import SourceFileLoader

    main.__dict__.update(
        __file__=path,
        __builtins__=__builtins__,
        __loader__=SourceFileLoader("__main__", path),
        __annotations__={},
        __cached__=None,
    )
    code = 1
    try:
        with open(path, "rb") as file:
            program = compile(file.read(), path, "exec", dont_inherit=True)
        exec(program, main.__dict__)  # noqa: S102  # this is what a main module is
        code = 0
    except SystemExit as leaving:
        code = exit_code(leaving.code)
    except BaseException as error:  # noqa: BLE001  # the interpreter's own last resort
        code = show_exception(error)
    assert kept is not main
    leave(code)


def exit_code(code: object) -> int:
    """Give the number for what `sys.exit` was given, printing it if it is a message."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def show_exception(error: BaseException) -> int:
    """Print a traceback as the interpreter does, from the script's own first frame on."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    sys.excepthook(type(error), error.with_traceback(trace), trace)
    return -2 if isinstance(error, KeyboardInterrupt) else 1


def leave(code: int) -> NoReturn:
    """End the process in the interpreter's order: threads, exit functions, output."""
    import atexit

    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # noqa: SLF001  # what the interpreter calls
    atexit._run_exitfuncs()  # noqa: SLF001  # what the interpreter calls
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            code = code or 120  # as the interpreter says that output was lost
    if code == -2:
        import signal

        # An uncaught Ctrl-C ends a process by the signal, so that a shell sees why.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(code)
