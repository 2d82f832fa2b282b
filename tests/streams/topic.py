"""A topic in memory, as the relay fills it and readers see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.errors import StorageUnavailable
from streams.records import InRecord, OutRecord, read_record
from streams.relay import LeadLost, RelayState, TopicState


class FakeTopic:
    """`fail` makes the next send fail: before anything is appended ("before"), or after ("after")."""

    def __init__(self, partitions: int = 3, topic: str = "t.events") -> None:
        self.topic = topic
        self.id = "id-1"
        self.partitions: list[list[OutRecord]] = [[] for _ in range(partitions)]
        self.fail = ""
        self.sends = 0

    def inspect(self) -> TopicState:
        """See Outlet.inspect."""
        if self.fail == "inspect":
            raise StorageUnavailable("no broker")
        return TopicState(self.id, tuple(map(len, self.partitions)))

    def send(self, records: Sequence[tuple[int, OutRecord]]) -> dict[int, tuple[int, int]]:
        """See Outlet.send."""
        self.sends += 1
        fail, self.fail = self.fail, ""
        if fail == "before":
            raise StorageUnavailable("not sent")
        acknowledged: dict[int, tuple[int, int]] = {}
        for partition, record in records:
            offset = len(self.partitions[partition])
            self.partitions[partition].append(record)
            acknowledged[partition] = (acknowledged.get(partition, (offset, 0))[0], offset)
        if fail == "after":
            raise StorageUnavailable("sent, and nobody knows")
        return acknowledged

    def recreate(self) -> None:
        """Lost, and made anew."""
        self.id += "x"
        self.partitions = [[] for _ in self.partitions]

    def read(self, partition: int) -> list[InRecord]:
        """What a reader finds."""
        return [read_record(record.headers, record.value) for record in self.partitions[partition]]

    def close(self) -> None:
        """Nothing to let go of."""


class FakeStore:
    """The relay's position, kept in memory; `rival` moves it."""

    def __init__(self) -> None:
        self.state: RelayState | None = None

    def lead(self, topic: str, timeout: float) -> bool:
        """Nobody else is there."""
        return True

    def load(self, topic: str) -> RelayState | None:
        """What was kept last."""
        return self.state

    def save(self, state: RelayState, expected: RelayState | None) -> None:
        """Only from what is kept."""
        if self.state != expected:
            raise LeadLost("another was first")
        self.state = state

    def close(self) -> None:
        """Nothing to let go of."""


class Reader(NamedTuple):
    """What a reader of one partition took, dropping what it had."""

    positions: list[int]
    gaps: list[int]
    passed: int


def read_all(records: Sequence[InRecord]) -> Reader:
    """Read a partition from its beginning. What follows a gap is left: the topic is being filled again."""
    at, positions, gaps = 0, [], []
    for record in records:
        if record.upto <= at:
            continue
        if record.previous > at:
            gaps.append(record.previous)
            continue
        if record.event is not None and record.position > at:
            positions.append(record.position)
        at = max(at, record.upto)
    return Reader(positions, gaps, at)
