"""The tables of the local store of facts, and every statement that reads or writes them."""

from __future__ import annotations

from plait.metadata import guest_schema

VERSION = 3
"""The number of the schema below; a file says which one it has."""

MIGRATIONS = {
    2: (
        "ALTER TABLE run ADD COLUMN request TEXT",
        "CREATE UNIQUE INDEX run_by_request ON run (flow, request)",
    ),
    3: guest_schema.TABLES,
}
"""What brings a database of the version before to this one."""

TABLES = (
    # `last` and not the highest number in `run`: an id is never given twice, also not when the
    # newest run was removed.
    """
    CREATE TABLE flow (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        last INTEGER NOT NULL
    )""",
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        flow INTEGER NOT NULL,
        number INTEGER NOT NULL,
        created REAL NOT NULL,
        status TEXT NOT NULL,
        finished REAL,
        user_tags TEXT NOT NULL,
        system_tags TEXT NOT NULL,
        origin TEXT,
        facts TEXT NOT NULL,
        failure TEXT,
        failed_task TEXT,
        heartbeat REAL,
        request TEXT,
        UNIQUE (flow, number)
    )""",
    "CREATE INDEX run_by_status ON run (flow, status, number)",
    "CREATE UNIQUE INDEX run_by_request ON run (flow, request)",
    # Only an index of what `run` says, so that runs of a tag are found without reading the others.
    """
    CREATE TABLE tagged (
        flow INTEGER NOT NULL,
        tag TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (flow, tag, number)
    ) WITHOUT ROWID""",
    # Kept in the order in which it is listed. `position` is the index in a foreach. `ended` is
    # twice the number of the attempt that ended last, plus 1 if no other follows it, and -1 while
    # none has ended; so the higher one is the one that counts.
    """
    CREATE TABLE task (
        run INTEGER NOT NULL,
        step TEXT NOT NULL,
        number INTEGER NOT NULL,
        created REAL NOT NULL,
        finished REAL,
        status TEXT NOT NULL,
        ended INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        position INTEGER,
        origin TEXT,
        failure TEXT,
        PRIMARY KEY (run, step, number)
    ) WITHOUT ROWID""",
    *guest_schema.TABLES,
)

ADD_FLOW = "INSERT INTO flow (name, last) VALUES (?, 0) ON CONFLICT (name) DO NOTHING"

# The same as FIND_FLOW_ID; but a database with many writers keeps the others waiting from here on.
LOCK_FLOW = "SELECT flow.id FROM flow WHERE flow.name = ?"

FIND_REQUEST = "SELECT number FROM run WHERE flow = ? AND request = ?"

TAKE_NUMBER = "UPDATE flow SET last = max(last, ?) + 1 WHERE name = ?"

# Not `RETURNING`, which SQLite has only from 3.35 on.
READ_NUMBER = "SELECT id, last FROM flow WHERE name = ?"

ADD_RUN = """
    INSERT INTO run (
        flow, number, created, status, user_tags, system_tags, origin, facts, request
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""

END_RUN = "UPDATE run SET status = ?, finished = ?, failure = ?, failed_task = ? WHERE id = ?"

# A run that is taken for lost may have ended by now, see `rules.holds_end`.
LOSE_RUN = f"{END_RUN} AND status IN ('running', 'lost')"

# A run that was taken for lost and says that it goes on is not, see `rules.is_revived`.
BEAT = """
    UPDATE run SET
        heartbeat = max(coalesce(heartbeat, ?1), ?1),
        status = CASE WHEN status = 'lost' AND ?1 > finished THEN 'running' ELSE status END,
        finished = CASE WHEN status = 'lost' AND ?1 > finished THEN NULL ELSE finished END
    WHERE id = ?2"""

# Whether anything was removed, says `rowcount`.
DELETE_RUN = """
    DELETE FROM run WHERE id = ?1 AND status <> 'running' AND NOT EXISTS (
        SELECT 1 FROM run AS other
        WHERE other.flow = run.flow AND other.status = 'running'
            AND other.origin = CAST(run.number AS TEXT)
    )"""

DELETE_TASKS = "DELETE FROM task WHERE run = ?"

FIND_RUN_ID = """
    SELECT run.id FROM run JOIN flow ON run.flow = flow.id WHERE flow.name = ? AND run.number = ?"""

# The same, but only of the run that was asked for by a word.
FIND_REQUESTED_ID = f"{FIND_RUN_ID} AND run.request = ?"

# As the first, but one that keeps runs of the flow from being made and changed meanwhile.
LOCK_RUN_ID = """
    SELECT run.id FROM flow JOIN run ON run.flow = flow.id WHERE flow.name = ? AND run.number = ?"""

READ_TAGS = "SELECT flow, number, user_tags, system_tags FROM run WHERE id = ?"

SET_TAGS = "UPDATE run SET user_tags = ? WHERE id = ?"

ADD_TAGGED = "INSERT INTO tagged (flow, tag, number) VALUES (?, ?, ?)"

REMOVE_TAGGED = "DELETE FROM tagged WHERE flow = ? AND tag = ? AND number = ?"

COUNT_TAGGED = """
    SELECT count(*) FROM (SELECT 1 FROM tagged WHERE flow = ? AND tag = ? LIMIT ?) AS enough"""

# A flow whose runs were removed stays, for the sake of the ids that it gave.
LIST_FLOWS = """
    SELECT name FROM flow WHERE EXISTS (SELECT 1 FROM run WHERE run.flow = flow.id) ORDER BY name"""

FIND_FLOW_ID = "SELECT id FROM flow WHERE name = ?"

FIND_RUN = """
    SELECT run.number, run.created, run.status, run.finished, run.user_tags, run.system_tags,
        run.origin, run.facts, run.failure, run.failed_task, run.heartbeat
    FROM run JOIN flow ON run.flow = flow.id
    WHERE flow.name = ? AND run.number = ?"""

# A list of runs is put together of one beginning, any of the conditions, and its end.

LIST_RUNS = """
    SELECT run.number, run.created, run.status, run.finished, run.user_tags, run.system_tags,
        run.origin, run.facts, run.failure, run.failed_task, run.heartbeat
    FROM run
    WHERE run.flow = ? AND run.number < ?"""

# CROSS, because it tells SQLite which table to begin with.
LIST_TAGGED_RUNS = """
    SELECT run.number, run.created, run.status, run.finished, run.user_tags, run.system_tags,
        run.origin, run.facts, run.failure, run.failed_task, run.heartbeat
    FROM tagged CROSS JOIN run ON run.flow = tagged.flow AND run.number = tagged.number
    WHERE tagged.flow = ? AND tagged.number < ? AND tagged.tag = ?"""

WITH_TAG = """
    AND EXISTS (
        SELECT 1 FROM tagged AS other
        WHERE other.flow = run.flow AND other.tag = ? AND other.number = run.number
    )"""

WITH_STATUS = " AND run.status = ?"

NEWEST_RUNS = " ORDER BY run.number DESC LIMIT ?"

NEWEST_TAGGED_RUNS = " ORDER BY tagged.number DESC LIMIT ?"

LIST_STEPS = """
    SELECT step, min(created), count(*) FROM task WHERE run = (
        SELECT run.id FROM run JOIN flow ON run.flow = flow.id
        WHERE flow.name = ? AND run.number = ?
    )
    GROUP BY step ORDER BY min(created) DESC, min(number) DESC, step DESC"""

FIND_TASK = """
    SELECT number, created, finished, status, ended, attempts, position, origin, failure
    FROM task WHERE run = (
        SELECT run.id FROM run JOIN flow ON run.flow = flow.id
        WHERE flow.name = ? AND run.number = ?
    ) AND step = ? AND number = ?"""

LIST_TASKS = """
    SELECT number, created, finished, status, ended, attempts, position, origin, failure
    FROM task WHERE run = (
        SELECT run.id FROM run JOIN flow ON run.flow = flow.id
        WHERE flow.name = ? AND run.number = ?
    ) AND step = ? AND number < ?
    ORDER BY number DESC LIMIT ?"""

# The same as `rules.merge_fact`. Plain names are what is known, `excluded` is what is new; every
# right-hand side sees the row as it was.
MERGE_TASK = """
    INSERT INTO task (
        run, step, number, created, finished, status, ended, attempts, position, origin, failure
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (run, step, number) DO UPDATE SET
        created = min(created, excluded.created),
        attempts = max(attempts, excluded.attempts),
        position = coalesce(position, excluded.position),
        origin = coalesce(origin, excluded.origin),
        finished = CASE WHEN excluded.ended > ended THEN excluded.finished ELSE finished END,
        status = CASE WHEN excluded.ended > ended THEN excluded.status ELSE status END,
        failure = CASE WHEN excluded.ended > ended THEN excluded.failure ELSE failure END,
        ended = max(ended, excluded.ended)"""
