"""Reading one partition of the events topic: raw records in, batches of a feed out.

What has been taken is dropped by its position, whatever offset it comes at. What is missing is read from the log, which
is the truth: where a record names a predecessor that has not come (retention took it, the topic was filled again),
where an event is not in its record, and where a record cannot be read at all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from domain.events import Recorded
from streams.feeds import Batch, Place, Refused, Undecodable
from streams.partitions import partition_of
from streams.records import RecordInvalid, read_record
from streams.store_feed import LogTail, decode_batch

BATCH_EVENTS = 2_000
LOG_PAGE = 2_000
KEPT_VALUE_BYTES = 64 << 10
HEAD = (1 << 63) - 1


class RawRecord(NamedTuple):
    """A record as it came."""

    offset: int
    headers: Iterable[tuple[str, bytes]]
    value: bytes | None


class PartitionLog:
    """What the log has for one of `count` partitions."""

    def __init__(self, tail: LogTail, count: int) -> None:
        self._tail = tail
        self.count = count

    def read(self, source: str, partition: int, after: int, until: int) -> Batch | None:
        """The partition's events in the next page of the log, up to position `until` at most; None at its end. The
        page may hold none of them, and still moves the position on."""
        stored = [event for event in self._tail.read(after, LOG_PAGE) if event.position <= until]
        if not stored:
            return None
        page = decode_batch(stored)

        def ours(event: Recorded | Undecodable) -> bool:
            return partition_of(event.stream, self.count) == partition

        events = [event for event in page.events if ours(event)]
        undecodable = [event for event in page.undecodable if ours(event)]
        return Batch(events, undecodable, page.position, source, page.at)


class PartitionReader:
    """See the module. place: where the consumer is; epoch: the topic's id."""

    def __init__(self, source: str, partition: int, log: PartitionLog, place: Place, epoch: str) -> None:
        self.source = source
        self.position = place.position
        self._partition = partition
        self._log = log
        self._epoch = epoch
        self._records: deque[RawRecord] = deque()
        self._read_log_to = 0

    def add(self, records: Iterable[RawRecord]) -> None:
        """Records that came, in order."""
        self._records.extend(records)

    @property
    def has_more(self) -> bool:
        """Whether `next` may give something."""
        return bool(self._records) or self._read_log_to > self.position

    def next(self) -> Batch | None:
        """The next batch, None where what has come so far holds nothing new."""
        while self.has_more:
            batch = self._from_log() if self._read_log_to > self.position else self._from_records()
            if batch is not None:
                self.position = batch.position
                return batch
        return None

    def _from_log(self) -> Batch | None:
        batch = self._log.read(self.source, self._partition, self.position, self._read_log_to)
        if batch is None:
            self._read_log_to = 0
            return None
        return batch._replace(epoch=self._epoch)

    def _from_records(self) -> Batch | None:
        records = self._records
        events: list[Recorded] = []
        refused: list[Refused] = []
        position, at, offset = self.position, 0, -1
        while records and len(events) < BATCH_EVENTS and not refused:
            raw = records[0]
            try:
                record = read_record(raw.headers, raw.value)
            except RecordInvalid as error:
                refused.append(_refused(self.source, raw, str(error)))
                self._read_log_to = HEAD
            else:
                if record.upto > position:
                    missing = record.position if record.reference else record.previous
                    if missing > position:
                        self._read_log_to = missing
                        break
                    if record.event is not None and record.position > position:
                        events.append(record.event)
                    position, at = record.upto, record.at
            offset = raw.offset + 1
            records.popleft()
        if position == self.position and not refused:
            return None
        return Batch(events, (), position, self.source, at, offset, self._epoch, refused)


def _refused(source: str, raw: RawRecord, reason: str) -> Refused:
    lines = (f"{name}: {(value or b'').decode(errors='replace')}" for name, value in raw.headers)
    return Refused(source, raw.offset, reason, "\n".join(lines), (raw.value or b"")[:KEPT_VALUE_BYTES])
