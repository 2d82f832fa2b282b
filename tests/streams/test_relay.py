"""The relay: in memory, for what it decides; on a real broker and PostgreSQL, for what it relies on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import psycopg
import pytest
from kafka import KafkaConsumer, TopicPartition

from domain.errors import InvalidState, StorageUnavailable
from infra.kafka.broker import KafkaBroker
from infra.kafka.config import KafkaConfig
from infra.kafka.outlet import KafkaOutlet
from infra.kafka.topics import EVENTS, delete_topics
from infra.postgres.read_models_sink import PostgresTail
from infra.postgres.relay_store import PostgresRelayStore
from streams.partitions import partition_of, partition_of_key
from streams.records import InRecord, read_record
from streams.relay import LeadLost, Mark, Relay, RelayState
from tests.read_side.streams import Log, new_key, one_task_instance, started
from tests.streams.topic import FakeStore, FakeTopic, Reader, read_all

PATIENCE = 40.0


class World:
    """A log in PostgreSQL, a topic and a position in memory."""

    def __init__(self, url: str, partitions: int = 3) -> None:
        self.log = Log(url)
        self.topic = FakeTopic(partitions)
        self.store = FakeStore()
        self.tail = PostgresTail(url)

    def relay(self) -> Relay:
        """A relay that has looked at the topic, as after a start."""
        relay = Relay(self.tail, self.store, self.topic)
        assert relay._begin()
        return relay

    def readers(self) -> list[Reader]:
        """What readers of each partition have."""
        return [read_all(self.topic.read(number)) for number in range(len(self.topic.partitions))]

    def check(self, head: int, gaps: bool = False) -> None:
        """Every reader has everything once, without a gap (unless `gaps`: they may have met some), and knows it."""
        readers = self.readers()
        assert sorted(position for reader in readers for position in reader.positions) == list(range(1, head + 1))
        assert all(reader.positions == sorted(reader.positions) for reader in readers)
        assert gaps == any(reader.gaps for reader in readers)
        assert {reader.passed for reader in readers} == {head}


@pytest.fixture
def world(database: str) -> Iterator[World]:
    made = World(database)
    yield made
    made.tail.close()


def drain(relay: Relay) -> None:
    while relay.step(0):
        pass


def test_everything_goes_to_the_partition_of_its_instance_in_order(world: World) -> None:
    for _ in range(12):
        head = world.log.append(new_key(), *one_task_instance(1))
    relay = world.relay()
    drain(relay)
    world.check(head)
    for number in range(3):
        for record in world.topic.read(number):
            if record.event is not None:
                assert partition_of(record.event.stream, 3) == number
    assert relay.position == head
    assert relay.sent == head


def test_partitions_are_chosen_as_kafkas_own_clients_do() -> None:
    """Known values of Utils.murmur2 in Kafka's Java client (UtilsTest), for keys that hash to positive numbers."""
    assert partition_of_key(b"foobar", 1 << 31) == -790332482 & 0x7FFFFFFF
    assert partition_of_key(b"21", 1 << 31) == -973932308 & 0x7FFFFFFF
    assert partition_of_key(b"a-little-bit-long-string", 1 << 31) == -985981536 & 0x7FFFFFFF


def test_a_restarted_relay_goes_on_where_it_was(world: World) -> None:
    first = world.log.append(new_key(), *one_task_instance(1))
    drain(world.relay())
    sent = sum(map(len, world.topic.partitions))
    head = world.log.append(new_key(), *one_task_instance(1))
    heir = world.relay()
    assert heir.position == first
    drain(heir)
    world.check(head)
    assert sum(map(len, world.topic.partitions)) <= sent + 9 + 2


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_send_that_fails_is_repeated_and_readers_see_each_event_once(world: World, moment: str) -> None:
    for _ in range(5):
        world.log.append(new_key(), *one_task_instance(1))
    world.topic.fail = moment
    with pytest.raises(StorageUnavailable):
        drain(world.relay())
    assert world.store.state is not None
    assert world.store.state.position == 0
    head = world.log.append(new_key(), *one_task_instance(1))
    drain(world.relay())
    world.check(head)


def test_two_that_believe_to_lead_do_no_harm(world: World) -> None:
    for _ in range(5):
        head = world.log.append(new_key(), *one_task_instance(1))
    zombie, heir = world.relay(), world.relay()
    drain(heir)
    with pytest.raises(LeadLost):
        drain(zombie)
    world.check(head)
    head = world.log.append(new_key(), *one_task_instance(1))
    drain(heir)
    world.check(head)


