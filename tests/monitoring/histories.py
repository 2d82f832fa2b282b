"""Histories for the tests: what the engine really records, as batches of a feed, and the figures counted from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domain.events import REGISTRY, Envelope, Event, Recorded
from domain.keys import stream_id
from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.sink import ClickHouseSink
from projections.monitoring.instance import DIMENSIONS, Dimensions
from projections.monitoring.rows import COLUMNS, Folding
from streams.feeds import Batch, Place, Places
from streams.monitoring import Writer
from tests.engine.harness import Engine

KEY = 43_776_454_164_480_000
START = 1_780_272_000_000_000
SECOND = 1_000_000


def recorded(engine: Engine) -> list[Recorded]:
    """Everything that an engine has recorded, in one order (by time, then by stream and version)."""
    found: list[tuple[int, int, int, Envelope, Event]] = []
    for key, log in engine.log.items():
        for version, (topic, state) in enumerate(log, 1):
            envelope, event = REGISTRY.decode(topic, state)
            found.append((envelope.at, key, version, envelope, event))
    found.sort(key=lambda item: item[:3])
    return [
        Recorded(stream_id(key), version, position, envelope, event)
        for position, (_, key, version, envelope, event) in enumerate(found, 1)
    ]


def history(*events: Event, key: int = KEY, actor: str = "", step: int = SECOND, position: int = 1) -> list[Recorded]:
    """Events of one instance, a second apart."""
    return [
        Recorded(stream_id(key), number, position + number - 1, Envelope(START + number * step, actor), event)
        for number, event in enumerate(events, 1)
    ]


class ListFeed:
    """A feed of events in a list (streams.feeds.Feed): what is beyond the consumer's place, `size` at once."""

    def __init__(self, events: Sequence[Recorded], size: int = 1_000) -> None:
        self.events = list(events)
        self.size = size

    def next(self, places: Places, timeout: float) -> Batch | None:
        after = places("log").position
        rest = [event for event in self.events if event.position > after][: self.size]
        return Batch(rest, (), rest[-1].position, at=rest[-1].envelope.at) if rest else None

    def close(self) -> None:
        """Nothing to let go of."""


def writer(store: ClickHouse, feed: Any, dimensions: Dimensions = DIMENSIONS) -> Writer:
    """A writer that has begun."""
    sink = ClickHouseSink(store)
    made = Writer(feed, sink, Folding(sink.load, dimensions))
    made.step(0)
    return made


def write(store: ClickHouse, events: Sequence[Recorded], size: int = 1_000) -> Writer:
    """Write all of them, piece by piece."""
    made = writer(store, ListFeed(events, size))
    last = max((event.position for event in events), default=0)
    while made.places().get("log", Place()).position < last:
        made.step(0)
    if made.pending:
        made.flush()
    return made


def contents(store: ClickHouse, without: Sequence[str] = ("position",)) -> dict[str, list[Any]]:
    """Every table's rows that count, in order."""
    found: dict[str, list[Any]] = {}
    for table, columns in COLUMNS.items():
        names = ", ".join(name for name in columns if name not in without)
        found[table] = store.rows(f"SELECT {names} FROM {table} ORDER BY ALL")
    return found


def shuffled(events: Sequence[Recorded], draw: Any, size: int) -> Iterator[list[Recorded]]:
    """Batches as a careless feed might give them: some again, their events in another order."""
    batches = [list(events[start : start + size]) for start in range(0, len(events), size)]
    for number, batch in enumerate(batches):
        again = batches[draw(number)] if number else []
        mixed = [*again, *batch]
        mixed.sort(key=lambda event: hash((event.stream, event.version * 7919)))
        yield mixed
