"""The projector's two ends in PostgreSQL: the log's tail that it reads, and the read models that it writes.

The sink commits asynchronously (`synchronous_commit = off`): rows and position are one transaction, so a crash of the
server takes both back to an earlier moment together and the log, whose commits are durable, fills them up again.
"""

from __future__ import annotations

import re
import selectors
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import tuple_row

from commands.ports import StoredEvent
from domain.errors import InvalidState, LogCorrupt, StorageUnavailable
from infra.postgres.read_models_sql import ChangesWriter, integer_array, text_array
from projections.registry import TABLES, project
from projections.rows import Changes, Table
from streams.feeds import LOG_SOURCE, Place, Refused
from streams.projector import Move, PositionMoved, RowsRefused, SetAside
from streams.store_feed import decode_batch

SCHEMA = "read_model"
TRACKING = "read_models"
NEW_EVENTS_CHANNEL = "stored_events"
_LEAD_LOCK_CLASS = 7307

BATCH_BYTES = 16 * 1024 * 1024
"""About how much is read at once: events may be large, and a batch of them is held in memory."""

# Events up to the one that exceeds the bytes, but always one. Sizes are read without the values themselves.
_READ = """
SELECT originator_id, originator_version, topic, state, notification_id FROM (
    SELECT *, sum(octet_length(state)) OVER (ORDER BY notification_id) - octet_length(state) AS bytes_before
    FROM stored_events WHERE notification_id > %s ORDER BY notification_id LIMIT %s
) AS batch WHERE bytes_before <= %s ORDER BY notification_id
"""

_SESSION = (
    "SET synchronous_commit = off",
    "SET plan_cache_mode = force_generic_plan",
    # Rows are always found by their keys (see TableWriter): no other way of joining is worth a thought.
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
)

Connection = psycopg.Connection[tuple[Any, ...]]


@contextmanager
def storage_errors() -> Iterator[None]:
    """Lost connections as StorageUnavailable."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StorageUnavailable(f"the database cannot be reached: {error}") from error


def checked_schema(schema: str) -> str:
    """A schema name that may stand in a statement; ValueError otherwise."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
        raise ValueError(f"not a schema name: {schema!r}")
    return schema


def connect(url: str) -> Connection:
    """An autocommit connection. Raises StorageUnavailable."""
    with storage_errors():
        return psycopg.connect(url, autocommit=True, connect_timeout=10, row_factory=tuple_row)


def start_text(schema: str) -> str:
    """The statement that notes: nothing is projected yet, and the log is the source."""
    columns = "application_name, source, notification_id"
    return f"INSERT INTO {schema}.tracking ({columns}) VALUES ('{TRACKING}', '{LOG_SOURCE}', 0)"  # noqa: S608


