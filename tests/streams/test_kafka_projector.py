"""Read models that are fed from Kafka: the same as from the log, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from infra.kafka.broker import KafkaBroker
from infra.kafka.config import KafkaConfig
from infra.kafka.topics import EVENTS
from infra.postgres.read_models_sink import PostgresSink
from streams.partition_reader import PartitionLog, PartitionReader, RawRecord
from streams.projector import PositionMoved, apply
from tests.read_side.streams import Log, new_key, one_task_instance, service_task, started
from tests.streams.running import RunningProjector, RunningRelay, check_read_models, make_feed, rows, wait_until
from tests.streams.topic import FakeTopic

SOURCES = "SELECT source FROM read_model.tracking WHERE application_name = 'read_models' ORDER BY source"


@pytest.fixture
def relay(database: str, kafka: KafkaConfig) -> Iterator[RunningRelay]:
    running = RunningRelay(database, kafka)
    yield running
    running.stop()


def fill(log: Log, instances: int = 10) -> int:
    head = 0
    for _ in range(instances):
        head = log.append(new_key(), *one_task_instance(1))
    return head


def test_the_sources_can_be_changed_at_any_time_and_nothing_is_lost_or_doubled(
    database: str, kafka: KafkaConfig, relay: RunningRelay
) -> None:
    log = Log(database)
    for kind in (None, kafka, None, kafka):
        head = fill(log)
        projector = RunningProjector(database, kind)
        projector.until(head)
        fill(log)  # some of it is taken, some is not
        projector.stop()
        check_read_models(database)
        count = len(rows(database, SOURCES))
        assert count == (3 if kind else 1)


def test_several_share_the_partitions_and_one_takes_over_from_another(
    database: str, kafka: KafkaConfig, relay: RunningRelay
) -> None:
    log = Log(database)
    relay.until(fill(log, 2))
    first, second = RunningProjector(database, kafka), RunningProjector(database, kafka)
    first.until(fill(log, 20))
    first.stop()
    second.until(fill(log, 20))
    second.stop()
    check_read_models(database)


def test_a_rebalance_in_mid_batch_writes_each_batch_once(
    database: str, kafka: KafkaConfig, relay: RunningRelay
) -> None:
    log = Log(database)
    relay.until(fill(log))
    before = RunningProjector(database, kafka)
    wait_until(lambda: len(rows(database, SOURCES)) == 3, "the partitions to be the sources")
    before.stop()
    relay.until(fill(log))
    zombie, heir = make_feed(database, kafka), make_feed(database, kafka)
    first, second = PostgresSink(database, shared=True), PostgresSink(database, shared=True)
    held = None
    while held is None:
        held = zombie.next(first.place, 1)
    zombie.close()  # its partitions are given away while it still holds a batch
    head = relay.relay.position
    wait_until(lambda: _take(heir, second) >= head, "the heir")
    with pytest.raises(PositionMoved, match="another projector"):
        apply(held, first, 0)
    for resource in (heir, first, second):
        resource.close()
    check_read_models(database)


def _take(feed: object, sink: PostgresSink) -> int:
    batch = feed.next(sink.place, 1)  # type: ignore[attr-defined]
    if batch is not None:
        apply(batch, sink, sink.place(batch.source).position)
    return min(place.position for place in sink.places().values())


def test_records_that_are_no_events_are_kept_with_the_reason_and_the_partition_goes_on(
    database: str, kafka: KafkaConfig, relay: RunningRelay
) -> None:
    log = Log(database)
    relay.until(fill(log))
    producer = KafkaProducer(**kafka.client())
    for partition in range(3):
        producer.send(kafka.topic(EVENTS), b"\xff\x00", partition=partition, headers=[("x", b"y\x00")])
        producer.send(kafka.topic(EVENTS), None, partition=partition, key=b"k")
    producer.flush()
    producer.close()
    head = fill(log)
    projector = RunningProjector(database, kafka)
    projector.until(head)
    projector.stop()
    kept = rows(database, "SELECT reason, headers FROM read_model.refused_records")
    assert len(kept) == 6
    assert {reason for reason, _ in kept} == {"the header ce_specversion is missing"}
    assert "x: y\ufffd" in {headers for _, headers in kept}
    check_read_models(database)


def test_what_retention_took_is_read_from_the_log(database: str, kafka: KafkaConfig, relay: RunningRelay) -> None:
    log = Log(database)
    relay.until(fill(log, 20))
    admin = KafkaAdminClient(**kafka.client())
    admin.delete_records({TopicPartition(kafka.topic(EVENTS), number): 20 for number in range(3)})
    admin.close()
    head = fill(log, 5)
    projector = RunningProjector(database, kafka)
    projector.until(head)
    projector.stop()
    check_read_models(database)


def test_poison_is_set_aside_and_redriven_as_on_the_log(database: str, kafka: KafkaConfig, relay: RunningRelay) -> None:
    from infra.postgres.read_models import quarantine, redrive

    log = Log(database)
    sick = new_key()
    log.append(sick, started(1), *service_task(3))
    log.append_raw(UUID(int=sick), [("pi.from_the_future.1", b"[[1],[]]")])
    head = fill(log)
    projector = RunningProjector(database, kafka)
    projector.until(head)
    assert [row["version"] for row in quarantine(database)] == [4]
    rows_before = rows(database, "SELECT count(*) FROM read_model.process_instances")
    assert rows_before == [(11,)]
    with pytest.raises(Exception, match=r"pi\.from_the_future\.1"):
        redrive(database, UUID(int=sick))
    projector.stop()


def test_a_broker_that_loses_everything_is_filled_again_and_read_on(
    database: str, kafka: KafkaConfig, relay: RunningRelay, kafka_broker: KafkaBroker
) -> None:
    log = Log(database)
    projector = RunningProjector(database, kafka)
    projector.until(fill(log))
    kafka_broker.kill()
    kafka_broker.wipe()
    head = fill(log)
    kafka_broker.start()
    projector.until(head)
    projector.until(fill(log))
    projector.stop()
    check_read_models(database)


# ---- reading a partition, without a broker --------------------------------------------------------------------------


class Tail:
    """A log's tail in memory."""

    def __init__(self, log: Log) -> None:
        from infra.postgres.read_models_sink import PostgresTail

        tail = PostgresTail(log.url)
        self.stored = list(tail.read(0, 10_000))
        tail.close()
        self.reads = 0

    def read(self, after: int, limit: int) -> list[object]:
        self.reads += 1
        return [event for event in self.stored if event.position > after][:limit]

    def wait(self, timeout: float) -> None:
        """Nothing is appended."""

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def topic(database: str) -> tuple[FakeTopic, Tail, int]:
    from streams.relay import Relay
    from tests.streams.topic import FakeStore

    log = Log(database)
    for _ in range(6):
        head = log.append(new_key(), *one_task_instance(1))
    tail, topic = Tail(log), FakeTopic(1)
    relay = Relay(tail, FakeStore(), topic)  # type: ignore[arg-type]
    relay._begin()
    while relay.step(0):
        pass
    tail.reads = 0
    return topic, tail, head


