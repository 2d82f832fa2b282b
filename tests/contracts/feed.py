"""What every feed does: a suite that each adapter's test class inherits, giving it the fixture `fed`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.events import Recorded
from streams.feeds import Batch, Feed, Place
from tests.read_side.streams import Log, new_key, one_task_instance, started

PATIENCE = 30.0


class Fed(NamedTuple):
    """A feed over a log. sources: all of the feed's. other: another consumer's feed over the same log."""

    log: Log
    feed: Feed
    sources: Sequence[str]
    other: Callable[[], Feed]


class Consumer:
    """Keeps the places as a sink does, and what came."""

    def __init__(self, fed: Fed, feed: Feed | None = None) -> None:
        self.feed = feed or fed.feed
        self.places: dict[str, Place] = {}
        self.events: list[tuple[str, Recorded]] = []
        self.batches: list[Batch] = []

    def place(self, source: str) -> Place:
        """Where this consumer is."""
        return self.places.get(source, Place())

    def take(self, timeout: float = 1.0) -> Batch | None:
        """Ask once, and keep what comes."""
        batch = self.feed.next(self.place, timeout)
        if batch is not None:
            before = self.place(batch.source)
            assert batch.position > before.position, "a batch moves its source on"
            assert all(before.position < event.position <= batch.position for event in batch.events)
            offset = batch.offset if batch.offset >= 0 else before.offset
            self.places[batch.source] = Place(batch.position, offset, batch.epoch or before.epoch)
            self.events += [(batch.source, event) for event in batch.events]
            self.batches.append(batch)
        return batch

    def until(self, position: int, sources: Sequence[str]) -> None:
        """Take until every source has passed `position`."""
        deadline = time.monotonic() + PATIENCE
        while any(self.place(source).position < position for source in sources):
            assert time.monotonic() < deadline, f"waited for {position}: {self.places}"
            self.take()


def versions(events: Sequence[tuple[str, Recorded]]) -> dict[UUID, list[int]]:
    """The versions of each stream in the order in which they came."""
    found: dict[UUID, list[int]] = {}
    for _, event in events:
        found.setdefault(event.stream, []).append(event.version)
    return found


class FeedContract:
    """The suite."""

    def test_every_event_comes_once_in_the_order_of_its_stream_and_as_it_was_recorded(self, fed: Fed) -> None:
        keys = [new_key() for _ in range(20)]
        for key in keys:
            fed.log.append(key, *one_task_instance(1)[:5], tenant="acme")
        for key in reversed(keys):
            head = fed.log.append(key, *one_task_instance(1)[5:], tenant="acme", actor="李娜")
        consumer = Consumer(fed)
        consumer.until(head, fed.sources)
        assert versions(consumer.events) == {UUID(int=key): list(range(1, 10)) for key in keys}
        by_position = {event.position: event for _, event in consumer.events}
        assert sorted(by_position) == list(range(1, head + 1))
        for key in keys:
            events = [event for _, event in consumer.events if event.stream == UUID(int=key)]
            assert [event.event for event in events] == one_task_instance(1)
            assert {event.envelope.tenant for event in events} == {"acme"}
            assert {event.envelope.actor for event in events} == {"demo", "李娜"}

    def test_positions_ascend_within_a_source_and_a_stream_has_one_source(self, fed: Fed) -> None:
        for _ in range(3):
            for key in [new_key() for _ in range(8)]:
                head = fed.log.append(key, *one_task_instance(1))
        consumer = Consumer(fed)
        consumer.until(head, fed.sources)
        sources: dict[UUID, set[str]] = {}
        last: dict[str, int] = {}
        for source, event in consumer.events:
            assert last.get(source, 0) < event.position
            last[source] = event.position
            sources.setdefault(event.stream, set()).add(source)
        assert {len(each) for each in sources.values()} == {1}
        assert set(last) == set(fed.sources)

    def test_every_source_comes_to_the_head_of_the_log_though_it_has_no_event_there(self, fed: Fed) -> None:
        head = fed.log.append(new_key(), started(1))
        consumer = Consumer(fed)
        consumer.until(head, fed.sources)
        assert len(consumer.events) == 1
        assert all(batch.at for batch in consumer.batches if batch.position == head)

    def test_what_the_consumer_has_does_not_come_again(self, fed: Fed) -> None:
        for _ in range(10):
            head = fed.log.append(new_key(), *one_task_instance(1))
        first = Consumer(fed)
        first.until(head, fed.sources)
        fed.feed.close()
        second = Consumer(fed, fed.other())
        second.places = dict(first.places)
        more = fed.log.append(new_key(), started(1))
        second.until(more, fed.sources)
        assert [event.position for _, event in second.events] == [more]
        second.feed.close()

    def test_a_place_without_an_offset_is_enough(self, fed: Fed) -> None:
        for _ in range(6):
            middle = fed.log.append(new_key(), *one_task_instance(1))
        head = fed.log.append(new_key(), *one_task_instance(1))
        consumer = Consumer(fed)
        consumer.places = {source: Place(middle) for source in fed.sources}
        consumer.until(head, fed.sources)
        assert [event.position for _, event in consumer.events] == list(range(middle + 1, head + 1))

    def test_a_batch_that_was_not_kept_comes_again(self, fed: Fed) -> None:
        for _ in range(6):
            head = fed.log.append(new_key(), *one_task_instance(1))
        consumer = Consumer(fed)
        deadline = time.monotonic() + PATIENCE
        lost = 0
        while lost < 3 and time.monotonic() < deadline:
            lost += fed.feed.next(consumer.place, 0.5) is not None
        assert lost == 3
        consumer.until(head, fed.sources)
        assert sorted(event.position for _, event in consumer.events) == list(range(1, head + 1))

    def test_the_consumer_may_go_back_and_forth(self, fed: Fed) -> None:
        for _ in range(6):
            head = fed.log.append(new_key(), *one_task_instance(1))
        consumer = Consumer(fed)
        consumer.until(head, fed.sources)
        consumer.places, consumer.events = {}, []
        consumer.until(head, fed.sources)
        assert sorted(event.position for _, event in consumer.events) == list(range(1, head + 1))

    def test_what_cannot_be_decoded_is_told_with_its_place_and_reason(self, fed: Fed) -> None:
        key = UUID(int=new_key())
        fed.log.append(key.int, started(1))
        bad = fed.log.append_raw(key, [("pi.from_the_future.1", b"[[1],[]]"), ("pi.completed.1", b"no JSON")])
        head = fed.log.append(new_key(), started(1))
        consumer = Consumer(fed)
        consumer.until(head, fed.sources)
        found = [each for batch in consumer.batches for each in batch.undecodable]
        assert [(each.stream, each.version, each.position) for each in found] == [(key, 2, bad - 1), (key, 3, bad)]
        assert "pi.from_the_future.1" in found[0].reason
        assert len(consumer.events) == 2

    def test_nothing_comes_while_nothing_is_appended_and_an_append_wakes(self, fed: Fed) -> None:
        head = fed.log.append(new_key(), started(1))
        consumer = Consumer(fed)
        consumer.until(head, fed.sources)
        assert consumer.take(0.05) is None
        appended: list[int] = []
        timer = threading.Timer(0.2, lambda: appended.append(fed.log.append(new_key(), started(1))))
        timer.start()
        deadline = time.monotonic() + PATIENCE
        while len(consumer.events) < 2 and time.monotonic() < deadline:
            consumer.take(10)
        timer.join()
        assert consumer.events[-1][1].position == appended[0]
