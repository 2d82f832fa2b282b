"""The relay: the log's events to Kafka, in order, at least once.

    log ──► read after the position ──► one record an event, by partition ──► send, wait for every acknowledgement
                                                                                 │
                              position, and the end of each partition  ◄─────────┘  (PostgreSQL, from expected to new)

What makes it safe:

* **No gap within a partition.** What is sent at once fits one batch a partition, which Kafka appends whole or not at
  all; the next is sent when all are acknowledged. Each record names the partition's event before it (`ce_previous`).
* **Several may stand by.** One leads, by a lock of the database session. Two that believe so for a moment send the same
  records in the same order; readers drop what they have. Only the one that still finds the position where it left
  it moves on.
* **A topic that lost data is filled again from the log**: another topic id, or an end below what was acknowledged.
* **Idle partitions keep up**: where a partition has no event at the end of what was sent, a watermark says how far it
  is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from domain.errors import DomainError, InvalidState, StorageUnavailable
from domain.events import Recorded
from streams.feeds import Undecodable
from streams.partitions import partition_of
from streams.projector import StopSignal
from streams.records import OutRecord, mark_upto, to_record, to_reference, unreadable_record, watermark_record
from streams.store_feed import LogTail, decode_batch

LOG = logging.getLogger("flowledger.relay")
READ_EVENTS = 2_000
MAX_PARTITION_BYTES = 900_000
"""Of one partition's records at once, before compression: they fit one batch (brokers take 1 MiB by default)."""
MAX_VALUE_BYTES = 800_000
"""A larger value is left in the log, and its record refers to it."""
RECORD_OVERHEAD = 600
"""About what key and headers take."""
IDLE_SECONDS = 1.0
CHECK_SECONDS = 5.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)


class Mark(NamedTuple):
    """How far a partition is. previous: position of its last event (0: none). end: the offset after the last record
    that was acknowledged."""

    previous: int = 0
    end: int = 0


class RelayState(NamedTuple):
    """What the relay has kept: every event up to `position` is in the topic with this id."""

    topic: str
    topic_id: str
    position: int
    marks: tuple[Mark, ...]


class TopicState(NamedTuple):
    """The topic as it is now: its id, and the end of each partition."""

    id: str
    ends: tuple[int, ...]


class LeadLost(DomainError):
    """Another relay has moved the position."""

    code = "LEAD_LOST"


class RelayStore(Protocol):
    """Where the position is kept, and who leads is settled."""

    def lead(self, topic: str, timeout: float) -> bool:
        """Become the topic's only relay, waiting at most `timeout` seconds."""
        ...

    def load(self, topic: str) -> RelayState | None:
        """What was kept last."""
        ...

    def save(self, state: RelayState, expected: RelayState | None) -> None:
        """Keep `state`, where `expected` is what is kept. Raises LeadLost, StorageUnavailable."""
        ...

    def close(self) -> None:
        """Give up the lead."""
        ...