def read(topic: FakeTopic, tail: Tail, offsets: list[int]) -> tuple[list[int], PartitionReader]:
    """The positions that come of these offsets, in this order."""
    from streams.feeds import Place

    reader = PartitionReader("t/0", 0, PartitionLog(tail, 1), Place(), "id")  # type: ignore[arg-type]
    records = topic.partitions[0]
    reader.add(RawRecord(offset, records[offset].headers, records[offset].value) for offset in offsets)
    positions: list[int] = []
    while (batch := reader.next()) is not None:
        positions += [event.position for event in batch.events]
    return positions, reader


def test_duplicates_and_replays_are_dropped(topic: tuple[FakeTopic, Tail, int]) -> None:
    fake, tail, head = topic
    all_of_it = list(range(head))
    again = [*all_of_it[:20], *all_of_it[5:40], *all_of_it[10:], *all_of_it]
    positions, reader = read(fake, tail, again)
    assert positions == list(range(1, head + 1))
    assert tail.reads == 0
    assert reader.position == head


def test_gaps_and_records_out_of_order_are_mended_from_the_log(topic: tuple[FakeTopic, Tail, int]) -> None:
    fake, tail, head = topic
    order = [0, 1, 5, 2, 3, 4, *range(30, head)]
    positions, _ = read(fake, tail, order)
    assert positions == list(range(1, head + 1))
    assert tail.reads > 0


def test_a_damaged_record_is_refused_and_its_event_read_from_the_log_at_once(
    topic: tuple[FakeTopic, Tail, int],
) -> None:
    fake, tail, head = topic
    last = fake.partitions[0][head - 1]
    fake.partitions[0][head - 1] = last._replace(value=b"{")
    positions, _ = read(fake, tail, list(range(head)))
    assert positions == list(range(1, head + 1))
