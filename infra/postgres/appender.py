"""The writer's connection: one prepared statement a batch, sent through libpq itself, and reconnection with back-off.

psycopg's pipeline mode is not used: it hangs on messages of 1 MB and more (3.3.9). A plain `exec_prepared` does not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import chain

import psycopg
from psycopg import pq

from commands.ports import Append, CommandRecord
from domain.errors import AlreadyExists, ConcurrentWrite, DomainError, InvalidArgument, LogCorrupt, StorageUnavailable
from domain.process_instance.wait_states import WaitChange
from infra.postgres.append_parts import Part
from infra.postgres.append_sql import append_statement
from infra.postgres.binary import bytea_array, int8_array, read_int8, text_array, uuid_array, uuid_element
from infra.postgres.message_sql import encode_messages
from infra.postgres.wait_rows import Rows, WaitRows

MAX_BATCH_BYTES = 256 << 20
BACKOFF_FIRST, BACKOFF_MOST = 0.05, 1.0
_BINARY = 1

# The same plan always, by the indexes: a plan made while the wait tables are nearly empty must not stay when they grow.
_SESSION = (
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;"
    " SET enable_mergejoin = off; SET jit = off; SET synchronous_commit = on;"
    " SET lock_timeout = '20s'; SET statement_timeout = '120s'"
)
CONNECTION = {
    "connect_timeout": "3",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
}
"""A peer that is gone without a word is noticed within 15 s; then the outcome is unknown, and the caller is told."""

# SQLSTATE classes of failures that lie with the server, not with the statement: connection, insufficient resources,
# object in use (somebody holds the writers' lock), operator intervention, system error.
_UNAVAILABLE = ("08", "53", "55", "57", "58")
_UNIQUE_VIOLATION = "23505"
_TAKEN = {
    "wait_messages_id": "a message with this name, correlation key and message id is kept already",
    "wait_subscriptions_start_key": "an active instance of this process was started with this correlation key",
}
"""Unique indexes by which a command is refused for good."""
_RACES = ("stored_events_pkey", "command_ids_pkey", "definition_index_pkey")


class Appender:
    """Appends batches over its own connection; calls from several threads take turns."""

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._prepared: set[Part] = set()
        self._retry_at = 0.0
        self._backoff = BACKOFF_FIRST

    def append(self, batch: Sequence[Append]) -> list[int]:
        """The contract of `EventLog.append`."""
        parts, parameters = encode_batch(batch)
        size = sum(map(len, parameters))
        if size > MAX_BATCH_BYTES:
            raise InvalidArgument(f"a batch of {size >> 20} MB is more than the log takes ({MAX_BATCH_BYTES >> 20} MB)")
        with self._lock:
            first, last, count = self._execute(parts, parameters)
        expected = sum(len(append.events) for append in batch)
        if count != expected or (count and last - first + 1 != count):
            raise LogCorrupt(
                f"{expected} events got the positions {first}..{last}: something else draws from the sequence "
                "stored_events_notification_id_seq"
            )
        positions, position = [], first - 1
        for append in batch:
            position += len(append.events)
            positions.append(position if append.events else 0)
        return positions

    def close(self) -> None:
        """Close the connection; a later append opens another."""
        with self._lock:
            self._disconnect()

    def _execute(self, parts: Part, parameters: list[bytes]) -> tuple[int, int, int]:
        pgconn = self._connected().pgconn
        name = f"append_{parts:d}".encode()
        try:
            if parts not in self._prepared:
                self._check(pgconn.prepare(name, append_statement(parts)))
                self._prepared.add(parts)
            result = pgconn.exec_prepared(name, parameters, [_BINARY] * len(parameters), _BINARY)
        except psycopg.OperationalError as error:
            self._disconnect()
            raise StorageUnavailable(f"the connection to the event log was lost: {error}") from error
        self._check(result)
        first, last, count = (read_int8(result.get_value(0, column)) for column in range(3))
        return first, last, count

    def _check(self, result: pq.abc.PGresult) -> None:
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            return
        text = result.error_message.decode(errors="replace").strip()
        state = (result.error_field(pq.DiagnosticField.SQLSTATE) or b"").decode()
        constraint = (result.error_field(pq.DiagnosticField.CONSTRAINT_NAME) or b"").decode()
        lost = self._connection is None or self._connection.pgconn.status != pq.ConnStatus.OK
        if lost or not state or state.startswith(_UNAVAILABLE):
            self._disconnect()
            raise StorageUnavailable(f"the event log cannot be written: {text or 'the connection was lost'}")
        raise _as_domain_error(state, constraint, text)

    def _connected(self) -> psycopg.Connection[tuple[object, ...]]:
        if self._connection is not None:
            return self._connection
        now = self._monotonic()
        if now < self._retry_at:
            raise StorageUnavailable("the event log cannot be reached; trying again shortly")
        try:
            connection = psycopg.connect(self._url, autocommit=True, **CONNECTION)  # type: ignore[arg-type]
            connection.execute(_SESSION)
        except psycopg.OperationalError as error:
            self._retry_at = self._monotonic() + self._backoff
            self._backoff = min(self._backoff * 2, BACKOFF_MOST)
            raise StorageUnavailable(f"the event log cannot be reached: {error}") from error
        self._connection, self._backoff, self._retry_at = connection, BACKOFF_FIRST, 0.0
        return connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._prepared.clear()


def _as_domain_error(state: str, constraint: str, text: str) -> DomainError:
    if state == _UNIQUE_VIOLATION and constraint in _RACES:
        return ConcurrentWrite(f"another writer was first: {text}")
    if state == _UNIQUE_VIOLATION and constraint in _TAKEN:
        return AlreadyExists(_TAKEN[constraint])
    if state.startswith("22"):
        return InvalidArgument(f"the event log cannot hold a value of the command: {text}")
    return LogCorrupt(f"the event log refused a batch ({state}): {text}")


def encode_batch(batch: Sequence[Append]) -> tuple[Part, list[bytes]]:
    """The parts that a batch needs, and their parameters as binary arrays in the statement's order."""
    parameters = _events(batch)
    parts = Part.EVENTS
    waits = WaitRows()
    first = 0
    for append in batch:
        if append.waits:
            _collect_waits(waits, append, first)
        first += len(append.events)
    parts |= _waits(waits, parameters)
    if any(append.command is not None for append in batch):
        parts |= Part.COMMANDS
        parameters += _commands(batch)
    definitions = [row for append in batch for row in append.definitions]
    if definitions:
        parts |= Part.DEFINITIONS
        tenants, kinds, ids, versions, keys, streams, stream_versions, deployments, tags = zip(
            *definitions, strict=True
        )
        parameters += [text_array(tenants), text_array(kinds), text_array(ids), int8_array(versions), int8_array(keys)]
        parameters += [uuid_array([uuid_element(stream) for stream in streams]), int8_array(stream_versions)]
        parameters += [int8_array(deployments), text_array(tags)]
    snapshots = [snapshot for append in batch for snapshot in append.snapshots]
    if snapshots:
        parts |= Part.SNAPSHOTS
        parameters += [
            uuid_array([uuid_element(snapshot.stream) for snapshot in snapshots]),
            int8_array([snapshot.version for snapshot in snapshots]),
            text_array([snapshot.topic for snapshot in snapshots]),
            bytea_array([snapshot.state for snapshot in snapshots]),
        ]
    return parts, parameters


