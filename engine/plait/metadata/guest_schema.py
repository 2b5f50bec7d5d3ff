"""The statements about what guests keep: clients of another engine, by an interface of its own."""

from __future__ import annotations

TABLES = (
    # Flows, runs, steps and tasks alike. `path` is made of names and numbers; `name` is what a
    # client calls a run or a task that it did not have numbered; `last` the last number given
    # below it.
    """
    CREATE TABLE guest (
        path TEXT NOT NULL PRIMARY KEY,
        parent TEXT NOT NULL,
        number BIGINT NOT NULL,
        name TEXT,
        created BIGINT NOT NULL,
        heartbeat BIGINT,
        last BIGINT NOT NULL,
        facts TEXT NOT NULL
    )""",
    "CREATE INDEX guest_by_parent ON guest (parent, number)",
    "CREATE UNIQUE INDEX guest_by_name ON guest (parent, name)",
    # What is told of a task, many at a time. `kind` is `artifact` or `metadata`.
    """
    CREATE TABLE guest_entry (
        run TEXT NOT NULL,
        step TEXT NOT NULL,
        task TEXT NOT NULL,
        kind TEXT NOT NULL,
        number BIGINT NOT NULL,
        attempt BIGINT NOT NULL,
        name TEXT NOT NULL,
        created BIGINT NOT NULL,
        facts TEXT NOT NULL,
        PRIMARY KEY (run, step, task, kind, number)
    )""",
)

ADD = """
    INSERT INTO guest (path, parent, number, name, created, last, facts)
    VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT (path) DO NOTHING"""

# Whoever has changed a row keeps others from doing so until its transaction ends.
LOCK = "UPDATE guest SET last = last WHERE path = ?"

TAKE_NUMBERS = "UPDATE guest SET last = last + ? WHERE path = ?"

READ_LAST = "SELECT last FROM guest WHERE path = ?"

FIND = "SELECT path, name, created, heartbeat, facts FROM guest WHERE path = ?"

FIND_NAMED = "SELECT path FROM guest WHERE parent = ? AND name = ?"

LIST = """
    SELECT path, name, created, heartbeat, facts FROM guest
    WHERE parent = ? ORDER BY number DESC, path"""

BEAT = "UPDATE guest SET heartbeat = ? WHERE path = ?"

SET_FACTS = "UPDATE guest SET facts = ? WHERE path = ?"

ADD_ENTRY = """
    INSERT INTO guest_entry (run, step, task, kind, number, attempt, name, created, facts)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

REMOVE_ENTRY = """
    DELETE FROM guest_entry
    WHERE run = ? AND step = ? AND task = ? AND kind = ? AND attempt = ? AND name = ?"""

# A list of entries is put together of one beginning, any of the conditions, and its end.

LIST_ENTRIES = """
    SELECT step, task, number, attempt, name, created, facts FROM guest_entry
    WHERE run = ? AND kind = ?"""

OF_STEP = " AND step = ?"

OF_TASK = " AND task = ?"

OF_ATTEMPT = " AND attempt = ?"

CALLED = " AND name = ?"

OLDEST_ENTRIES = " ORDER BY created, step, task, number"
