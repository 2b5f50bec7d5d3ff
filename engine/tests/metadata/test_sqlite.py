"""What the SQLite store of facts does beyond the suite that all stores share."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from plait.base.pathspec import RunKey, TaskKey
from plait.metadata import schema
from plait.metadata.protocol import AttemptStarted, NewRun
from plait.metadata.sqlite import SQLiteMetadata

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="forks")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a database will be, in a folder that is not there yet."""
    return tmp_path / "deep" / ".plait" / "metadata.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteMetadata]:
    """A store on no database."""
    with closing(SQLiteMetadata(str(path))) as store:
        yield store


def start(run: RunKey, *tasks: int) -> list[AttemptStarted]:
    """Give the facts that tasks of step `s` began."""
    return [AttemptStarted(TaskKey(*run, "s", str(n)), 0, 1.0) for n in tasks]


def count(store: SQLiteMetadata, run: RunKey) -> int:
    """Give the number of tasks of step `s`."""
    return sum(step.tasks for step in store.list_steps(run) if step.step == "s")


def journal(path: Path) -> str:
    """Give the kind of journal that a database has."""
    with closing(sqlite3.connect(path)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        return str(mode)


def test_reading_makes_nothing(store: SQLiteMetadata, path: Path) -> None:
    """A store that is only read from makes neither file nor folder, and sees when one is made."""
    assert store.iter_flows() == []
    assert store.find_run(RunKey("A", "1")) is None
    assert not path.parent.parent.exists()

    with closing(SQLiteMetadata(str(path))) as other:
        other.create_run(NewRun("A", 1.0))

    assert store.iter_flows() == ["A"]


def test_an_empty_file_is_an_empty_store(store: SQLiteMetadata, path: Path) -> None:
    """A file without a byte, as a process killed at its first write leaves, is used."""
    path.parent.mkdir(parents=True)
    path.touch()

    assert store.iter_flows() == []
    assert store.create_run(NewRun("A", 1.0)) == RunKey("A", "1")


def test_place_says_where(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is the path in full, also where it was given in short."""
    path.parent.mkdir(parents=True)
    monkeypatch.chdir(path.parent)

    assert SQLiteMetadata("metadata.db").place == f"local@{path}"


def test_odd_paths_work(tmp_path: Path) -> None:
    """Characters that mean something in a URI mean nothing in a path."""
    path = tmp_path / "a b%20c?mode=memory#é" / "metadata.db"
    with closing(SQLiteMetadata(str(path))) as store:
        store.create_run(NewRun("A", 1.0))

    assert [file.name for file in path.parent.iterdir()] == ["metadata.db"]


@pytest.mark.parametrize(("network", "mode"), [(False, "wal"), (True, "delete")])
def test_the_journal_fits_the_file_system(path: Path, network: bool, mode: str) -> None:
    """There is a write-ahead log on a local file system, a rollback journal on a network's."""
    with closing(SQLiteMetadata(str(path), network=network)) as store:
        store.create_run(NewRun("A", 1.0))

    assert journal(path) == mode


def test_the_journal_is_changed_on_a_moved_database(path: Path) -> None:
    """A database that was copied to a network file system gets the journal that is safe there."""
    for network, mode in ((False, "wal"), (True, "delete"), (False, "wal")):
        with closing(SQLiteMetadata(str(path), network=network)) as store:
            store.create_run(NewRun("A", 1.0))
        assert journal(path) == mode


def test_a_removed_database_is_let_go(store: SQLiteMetadata, path: Path) -> None:
    """When the file is removed, or made anew by another process, an open store sees that."""
    store.create_run(NewRun("Old", 1.0))
    for file in path.parent.iterdir():
        file.unlink()
    assert store.iter_flows() == []

    with closing(SQLiteMetadata(str(path))) as other:
        other.create_run(NewRun("New", 1.0))

    assert store.iter_flows() == ["New"]
    assert store.create_run(NewRun("New", 1.0)) == RunKey("New", "2")


def test_readers_see_what_was_written(store: SQLiteMetadata, path: Path) -> None:
    """What one store wrote, another that is open already sees at once."""
    with closing(SQLiteMetadata(str(path))) as reader:
        for number in range(1, 4):
            key = store.create_run(NewRun("A", 1.0))
            store.record(start(key, *range(number)))

            assert len(reader.list_runs("A")) == number
            assert count(reader, key) == number


def test_threads_share_a_store(store: SQLiteMetadata) -> None:
    """Threads of one process may write and read through one store at once."""
    key = store.create_run(NewRun("A", 1.0))

    def work(thread: int) -> int:
        for number in range(20):
            store.record(start(key, 100 * thread + number))
        return count(store, key)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))

    assert max(counts) == count(store, key) == 80


