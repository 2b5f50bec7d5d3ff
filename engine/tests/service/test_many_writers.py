"""Many processes that write facts at once, by a service with PostgreSQL: no error, none lost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from plait.base.pathspec import RunKey
from plait.metadata.http import HTTPMetadata
from plait.metadata.protocol import Status
from plait_harness.services import metadata_program, start

WRITERS = int(os.environ.get("PLAIT_TEST_WRITERS", "4"))
"""How many write at once; `tox -e torture` has fifty."""

TASKS = int(os.environ.get("PLAIT_TEST_TASKS", "120"))
"""How many tasks they tell of in all; `tox -e torture` has ten thousand."""

WRITER = '''
"""A run's process, as the service sees it: it begins a run, tells of its tasks, and ends it."""

import sys

from plait.base.pathspec import TaskKey
from plait.metadata.http import HTTPMetadata
from plait.metadata.protocol import AttemptEnded, AttemptStarted, NewRun, RunBeat, RunEnded, Status

url, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = HTTPMetadata(url, end_seconds=0.0)
sys.stdin.readline()
run = store.create_run(NewRun("Shared", 1.0, frozenset({name}), frozenset({"user:ada"})))
for number in range(1, count + 1):
    task = TaskKey(*run, f"s{number % 3}", str(number))
    store.record([AttemptStarted(task, 0, 2.0, number)])
    if number % 5 == 0:
        store.record([AttemptEnded(task, 0, 3.0, ok=False, final=False)])
        store.record([AttemptStarted(task, 1, 4.0)])
    store.record([AttemptEnded(task, int(number % 5 == 0), 5.0, ok=True, final=True)])
    if number % 50 == 0:
        store.record([RunBeat(run, float(number))])
        store.change_tags(run, add=frozenset({f"at {number}"}))
store.record([RunEnded(run, 9.0, Status.DONE)])
store.close()
print(run.run)
'''


def test_no_fact_of_many_writers_is_lost(new_database: Callable[[], str], tmp_path: Path) -> None:
    """Every run has an id of its own, and every task that was told of is there as it ended."""
    shares = [TASKS // WRITERS + (n < TASKS % WRITERS) for n in range(WRITERS)]
    with ExitStack() as opened:
        service = opened.enter_context(start(metadata_program(new_database()), str(tmp_path)))
        writers = [
            opened.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, service.url, f"writer {n}", str(share)],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True, cwd=tmp_path,
                )
            )
            for n, share in enumerate(shares)
        ]  # fmt: skip
        begun = time.monotonic()
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.write("go\n")
            writer.stdin.flush()
        said = [writer.communicate(timeout=600) for writer in writers]
        seconds = time.monotonic() - begun
        print(f"{WRITERS} writers, {TASKS} tasks: {seconds:.1f} s, {TASKS / seconds:.0f} tasks/s")

        assert [error for _, error in said if error] == []
        runs = [RunKey("Shared", answer.strip()) for answer, _ in said]
        assert sorted(int(run.run) for run in runs) == list(range(1, WRITERS + 1))
        with closing(HTTPMetadata(service.url)) as store:
            for n, (run, share) in enumerate(zip(runs, shares, strict=True)):
                found = store.find_run(run)
                assert found is not None
                beats = range(50, share + 1, 50)
                assert found.status is Status.DONE
                assert found.user_tags == {f"writer {n}", *(f"at {beat}" for beat in beats)}
                assert found.heartbeat == (float(beats[-1]) if beats else None)
                tasks = {
                    int(task.key.task): (task.status, task.attempts, task.attempt, task.index)
                    for step in store.list_steps(run)
                    for task in store.list_tasks(run, step.step)
                }
                assert tasks == {
                    number: (Status.DONE, *((2, 1) if number % 5 == 0 else (1, 0)), number)
                    for number in range(1, share + 1)
                }
        assert Path(service.log).read_text(encoding="utf-8").count("\n") == 1
