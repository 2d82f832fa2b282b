"""Changing what the read models are fed from: from the log to a topic's partitions and back, or to another topic.

Each source has its own place, so before the sources are exchanged all are taken to the same position, by reading the
log; then the new ones begin there. Nothing is projected twice or left out, and readers notice nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from infra.postgres.read_models_sink import PostgresSink
from streams.feeds import LOG_SOURCE, Batch, Place
from streams.partition_reader import PartitionLog
from streams.partitions import partition_number, partition_of
from streams.projector import StopSignal, apply
from streams.store_feed import LogTail

LOG = logging.getLogger("flowledger.projector")
WAIT_SECONDS = 1.0


def adopt(sink: PostgresSink, tail: LogTail, sources: Sequence[str], stop: StopSignal) -> None:
    """Have the read models fed from `sources` from now on. Waits while a projector still runs on others.

    The lead that was taken for it is given up again."""
    while not stop.is_set():
        known = sink.places()
        if set(known) == set(sources):
            return
        if sink.lead_alone(WAIT_SECONDS):
            try:
                LOG.info("the read models are fed from %s now, no longer from %s", sources, sorted(known))
                sink.replace_sources(sources, level(sink, tail))
            finally:
                sink.close()


def level(sink: PostgresSink, tail: LogTail) -> int:
    """Take all sources to the position of the one that is farthest; that position."""
    places = sink.places()
    target = max((place.position for place in places.values()), default=0)
    log = PartitionLog(tail, len(places))
    for source, place in places.items():
        at = place
        while at.position < target:
            batch = log.read(source, partition_number(source), at.position, target)
            if batch is None:  # the log ends before: it was restored from a backup
                break
            at = apply(batch, sink, at.position)
    return target


def limits_of(places: Mapping[str, Place]) -> Callable[[UUID], int]:
    """Up to which position the events of a stream are projected, given the places of all sources."""
    if LOG_SOURCE in places or not places:
        position = places[LOG_SOURCE].position if places else 0
        return lambda _stream: position
    by_partition = {partition_number(source): place.position for source, place in places.items()}
    return lambda stream: by_partition[partition_of(stream, len(by_partition))]


def within(batch: Batch, limit: Callable[[UUID], int]) -> Batch:
    """The part of a batch that lies within the limits of its streams."""
    return batch._replace(
        events=[event for event in batch.events if event.position <= limit(event.stream)],
        undecodable=[event for event in batch.undecodable if event.position <= limit(event.stream)],
    )
