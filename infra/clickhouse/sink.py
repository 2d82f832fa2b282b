"""The monitoring writer's sink (streams/monitoring.py) in ClickHouse: inserts, the places, what is set aside; and the
shadow tables of a rebuild, which have the same names with a suffix.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import UUID

from domain.errors import StorageUnavailable
from domain.events import encode_json
from infra.clickhouse.calendars import ensure_calendar
from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.engine import QueryFailed
from projections.monitoring.rows import COLUMNS, stored_state
from streams.feeds import LOG_SOURCE, Place
from streams.monitoring import Lines, Sources
from streams.projector import RowsRefused, SetAside

LOAD_CHUNK = 4_000
"""Instances that are read back with one query."""
REFUSALS = frozenset({6, 25, 26, 27, 32, 38, 41, 53, 69, 70, 72, 117, 130, 131, 190, 321, 467, 691})
"""ClickHouse's codes for rows that it cannot read: parse errors, type mismatches, values out of range."""
NEXT = "_next"

_SOURCES = ("source", "position", "next_offset", "epoch", "reflects_at", "serial")
_QUARANTINE = ("stream", "version", "position", "topic", "reason", "redriven", "serial")


def serial() -> int:
    """A number that grows: of rows with the same key the one with the highest counts."""
    return time.time_ns()


class ClickHouseSink:
    """streams.monitoring.Sink. suffix: of the tables' names. lead: how to become the only writer."""

    def __init__(
        self, store: ClickHouse, lead: Callable[[float], bool] = lambda timeout: True, suffix: str = ""
    ) -> None:
        self._store = store
        self._lead = lead
        self._suffix = suffix

    def lead(self, timeout: float) -> bool:
        """See Sink.lead."""
        return self._lead(timeout)

    def places(self) -> dict[str, Place]:
        """See Sink.places."""
        with _away():
            rows = self._store.rows(f"SELECT source, position, next_offset, epoch FROM sources{self._suffix}")  # noqa: S608
        return {source: Place(position, offset, epoch) for source, position, offset, epoch in rows}

    def quarantined(self) -> Collection[UUID]:
        """See Sink.quarantined. Tables that are filled anew set aside what they find themselves."""
        if self._suffix:
            return frozenset()
        with _away():
            rows = self._store.rows("SELECT DISTINCT toString(stream) FROM quarantine WHERE redriven = 0")
        return frozenset(UUID(text) for (text,) in rows)

    def write(self, lines: Lines, aside: Sequence[SetAside], sources: Mapping[str, Sources]) -> None:
        """See Sink.write."""
        for table, texts in lines.items():
            if texts:
                self._insert(table + self._suffix, COLUMNS[table], b"".join(texts))
        now = serial()
        if aside and not self._suffix:
            rows = [[str(a.stream), a.version, a.position, a.topic, a.reason, 0, now] for a in aside]
            self._insert("quarantine", _QUARANTINE, _lines(rows))
        if sources:
            places = [
                [name, place.position, place.offset, place.epoch, reflects_at / 1000, now]
                for name, (place, reflects_at) in sources.items()
            ]
            self._insert(f"sources{self._suffix}", _SOURCES, _lines(places))

    def _insert(self, table: str, columns: Sequence[str], text: bytes) -> None:
        try:
            self._store.insert(table, columns, text)
        except QueryFailed as error:
            if error.number in REFUSALS:
                raise RowsRefused(f"{table}: {error}") from error
            raise StorageUnavailable(f"the monitoring store refuses: {error}") from error

    def load(self, before: Mapping[int, int]) -> Iterable[tuple[int, int, str, bytes]]:
        """See Sink.load."""
        keys = sorted(before)
        for start in range(0, len(keys), LOAD_CHUNK):
            some = ", ".join(map(str, keys[start : start + LOAD_CHUNK]))
            text = (
                "SELECT instance_key, version, topic, toUnixTimestamp64Micro(at), actor, tenant, detail "  # noqa: S608
                f"FROM events{self._suffix} WHERE instance_key IN ({some}) ORDER BY instance_key, version"
            )
            with _away():
                rows = self._store.rows(text)
            for key, version, topic, at, actor, tenant, detail in rows:
                if version < before[key]:
                    yield key, version, topic, stored_state(at, actor, tenant, detail.encode())

    def redriven(self, stream: UUID) -> None:
        """Note that a stream goes on."""
        with _away():
            self._store.command(
                "INSERT INTO quarantine SELECT stream, version, position, topic, reason, 1, "  # noqa: S608 - own values
                f"{serial()} FROM quarantine FINAL WHERE stream = '{stream}' AND redriven = 0"
            )

    def close(self) -> None:
        """The store is its owner's."""


class Shadow:
    """Empty copies of the tables beside the live ones, and their exchange. suffix: of their names."""

    def __init__(self, store: ClickHouse, suffix: str = NEXT) -> None:
        self._store = store
        self._suffix = suffix
        self._tables = (*COLUMNS, "sources")

    def create(self) -> None:
        """Create them, anew where they are there."""
        self.drop()
        for table in self._tables:
            self._store.command(f"CREATE TABLE {table}{self._suffix} AS {table}")
        ensure_calendar(self._store, self._suffix)

    def exchange(self) -> None:
        """Let them take the live tables' place. The writer must not write meanwhile."""
        for table in COLUMNS:
            self._store.command(f"EXCHANGE TABLES {table} AND {table}{self._suffix}")

    def drop(self) -> None:
        """Remove them."""
        for table in self._tables:
            self._store.command(f"DROP TABLE IF EXISTS {table}{self._suffix} SYNC")


def written(store: ClickHouse) -> tuple[int, int]:
    """(position, time in ms) that the store reflects: of the source that is least far. The log's own place does not
    count once partitions have been read after it, nor do theirs once the log has."""
    rows = store.rows("SELECT source, position, toUnixTimestamp64Milli(reflects_at), serial FROM sources")
    if not rows:
        return 0, 0
    newest = max(rows, key=lambda row: row[3])
    log = newest[0] == LOG_SOURCE
    counted = [row for row in rows if (row[0] == LOG_SOURCE) == log]
    lowest = min(counted, key=lambda row: row[1])
    return lowest[1], lowest[2]


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    return b"".join(encode_json(row) + b"\n" for row in rows)


@contextmanager
def _away() -> Iterator[None]:
    """Refusals of our own small statements: the store is not as it should be, for now."""
    try:
        yield
    except QueryFailed as error:
        raise StorageUnavailable(f"the monitoring store refuses: {error}") from error