def test_a_topic_that_was_made_anew_is_filled_again(world: World) -> None:
    for _ in range(5):
        head = world.log.append(new_key(), *one_task_instance(1))
    drain(world.relay())
    world.topic.recreate()
    drain(world.relay())
    world.check(head)


def test_a_topic_that_lost_its_tail_is_filled_again_and_shows_no_gap_to_who_had_less(world: World) -> None:
    for _ in range(5):
        head = world.log.append(new_key(), *one_task_instance(1))
    drain(world.relay())
    for partition in world.topic.partitions:
        del partition[len(partition) // 2 :]
    drain(world.relay())
    world.check(head)


@pytest.mark.parametrize("same_partition", [True, False])
def test_a_loss_while_running_is_noticed_by_the_next_acknowledgement(world: World, same_partition: bool) -> None:
    """In the same partition: what is sent then brings it back to the length that it had."""
    keys = iter(new_key, 0)
    first = next(keys)
    at = partition_of(UUID(int=first), 3)
    second = next(key for key in keys if (partition_of(UUID(int=key), 3) == at) is same_partition)
    world.log.append(first, *one_task_instance(1))
    relay = world.relay()
    drain(relay)
    for partition in world.topic.partitions:
        partition.clear()
    head = world.log.append(second, *one_task_instance(1))
    with pytest.raises(StorageUnavailable, match="went back"):
        drain(relay)
    drain(world.relay())
    world.check(head, gaps=True)


def test_a_loss_is_noticed_without_anything_to_send(world: World) -> None:
    now = [0.0]
    head = world.log.append(new_key(), *one_task_instance(1))
    relay = Relay(world.tail, world.store, world.topic, lambda: now[0])
    relay._begin()
    drain(relay)
    world.topic.recreate()
    assert relay.step(0) == 0
    now[0] += 6
    drain(relay)
    world.check(head)


def test_another_number_of_partitions_is_refused_with_what_to_do(world: World) -> None:
    world.log.append(new_key(), started(1))
    drain(world.relay())
    world.topic.partitions.append([])
    with pytest.raises(InvalidState, match="has 4 partitions; it had 3"):
        world.relay()


def test_what_is_sent_at_once_is_bounded_by_partition_and_large_values_stay_in_the_log(world: World) -> None:
    key = new_key()
    world.log.append(key, *[started(1, variables={"text": "x" * 300_000}) for _ in range(7)])
    head = world.log.append(key, started(1, variables={"text": "x" * 2_000_000}))
    drain(world.relay())
    assert world.topic.sends == 4
    records = world.topic.read(partition_of_key(str(key).encode(), 3))
    large = next(record for record in records if record.reference)
    assert large.position == head
    assert read_all(records).gaps == []
    assert {reader.passed for reader in world.readers()} == {head}


def test_an_event_that_cannot_be_decoded_is_referred_to(world: World) -> None:
    key = new_key()
    world.log.append(key, started(1))
    bad = world.log.append_raw(UUID(int=key), [("pi.from_the_future.1", b"[[1],[]]")])
    head = world.log.append(new_key(), started(1))
    drain(world.relay())
    found = [record for number in range(3) for record in world.topic.read(number) if record.reference]
    assert [record.position for record in found] == [bad]
    assert {reader.passed for reader in world.readers()} == {head}


def test_the_position_is_kept_from_expected_to_new_and_the_lead_is_the_sessions(database: str) -> None:
    first, second = PostgresRelayStore(database), PostgresRelayStore(database)
    assert first.lead("t", 0)
    assert not second.lead("t", 0)
    assert second.lead("other", 0)
    assert first.load("t") is None
    start = RelayState("t", "id", 0, (Mark(0, 0), Mark(0, 5)))
    first.save(start, None)
    moved = start._replace(position=7, marks=(Mark(6, 3), Mark(7, 9)))
    first.save(moved, start)
    assert second.load("t") == moved
    with pytest.raises(LeadLost):
        second.save(start._replace(position=9), start)
    with pytest.raises(LeadLost):
        second.save(start, None)
    first.close()
    assert second.lead("t", 5)
    second.close()


# ---- on a broker ----------------------------------------------------------------------------------------------------


class Running:
    """A relay in a thread, on real parts."""

    def __init__(self, url: str, kafka: KafkaConfig) -> None:
        self.stop_signal = threading.Event()
        self.tail, self.store = PostgresTail(url), PostgresRelayStore(url)
        self.outlet = KafkaOutlet(kafka, EVENTS)
        self.relay = Relay(self.tail, self.store, self.outlet)
        self.thread = threading.Thread(target=self.relay.run, args=(self.stop_signal,))
        self.thread.start()

    def until(self, position: int) -> None:
        """Wait until it has relayed that far."""
        wait_until(lambda: self.relay.position >= position, f"position {position}")

    def stop(self) -> None:
        """End it."""
        self.stop_signal.set()
        self.thread.join(30)
        assert not self.thread.is_alive()
        self.outlet.close()
        self.store.close()
        self.tail.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


def consume(kafka: KafkaConfig) -> list[list[InRecord]]:
    """Every record of the events topic, by partition."""
    topic = kafka.topic(EVENTS)
    consumer = KafkaConsumer(**kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest")
    partitions = [TopicPartition(topic, number) for number in range(3)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    found: list[list[InRecord]] = [[], [], []]
    deadline = time.monotonic() + PATIENCE
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        assert time.monotonic() < deadline
        for partition, records in consumer.poll(500).items():
            found[partition.partition] += [read_record(record.headers, record.value) for record in records]
    consumer.close()
    return found


def check(kafka: KafkaConfig, head: int) -> None:
    readers = [read_all(records) for records in consume(kafka)]
    assert sorted(position for reader in readers for position in reader.positions) == list(range(1, head + 1))
    assert [reader.gaps for reader in readers] == [[], [], []]
    assert {reader.passed for reader in readers} == {head}


@pytest.fixture
def running(database: str, kafka: KafkaConfig) -> Iterator[Running]:
    made = Running(database, kafka)
    yield made
    made.stop()


def test_the_log_is_in_the_topic_and_a_second_relay_stands_by(
    running: Running, database: str, kafka: KafkaConfig
) -> None:
    log = Log(database)
    for _ in range(20):
        head = log.append(new_key(), *one_task_instance(1))
    standby = Running(database, kafka)
    running.until(head)
    check(kafka, head)
    assert standby.relay.position == 0
    with psycopg.connect(database, autocommit=True) as connection:  # as when the leader's host is gone
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7308 AND granted"
        )
    more = log.append(new_key(), *one_task_instance(1))
    wait_until(lambda: max(standby.relay.position, running.relay.position) >= more, "the heir")
    standby.stop()
    check(kafka, more)


def test_a_topic_that_is_deleted_is_filled_again(running: Running, database: str, kafka: KafkaConfig) -> None:
    log = Log(database)
    running.until(log.append(new_key(), *one_task_instance(1)))
    delete_topics(kafka, [EVENTS])
    head = log.append(new_key(), *one_task_instance(1))

    def refilled() -> bool:
        try:
            check(kafka, head)
        except Exception:
            return False
        return True

    wait_until(refilled, "the topic to be filled again")


def test_a_broker_that_is_away_is_waited_for(
    running: Running, database: str, kafka: KafkaConfig, kafka_broker: KafkaBroker
) -> None:
    log = Log(database)
    running.until(log.append(new_key(), *one_task_instance(1)))
    kafka_broker.kill()
    head = log.append(new_key(), *one_task_instance(1))
    wait_until(lambda: running.relay.position == 0, "the relay to notice")
    kafka_broker.start()
    running.until(head)
    check(kafka, head)


def test_the_relay_is_a_process_that_survives_kill_9(database: str, kafka: KafkaConfig) -> None:
    log = Log(database)
    environment = {
        **os.environ,
        "FLOWLEDGER_DATABASE_URL": database,
        "FLOWLEDGER_KAFKA": kafka.bootstrap,
        "FLOWLEDGER_KAFKA_PREFIX": kafka.prefix,
        "FLOWLEDGER_KAFKA_PARTITIONS": "3",
    }

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "infra.cli", "relay"], env=environment)

    def position() -> int:
        with psycopg.connect(database) as connection:
            row = connection.execute("SELECT position FROM relay_positions").fetchone()
            return row[0] if row else 0

    process = start()
    try:
        for _ in range(4):
            reached = position()
            for _ in range(15):
                head = log.append(new_key(), *one_task_instance(1))
            wait_until(lambda reached=reached: position() > reached, "the relay")  # type: ignore[misc]
            process.kill()
            process.wait()
            process = start()
        head = log.append(new_key(), *one_task_instance(1))
        wait_until(lambda: position() >= head, "the relay")
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
    check(kafka, head)
