"""The projector: takes batches from a feed, projects them, and has the row changes written together with the position.

Exactly once: the sink moves the source's position from where this runner thinks it is, in the transaction that writes
the rows; if somebody else moved it (a zombie's batch, a partition that was given to another), nothing is written and
the runner starts over from where the position is now.

A poison event (its projection raises, or PostgreSQL refuses its rows) is set aside in quarantine with the reason, and
so are all later events of *its stream*, in order: rows of an instance build on its earlier events, so going on
without one would show things that never were. All other streams go on. `redrive` is the sink's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from domain.errors import DomainError, StorageUnavailable
from domain.events import Recorded
from projections.registry import ProjectionFailed, project
from projections.rows import MICROSECONDS_PER_MS, Changes
from streams.feeds import Batch, Feed, Place, Refused, Undecodable

LOG = logging.getLogger("flowledger.projector")
IDLE_SECONDS = 1.0
RETRY_SECONDS = 0.5
MAX_POISON_PER_BATCH = 10_000


class SetAside(NamedTuple):
    """A row of the quarantine."""

    position: int
    stream: UUID
    version: int
    topic: str
    reason: str


class Move(NamedTuple):
    """How a written batch moves its source's place. expected: the position that it must be at. reflects_at: the log's
    time (ms) at the new position, 0 if not known. refused: records to be kept for inspection."""

    source: str
    expected: int
    place: Place
    reflects_at: int = 0
    refused: Sequence[Refused] = ()


class PositionMoved(DomainError):
    """Another runner has written from this position on; nothing of this batch was."""

    code = "POSITION_MOVED"


class RowsRefused(DomainError):
    """The database refuses the rows of a batch for what is in them; nothing of the batch was written."""

    code = "ROWS_REFUSED"


class Sink(Protocol):
    """Where row changes go. The places, one a source, see to it that each batch is written once."""

    def lead(self, timeout: float) -> bool:
        """Become a runner, waiting at most `timeout` seconds for others that must stop first: of the log there is one
        runner at a time, of a topic as many as share its partitions."""
        ...

    def place(self, source: str) -> Place:
        """How far the rows are in a source."""
        ...

    def quarantined(self) -> Collection[UUID]:
        """The streams that are set aside."""
        ...

    def write(self, changes: Changes, aside: Sequence[SetAside], move: Move) -> None:
        """Write it all and move the place, in one transaction.

        Raises PositionMoved, RowsRefused or StorageUnavailable; then nothing was written."""
        ...

    def close(self) -> None:
        """Let go of connections (and of the lead)."""
        ...


class StopSignal(Protocol):
    """threading.Event, multiprocessing.Event …"""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float) -> bool: ...


Project = Callable[[Iterable[Recorded], Collection[UUID]], Changes]


def run(feed: Feed, sink: Sink, stop: StopSignal, projections: Project = project) -> None:
    """Project batch after batch until `stop` is set. A lost database is waited for, not given up on."""
    leading = False
    places: dict[str, Place] = {}

    def place(source: str) -> Place:
        known = places.get(source)
        if known is None:
            known = places[source] = sink.place(source)
        return known

    while not stop.is_set():
        try:
            if not leading:
                places.clear()
                leading = sink.lead(IDLE_SECONDS)
                continue
            batch = feed.next(place, IDLE_SECONDS)
            if batch is not None:
                places[batch.source] = apply(batch, sink, place(batch.source).position, projections)
        except PositionMoved as moved:
            LOG.warning("%s", moved)
            places.clear()
        except StorageUnavailable as lost:
            LOG.warning("the database or the broker is away, trying again: %s", lost)
            leading = False
            stop.wait(RETRY_SECONDS)


def apply(batch: Batch, sink: Sink, expected: int, projections: Project = project) -> Place:
    """Project and write one batch; the new place. Poison is set aside, and the rest of the batch is written."""
    try:
        return _write(batch, sink, expected, projections, {})
    except RowsRefused as refused:
        if not batch.events:
            raise
        if len(batch.events) == 1 and not batch.undecodable:
            poison = batch.events[0]
            LOG.error("set aside position %d: %s", poison.position, refused)
            return _write(batch, sink, expected, projections, {poison.stream: (poison.version, str(refused))})
    place = Place(expected)
    for part in _halves(batch):
        place = apply(part, sink, place.position, projections)
    return place


def _write(batch: Batch, sink: Sink, expected: int, projections: Project, poison: dict[UUID, tuple[int, str]]) -> Place:
    """poison: stream → (first version that is poison, why)."""
    known = frozenset(sink.quarantined())
    for broken in batch.undecodable:
        if broken.stream not in known:
            LOG.error("set aside position %d: %s", broken.position, broken.reason)
            poison.setdefault(broken.stream, (broken.version, broken.reason))
    for _ in range(MAX_POISON_PER_BATCH):
        taken = _healthy(batch.events, known, poison)
        try:
            changes = projections(taken, ())
            break
        except ProjectionFailed as failed:
            event = failed.recorded
            LOG.error("set aside position %d: %s", event.position, failed)
            poison[event.stream] = (event.version, str(failed))
    else:
        raise AssertionError("more poison than events")
    aside = _set_aside(batch, known, poison) if known or poison else ()
    move = Move(batch.source, expected, batch.place, batch.at // MICROSECONDS_PER_MS, batch.refused)
    sink.write(changes, aside, move)
    return batch.place


def _healthy(
    events: Sequence[Recorded], known: Collection[UUID], poison: dict[UUID, tuple[int, str]]
) -> Sequence[Recorded]:
    if not known and not poison:
        return events
    return [
        event
        for event in events
        if event.stream not in known and (event.stream not in poison or event.version < poison[event.stream][0])
    ]


def _set_aside(batch: Batch, known: Collection[UUID], poison: dict[UUID, tuple[int, str]]) -> list[SetAside]:
    rows: list[SetAside] = []
    items: list[Recorded | Undecodable] = [*batch.events, *batch.undecodable]
    for item in items:
        topic = item.topic if isinstance(item, Undecodable) else item.event.topic
        first, reason = poison.get(item.stream, (0, ""))
        if item.stream in known or (first and item.version > first):
            why = "follows an event of its stream that is set aside"
            rows.append(SetAside(item.position, item.stream, item.version, topic, why))
        elif first and item.version == first:
            rows.append(SetAside(item.position, item.stream, item.version, topic, reason))
    return sorted(rows)


def _halves(batch: Batch) -> list[Batch]:
    """The batch in two by position, so that a refused row is found in a few steps; a half is never empty."""
    positions = sorted([*(event.position for event in batch.events), *(bad.position for bad in batch.undecodable)])
    middle = positions[(len(positions) - 1) // 2]
    return [batch.up_to(middle), batch.beyond(middle)]
