"""Verification of the monitoring store: equal, by checksum and then instance by instance, to a rebuild from the log in
tables beside the live ones. The system may run meanwhile: instances that have moved on since the compared position are
left out, and are told apart from differences by their events, which the writer inserts first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.sink import ClickHouseSink, Shadow, written
from projections.monitoring.instance import Dimensions
from projections.monitoring.rows import COLUMNS, Folding
from projections.verify import TableCheck
from streams.feeds import LOG_SOURCE, Feed
from streams.monitoring import Writer

SUFFIX = "_verify"
SHOWN = 5
LIVE, REBUILT = "live", "rebuilt"
_HASHES = "hashes_verify"
_CREATE = f"""
CREATE TABLE {_HASHES} (tab LowCardinality(String), side LowCardinality(String), instance_key UInt64, rows UInt64,
hash UInt64) ENGINE = MergeTree ORDER BY (tab, instance_key)
"""


class Verified(NamedTuple):
    """What was found. moving: instances that were left out because they had moved on."""

    tables: Sequence[TableCheck]
    position: int
    moving: int


def verify_store(
    store: ClickHouse,
    feed: Feed,
    dimensions: Dimensions,
    progress: Callable[[str, int], None] = lambda what, done: None,
) -> Verified:
    """Compare the store with a rebuild from `feed` (the log's). Takes the space of the store once more."""
    position, _ = written(store)
    with _beside(store):
        _fill(store, feed, dimensions, position, progress)
        for table in COLUMNS:
            progress(table, position)
            _hash(store, table, LIVE, "")
            _hash(store, table, REBUILT, SUFFIX)
        moving = store.rows(f"SELECT uniqExact(instance_key) FROM ({_moving(position)})")[0][0]  # noqa: S608
        checks = [_compare(store, table, position) for table in COLUMNS]
    return Verified(checks, position, moving)


@contextmanager
def _beside(store: ClickHouse) -> Iterator[None]:
    """The tables of the rebuild, for as long as the block lasts."""
    shadow = Shadow(store, SUFFIX)
    store.command(f"DROP TABLE IF EXISTS {_HASHES} SYNC")
    shadow.create()
    store.command(_CREATE)
    try:
        yield
    finally:
        shadow.drop()
        store.command(f"DROP TABLE IF EXISTS {_HASHES} SYNC")


def _fill(
    store: ClickHouse, feed: Feed, dimensions: Dimensions, until: int, progress: Callable[[str, int], None]
) -> None:
    sink = ClickHouseSink(store, suffix=SUFFIX)
    writer = Writer(feed, sink, Folding(sink.load, dimensions))
    before, position = -1, 0
    while before < position < until or not writer.leading:  # a log that ends before `until` shows as differences
        before = position
        writer.step(1.0)
        place = writer.places().get(LOG_SOURCE)
        position = place.position if place is not None else 0
        progress("monitoring", position)
    if writer.pending:
        writer.flush()


def _hash(store: ClickHouse, table: str, side: str, suffix: str) -> None:
    columns = COLUMNS[table]
    key = "instance_key" if "instance_key" in columns else "toUInt64(0)"
    store.command(
        f"INSERT INTO {_HASHES} SELECT '{table}', '{side}', {key} AS k, count(), "  # noqa: S608 - own names
        f"sum(cityHash64({', '.join(columns)})) FROM {table}{suffix} FINAL GROUP BY k"
    )


def _moving(position: int) -> str:
    """The instances that have events after a position, on either side."""
    return " UNION ALL ".join(
        f"SELECT instance_key FROM events{suffix} WHERE position > {position}"  # noqa: S608
        for suffix in ("", SUFFIX)
    )


def _compare(store: ClickHouse, table: str, position: int) -> TableCheck:
    still = f"tab = '{table}' AND instance_key NOT IN ({_moving(position)})"
    totals = {
        side: (rows, f"{total:016x}")
        for side, rows, total in store.rows(
            f"SELECT side, sum(rows), sum(hash) FROM {_HASHES} WHERE {still} GROUP BY side"  # noqa: S608
        )
    }
    nothing = (0, f"{0:016x}")
    live, rebuilt = totals.get(LIVE, nothing), totals.get(REBUILT, nothing)
    differences: list[str] = []
    if live != rebuilt:
        found = store.rows(
            "SELECT instance_key, sumIf(rows, side = 'live'), sumIf(rows, side = 'rebuilt') "  # noqa: S608
            f"FROM {_HASHES} WHERE {still} GROUP BY instance_key "
            "HAVING sumIf(hash, side = 'live') != sumIf(hash, side = 'rebuilt') "
            f"ORDER BY instance_key LIMIT {SHOWN}"
        )
        differences = [
            f"{f'instance {key}' if key else 'the table'}: {own} rows, {again} in the rebuild"
            + (", with other contents" if own == again else "")
            for key, own, again in found
        ]
    return TableCheck(f"monitoring.{table}", *live, *rebuilt, differences)
