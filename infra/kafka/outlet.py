"""The relay's way into a topic (streams.relay.Outlet): an idempotent kafka-python producer; every acknowledgement is
awaited.

The producer keeps what is sent (`linger_ms` is longer than sending takes) until `flush`: so that it makes one batch of
each partition's records. One that failed is thrown away, with whatever it might still have sent.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from domain.errors import StorageUnavailable
from infra.kafka.config import KafkaConfig, kafka_errors
from infra.kafka.topics import describe_topic, ensure_topics
from streams.records import OutRecord
from streams.relay import TopicState

BATCH_BYTES = 1_000_000
LINGER_MS = 2_000
REQUEST_MS = 6_000
DELIVERY_MS = 8_000
FLUSH_SECONDS = 10.0
CLOSE_SECONDS = 1.0


def make_producer(config: KafkaConfig, **options: Any) -> KafkaProducer:
    """An idempotent producer that waits for all replicas."""
    return KafkaProducer(
        **{**config.client(), "request_timeout_ms": REQUEST_MS},
        enable_idempotence=True,
        acks="all",
        compression_type=config.compression,
        delivery_timeout_ms=DELIVERY_MS,
        max_block_ms=DELIVERY_MS,
        allow_auto_create_topics=False,
        metrics_enabled=False,
        **options,
    )


class KafkaOutlet:
    """One topic of ours. name: short ("events")."""

    def __init__(self, config: KafkaConfig, name: str) -> None:
        self._config = config
        self._name = name
        self.topic = config.topic(name)
        self._producer: KafkaProducer | None = None

    def inspect(self) -> TopicState:
        """See Outlet.inspect."""
        found = describe_topic(self._config, self.topic)
        if found is None:
            ensure_topics(self._config, [self._name])
            found = describe_topic(self._config, self.topic)
        if found is None:
            raise StorageUnavailable(f"the topic '{self.topic}' was created and is not there yet")
        partitions = [TopicPartition(self.topic, number) for number in range(found.partitions)]
        with kafka_errors(f"the ends of '{self.topic}' cannot be read"):
            consumer = KafkaConsumer(**self._config.client(), metrics_enabled=False)
            try:
                ends = consumer.end_offsets(partitions)
            finally:
                consumer.close()
        return TopicState(found.id, tuple(int(ends[partition]) for partition in partitions))

    def send(self, records: Sequence[tuple[int, OutRecord]]) -> dict[int, tuple[int, int]]:
        """See Outlet.send."""
        try:
            with kafka_errors(f"'{self.topic}' does not take records"):
                if self._producer is None:
                    self._producer = make_producer(self._config, linger_ms=LINGER_MS, batch_size=BATCH_BYTES)
                send, topic = self._producer.send, self.topic
                futures = [
                    send(topic, record.value, record.key, record.headers, partition) for partition, record in records
                ]
                self._producer.flush(FLUSH_SECONDS)
                acknowledged: dict[int, tuple[int, int]] = {}
                for (partition, _), future in zip(records, futures, strict=True):
                    offset = future.get(0).offset
                    first, _ = acknowledged.get(partition, (offset, offset))
                    acknowledged[partition] = (first, offset)
                return acknowledged
        except StorageUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Throw the producer away; the next send makes another."""
        if self._producer is not None:
            abandon(self._producer)
            self._producer = None


def abandon(producer: KafkaProducer) -> None:
    """Close a producer without sending what it still holds. Its own `close` would flush, raise where that takes too
    long, and leave its thread sending (kafka-python 3.0.12)."""
    producer._sender.force_close()
    with contextlib.suppress(KafkaError):
        producer.close(timeout=CLOSE_SECONDS)