class PostgresTail:
    """The log's tail (streams.store_feed.LogTail) on one connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._woken = False

    def _open(self) -> Connection:
        if self._connection is None:
            connection = connect(self._url)
            connection.add_notify_handler(self._wake)
            connection.execute(f"LISTEN {NEW_EVENTS_CHANNEL}")
            self._connection = connection
        return self._connection

    def _wake(self, _notification: psycopg.Notify) -> None:
        self._woken = True

    def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        """Events with position > after, ascending."""
        self._woken = False
        try:
            with storage_errors(), self._open().cursor(binary=True) as cursor:
                cursor.execute(_READ, (after, limit, BATCH_BYTES), prepare=True)
                return [StoredEvent._make(row) for row in cursor.fetchall()]
        except StorageUnavailable:
            self.close()
            raise

    def wait(self, timeout: float) -> None:
        """Return when something was appended since the last read began, or after `timeout` seconds."""
        if self._woken:
            return
        connection = self._open()
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            if not selector.select(timeout):
                return
        try:
            with storage_errors():
                connection.pgconn.consume_input()
                while connection.pgconn.notifies() is not None:
                    pass
        except StorageUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresSink:
    """The read models in one schema (streams.projector.Sink), written by one runner on one connection.

    shared: other runners may write beside this one, each from other sources (the partitions of a topic)."""

    def __init__(
        self, url: str, schema: str = SCHEMA, tables: Mapping[str, Table] = TABLES, shared: bool = False
    ) -> None:
        self._url = url
        self._shared = shared
        self._schema = checked_schema(schema)
        self._writer = ChangesWriter(self._schema, tables)
        self._connection: Connection | None = None
        self._known_aside: frozenset[UUID] = frozenset()

    def _open(self) -> Connection:
        if self._connection is None:
            connection = connect(self._url)
            for statement in _SESSION:
                connection.execute(statement)
            self._connection = connection
        return self._connection

    def lead(self, timeout: float) -> bool:
        """Hold the session's advisory lock of this schema, alone or shared: others that it excludes stand by."""
        return self._lock("pg_try_advisory_lock_shared" if self._shared else "pg_try_advisory_lock", timeout)

    def lead_alone(self, timeout: float) -> bool:
        """The same, and nobody else beside."""
        return self._lock("pg_try_advisory_lock", timeout)

    def _lock(self, function: str, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        with self._closing_on_loss():
            while True:
                row = self._one(f"SELECT {function}(%s, hashtext(%s))", (_LEAD_LOCK_CLASS, self._schema))
                if row[0]:
                    return True
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.05)

    def place(self, source: str) -> Place:
        """How far the rows are in a source. Raises InvalidState if they are not fed from it."""
        place = self.places().get(source)
        if place is None:
            raise InvalidState(f"the read models are not fed from '{source}'")
        return place

    def places(self) -> dict[str, Place]:
        """How far the rows are in each source that they are fed from."""
        text = f"SELECT source, notification_id, next_offset, epoch FROM {self._schema}.tracking "  # noqa: S608
        with self._closing_on_loss():
            rows = self._open().execute((text + "WHERE application_name = %s").encode(), (TRACKING,)).fetchall()
            return {row[0]: Place(*row[1:]) for row in rows}

    def replace_sources(self, sources: Sequence[str], position: int) -> None:
        """Be fed from these sources from `position` on, and from no others. The lead must be held alone."""
        with self._closing_on_loss():
            connection = self._open()
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(
                    f"DELETE FROM {self._schema}.tracking WHERE application_name = %s RETURNING reflects_at".encode(),  # noqa: S608
                    (TRACKING,),
                )
                reflects_at = min((row[0] for row in cursor.fetchall()), default=0)
                cursor.executemany(
                    f"INSERT INTO {self._schema}.tracking (application_name, source, notification_id, reflects_at) "  # noqa: S608
                    "VALUES (%s, %s, %s, %s)",
                    [(TRACKING, source, position, reflects_at) for source in sources],
                )

    def quarantined(self) -> Collection[UUID]:
        """The streams that are set aside."""
        with self._closing_on_loss(), self._open().cursor() as cursor:
            self._known_aside = self._streams_aside(cursor)
            return self._known_aside

    def _streams_aside(self, cursor: psycopg.Cursor[Any]) -> frozenset[UUID]:
        cursor.execute(f"SELECT DISTINCT stream FROM {self._schema}.quarantine", prepare=True)  # noqa: S608 - checked name
        return frozenset(row[0] for row in cursor.fetchall())

    def write(self, changes: Changes, aside: Sequence[SetAside], move: Move) -> None:
        """See streams.projector.Sink.write."""
        with self._closing_on_loss(), self._refusals():
            connection = self._open()
            with connection.transaction(), connection.cursor() as cursor:
                self._move(cursor, move)
                if aside:
                    self._check_aside(cursor, aside)
                self._execute(cursor, changes)
                if aside:
                    cursor.execute(*self._quarantine(aside))
                if move.refused:
                    self._keep_refused(cursor, move.refused)

    def _move(self, cursor: psycopg.Cursor[Any], move: Move) -> None:
        place = move.place
        text = (
            f"UPDATE {self._schema}.tracking SET notification_id = %s, reflects_at = greatest(reflects_at, %s), "  # noqa: S608
            "next_offset = CASE WHEN %s < 0 THEN next_offset ELSE %s END, "
            "epoch = CASE WHEN %s < 0 THEN epoch ELSE %s END "
            "WHERE application_name = %s AND source = %s AND notification_id = %s"
        )
        offset = place.offset
        values = (place.position, move.reflects_at, offset, offset, offset, place.epoch)
        cursor.execute(text, (*values, TRACKING, move.source, move.expected), prepare=True)
        if cursor.rowcount != 1:
            raise PositionMoved(
                f"the read models are no longer at position {move.expected} of '{move.source}': another projector "
                "writes them"
            )

    def _check_aside(self, cursor: psycopg.Cursor[Any], aside: Sequence[SetAside]) -> None:
        """A stream whose later events are about to be set aside must still be set aside itself."""
        relied_on = self._known_aside.intersection(row.stream for row in aside)
        if relied_on and not relied_on <= self._streams_aside(cursor):
            raise PositionMoved("a stream was redriven while its later events were about to be set aside")

    def _execute(self, cursor: psycopg.Cursor[Any], changes: Changes) -> None:
        for text, arrays in self._writer.statements(changes):
            cursor.execute(text.encode(), arrays, prepare=True)

    def _quarantine(self, aside: Sequence[SetAside]) -> tuple[bytes, list[str]]:
        text = (
            f"INSERT INTO {self._schema}.quarantine (position, stream, version, topic, reason) "  # noqa: S608
            "SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::bigint[], %s::text[], %s::text[])"
        )
        return text.encode(), [
            integer_array([row.position for row in aside]),
            text_array(str(row.stream) for row in aside),
            integer_array([row.version for row in aside]),
            text_array(row.topic for row in aside),
            text_array(row.reason for row in aside),
        ]

    def _keep_refused(self, cursor: psycopg.Cursor[Any], refused: Sequence[Refused]) -> None:
        text = (
            f"INSERT INTO {self._schema}.refused_records (source, record_offset, reason, headers, value) "  # noqa: S608
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
        )
        rows = [(row.source, row.offset, row.reason, row.headers.replace("\0", "\ufffd"), row.value) for row in refused]
        cursor.executemany(text, rows)

    def redrive(self, stream: UUID) -> int:
        """Project the events of a stream that are set aside, in order, and let the stream go on; how many there were.

        Raises ProjectionFailed, LogCorrupt or RowsRefused if they still cannot be projected; then nothing changed.
        The runner is held off meanwhile by the tracking row.
        """
        with self._closing_on_loss(), self._refusals():
            connection = self._open()
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                cursor.execute(f"SELECT 1 FROM {self._schema}.tracking FOR UPDATE")  # noqa: S608 - checked name
                cursor.execute(
                    "SELECT e.originator_id, e.originator_version, e.topic, e.state, e.notification_id "  # noqa: S608
                    f"FROM {self._schema}.quarantine q JOIN stored_events e ON e.notification_id = q.position "
                    "WHERE q.stream = %s ORDER BY q.position",
                    (stream,),
                )
                stored = [StoredEvent(*row) for row in cursor.fetchall()]
                if not stored:
                    return 0
                batch = decode_batch(stored)
                if batch.undecodable:
                    raise LogCorrupt(batch.undecodable[0].reason)
                self._execute(cursor, project(batch.events))
                cursor.execute(f"DELETE FROM {self._schema}.quarantine WHERE stream = %s", (stream,))  # noqa: S608
        return len(stored)

    def empty(self) -> None:
        """Forget everything (offline): all tables empty, position 0 of the log. The runner's lead must be held."""
        names = ", ".join(f"{self._schema}.{name}" for name in (*TABLES, "quarantine", "refused_records"))
        with self._closing_on_loss():
            connection = self._open()
            with connection.transaction():
                connection.execute(f"TRUNCATE {names}".encode())
                forget = f"DELETE FROM {self._schema}.tracking WHERE application_name = '{TRACKING}'"  # noqa: S608
                connection.execute(forget.encode())
                connection.execute(start_text(self._schema).encode())

    def _one(self, text: str, parameters: Sequence[Any]) -> tuple[Any, ...]:
        row = self._open().execute(text.encode(), parameters).fetchone()
        assert row is not None, "the statement always gives one row"
        return row

    @contextmanager
    def _closing_on_loss(self) -> Iterator[None]:
        try:
            with storage_errors():
                yield
        except StorageUnavailable:
            self.close()
            raise

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded, UnicodeError) as error:
            raise RowsRefused(f"the rows are refused: {error}") from error

    def close(self) -> None:
        """Close the connection (which gives up the lead)."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