def _events(batch: Sequence[Append]) -> list[bytes]:
    """By columns; a stream's events lie side by side, so its id is encoded once for the run."""
    events = list(chain.from_iterable(append.events for append in batch))
    if not events:
        return [uuid_array(()), int8_array(()), text_array(()), bytea_array(())]
    streams, versions, topics, states = zip(*events, strict=True)
    ids: list[bytes] = []
    last, element = None, b""
    for stream in streams:
        if stream is not last:
            last, element = stream, uuid_element(stream)
        ids.append(element)
    return [uuid_array(ids), int8_array(versions), text_array(topics), bytea_array(states)]


def _collect_waits(rows: WaitRows, append: Append, first: int) -> None:
    """Hand the changes over in runs of one instance. first: how many events of the batch come before."""
    run_key = append.waits[0][0]
    run: list[WaitChange] = []
    for key, change in append.waits:
        if key != run_key:
            rows.add(run_key, append.tenant, run, first)
            run_key, run = key, []
        run.append(change)
    rows.add(run_key, append.tenant, run, first)


def _waits(waits: WaitRows, parameters: list[bytes]) -> Part:
    parts = Part.EVENTS
    if waits.jobs:
        parts |= _table(waits.jobs, parameters, (Part.PUT_JOBS, Part.DROP_JOBS, Part.MOVE_JOBS))
    if waits.timers:
        parts |= _table(waits.timers, parameters, (Part.PUT_TIMERS, Part.DROP_TIMERS, Part.MOVE_TIMERS))
    if waits.blocks:
        parts |= Part.BLOCKS
        parameters += [int8_array([block for block, _ in waits.blocks]), int8_array([key for _, key in waits.blocks])]
    if waits.deliveries:
        parts |= Part.PUT_DELIVERIES
        parameters += [int8_array([key for key, _ in waits.deliveries]), int8_array([n for _, n in waits.deliveries])]
        owed = waits.deliveries.values()
        parameters += [text_array([kind for kind, _ in owed]), int8_array([peer for _, peer in owed])]
    if waits.settled:
        parts |= Part.DROP_DELIVERIES
        parameters += [int8_array([key for key, _ in waits.settled]), int8_array([local for _, local in waits.settled])]
    if waits.messages is not None:
        parts |= encode_messages(waits.messages, parameters)
    if waits.moves_may_be_dropped:
        parts |= Part.DROP_FIRST
    return parts


