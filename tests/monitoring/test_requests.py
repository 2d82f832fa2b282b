"""Rebuilding the store while it is written and read, letting streams go on, and verifying it."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.errors import InvalidState
from domain.events import Recorded
from domain.keys import stream_id
from domain.process_instance import events as e
from infra.clickhouse import requests
from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.requests import Requests
from infra.clickhouse.sink import ClickHouseSink
from infra.clickhouse.verify import verify_store
from projections.monitoring.instance import DIMENSIONS
from projections.monitoring.rows import Folding
from streams.feeds import Batch, Undecodable
from streams.monitoring import Writer
from tests.monitoring.histories import KEY, ListFeed, contents, history, write
from tests.monitoring.recount import random_history


class Operated:
    """A writer that carries requests out, driven step by step."""

    def __init__(self, store: ClickHouse, log: list[Recorded], size: int = 50) -> None:
        self.log = log
        self.feed = ListFeed(log, size)
        sink = ClickHouseSink(store)
        self.requests = Requests(store, lambda: ListFeed(log, size), self.history, DIMENSIONS)
        self.writer = Writer(self.feed, sink, Folding(sink.load), self.requests, seconds=self.seconds)
        self.now = 0.0

    def seconds(self) -> float:
        self.now += 1.0
        return self.now

    def history(self, stream: UUID) -> list[Recorded]:
        return [event for event in self.log if event.stream == stream]

    def run(self, store: ClickHouse, id: str = "") -> None:
        """Until a request is settled, or all is written."""
        for _ in range(10_000):
            self.writer.step(0.01)
            (request,) = requests.requests(store, id) if id else (None,)
            place = self.writer.places().get("log")
            written = place is not None and place.position >= self.feed.events[-1].position and not self.writer.pending
            if written and (request is None or not request.open):
                return
        raise AssertionError("the writer did not come to an end")


def test_a_rebuild_gives_the_same_while_more_is_written(store: ClickHouse) -> None:
    events = random_history(11, 25, 300)
    half = len(events) // 2
    operated = Operated(store, events[:half])
    operated.run(store)
    store.command("ALTER TABLE visits DELETE WHERE local % 3 = 0 SETTINGS mutations_sync = 2")
    store.command("INSERT INTO instances SELECT * REPLACE (version + 1 AS version, 99 AS rejections) FROM instances")
    asked = requests.ask(store, requests.REBUILD)
    with pytest.raises(InvalidState, match="under way"):
        requests.ask(store, requests.REBUILD)
    operated.log += events[half:]
    operated.feed.events += events[half:]
    operated.run(store, asked)
    (request,) = requests.requests(store, asked)
    assert (request.state, request.message) == ("done", "")
    found = contents(store)
    operated.requests.stop()
    for table in found:
        store.command(f"TRUNCATE TABLE {table}")
    store.command("TRUNCATE TABLE sources")
    write(store, events)
    again = contents(store)
    found["calendar_slots"] = again["calendar_slots"]
    assert found == again
    assert store.rows(
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%_next'"
    ) == [[0]]


def test_a_rebuild_lets_streams_go_on_that_it_can_take(store: ClickHouse) -> None:
    log = history(e.InstanceCreated(7, "p", 1, {}, []), e.ElementPassed(1, "a", 0), e.InstanceCompleted())
    operated = Operated(store, log)
    operated.feed.events = []
    operated.writer.step(0)
    operated.writer.take(Batch([log[0]], (Undecodable(stream_id(KEY), 2, 2, "pi.x.1", "unknown topic"),), 3))
    operated.writer.flush()
    assert ClickHouseSink(store).quarantined() == {stream_id(KEY)}
    operated.feed.events = log
    operated.run(store, requests.ask(store, requests.REBUILD))
    assert ClickHouseSink(store).quarantined() == frozenset()
    assert store.rows("SELECT toString(state) FROM instances") == [["completed"]]


def test_a_stream_is_redriven_on_request_and_a_wrong_one_refused(store: ClickHouse) -> None:
    log = history(e.InstanceCreated(7, "p", 1, {}, []), e.ElementPassed(1, "a", 0), e.InstanceCompleted())
    operated = Operated(store, log)
    operated.feed.events = []
    operated.writer.step(0)
    operated.writer.take(Batch([log[0]], (Undecodable(stream_id(KEY), 2, 2, "pi.x.1", "unknown topic"),), 3))
    operated.writer.flush()
    operated.feed.events = log
    wrong = requests.ask(store, requests.REDRIVE, "no-uuid")
    operated.run(store, wrong)
    assert requests.requests(store, wrong)[0].state == "failed"
    asked = requests.ask(store, requests.REDRIVE, str(stream_id(KEY)))
    operated.run(store, asked)
    assert requests.requests(store, asked)[0].message == "3 events"
    assert store.rows("SELECT toString(state) FROM instances") == [["completed"]]


def test_verification_finds_what_differs_and_leaves_out_what_moved_on(store: ClickHouse) -> None:
    events = random_history(4, 20, 200)
    late = [event for event in events if event.position > events[-1].position - 20]
    early = events[: -len(late)]
    write(store, early)
    sound = verify_store(store, ListFeed(events), DIMENSIONS)
    assert [check.table for check in sound.tables if not check.equal] == [
        "monitoring.calendar_slots"
    ]  # none shipped yet
    assert sound.moving == len({event.stream for event in late})
    write(store, events)
    store.command("ALTER TABLE visits DELETE WHERE local = (SELECT min(local) FROM visits) SETTINGS mutations_sync = 2")
    store.command(
        "INSERT INTO instances SELECT * REPLACE (version + 1 AS version, 99 AS rejections) FROM instances LIMIT 1"
    )
    broken = verify_store(store, ListFeed(events), DIMENSIONS)
    differing = {check.table: check.differences for check in broken.tables if not check.equal}
    assert set(differing) == {"monitoring.calendar_slots", "monitoring.visits", "monitoring.instances"}
    assert "with other contents" in differing["monitoring.instances"][0]
    assert 0 < len(differing["monitoring.visits"]) <= 5
