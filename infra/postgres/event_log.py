"""The EventLog port on PostgreSQL: appends through one writer's connection, reads through the library's pool."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import PersistenceError
from psycopg.rows import tuple_row
from psycopg_pool import PoolTimeout

from commands.ports import (
    Append,
    AvailableJob,
    CommandRecord,
    DueDelivery,
    DueTimer,
    IndexedDefinition,
    StoredEvent,
)
from domain.errors import StorageUnavailable
from infra.postgres.appender import Appender
from infra.postgres.message_index import PostgresMessageIndex
from infra.postgres.recorder import Ledger, LedgerRecorder, ledger_env

READ_ATTEMPTS = 3
"""After a restart of the server the pool's connections are dead: the first read finds out, the next has fresh ones."""

_LOAD = """
WITH newest AS MATERIALIZED (
    SELECT DISTINCT ON (originator_id) originator_id, originator_version, topic, state
    FROM stored_snapshots WHERE %(snapshots)s AND originator_id = ANY(%(streams)s)
    ORDER BY originator_id, originator_version DESC
)
SELECT originator_id, originator_version, topic, state, 0::bigint FROM newest
UNION ALL
SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id
FROM unnest(%(streams)s) AS u(id)
LEFT JOIN newest ON newest.originator_id = u.id
CROSS JOIN LATERAL (
    SELECT * FROM stored_events
    WHERE originator_id = u.id AND originator_version > coalesce(newest.originator_version, 0)
) AS e
ORDER BY 1, 2
"""
_READ = """
SELECT originator_id, originator_version, topic, state, notification_id
FROM stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT %s
"""
_COMMANDS = """
SELECT c.tenant, c.command_id, c.body_hash, c.result, c.position
FROM unnest(%s::text[], %s::text[]) AS u(tenant, command_id)
JOIN command_ids AS c ON c.tenant = u.tenant AND c.command_id = u.command_id
"""
_JOBS = """
SELECT j.instance_key, j.local FROM unnest(%s::text[]) AS u(tenant) CROSS JOIN LATERAL (
    SELECT instance_key, local, available_at FROM wait_jobs
    WHERE tenant = u.tenant AND type = %s AND available_at <= %s
    ORDER BY available_at, instance_key, local LIMIT %s
) AS j ORDER BY j.available_at, j.instance_key, j.local LIMIT %s
"""
_TIMERS = """
SELECT instance_key, local, due FROM wait_timers WHERE due <= %s ORDER BY due, instance_key, local LIMIT %s
"""
_DELIVERIES = "SELECT instance_key, local, kind, peer FROM wait_deliveries ORDER BY instance_key, local LIMIT %s"
_DEFINITIONS = """
SELECT tenant, kind, id, version, key, stream, stream_version, deployment_key, version_tag FROM definition_index
WHERE kind = %(kind)s AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s)
AND (%(id)s::text IS NULL OR id = %(id)s) AND (%(key)s::bigint IS NULL OR key = %(key)s)
ORDER BY id, version DESC
"""


class PostgresEventLog(PostgresMessageIndex):
    """Implements `commands.ports.EventLog`. Opens its connections at once; `close` ends them.

    url: any form that libpq takes. pool_size, max_overflow: of the readers' pool, which the notification log,
    subscriptions (a connection each) and tracking recorders of `ledger` use too. timeout: seconds that a read waits
    for a connection.
    """

    def __init__(self, url: str, pool_size: int = 4, max_overflow: int = 12, timeout: int = 2) -> None:
        self._appender = Appender(url)
        try:
            self.ledger = Ledger(ledger_env(url, pool_size, max_overflow, timeout))
        except PersistenceError as error:
            raise StorageUnavailable(f"the event log cannot be reached: {error}") from error
        recorder = self.ledger.recorder
        assert isinstance(recorder, LedgerRecorder)
        recorder.appender = self._appender
        self.recorder = recorder

    def close(self) -> None:
        """Close all connections."""
        self._appender.close()
        self.ledger.close()

    def append(self, batch: Sequence[Append]) -> Sequence[int]:
        """One statement, one transaction."""
        return self._appender.append(batch)

    def load(self, streams: Sequence[UUID], snapshots: bool = True) -> dict[UUID, list[StoredEvent]]:
        """The events of each stream that has any, from its newest snapshot on."""
        loaded: dict[UUID, list[StoredEvent]] = {}
        for row in self._rows(_LOAD, {"streams": list(streams), "snapshots": snapshots}):
            loaded.setdefault(row[0], []).append(StoredEvent._make(row))
        return loaded

    def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        """In the order of positions."""
        return [StoredEvent._make(row) for row in self._rows(_READ, (after, limit))]

    def last_position(self) -> int:
        """The highest position in the log, 0 when it is empty."""
        ((position,),) = self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events", ())
        return int(position)

    def find_commands(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CommandRecord]:
        """By the primary key of command_ids."""
        tenants, command_ids = [tenant for tenant, _ in ids], [command_id for _, command_id in ids]
        rows = self._rows(_COMMANDS, (tenants, command_ids))
        return {(row[0], row[1]): CommandRecord._make(row) for row in rows}

    def available_jobs(self, tenants: Sequence[str], job_type: str, now: int, limit: int) -> Sequence[AvailableJob]:
        """By the index (tenant, type, available_at), one range a tenant."""
        return [AvailableJob._make(row) for row in self._rows(_JOBS, (list(tenants), job_type, now, limit, limit))]

    def due_timers(self, now: int, limit: int) -> Sequence[DueTimer]:
        """By the index on due."""
        return [DueTimer._make(row) for row in self._rows(_TIMERS, (now, limit))]

    def next_timer(self, after: int = -1) -> int | None:
        """By the index on due."""
        ((due,),) = self._rows("SELECT min(due) FROM wait_timers WHERE due > %s", (after,))
        return None if due is None else int(due)

    def due_deliveries(self, limit: int) -> Sequence[DueDelivery]:
        """By the primary key: those of the oldest instances first."""
        return [DueDelivery._make(row) for row in self._rows(_DELIVERIES, (limit,))]

    def find_definitions(
        self, kind: str, tenant: str | None, id: str | None = None, key: int | None = None
    ) -> Sequence[IndexedDefinition]:
        """A small table: one statement for every question."""
        parameters = {"kind": kind, "tenant": tenant, "id": id, "key": key}
        return [IndexedDefinition._make(row) for row in self._rows(_DEFINITIONS, parameters)]

    def key_block_owner(self, block: int) -> int | None:
        """By the primary key of key_blocks."""
        rows = self._rows("SELECT instance_key FROM key_blocks WHERE block = %s", (block,))
        return int(rows[0][0]) if rows else None

    def _rows(self, query: str, parameters: Any) -> list[tuple[Any, ...]]:
        """Reading may be repeated without harm, so a lost connection is not the caller's concern at once."""
        datastore = self.recorder.datastore
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                with datastore.get_connection() as connection:
                    cursor = connection.cursor(row_factory=tuple_row, binary=True)
                    return cursor.execute(query, parameters, prepare=True).fetchall()
            except PersistenceError as error:
                if not isinstance(error.__cause__, psycopg.OperationalError):
                    raise
                if attempt == READ_ATTEMPTS or isinstance(error.__cause__, PoolTimeout):
                    raise StorageUnavailable(f"the event log cannot be read: {error}") from error
                datastore.pool.check()
        raise AssertionError("unreachable")
