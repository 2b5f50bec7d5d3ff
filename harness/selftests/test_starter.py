"""The prepared process: a script forked from it meets what `python script.py` would meet."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from waiting import wait_for

from plait_harness.starter import Command, PreparedProcess, Starter, StarterLost

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks a prepared process")

LOOK = """
import json, os, sys
names = [n for n in ("threading", "signal") if n in sys.modules]
import signal, threading
seen = {
    "argv": sys.argv,
    "orig_argv": sys.orig_argv,
    "executable": sys.executable,
    "flags": str(sys.flags),
    "path": sys.path,
    "prefix": sys.prefix,
    "cwd": os.getcwd(),
    "environ": dict(os.environ),
    "umask": os.umask(0o22),
    "files": sorted(os.listdir("/proc/self/fd")),
    "stdin": os.readlink("/proc/self/fd/0"),
    "leads_session": os.getsid(0) == os.getpid(),
    "signals": {s.name: str(signal.getsignal(s)) for s in signal.valid_signals()
                if isinstance(s, signal.Signals)},
    "blocked": [str(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
    "threads": threading.active_count(),
    "trace": str(sys.gettrace()),
    "recursion": sys.getrecursionlimit(),
    "encoding": [sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering,
                 sys.stderr.encoding, sys.stderr.errors, sys.getfilesystemencoding()],
    "globals": sorted(globals()),
    "main": [sys.modules["__main__"].__dict__ is globals(), __name__, __file__, str(__spec__),
             __package__, __doc__, type(__loader__).__name__, __cached__],
    "warnings": [str(w) for w in sys.warnoptions],
    "harness": sorted(m for m in sys.modules if m.startswith("plait_harness")),
    "pickles": __import__("pickle").dumps(len).decode("latin-1"),
}
with open("seen.json", "w") as file:
    json.dump(seen, file)
"""

ENDINGS = {
    "quiet": "pass",
    "exit": "import sys; sys.exit(7)",
    "exit 300": "import sys; sys.exit(300)",
    "exit none": "import sys; sys.exit()",
    "exit message": "import sys; print('before'); sys.exit('so long')",
    "exception": "def deep():\n    1/0\nprint('before')\ndeep()",
    "chained": "try:\n    1/0\nexcept ZeroDivisionError:\n    raise ValueError('bad') from None",
    "group": "raise ExceptionGroup('many', [ValueError('1'), KeyError(2)])",
    "syntax": "x = = 1",
    "os exit": "import os; print('lost'); os._exit(3)",
    "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "interrupted": "raise KeyboardInterrupt",
    "at exit": "import atexit; atexit.register(print, 'last'); print('first')",
    "thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.05), print('thread'))).start()\nprint('main')",
    "hook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1/0",
    "unicode": "print('gr\\u00fcn \\U0001f40d'); import sys; sys.stderr.write('\\udc80\\n')",
}


@pytest.fixture
def both_ways(tmp_path, prepared, base_env):
    """Give a function that runs a script forked and afresh, and gives how each went."""

    def run(source: str, *arguments: str, **env: str):
        outcomes = []
        for fresh in (False, True):
            folder = tmp_path / "here"
            folder.mkdir(exist_ok=True)
            (folder / "script.py").write_text(source)
            command = Command(
                argv=["script.py", *arguments],
                env={**base_env, **env},
                cwd=str(folder),
                stdout=str(tmp_path / "out"),
                stderr=str(tmp_path / "err"),
                timeout=20.0,
                fresh=fresh,
            )
            assert prepared.can_fork(command) is not fresh
            ended = prepared.run(command)
            seen = folder / "seen.json"
            outcomes.append(
                {
                    "code": ended.code,
                    "left": ended.left,
                    "timed_out": ended.timed_out,
                    "out": (tmp_path / "out").read_bytes(),
                    "err": (tmp_path / "err").read_bytes(),
                    "seen": json.loads(seen.read_text()) if seen.exists() else None,
                }
            )
            if seen.exists():
                seen.unlink()
        return outcomes

    return run


def test_a_forked_script_meets_what_a_started_one_meets(both_ways):
    """Arguments, environment, paths, files, signals, the main module: all are the same."""
    forked, fresh = both_ways(LOOK, "one", "--two", FOO="bar")

    assert forked["code"] == 0, forked["err"]
    assert forked["seen"]["harness"] == []
    assert forked == fresh


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_forked_script_ends_as_a_started_one_ends(both_ways, ending):
    """Exit code, output, and traceback to the letter."""
    forked, fresh = both_ways(ENDINGS[ending])

    assert forked == fresh


def test_lost_output_has_an_exit_code_of_its_own(both_ways):
    """As from the interpreter itself, though the sentence that goes with it is not the same."""
    lost = "import os, sys; print('x'); sys.stdout.flush(); os.close(1); print('y')"
    forked, fresh = both_ways(lost)

    assert (forked["code"], forked["out"]) == (fresh["code"], fresh["out"]) == (120, b"x\n")


def test_a_forked_script_does_not_find_the_harness_loaded(both_ways):
    """What is loaded beyond a fresh start is of the engine, of what it needs, or of Python."""
    source = "import sys, json; json.dump(sorted(sys.modules), open('seen.json', 'w'))"
    forked, fresh = both_ways(source)

    more = {name.partition(".")[0] for name in forked["seen"]} - set(sys.stdlib_module_names)
    assert {name for name in fresh["seen"] if name not in forked["seen"]} == set()
    assert "plait_harness" not in more
    assert not more & {"pytest", "jinja2", "jsonschema", "xdist", "coverage", "numpy"}


def test_a_forked_flow_runs_as_a_started_one_runs(both_ways):
    """The same flow leaves the same artifacts, log and exit code, and pickles its own classes."""
    source = textwrap.dedent(
        """
        import sys
        from plait import FlowSpec, Parameter, step

        class Point:
            def __init__(self, x): self.x = x
            def __repr__(self): return f"Point({self.x})"

        class PointFlow(FlowSpec):
            alpha = Parameter("alpha", default=1)

            @step
            def start(self):
                self.items = [1, 2, 3]
                self.next(self.inner, foreach="items")

            @step
            def inner(self):
                self.point = Point(self.input + self.alpha)
                print("inner", self.index, __name__, sys.argv[0])
                self.next(self.join)

            @step
            def join(self, inputs):
                self.points = [i.point for i in inputs]
                self.next(self.end)

            @step
            def end(self):
                print(self.points)

        if __name__ == "__main__":
            PointFlow()
        """
    )
    results = []
    for command in (
        ["--quiet", "run", "--alpha", "4", "--run-id-file", "id"],
        ["dump", "1/end"],
        ["logs", "1/inner"],
        ["logs", "2/inner"],
        ["dump", "9/inner"],
        ["run", "--alpha", "x"],
        ["nonsense"],
        ["show"],
    ):
        forked, fresh = both_ways(source, *command, PLAIT_USER="me")
        results.append(forked["code"])
        if command[-1] != "id":
            assert forked == fresh, command
    assert results == [0, 0, 0, 0, 2, 2, 2, 0]


def test_what_is_read_at_the_start_of_an_interpreter_makes_it_a_fresh_one(prepared, base_env):
    """A variable that Python reads once, an option, or another interpreter can't be forked."""

    def can_fork(**facts: object) -> bool:
        env = {**base_env, **facts.pop("env", {})}  # type: ignore[dict-item]  # a dict of text
        where = {"cwd": "/", "stdout": "", "stderr": "", "timeout": 1.0}
        return prepared.can_fork(Command(argv=["x.py"], env=env, **where, **facts))

    assert can_fork()
    assert can_fork(env={"PLAIT_USER": "x"})
    assert can_fork(python=(sys.executable,))
    assert not can_fork(env={"PYTHONOPTIMIZE": "1"})
    assert not can_fork(env={"LC_ALL": "tr_TR.UTF-8"})
    assert not can_fork(env={"TZ": "Asia/Tokyo"})
    assert not can_fork(python=(sys.executable, "-O"))
    assert not can_fork(python=("/usr/bin/other-python",))
    assert not can_fork(fresh=True)


def run_forked(prepared, base_env, folder, source, timeout=20.0, **facts):
    """Run a script forked, and give how it ended."""
    (folder / "script.py").write_text(source)
    return prepared.run(
        Command(
            argv=["script.py"],
            env=base_env,
            cwd=str(folder),
            stdout=str(folder / "out"),
            stderr=str(folder / "err"),
            timeout=timeout,
            **facts,
        )
    )


def test_other_options_of_the_interpreter_are_used(prepared, base_env, tmp_path):
    """`python -O` runs without assertions."""
    ended = run_forked(prepared, base_env, tmp_path, "assert False", python=(sys.executable, "-O"))

    assert ended.code == 0


@pytest.mark.parametrize("fresh", [False, True])
def test_what_takes_too_long_is_killed_with_all_that_it_started(
    prepared, base_env, tmp_path, fresh
):
    """Its children die with it, those in sessions of their own too."""
    source = (
        "import os, time\n"
        "for own in (False, True):\n"
        "    if os.fork() == 0:\n"
        "        if own: os.setsid()\n"
        "        break\n"
        "with open(f'pid-{os.getpid()}', 'w'): pass\n"
        "time.sleep(60)\n"
    )
    ended = run_forked(prepared, base_env, tmp_path, source, timeout=0.5, fresh=fresh)

    pids = [int(path.name[4:]) for path in tmp_path.glob("pid-*")]
    assert (ended.timed_out, ended.code, len(pids)) == (True, -signal.SIGKILL, 3)
    assert [pid for pid in pids if os.path.exists(f"/proc/{pid}")] == []


def test_what_is_left_behind_is_told_and_killed(prepared, base_env, tmp_path):
    """A process that moved to a session and a folder of its own is found all the same."""
    source = (
        "import os, time\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os.setsid(); os.chdir('/'); time.sleep(60)\n"
        "print(pid)\n"
    )
    ended = run_forked(prepared, base_env, tmp_path, source)

    pid = (tmp_path / "out").read_text().strip()
    assert ended.code == 0
    assert [each.split()[0] for each in ended.left] == [pid]
    assert not os.path.exists(f"/proc/{pid}")


def test_what_ends_in_a_moment_is_not_left_behind(prepared, base_env, tmp_path):
    """A process that only needs a little longer is waited for."""
    source = "import os, time\nif os.fork() == 0: time.sleep(0.1)\n"
    ended = run_forked(prepared, base_env, tmp_path, source)

    assert ended.left == ()


def test_commands_may_be_started_from_within_one(prepared, base_env, tmp_path):
    """A judge, itself forked, has its commands forked too."""
    inner = {
        "argv": ["inner.py"],
        "env": base_env,
        "cwd": str(tmp_path),
        "stdout": str(tmp_path / "inner.out"),
        "stderr": str(tmp_path / "inner.err"),
        "timeout": 5.0,
    }
    (tmp_path / "inner.py").write_text("print('from within'); raise SystemExit(5)")
    source = (
        "import sys\n"
        "from plait_harness.starter import Command, Starter\n"
        f"starter = Starter({prepared.address!r}, {base_env!r})\n"
        f"sys.exit(starter.run(Command(**{inner!r})).code)\n"
    )
    ended = run_forked(prepared, base_env, tmp_path, source, keep=True)

    assert ended.code == 5, (tmp_path / "err").read_text()
    assert (tmp_path / "inner.out").read_text() == "from within\n"


def test_a_prepared_process_that_can_not_start_says_why(base_env):
    """What it printed is in the error."""
    with pytest.raises(StarterLost, match="No module named 'not_to_be_found'"):
        PreparedProcess(base_env, engine=["not_to_be_found"], judge=[])


def test_a_prepared_process_that_died_is_told(base_env, tmp_path):
    """Who asks a dead one gets an error, not silence."""
    with PreparedProcess(base_env, engine=[], judge=[]) as process:
        source = f"import os, signal; os.kill({process._process.pid}, signal.SIGKILL)"
        with pytest.raises(StarterLost, match="died"):
            run_forked(process, base_env, tmp_path, source)
    with pytest.raises(StarterLost, match="gone"):
        run_forked(Starter("/nowhere/socket", base_env), base_env, tmp_path, "pass")


def test_all_dies_with_the_worker(base_env, tmp_path):
    """When the worker is killed, its prepared process and all that that started end too."""
    (tmp_path / "sleep.py").write_text("import time; print('up', flush=True); time.sleep(60)")
    worker = (
        "import os, sys\n"
        "from plait_harness.starter import Command, PreparedProcess\n"
        f"env = {base_env!r}\n"
        "process = PreparedProcess(env, engine=[], judge=[])\n"
        "print(process._process.pid, flush=True)\n"
        f"process.run(Command(['sleep.py'], env, {str(tmp_path)!r}, {str(tmp_path / 'out')!r},"
        f" {str(tmp_path / 'err')!r}, 60.0))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", worker], stdout=subprocess.PIPE, env={**os.environ}
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        wait_for(lambda: (tmp_path / "out").exists() and (tmp_path / "out").read_text())
        (child,) = children_of(pid)
        process.kill()
    wait_for(lambda: not is_running(pid) and not is_running(child))


def children_of(pid: int) -> list[int]:
    """Give the children of a process."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def is_running(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