def _table(table: dict[int, Rows], parameters: list[bytes], names: tuple[Part, Part, Part]) -> Part:
    put_part, drop_part, move_part = names
    parts = Part.EVENTS
    puts = [(key, local, row) for key, rows in table.items() for local, row in rows.put.items()]
    if puts:
        parts |= put_part
        parameters += [int8_array([key for key, _, _ in puts]), int8_array([local for _, local, _ in puts])]
        parameters += [int8_array([row.element for _, _, row in puts]), int8_array([row.at for _, _, row in puts])]
        if put_part is Part.PUT_JOBS:
            parameters += [text_array([row.tenant for _, _, row in puts]), text_array([row.type for _, _, row in puts])]
    drops = [(key, drop) for key, rows in table.items() for drop in rows.drop]
    if drops:
        parts |= drop_part
        parameters += [int8_array([key for key, _ in drops]), int8_array([drop.low for _, drop in drops])]
        parameters += [int8_array([drop.high for _, drop in drops]), int8_array([drop.element for _, drop in drops])]
    moves = [(key, local, at) for key, rows in table.items() for local, at in rows.move.items()]
    if moves:
        parts |= move_part
        parameters += [int8_array(column) for column in zip(*moves, strict=True)]
    return parts


def _commands(batch: Sequence[Append]) -> list[bytes]:
    records: list[CommandRecord] = []
    lasts: list[int] = []
    last = -1
    for append in batch:
        last += len(append.events)
        if append.command is not None:
            records.append(append.command)
            lasts.append(last if append.events else -1)
    return [
        text_array([record.tenant for record in records]),
        text_array([record.command_id for record in records]),
        bytea_array([record.body_hash for record in records]),
        bytea_array([record.result for record in records]),
        int8_array(lasts),
        int8_array([record.position for record in records]),
    ]
