"""The Kafka feed (streams.feeds.Feed): a member of a consumer group that reads its partitions from where the consumer's
own database says, and commits nothing to Kafka.

The group only settles who reads which partition. A rebalance needs no care: whoever gets a partition asks the database
how far it is, and a batch of the one who had it before is refused there. Memory is bounded: the broker is asked for
more only when everything that came has been handed out.
"""

from __future__ import annotations

import contextlib
import logging
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError

from domain.errors import StorageUnavailable
from infra.kafka.config import KafkaConfig, kafka_errors
from infra.kafka.topics import TopicInfo, describe_topic
from streams.feeds import Batch, Place, Places
from streams.partition_reader import PartitionLog, PartitionReader, RawRecord
from streams.partitions import source_name
from streams.store_feed import LogTail

LOG = logging.getLogger("flowledger.feed")
POLL_RECORDS = 5_000
FETCH_BYTES = 16 << 20
PARTITION_FETCH_BYTES = 4 << 20
SESSION_MS = 10_000
HEARTBEAT_MS = 2_000
PROBE_SECONDS = 3.0
PROBE_MS = 3_000


class KafkaFeed:
    """topic: full name. group: of those who share its partitions. tail: the log, for what the topic has not."""

    def __init__(self, config: KafkaConfig, topic: str, group: str, tail: LogTail) -> None:
        self._config = config
        self._topic = topic
        self._group = group
        self._tail = tail
        self._consumer: KafkaConsumer | None = None
        self._info: TopicInfo | None = None
        self._readers: dict[int, PartitionReader] = {}
        self._heard = 0.0

    def sources(self) -> list[str]:
        """All sources: the topic's partitions. Raises StorageUnavailable while the topic is not there."""
        return [source_name(self._topic, number) for number in range(self._described().partitions)]

    def next(self, places: Places, timeout: float) -> Batch | None:
        """See Feed.next."""
        try:
            batch = self._next_held(places)
            if batch is None:
                self._poll(places, timeout)
                batch = self._next_held(places)
            return batch
        except StorageUnavailable:
            self._disconnect()
            raise

    def _next_held(self, places: Places) -> Batch | None:
        """From what has come already; the partition that was served goes to the end of the line."""
        for number, reader in list(self._readers.items()):
            if not reader.has_more:
                continue
            place = places(reader.source)
            if place.position != reader.position:
                self._start_reader(number, place)
                continue
            batch = reader.next()
            if batch is not None:
                self._readers[number] = self._readers.pop(number)
                return batch
        return None

    def _poll(self, places: Places, timeout: float) -> None:
        consumer = self._connected()
        with kafka_errors(f"'{self._topic}' cannot be read"):
            for partition in consumer.assignment():
                number = partition.partition
                place = places(source_name(self._topic, number))
                reader = self._readers.get(number)
                if reader is None or reader.position != place.position:
                    self._start_reader(number, place)
            fetched = consumer.poll(max(int(timeout * 1000), 1))
            for partition, records in fetched.items():
                reader = self._readers.get(partition.partition)
                if reader is not None:  # else it was assigned just now, and is read from its place next time
                    reader.add(RawRecord(record.offset, record.headers, record.value) for record in records)
            self._probe(consumer, bool(fetched))

    def _start_reader(self, number: int, place: Place) -> None:
        """Read a partition on from the consumer's place."""
        consumer, info = self._connected(), self._described()
        source = source_name(self._topic, number)
        self._readers[number] = PartitionReader(
            source, number, PartitionLog(self._tail, info.partitions), place, info.id
        )
        partition = TopicPartition(self._topic, number)
        with kafka_errors(f"'{source}' cannot be read"):
            if place.offset >= 0 and place.epoch == info.id:
                consumer.seek(partition, place.offset)
            else:
                consumer.seek_to_beginning(partition)

    def _probe(self, consumer: KafkaConsumer, heard: bool) -> None:
        """`poll` is silent about a broker that is away; so where nothing came for a while, ask."""
        now = time.monotonic()
        if heard:
            self._heard = now
        elif now - self._heard > PROBE_SECONDS:
            consumer.end_offsets([TopicPartition(self._topic, 0)], timeout_ms=PROBE_MS)
            self._heard = time.monotonic()

    def _connected(self) -> KafkaConsumer:
        if self._consumer is None:
            self._info = None
            self._described()
            with kafka_errors(f"'{self._topic}' cannot be read"):
                consumer = KafkaConsumer(
                    **self._config.client(),
                    group_id=self._group,
                    enable_auto_commit=False,
                    auto_offset_reset="earliest",
                    allow_auto_create_topics=False,
                    max_poll_records=POLL_RECORDS,
                    fetch_max_bytes=FETCH_BYTES,
                    max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
                    session_timeout_ms=SESSION_MS,
                    heartbeat_interval_ms=HEARTBEAT_MS,
                    partition_assignment_strategy=[CooperativeStickyAssignor],
                    metrics_enabled=False,
                )
                consumer.subscribe([self._topic], listener=_Listener(self))
            self._consumer, self._heard = consumer, time.monotonic()
        return self._consumer

    def _described(self) -> TopicInfo:
        if self._info is None:
            self._info = describe_topic(self._config, self._topic)
        if self._info is None:
            raise StorageUnavailable(f"the topic '{self._topic}' is not there; the relay creates it")
        return self._info

    def moved(self, partitions: list[TopicPartition]) -> None:
        """These partitions were given or taken: nothing that was held of them counts any more."""
        self._info = None  # a topic that was made anew has another id
        for partition in partitions:
            self._readers.pop(partition.partition, None)

    def _disconnect(self) -> None:
        self._readers.clear()
        self._info = None
        if self._consumer is not None:
            with contextlib.suppress(KafkaError, OSError):
                self._consumer.close(autocommit=False, timeout_ms=1_000)
            self._consumer = None

    def close(self) -> None:
        """Leave the group, and let go of the log's connection."""
        self._disconnect()
        self._tail.close()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, feed: KafkaFeed) -> None:
        self._feed = feed

    def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None:
        self._feed.moved(list(revoked))

    def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        LOG.info("reading the partitions %s", sorted(partition.partition for partition in assigned))
        self._feed.moved(list(assigned))
