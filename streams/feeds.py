"""Feeds: where projections get the log's events from. One port, so that the same projection reads straight from the
store on one machine and from Kafka when scaled out.

A feed has *sources*: the log itself is one (`LOG_SOURCE`), each partition of a Kafka topic is one, such as
"flowledger.events/3". All events of a stream come from the same source, in order; within a source log positions ascend.
So whoever consumes a feed keeps one position a source, and drops whatever is not beyond it: repeated and replayed
events have no effect, whichever feed they come from.

    position   the log position (notification id): the same number on every feed, so positions can be compared
    offset     where to read on in a source that counts otherwise; a hint, bound to the source's `epoch`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.events import Recorded

LOG_SOURCE = "log"
"""The source that is the log itself."""


class Undecodable(NamedTuple):
    """An event that cannot be understood (unknown topic, damaged state); it is set aside, not skipped."""

    stream: UUID
    version: int
    position: int
    topic: str
    reason: str


class Place(NamedTuple):
    """How far a consumer is in a source. position: every event of the source at or below it has been taken.

    offset: the offset to read on at (-1: unknown, begin at the source's beginning; what was taken is dropped by its
    position). epoch: which incarnation of the source the offset belongs to (a Kafka topic's id); in another one the
    offset means nothing.
    """

    position: int = 0
    offset: int = -1
    epoch: str = ""


class Refused(NamedTuple):
    """A record of a source that is no event at all (foreign, damaged): kept for inspection, with the reason.

    It takes nothing away: events that it may have stood for are read from the log. headers: as text, one a line.
    """

    source: str
    offset: int
    reason: str
    headers: str
    value: bytes


class Batch(NamedTuple):
    """Consecutive events of one source.

    position: every event of the source at or below it is in this batch or in one before; that of the last event or
    beyond it (where the source has no event for a while). at: the log's time (µs) at `position`, 0 if not known.
    offset, epoch: see Place.
    """

    events: Sequence[Recorded]
    undecodable: Sequence[Undecodable]
    position: int
    source: str = LOG_SOURCE
    at: int = 0
    offset: int = -1
    epoch: str = ""
    refused: Sequence[Refused] = ()

    @property
    def place(self) -> Place:
        """Where a consumer is that has taken this batch."""
        return Place(self.position, self.offset, self.epoch)

    def up_to(self, position: int) -> Batch:
        """The part of the batch whose positions are at most `position`; the offset is not known in its midst."""
        if self.position <= position:
            return self
        events = [event for event in self.events if event.position <= position]
        undecodable = [event for event in self.undecodable if event.position <= position]
        at = events[-1].envelope.at if events else 0
        return Batch(events, undecodable, position, self.source, at)

    def beyond(self, position: int) -> Batch:
        """The part of the batch whose positions are greater than `position`."""
        return self._replace(
            events=[event for event in self.events if event.position > position],
            undecodable=[event for event in self.undecodable if event.position > position],
        )


Places = Callable[[str], Place]
"""Where the consumer is in a source: what it has kept, not what it has been handed."""


class Feed(Protocol):
    """Consecutive batches of the log's events, of one source at a time."""

    def next(self, places: Places, timeout: float) -> Batch | None:
        """What follows the consumer's place in some source that has more: at once if there is something, else within
        `timeout` seconds; None if nothing came.

        The consumer's word counts: a feed that was ahead of its place (the batch was not kept, or somebody else kept
        one) goes back to it. Events at or below the place's position never come. Raises StorageUnavailable while the
        source cannot be reached.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
