"""Which partition a stream's records go to: murmur2 of the key, as Kafka's own clients do it, so that others who send
with the same key (commands, workers) land in the same partition.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from kafka.partitioner import murmur2

from streams.records import stream_key


def partition_of_key(key: bytes, count: int) -> int:
    """The partition of a key among `count`."""
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % count


@lru_cache(maxsize=100_000)
def partition_of(stream: UUID, count: int) -> int:
    """The partition of a stream's records. The hash costs 5 µs: it is remembered."""
    return partition_of_key(stream_key(stream).encode(), count)


def source_name(topic: str, partition: int) -> str:
    """How a feed names the partition ("flowledger.events/3")."""
    return f"{topic}/{partition}"


def partition_number(source: str) -> int:
    """The inverse. Raises ValueError."""
    return int(source.rpartition("/")[2])
