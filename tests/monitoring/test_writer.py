"""The writer: whatever the feed repeats, shuffles or replays, and wherever the writer is cut off, the rows are the same."""

from __future__ import annotations

import random
from typing import Any

import pytest

from domain.errors import StorageUnavailable
from domain.keys import stream_id
from domain.process_instance import events as e
from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.sink import ClickHouseSink, written
from projections.monitoring.rows import Folding
from streams.feeds import Batch, Place, Undecodable
from streams.monitoring import Writer
from tests.monitoring.histories import KEY, ListFeed, contents, history, shuffled, write, writer
from tests.monitoring.recount import random_history


def test_the_place_is_written_and_read_on_from(store: ClickHouse) -> None:
    events = random_history(3, 20)
    half = len(events) // 2
    write(store, events[:half], 7)
    assert written(store)[0] == events[half - 1].position
    last = write(store, events, 11)
    assert last.places()["log"].position == events[-1].position
    assert store.rows("SELECT count() FROM events") == [[len(events)]]


@pytest.mark.parametrize("seed", range(3))
def test_duplicates_reordering_and_replays_change_nothing(store: ClickHouse, seed: int) -> None:
    events = random_history(seed, 15)
    write(store, events)
    once = contents(store)
    draw = random.Random(seed)
    careless = writer(store, ListFeed([]))
    for batch in shuffled(events, draw.randrange, 40):
        careless.take(Batch(batch, (), batch[-1].position))
        careless.flush()
        if draw.random() < 0.3:
            careless.folding.forget()  # as after a start
    assert contents(store) == once


@pytest.mark.parametrize("seed", range(3))
def test_batch_boundaries_do_not_matter(store: ClickHouse, seed: int) -> None:
    events = random_history(seed, 10)
    write(store, events, 3)
    small = contents(store)
    for table in small:
        store.command(f"TRUNCATE TABLE {table}")
    store.command("TRUNCATE TABLE sources")
    write(store, events, 10_000)
    assert contents(store) == small


class Breaking:
    """A sink that is cut off after `writes` inserts, wherever in a piece that is."""

    def __init__(self, sink: ClickHouseSink, writes: int) -> None:
        self._sink = sink
        self.left = writes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    def write(self, lines: Any, aside: Any, sources: Any) -> None:
        for table, texts in lines.items():
            if not texts:
                continue
            if self.left == 0:
                raise StorageUnavailable("cut off")
            self.left -= 1
            self._sink.write({table: texts}, (), {})
        self._sink.write({}, aside, sources)


def test_a_writer_that_is_cut_off_in_mid_piece_loses_and_doubles_nothing(store: ClickHouse) -> None:
    events = random_history(5, 12)
    write(store, events)
    whole = contents(store)
    for table in whole:
        store.command(f"TRUNCATE TABLE {table}")
    store.command("TRUNCATE TABLE sources")
    for cut in range(1, 40):
        sink = ClickHouseSink(store)
        made = Writer(ListFeed(events, 25), Breaking(sink, cut % 7), Folding(sink.load))
        try:
            while made.places().get("log", Place()).position < events[-1].position:
                made.step(0)
            if made.pending:
                made.flush()
            break
        except StorageUnavailable:
            continue
    write(store, events, 25)
    assert contents(store) == whole


def test_poison_is_set_aside_with_its_stream_and_can_be_redriven(store: ClickHouse) -> None:
    good = history(e.InstanceCreated(7, "p", 1, {}, []), e.InstanceCompleted(), key=KEY + 4096, position=1)
    bad = history(e.InstanceCreated(7, "p", 1, {}, []), e.ElementPassed(1, "a", 0), e.InstanceCompleted(), position=10)
    broken = Undecodable(stream_id(KEY), 2, 11, "pi.unknown.1", "unknown topic")
    made = writer(store, ListFeed([]))
    made.take(Batch([*good, bad[0]], (broken,), 11))
    made.flush()
    made.take(Batch([bad[2]], (), 12))
    made.flush()
    assert store.rows("SELECT version, reason FROM quarantine ORDER BY version") == [
        [2, "unknown topic"],
        [3, "follows an event of its stream that is set aside"],
    ]
    assert store.rows(
        "SELECT toString(state) FROM instances WHERE instance_key = {key:UInt64}", {"key": KEY + 4096}
    ) == [["completed"]]
    again = writer(store, ListFeed([]))  # it knows from the store that the stream is set aside
    again.take(Batch([bad[2]], (), 12))
    again.flush()
    assert store.rows("SELECT count() FROM events WHERE instance_key = {key:UInt64}", {"key": KEY})[0] in ([0], [1])
    again.redrive(stream_id(KEY), bad)
    ClickHouseSink(store).redriven(stream_id(KEY))
    assert store.rows("SELECT count() FROM events WHERE instance_key = {key:UInt64}", {"key": KEY}) == [[3]]
    assert ClickHouseSink(store).quarantined() == frozenset()


def test_a_gap_in_a_stream_sets_it_aside(store: ClickHouse) -> None:
    events = history(e.InstanceCreated(7, "p", 1, {}, []), e.ElementPassed(1, "a", 0), e.InstanceCompleted())
    made = writer(store, ListFeed([]))
    made.take(Batch([events[0], events[2]], (), 3))
    made.flush()
    assert store.rows("SELECT version FROM quarantine") == [[3]]


def test_rows_that_the_store_refuses_are_found_and_set_aside(store: ClickHouse) -> None:
    good = history(e.InstanceCreated(7, "p", 1, {}, []), key=KEY + 4096, position=1)
    wrong: Any = "three"  # what no parser of events lets through
    damaged = history(e.InstanceCreated(7, "p", wrong, {}, []), position=2)
    made = write(store, [*good, *damaged])
    assert store.rows("SELECT instance_key FROM instances") == [[KEY + 4096]]
    assert [row[0] for row in store.rows("SELECT version FROM quarantine")] == [1]
    assert made.places()["log"].position == 2


def test_memory_is_bounded_and_what_was_forgotten_is_read_back(store: ClickHouse) -> None:
    events = random_history(9, 15)
    write(store, events)
    whole = contents(store)
    for table in whole:
        store.command(f"TRUNCATE TABLE {table}")
    sink = ClickHouseSink(store)
    folding = Folding(sink.load, weight=30)
    made = Writer(ListFeed([]), sink, folding)
    made.step(0)
    for start in range(0, len(events), 15):
        for some in (events[start : start + 6], events[start + 6 : start + 15]):
            if some:  # nothing is forgotten between two batches of one piece: it could not be read back yet
                made.take(Batch(some, (), some[-1].position))
        made.flush()
        assert sum(instance.weight for instance in folding._known.values()) <= 30
    assert contents(store) == whole


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_what_comes_after_the_end_of_an_instance_is_taken(store: ClickHouse, pieces: int) -> None:
    """Deliveries are settled after the instance that owes them has ended; so is what was thrown meanwhile."""
    begin = (e.InstanceCreated(7, "p", 1, {}, []), e.ElementPassed(1, "a", 0), e.ReturnOwed(2, KEY + 4096, 1))
    events = history(*begin, e.InstanceCompleted(), e.DeliverySettled(2))
    made = writer(store, ListFeed([]))
    for number, some in enumerate((events[:4], events[4:]), 1):
        made.take(Batch(some, (), some[-1].position))
        if number < pieces:
            made.flush()
        if pieces == 3:
            made.restart()
            made.step(0)
    if made.pending:
        made.flush()
    assert store.rows("SELECT version FROM events FINAL ORDER BY version") == [[1], [2], [3], [4], [5]]
    assert store.rows("SELECT version FROM quarantine") == []
