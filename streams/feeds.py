"""Feeds: where projections get the log's events from, in order and without gaps. One port, so that the same projection
reads straight from the store on one machine and from Kafka when scaled out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.events import Recorded


class Undecodable(NamedTuple):
    """An event that cannot be understood (unknown topic, damaged state); it is set aside, not skipped."""

    stream: UUID
    version: int
    position: int
    topic: str
    reason: str


class Batch(NamedTuple):
    """Consecutive events of the log. position: that of the last one, decodable or not."""

    events: Sequence[Recorded]
    undecodable: Sequence[Undecodable]
    position: int

    def up_to(self, position: int) -> Batch:
        """The part of the batch whose positions are at most `position`."""
        if self.position <= position:
            return self
        return Batch(
            [event for event in self.events if event.position <= position],
            [event for event in self.undecodable if event.position <= position],
            position,
        )

    def beyond(self, position: int) -> Batch:
        """The part of the batch whose positions are greater than `position`."""
        return Batch(
            [event for event in self.events if event.position > position],
            [event for event in self.undecodable if event.position > position],
            self.position,
        )


class Feed(Protocol):
    """Consecutive batches of the log's events."""

    def next(self, after: int, timeout: float) -> Batch | None:
        """What follows position `after`: at once if there is something, else within `timeout` seconds; None if nothing
        came. Raises StorageUnavailable while the log cannot be reached."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