class Outlet(Protocol):
    """The topic."""

    topic: str

    def inspect(self) -> TopicState:
        """The topic as it is now; it is created if it is not there. Raises StorageUnavailable."""
        ...

    def send(self, records: Sequence[tuple[int, OutRecord]]) -> dict[int, tuple[int, int]]:
        """Send (partition, record), and wait until all are acknowledged; for each partition the first and the last
        offset. Raises StorageUnavailable: then any of them may be in the topic, or none."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Relay:
    """One relay. sent: events acknowledged since the start."""

    def __init__(
        self,
        tail: LogTail,
        store: RelayStore,
        outlet: Outlet,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tail = tail
        self._store = store
        self._outlet = outlet
        self._monotonic = monotonic
        self._state: RelayState | None = None
        self._checked = 0.0
        self.sent = 0

    @property
    def position(self) -> int:
        """Every event up to it is in the topic; 0 while another leads."""
        return self._state.position if self._state is not None else 0

    def run(self, stop: StopSignal) -> None:
        """Relay until `stop` is set. A broker or a database that is away is waited for."""
        failures = 0
        while not stop.is_set():
            try:
                if self._state is None and not self._begin():
                    continue
                self.step(IDLE_SECONDS)
                failures = 0
            except LeadLost as lost:
                LOG.warning("%s", lost)
                self._state = None
            except StorageUnavailable as away:
                pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                failures += 1
                LOG.warning("the broker or the database is away, trying again in %.1f s: %s", pause, away)
                self._state = None
                stop.wait(pause)

    def _begin(self) -> bool:
        if not self._store.lead(self._outlet.topic, IDLE_SECONDS):
            return False
        self._check(self._store.load(self._outlet.topic))
        return True

    def _check(self, known: RelayState | None) -> RelayState:
        """Compare what is kept with the topic as it is; start over where it lost what it had."""
        topic = self._outlet.inspect()
        self._checked = self._monotonic()
        if known is not None and known.topic_id == topic.id:
            if len(topic.ends) != len(known.marks):
                raise InvalidState(
                    f"the topic '{known.topic}' has {len(topic.ends)} partitions; it had {len(known.marks)}: records "
                    "of an instance would change their partition and come out of order. Delete the topic (it is filled "
                    "again from the log), or choose another FLOWLEDGER_KAFKA_PREFIX"
                )
            if all(end >= mark.end for end, mark in zip(topic.ends, known.marks, strict=True)):
                self._state = known
                return known
            LOG.error(
                "the topic '%s' ends before what it had acknowledged: it is filled again from the log", known.topic
            )
        elif known is not None:
            LOG.error("the topic '%s' was made anew: it is filled again from the log", known.topic)
        return self._start_over(topic, known)

    def _start_over(self, topic: TopicState, known: RelayState | None) -> RelayState:
        """Keep that the topic is to be filled from the log's beginning; at once, as what was just sent may have brought
        a partition that lost its data back to the length it had."""
        fresh = RelayState(self._outlet.topic, topic.id, 0, tuple(Mark(0, end) for end in topic.ends))
        self._store.save(fresh, known)
        self._state = fresh
        return fresh

    def step(self, timeout: float) -> int:
        """Relay what the log has next, waiting for it at most `timeout` seconds; how many events that were."""
        state = self._state
        assert state is not None, "only who leads relays"
        if self._monotonic() - self._checked > CHECK_SECONDS:
            state = self._check(state)
        stored = self._tail.read(state.position, READ_EVENTS)
        if not stored:
            self._tail.wait(timeout)
            stored = self._tail.read(state.position, READ_EVENTS)
        if not stored:
            return 0
        batch = decode_batch(stored)
        items: list[Recorded | Undecodable] = list(batch.events)
        if batch.undecodable:
            items = sorted([*items, *batch.undecodable], key=lambda item: item.position)
        for shipment in shipments(items, state.marks):
            self._ship(shipment)
        self.sent += len(items)
        return len(items)

    def _ship(self, shipment: Shipment) -> None:
        state = self._state
        assert state is not None, "only who leads relays"
        acknowledged = self._outlet.send(shipment.records)
        marks = list(state.marks)
        for partition, (first, last) in acknowledged.items():
            if first < marks[partition].end:
                self._start_over(self._outlet.inspect(), state)
                raise StorageUnavailable(
                    f"partition {partition} went back from offset {marks[partition].end} to {first}: its data is gone"
                )
            marks[partition] = Mark(shipment.previous[partition], last + 1)
        moved = state._replace(position=shipment.position, marks=tuple(marks))
        self._store.save(moved, state)
        self._state = moved


class Shipment(NamedTuple):
    """What is sent at once. previous: of each partition, its last event's position afterwards."""

    records: list[tuple[int, OutRecord]]
    position: int
    previous: list[int]


def shipments(items: Sequence[Recorded | Undecodable], marks: Sequence[Mark]) -> Iterable[Shipment]:
    """The records of consecutive events, in portions of which each partition's part fits one batch; every portion takes
    all partitions to its end, by the last record of each or by a watermark."""
    count = len(marks)
    previous = [mark.previous for mark in marks]
    records: list[tuple[int, OutRecord]] = []
    last: dict[int, OutRecord] = {}
    sizes = [0] * count
    at, position = 0, 0
    for item in items:
        partition = partition_of(item.stream, count)
        record, size = _record(item, previous[partition])
        if sizes[partition] + size > MAX_PARTITION_BYTES and records:
            yield _closed(records, last, previous, position, at)
            records, last, sizes = [], {}, [0] * count
        records.append((partition, record))
        last[partition] = record
        sizes[partition] += size
        previous[partition] = position = item.position
        if isinstance(item, Recorded):
            at = item.envelope.at
    if records:
        yield _closed(records, last, previous, position, at)


def _record(item: Recorded | Undecodable, previous: int) -> tuple[OutRecord, int]:
    if isinstance(item, Undecodable):
        return unreadable_record(item, previous), RECORD_OVERHEAD
    record = to_record(item, previous)
    size = len(record.value or b"")
    if size > MAX_VALUE_BYTES:
        return to_reference(record, item.position), RECORD_OVERHEAD
    return record, size + RECORD_OVERHEAD


def _closed(
    records: list[tuple[int, OutRecord]], last: dict[int, OutRecord], previous: list[int], position: int, at: int
) -> Shipment:
    for partition, before in enumerate(previous):
        if before == position:
            continue
        record = last.get(partition)
        if record is not None:
            mark_upto(record, position, at)
        else:
            records.append((partition, watermark_record(position, at, before, partition)))
    return Shipment(records, position, list(previous))
