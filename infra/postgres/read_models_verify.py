"""Verification on PostgreSQL (projections/verify.py): one repeatable-read snapshot for the log, the wait-state index
and the read models, and a rebuild in a schema of its own, which is dropped afterwards. The system may run meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any

import psycopg

from domain.errors import InvalidState
from infra.postgres.read_models import catch_up
from infra.postgres.read_models_sink import (
    SCHEMA,
    TRACKING,
    Connection,
    PostgresSink,
    PostgresTail,
    connect,
    start_text,
    storage_errors,
)
from infra.postgres.read_models_sources import limits_of
from projections.registry import TABLES
from projections.verify import LogEvent, LogStream, Progress, Report, TableCheck, verify
from projections.verify_waits import StartRow, WaitRow
from streams.feeds import Place
from streams.store_feed import StoreFeed

REBUILD_SCHEMA = "read_model_rebuild"
FETCH = 5_000
SHOWN_DIFFERENCES = 5
_COMPARED = (*TABLES, "quarantine")

# Every stream's events, snapshots and wait-state rows, merged in the order of stream ids (an instance's is its key).
_STREAMS = """
SELECT originator_id AS id, 0 AS kind, originator_version AS a, notification_id AS b, topic AS text, state,
       0::bigint AS c FROM stored_events
UNION ALL SELECT originator_id, 1, originator_version, 0, topic, state, 0 FROM stored_snapshots
UNION ALL SELECT lpad(to_hex(instance_key), 32, '0')::uuid, 2, local, available_at, type, NULL, element FROM wait_jobs
UNION ALL SELECT lpad(to_hex(instance_key), 32, '0')::uuid, 3, local, due, '', NULL, element FROM wait_timers
UNION ALL SELECT lpad(to_hex(instance_key), 32, '0')::uuid, 4, block, 0, '', NULL, 0 FROM public.key_blocks
UNION ALL SELECT lpad(to_hex(instance_key), 32, '0')::uuid, 5, local, peer, kind, NULL, 0 FROM wait_deliveries
UNION ALL SELECT lpad(to_hex(instance_key), 32, '0')::uuid, 6, local, heard,
                 concat_ws(E'\x1f', kind, name, key, process_id), NULL, position FROM wait_subscriptions
UNION ALL SELECT lpad(to_hex(message_key), 32, '0')::uuid, 7, 0, expires_at,
                 array_to_string(ARRAY[name, key, message_id] || taken, E'\x1f'), NULL, position FROM wait_messages
UNION ALL SELECT lpad(to_hex(key), 32, '0')::uuid, 8, local, 0, name, NULL, position FROM wait_signals
ORDER BY id, kind, a
"""


_OF_MESSAGES = {6: "subscription", 7: "message", 8: "signal"}
_STARTS = "SELECT definition_key, element_id, due, remaining, cycle, kind, name, process_id FROM start_events"


def verify_all(url: str, progress: Progress = lambda what, done: None) -> Report:
    """Verify log, wait-state index and read models of a database. Raises InvalidState while another does."""
    with storage_errors(), connect(url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            return verify(PostgresLog(connection), PostgresReadModels(connection, url), progress)


class PostgresLog:
    """projections.verify.VerifiedLog in the connection's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def streams(self) -> Iterator[LogStream]:
        """See VerifiedLog.streams."""
        with self._connection.cursor(name="streams", binary=True) as cursor:
            cursor.itersize = FETCH
            cursor.execute(_STREAMS)
            for stream, rows in groupby(cursor, key=itemgetter(0)):
                events: list[LogEvent] = []
                snapshots: list[LogEvent] = []
                waits: set[WaitRow] = set()
                for _, kind, a, b, text, state, c in rows:
                    match kind:
                        case 0:
                            events.append(LogEvent(a, b, text, state))
                        case 1:
                            snapshots.append(LogEvent(a, b, text, state))
                        case 2:
                            waits.add(WaitRow("job", a, c, b, text))
                        case 3:
                            waits.add(WaitRow("timer", a, c, b))
                        case 4:
                            waits.add(WaitRow("block", a))
                        case 5:
                            waits.add(WaitRow("delivery", a, 0, b, text))
                        case _:
                            waits.add(WaitRow(_OF_MESSAGES[kind], a, c, b, text))
                yield LogStream(stream, events, snapshots, frozenset(waits))

    def start_events(self) -> frozenset[StartRow]:
        """See VerifiedLog.start_events."""
        return frozenset(StartRow(*row) for row in self._connection.execute(_STARTS).fetchall())