@pytest.mark.parametrize(
    "query",
    [
        schema.LIST_TASKS,
        schema.FIND_TASK,
        schema.FIND_RUN,
        schema.LIST_RUNS + schema.NEWEST_RUNS,
        schema.LIST_RUNS + schema.WITH_STATUS + schema.NEWEST_RUNS,
        schema.LIST_TAGGED_RUNS + schema.WITH_TAG + schema.NEWEST_TAGGED_RUNS,
        schema.LIST_TAGGED_RUNS + schema.WITH_STATUS + schema.NEWEST_TAGGED_RUNS,
    ],
)
def test_queries_need_no_scan_and_no_sort(query: str) -> None:
    """Each query walks along an index in the order asked for, so that a page costs its length."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for table in schema.TABLES:
            connection.execute(table)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {query}", [1] * query.count("?"))
        steps = [row[-1] for row in plan]

    assert [s for s in steps if s.startswith("SCAN") or "TEMP B-TREE" in s] == []


def test_ten_thousand_tasks_are_a_few_queries(store: SQLiteMetadata) -> None:
    """Tasks are listed by the page, with one query each."""
    key = store.create_run(NewRun("A", 1.0))
    store.record(start(key, *range(10_000)))
    queries: list[str] = []
    connection = store.database._connection
    assert connection is not None
    connection.set_trace_callback(queries.append)

    tasks = list(store.list_tasks(key, "s"))
    while page := store.list_tasks(key, "s", before=tasks[-1].key.task):
        tasks.extend(page)

    assert [task.key.task for task in tasks] == [str(n) for n in reversed(range(10_000))]
    assert len(queries) == 3


# Stories of several processes are told by scripts of their own: a test's process may hold threads,
# which do not survive a fork.

WRITERS = """
import json, os, sys
from plait.base.pathspec import TaskKey
from plait.metadata.protocol import AttemptStarted, NewRun
from plait.metadata.sqlite import SQLiteMetadata

path, network, writers, records = sys.argv[1], sys.argv[2] == "True", *map(int, sys.argv[3:])
gate, opener = os.pipe()
children = []
for writer in range(writers):
    if not (child := os.fork()):
        os.close(opener)
        os.read(gate, 1)  # All wait here, and set out together when the gate opens.
        store = SQLiteMetadata(path, network=network)
        run = store.create_run(NewRun("A", 1.0, frozenset({f"writer {writer}"})))
        for number in range(records):
            store.record([AttemptStarted(TaskKey(*run, "s", str(number)), 0, 1.0)])
        store.close()
        os._exit(0)
    children.append(child)
