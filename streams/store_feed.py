"""The store feed: events straight from the log. It pages through what is there, then sleeps until the log says that
something was appended; a bounded sleep covers a lost wake-up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from commands.ports import StoredEvent
from domain.errors import LogCorrupt
from domain.events import REGISTRY, Recorded
from streams.feeds import LOG_SOURCE, Batch, Places, Undecodable

BATCH = 2_000


class LogTail(Protocol):
    """What the feed needs from the log."""

    def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        """Events with position > after, ascending; never steps over one that commits later."""
        ...

    def wait(self, timeout: float) -> None:
        """Return when something was appended since the last call, or after `timeout` seconds."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class StoreFeed:
    """Feed over the log itself, its one source. batch: at most so many events at once."""

    def __init__(self, tail: LogTail, batch: int = BATCH) -> None:
        self._tail = tail
        self._batch = batch

    def next(self, places: Places, timeout: float) -> Batch | None:
        """See Feed.next."""
        after = places(LOG_SOURCE).position
        stored = self._tail.read(after, self._batch)
        if not stored:
            self._tail.wait(timeout)
            stored = self._tail.read(after, self._batch)
        return decode_batch(stored) if stored else None

    def close(self) -> None:
        """Let go of the log's connections."""
        self._tail.close()


def decode_batch(stored: Sequence[StoredEvent]) -> Batch:
    """Stored events as records of facts; those that cannot be decoded are told apart. At least one event."""
    events: list[Recorded] = []
    undecodable: list[Undecodable] = []
    decode = REGISTRY.decode
    for stream, version, topic, state, position in stored:
        try:
            envelope, event = decode(topic, state)
        except LogCorrupt as error:
            undecodable.append(Undecodable(stream, version, position, topic, str(error)))
            continue
        events.append(Recorded(stream, version, position, envelope, event))
    return Batch(events, undecodable, stored[-1].position, at=events[-1].envelope.at if events else 0)