class PostgresReadModels:
    """projections.verify.VerifiedReadModels: the live tables in the connection's transaction, the rebuild beside it."""

    def __init__(self, connection: Connection, url: str, schema: str = SCHEMA) -> None:
        self._connection = connection
        self._url = url
        self._schema = schema

    def position(self) -> int:
        """See VerifiedReadModels.position."""
        return min((place.position for place in self.places().values()), default=0)

    def places(self) -> dict[str, Place]:
        """How far the read models are in each of their sources."""
        text = f"SELECT source, notification_id FROM {self._schema}.tracking WHERE application_name = %s"  # noqa: S608
        rows = self._connection.execute(text.encode(), (TRACKING,)).fetchall()
        return {source: Place(position) for source, position in rows}

    def set_aside(self) -> int:
        """See VerifiedReadModels.set_aside."""
        return int(_one(self._connection, f"SELECT count(*) FROM {self._schema}.quarantine")[0])  # noqa: S608

    def check(self, progress: Callable[[str, int], None]) -> Iterable[TableCheck]:
        """See VerifiedReadModels.check."""
        places = self.places()
        until = max((place.position for place in places.values()), default=0)
        with _rebuild_schema(self._url, self._schema) as (rebuilt, sink):
            feed = StoreFeed(PostgresTail(self._url))
            try:
                catch_up(feed, sink, lambda position: progress("rebuild", position), until, limits_of(places))
            finally:
                feed.close()
            for table in _COMPARED:
                progress(table, until)
                yield self._compare(rebuilt, table)

    def _compare(self, rebuilt: Connection, table: str) -> TableCheck:
        rows, checksum = _checksum(self._connection, self._schema, table)
        rebuilt_rows, rebuilt_checksum = _checksum(rebuilt, REBUILD_SCHEMA, table)
        differences: list[str] = []
        if (rows, checksum) != (rebuilt_rows, rebuilt_checksum):
            key = TABLES[table].key if table in TABLES else ("position",)
            live = _rows(self._connection, self._schema, table, key)
            differences = _differences(live, _rows(rebuilt, REBUILD_SCHEMA, table, key))
        return TableCheck(table, rows, checksum, rebuilt_rows, rebuilt_checksum, differences)


@contextmanager
def _rebuild_schema(url: str, like: str) -> Iterator[tuple[Connection, PostgresSink]]:
    """An empty copy of the read models' tables; one verification at a time."""
    sink = PostgresSink(url, REBUILD_SCHEMA)
    try:
        if not sink.lead(0):
            raise InvalidState("the read models are being verified already: wait for that to end")
        with connect(url) as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {REBUILD_SCHEMA} CASCADE")
            connection.execute(f"CREATE SCHEMA {REBUILD_SCHEMA}")
            try:
                for table in (*_COMPARED, "tracking"):
                    made = f"CREATE UNLOGGED TABLE {REBUILD_SCHEMA}.{table} (LIKE {like}.{table} INCLUDING ALL)"
                    connection.execute(made.encode())
                connection.execute(start_text(REBUILD_SCHEMA).encode())
                yield connection, sink
            finally:
                connection.execute(f"DROP SCHEMA {REBUILD_SCHEMA} CASCADE")
    finally:
        sink.close()


def _one(connection: Connection, text: str, parameters: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    row = connection.execute(text.encode(), parameters).fetchone()
    assert row is not None, "the statement always gives one row"
    return row


def _checksum(connection: Connection, schema: str, table: str) -> tuple[int, str]:
    """The number of rows, and the sum of the hashes of their texts: independent of their order."""
    text = f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {schema}.{table} t"  # noqa: S608
    row = _one(connection, text)
    return int(row[0]), str(row[1])


def _rows(connection: Connection, schema: str, table: str, key: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    """(key, whole row as text), in the order of keys."""
    columns = ", ".join(f't.{column} COLLATE "C"' if column == "element_id" else f"t.{column}" for column in key)
    text = f"SELECT t::text, {columns} FROM {schema}.{table} t ORDER BY {columns}"  # noqa: S608 - own identifiers
    with connection.transaction(), connection.cursor(name=f"rows_{schema}") as cursor:
        cursor.itersize = FETCH
        cursor.execute(text.encode())
        for row in cursor:
            yield tuple(row[1:]), row[0]


def _differences(live: Iterator[tuple[Any, str]], rebuilt: Iterator[tuple[Any, str]]) -> list[str]:
    """The first rows that are only in one of two sorted lists, or differ."""
    found: list[str] = []
    left, right = next(live, None), next(rebuilt, None)
    while (left or right) and len(found) < SHOWN_DIFFERENCES:
        if right is None or (left is not None and left[0] < right[0]):
            assert left is not None
            found.append(f"{_key(left)} is {left[1]}, and not in the rebuild")
            left = next(live, None)
        elif left is None or right[0] < left[0]:
            found.append(f"{_key(right)} is missing; the rebuild has {right[1]}")
            right = next(rebuilt, None)
        else:
            if left[1] != right[1]:
                found.append(f"{_key(left)} is {left[1]}, rebuilt {right[1]}")
            left, right = next(live, None), next(rebuilt, None)
    return found


def _key(row: tuple[Any, str]) -> str:
    return "row " + ", ".join(map(str, row[0]))