os.close(opener)
print(json.dumps([os.waitpid(child, 0)[1] for child in children]))
"""


@posix_only
@pytest.mark.parametrize(
    ("network", "writers", "records"), [(False, 20, 3), (True, 12, 1), (False, 4, 40)]
)
def test_processes_that_start_at_once_lose_nothing(
    path: Path, network: bool, writers: int, records: int
) -> None:
    """Many processes make the database together, and each finds all that it wrote."""
    done = run_script(WRITERS, path, network, writers, records)

    assert json.loads(done) == [0] * writers
    with closing(SQLiteMetadata(str(path))) as store:
        runs = store.list_runs("A")
        assert sorted(int(run.key.run) for run in runs) == list(range(1, writers + 1))
        assert {tag for run in runs for tag in run.user_tags} == {
            f"writer {n}" for n in range(writers)
        }
        assert [count(store, run.key) for run in runs] == [records] * writers


FORKED = """
import os, sys
from plait.metadata.protocol import NewRun
from plait.metadata.sqlite import SQLiteMetadata

store = SQLiteMetadata(sys.argv[1])
store.create_run(NewRun("A", 1.0))
if not (child := os.fork()):
    store.create_run(NewRun("A", 2.0))
    store.close()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
store.create_run(NewRun("A", 3.0))
print([run.created for run in store.list_runs("A")])
store.close()
"""


@posix_only
def test_a_forked_child_gets_a_connection_of_its_own(path: Path) -> None:
    """A child that uses its parent's store neither disturbs it nor is disturbed."""
    assert run_script(FORKED, path) == "[3.0, 2.0, 1.0]\n"


KILLED = """
import sys
from plait.base.pathspec import TaskKey
from plait.metadata.protocol import AttemptStarted, NewRun
from plait.metadata.sqlite import SQLiteMetadata

store = SQLiteMetadata(sys.argv[1])
run = store.create_run(NewRun("A", 1.0))
for batch in range(1000):
    first = 10 * batch
    store.record(
        [AttemptStarted(TaskKey(*run, "s", str(n)), 0, 1.0) for n in range(first, first + 10)]
    )
    print(batch + 1, flush=True)
sys.stdin.read()
"""


@posix_only
def test_a_killed_writer_leaves_whole_batches(path: Path) -> None:
    """Of a process killed at any instant, each batch is there whole or not at all."""
    command = [sys.executable, "-c", KILLED, str(path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdout is not None
        batches = int([process.stdout.readline() for _ in range(20)][-1])
        process.send_signal(signal.SIGKILL)
        batches += len(process.stdout.readlines())

    with closing(SQLiteMetadata(str(path))) as store:
        tasks = count(store, RunKey("A", "1"))
        assert tasks % 10 == 0
        assert batches * 10 <= tasks <= (batches + 1) * 10
        assert store.create_run(NewRun("A", 1.0)) == RunKey("A", "2")


def run_script(script: str, *arguments: object) -> str:
    """Run a script and give what it printed."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return done.stdout


def test_an_interrupted_transaction_is_undone(store: SQLiteMetadata, path: Path) -> None:
    """An exception in the middle of a batch leaves nothing of it, and holds nobody up."""
    key = store.create_run(NewRun("A", 1.0))
    bad = AttemptStarted(TaskKey(*key, "s", "not a number"), 0, 1.0)

    with pytest.raises(AssertionError, match="not a number"):
        store.record([*start(key, 1), bad])

    with closing(SQLiteMetadata(str(path), wait=0)) as other:
        assert count(other, key) == 0
        other.record(start(key, 2))
    assert os.path.exists(path)
    assert count(store, key) == 1


def test_a_database_of_the_version_before_is_brought_on(store: SQLiteMetadata, path: Path) -> None:
    """What an earlier plait wrote is read as it is, and brought up to date when written to."""
    key = store.create_run(NewRun("A", 1.0))
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE guest")
        connection.execute("DROP TABLE guest_entry")
        connection.execute("DROP INDEX run_by_request")
        connection.execute("ALTER TABLE run DROP COLUMN request")
        connection.execute("PRAGMA user_version = 1")
    assert [run.key for run in store.list_runs("A")] == [key]

    made = [store.create_run(NewRun("A", 2.0, request="x")) for _ in range(2)]

    assert made == [RunKey("A", "2")] * 2
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
