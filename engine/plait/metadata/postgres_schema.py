"""The tables of the shared store of facts in PostgreSQL, and its words for every statement."""

from __future__ import annotations

from functools import lru_cache

from plait.metadata import guest_schema, schema

# "plait" in ASCII: what transactions that make the tables wait for one another on.
LOCK_SCHEMA = "SELECT pg_advisory_xact_lock(482805639540)"
FIND_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = 'plait'"
FIND_MARK = "SELECT 1 FROM pg_tables WHERE schemaname = 'plait' AND tablename = 'version'"
READ_VERSION = "SELECT max(number) FROM plait.version"
SET_VERSION = "INSERT INTO plait.version (number) VALUES (%s)"
USE_SCHEMA = "SET search_path TO plait"

MIGRATIONS = {
    1: (
        "CREATE SCHEMA plait",
        "CREATE TABLE plait.version (number BIGINT PRIMARY KEY)",
        """
        CREATE TABLE plait.flow (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            last BIGINT NOT NULL
        )""",
        """
        CREATE TABLE plait.run (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            flow BIGINT NOT NULL,
            number BIGINT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            status TEXT NOT NULL,
            finished DOUBLE PRECISION,
            user_tags TEXT NOT NULL,
            system_tags TEXT NOT NULL,
            origin TEXT,
            facts TEXT NOT NULL,
            failure TEXT,
            failed_task TEXT,
            heartbeat DOUBLE PRECISION,
            UNIQUE (flow, number)
        )""",
        "CREATE INDEX run_by_status ON plait.run (flow, status, number)",
        """
        CREATE TABLE plait.tagged (
            flow BIGINT NOT NULL,
            tag TEXT NOT NULL,
            number BIGINT NOT NULL,
            PRIMARY KEY (flow, tag, number)
        )""",
        """
        CREATE TABLE plait.task (
            run BIGINT NOT NULL,
            step TEXT NOT NULL,
            number BIGINT NOT NULL,
            created DOUBLE PRECISION NOT NULL,
            finished DOUBLE PRECISION,
            status TEXT NOT NULL,
            ended BIGINT NOT NULL,
            attempts BIGINT NOT NULL,
            position BIGINT,
            origin TEXT,
            failure TEXT,
            PRIMARY KEY (run, step, number)
        )""",
    ),
    2: (
        "ALTER TABLE plait.run ADD COLUMN request TEXT",
        "CREATE UNIQUE INDEX run_by_request ON plait.run (flow, request)",
    ),
    3: (USE_SCHEMA, *guest_schema.TABLES),
}
"""What brings the database to each version of `schema` from the one before it."""

READ = {
    "flow": "SELECT sum(length(flow::text)) FROM flow",
    "run": "SELECT sum(length(run::text)) FROM run",
    "tagged": "SELECT sum(length(tagged::text)) FROM tagged",
    "task": "SELECT sum(length(task::text)) FROM task",
    "guest": "SELECT sum(length(guest::text)) FROM guest",
    "guest_entry": "SELECT sum(length(guest_entry::text)) FROM guest_entry",
}
"""What reads every row of a table."""

# `min` and `max` of two values, which values they are where a name could be two, the order of
# text by its characters, and who waits for whom: what SQLite's one writer has for free.
_REWRITTEN = {
    schema.TAKE_NUMBER: "UPDATE flow SET last = greatest(last, %s) + 1 WHERE name = %s",
    schema.LOCK_FLOW: "SELECT id FROM flow WHERE name = %s FOR UPDATE",
    schema.FIND_RUN_ID: """
        SELECT run.id FROM run JOIN flow ON run.flow = flow.id
        WHERE flow.name = %s AND run.number = %s FOR KEY SHARE OF run""",
    schema.FIND_REQUESTED_ID: """
        SELECT run.id FROM run JOIN flow ON run.flow = flow.id
        WHERE flow.name = %s AND run.number = %s AND run.request = %s FOR KEY SHARE OF run""",
    schema.LOCK_RUN_ID: """
        SELECT run.id FROM run JOIN flow ON run.flow = flow.id
        WHERE flow.name = %s AND run.number = %s FOR UPDATE""",
    schema.READ_TAGS: """
        SELECT flow, number, user_tags, system_tags FROM run WHERE id = %s FOR NO KEY UPDATE""",
    schema.BEAT: """
        UPDATE run SET
            heartbeat = greatest(heartbeat, beat.at),
            status = CASE WHEN status = 'lost' AND beat.at > finished
                THEN 'running' ELSE status END,
            finished = CASE WHEN status = 'lost' AND beat.at > finished
                THEN NULL ELSE finished END
        FROM (SELECT %s::double precision AS at) AS beat WHERE id = %s""",
    schema.DELETE_RUN: """
        DELETE FROM run WHERE id = %s AND status <> 'running' AND NOT EXISTS (
            SELECT 1 FROM run AS other
            WHERE other.flow = run.flow AND other.status = 'running'
                AND other.origin = CAST(run.number AS TEXT)
        )""",
    schema.LIST_FLOWS: """
        SELECT name FROM flow WHERE EXISTS (SELECT 1 FROM run WHERE run.flow = flow.id)
        ORDER BY name COLLATE "C" """,
    schema.LIST_STEPS: """
        SELECT step, min(created), count(*) FROM task WHERE run = (
            SELECT run.id FROM run JOIN flow ON run.flow = flow.id
            WHERE flow.name = %s AND run.number = %s
        )
        GROUP BY step ORDER BY min(created) DESC, min(number) DESC, step COLLATE "C" DESC""",
    schema.MERGE_TASK: """
        INSERT INTO task (
            run, step, number, created, finished, status, ended, attempts, position, origin, failure
        ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (run, step, number) DO UPDATE SET
            created = least(task.created, excluded.created),
            attempts = greatest(task.attempts, excluded.attempts),
            position = coalesce(task.position, excluded.position),
            origin = coalesce(task.origin, excluded.origin),
            finished = CASE WHEN excluded.ended > task.ended
                THEN excluded.finished ELSE task.finished END,
            status = CASE WHEN excluded.ended > task.ended
                THEN excluded.status ELSE task.status END,
            failure = CASE WHEN excluded.ended > task.ended
                THEN excluded.failure ELSE task.failure END,
            ended = greatest(task.ended, excluded.ended)""",
}

# Not EXISTS, which PostgreSQL makes a join of: to plan hundreds of joins takes it minutes.
_WITH_TAG = """
    AND coalesce((
        SELECT true FROM tagged AS other
        WHERE other.flow = run.flow AND other.tag = %s AND other.number = run.number
    ), false)"""


@lru_cache(maxsize=256)
def translate(statement: str) -> str:
    """Give a statement of `schema` as PostgreSQL takes it."""
    found = _REWRITTEN.get(statement)
    if found is not None:
        return found
    statement = statement.replace(schema.WITH_TAG, _WITH_TAG)
    return statement.replace("?", "%s").replace(" CROSS JOIN ", " JOIN ")
