"""The ceiling: how fast this PostgreSQL takes the same bytes as bare multi-row inserts, with no engine in front.

    python -m bench.peers.ceiling postgresql://… [SAMPLE]

One table like the event store's, one statement a batch, one transaction a statement, binary arrays straight through
libpq. No locks, no notifications, no other tables. What a run of the engine reaches is told as a share of this.
SAMPLE is a file of rows of our own run, one JSON array `[topic, state in hex]` a line, so that the bytes are the same.
"""

from __future__ import annotations

import argparse
import itertools
import json
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import pq
from psycopg.pq.abc import PGconn

from bench.peers.workload import BenchError, Json, tables_bytes, tell, temporary_database

Row = tuple[str, bytes]
"""Topic and encoded state of one event."""

BATCH_SIZES = (500, 100)
STREAM_LENGTH = 5
"""Events with the same originator, versions 1 to 5; every batch size is a multiple of it."""
TYPICAL: Sequence[Row] = [("pi.task_completed.1", bytes(range(90)))]
"""Taken where no sample is given: 90 bytes, what an encoded event of the approval process takes on average."""

TABLE = """
CREATE TABLE events (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX events_notification ON events (notification_id);
"""
INSERT = b"""
INSERT INTO events (originator_id, originator_version, topic, state)
SELECT * FROM unnest($1::uuid[], $2::int8[], $3::text[], $4::bytea[])
RETURNING notification_id
"""
INT8, TEXT, BYTEA, UUID = 20, 25, 17, 2950
ARRAY_OF = {UUID: 2951, INT8: 1016, TEXT: 1009, BYTEA: 1001}


@dataclass(frozen=True)
class Batch:
    """What does not change from one statement to the next: arrays of versions, topics and states, ready to send."""

    versions: bytes
    topics: bytes
    states: bytes


def array(element_type: int, elements: Sequence[bytes]) -> bytes:
    """Return the binary form of a one-dimensional PostgreSQL array without nulls (source: array_recv)."""
    header = struct.pack("!iiIii", 1, 0, element_type, len(elements), 1)
    return header + b"".join(struct.pack("!i", len(element)) + element for element in elements)


def prepared_batches(sample: Sequence[Row], size: int) -> list[Batch]:
    """Cut the sample into batches of `size` rows, repeating it to fill the last one."""
    count = -(-len(sample) // size)
    rows = list(itertools.islice(itertools.cycle(sample), count * size))
    versions = array(INT8, [struct.pack("!q", 1 + index % STREAM_LENGTH) for index in range(size)])
    return [
        Batch(
            versions,
            array(TEXT, [topic.encode() for topic, _ in rows[start : start + size]]),
            array(BYTEA, [state for _, state in rows[start : start + size]]),
        )
        for start in range(0, len(rows), size)
    ]


def originators(size: int) -> Iterator[bytes]:
    """Yield arrays of ascending ids, a new one for every STREAM_LENGTH events, as keys ascend in the event store."""
    header = struct.pack("!iiIii", 1, 0, UUID, size, 1)
    body = struct.Struct("!" + "i16s" * size)
    streams = size // STREAM_LENGTH
    for first in itertools.count(1 << 40, streams):
        ids = [(first + stream).to_bytes(16, "big") for stream in range(streams)]
        yield header + body.pack(*(part for one in ids for _ in range(STREAM_LENGTH) for part in (16, one)))


def insert_for(connection: PGconn, batches: Sequence[Batch], ids: Iterator[bytes], seconds: float) -> list[float]:
    """Insert batch after batch for `seconds`; return how long each took, commit included."""
    took: list[float] = []
    began = before = time.perf_counter()
    for batch, originator_ids in zip(itertools.cycle(batches), ids, strict=False):
        if before - began >= seconds:
            break
        result = connection.exec_prepared(
            b"insert", [originator_ids, batch.versions, batch.topics, batch.states], [1, 1, 1, 1], 1
        )
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise BenchError(f"the insert failed: {connection.get_error_message()}")
        now = time.perf_counter()
        took.append(now - before)
        before = now
    return took


def run(url: str, seconds: float = 4.0, sample: Sequence[Row] = TYPICAL, warm_up: float = 1.0) -> Json:
    """Insert for `seconds` in batches of 500, then of 100, each into a fresh table in a database of its own.

    Returns `{peer, sample_rows, state_bytes_per_event, batch_500: {events_per_second, p50_ms, …}, batch_100: {…}}`.
    """
    if not sample:
        raise BenchError("the sample is empty: it needs at least one row of topic and state")
    state_bytes = sum(len(state) for _, state in sample) / len(sample)
    result: Json = {"peer": "bare inserts", "sample_rows": len(sample), "state_bytes_per_event": round(state_bytes, 1)}
    for size in BATCH_SIZES:
        with temporary_database(url) as database:
            result[f"batch_{size}"] = _measure(database, sample, size, seconds, warm_up)
    return result


def _measure(url: str, sample: Sequence[Row], size: int, seconds: float, warm_up: float) -> Json:
    batches, ids = prepared_batches(sample, size), originators(size)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        empty = tables_bytes(url)
        types = [ARRAY_OF[element] for element in (UUID, INT8, TEXT, BYTEA)]
        prepared = connection.pgconn.prepare(b"insert", INSERT, types)
        if prepared.status != pq.ExecStatus.COMMAND_OK:
            raise BenchError(f"the insert cannot be prepared: {connection.pgconn.get_error_message()}")
        warm = insert_for(connection.pgconn, batches, ids, warm_up)
        took = sorted(insert_for(connection.pgconn, batches, ids, seconds))
        on_disk = tables_bytes(url) - empty
    return {
        "events_per_second": round(len(took) * size / sum(took)),
        "p50_ms": round(took[len(took) // 2] * 1000, 2),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 2),
        "disk_bytes_per_event": round(on_disk / ((len(warm) + len(took)) * size)),
    }


def read_sample(path: Path) -> list[Row]:
    """Read rows of `[topic, state in hex]`, one a line. Raises `BenchError` naming the line that is not one."""
    rows: list[Row] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        try:
            topic, state = json.loads(line)
            rows.append((str(topic), bytes.fromhex(state)))
        except (ValueError, TypeError) as error:
            raise BenchError(f'{path}, line {number}: expected ["topic", "state in hex"], found {line[:80]}') from error
    return rows


def main() -> None:
    """Command line: print the result as JSON."""
    parser = argparse.ArgumentParser(description="the ceiling: bare multi-row inserts")
    parser.add_argument("url", help="a PostgreSQL URL whose user may create databases")
    parser.add_argument("sample", nargs="?", type=Path, help='rows of our own run: ["topic", "state in hex"] a line')
    parser.add_argument("--seconds", type=float, default=4.0, help="measured time per batch size (default 4)")
    arguments = parser.parse_args()
    tell(lambda: run(arguments.url, arguments.seconds, read_sample(arguments.sample) if arguments.sample else TYPICAL))


if __name__ == "__main__":
    main()
