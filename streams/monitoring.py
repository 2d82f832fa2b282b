"""The monitoring writer: takes batches from a feed, folds them into rows (projections/monitoring/rows.py), and has them
inserted in large pieces.

Once in effect without transactions: rows are keyed and versioned, so writing them again changes nothing; the places in
the sources are written after the rows. A writer that dies in between reads on from the older place and writes the same
rows again.

A piece is written when it is MAX_EVENTS long or MAX_BYTES large, or its first event has waited for the delay: ten times
what writing takes, between SHORTEST_DELAY and LONGEST_DELAY seconds, so that at low load inserts take a tenth of the
time and at high load few, large parts come.

A poison event is set aside with the reason, and so are all later events of its stream; the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.errors import StorageUnavailable
from domain.events import Recorded
from projections.monitoring.rows import COLUMNS, Folding
from projections.rows import MICROSECONDS_PER_MS
from streams.feeds import Batch, Feed, Place, Undecodable
from streams.projector import IDLE_SECONDS, RETRY_SECONDS, RowsRefused, SetAside, StopSignal

LOG = logging.getLogger("flowledger.monitoring")
MAX_EVENTS = 20_000
MAX_BYTES = 16 << 20
SHORTEST_DELAY = 0.2
LONGEST_DELAY = 1.0
REQUEST_SECONDS = 1.0
FOLLOWS = "follows an event of its stream that is set aside"
NEVER = 1 << 62

Lines = Mapping[str, list[bytes]]
"""Table → rows as JSON arrays, in the order of COLUMNS; each item holds whole lines."""

_ENCODER = msgspec.json.Encoder()


class Sources(NamedTuple):
    """How far a source is after a piece. reflects_at: the log's time there (ms)."""

    place: Place
    reflects_at: int


class Sink(Protocol):
    """The store that rows go to. Methods raise StorageUnavailable while it cannot be reached."""

    def lead(self, timeout: float) -> bool:
        """Become the only writer, waiting at most `timeout` seconds for another to stop."""
        ...

    def places(self) -> dict[str, Place]:
        """How far the store is, by source."""
        ...

    def quarantined(self) -> Collection[UUID]:
        """The streams that are set aside."""
        ...

    def write(self, lines: Lines, aside: Sequence[SetAside], sources: Mapping[str, Sources]) -> None:
        """Insert rows, then what is set aside, then the places. Raises RowsRefused for what is in the rows."""
        ...

    def load(self, before: Mapping[int, int]) -> Iterable[tuple[int, int, str, bytes]]:
        """See projections.monitoring.rows.Load."""
        ...

    def close(self) -> None:
        """Let go of it (and of the lead)."""
        ...


class Piece:
    """What is gathered to be written at once."""

    def __init__(self) -> None:
        self.lines: dict[str, list[bytes]] = {table: [] for table in COLUMNS}
        self.aside: list[SetAside] = []
        self.sources: dict[str, Sources] = {}
        self.events = 0
        self.bytes = 0
        self.since = 0.0

    @property
    def full(self) -> bool:
        """Whether it is large enough."""
        return self.events >= MAX_EVENTS or self.bytes >= MAX_BYTES


class Writer:
    """Writes what comes from a feed. between: called after each piece and now and then (requests of operators)."""

    def __init__(
        self,
        feed: Feed,
        sink: Sink,
        folding: Folding,
        between: Callable[[Writer], None] = lambda writer: None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._feed = feed
        self.sink = sink
        self.folding = folding
        self._between = between
        self._seconds = seconds
        self.leading = False
        self._places: dict[str, Place] = {}
        self._aside: set[UUID] = set()
        self._piece = Piece()
        self._delay = SHORTEST_DELAY
        self._asked = 0.0

    def run(self, stop: StopSignal) -> None:
        """Write until `stop` is set. A lost store or log is waited for, not given up on."""
        while not stop.is_set():
            try:
                self.step(IDLE_SECONDS)
            except StorageUnavailable as lost:
                LOG.warning("the monitoring store or the log is away, trying again: %s", lost)
                self.restart()
                stop.wait(RETRY_SECONDS)
        if self.pending:
            try:
                self.flush()
            except StorageUnavailable as lost:
                LOG.warning("the last events were not written, the next start writes them: %s", lost)

    def restart(self) -> None:
        """Know nothing any more: begin again from what the store holds."""
        self.leading = False
        self._piece = Piece()
        self.folding.forget()

    def step(self, timeout: float) -> None:
        """Take what the feed has within `timeout` seconds, and write if it is time to."""
        if not self.leading and not self._begin(timeout):
            return
        now = self._seconds()
        if now - self._asked >= REQUEST_SECONDS and not self.pending:
            self._asked = now
            self._between(self)
        due = self._piece.since + self._delay
        wait = min(timeout, REQUEST_SECONDS) if not self.pending else max(0.0, due - now)
        batch = self._feed.next(self._place, wait)
        if batch is not None:
            self.take(batch)
        if self.pending and (self._piece.full or self._seconds() >= self._piece.since + self._delay):
            self.flush()

    def _begin(self, timeout: float) -> bool:
        self.restart()
        if not self.sink.lead(timeout):
            return False
        self._places = self.sink.places()
        self._aside = set(self.sink.quarantined())
        self.leading = True
        return True

    @property
    def aside(self) -> frozenset[UUID]:
        """The streams that are set aside."""
        return frozenset(self._aside)

    def _place(self, source: str) -> Place:
        return self._places.get(source, Place())

    def places(self) -> dict[str, Place]:
        """How far it has taken, by source."""
        return dict(self._places)

    @property
    def pending(self) -> bool:
        """Whether something is gathered that is not written."""
        return bool(self._piece.sources)

    def take(self, batch: Batch) -> None:
        """Fold a batch into the piece."""
        piece = self._piece
        if not piece.sources:
            piece.since = self._seconds()
        first: dict[UUID, int] = dict.fromkeys(self._aside, 0)
        """Of streams that are set aside: the version from which on."""
        for broken in batch.undecodable:
            after = first.setdefault(broken.stream, broken.version) < broken.version
            self._set_aside(broken, broken.topic, FOLLOWS if after else broken.reason)
        events = batch.events
        if first:
            events = [event for event in events if event.version < first.get(event.stream, NEVER)]
        folded = self.folding.fold(events)
        for refused in folded.refused:
            poison = refused.recorded
            first[poison.stream] = poison.version
            self._set_aside(poison, poison.event.topic, refused.reason)
        if first:
            for event in batch.events:
                if event.version > first.get(event.stream, NEVER):
                    self._set_aside(event, event.event.topic, FOLLOWS)
        for table, rows in folded.rows.items():
            if rows:
                text = _ENCODER.encode_lines(rows)
                piece.lines[table].append(text)
                piece.bytes += len(text)
        piece.events += len(batch.events) + len(batch.undecodable)
        piece.sources[batch.source] = Sources(batch.place, batch.at // MICROSECONDS_PER_MS)
        self._places[batch.source] = batch.place

    def _set_aside(self, item: Recorded | Undecodable, topic: str, reason: str) -> None:
        if item.stream not in self._aside:
            LOG.error("set aside position %d: %s", item.position, reason)
        self._aside.add(item.stream)
        self._piece.aside.append(SetAside(item.position, item.stream, item.version, topic, reason))

    def flush(self) -> None:
        """Write the piece. Rows that the store refuses are looked for, and their streams set aside."""
        piece, self._piece = self._piece, Piece()
        began = self._seconds()
        try:
            self.sink.write(piece.lines, piece.aside, piece.sources)
        except RowsRefused as refused:
            LOG.error("the store refuses rows, looking for them: %s", refused)
            self._write_carefully(piece)
        except BaseException:
            self.folding.forget()
            raise
        self.folding.written()
        self._delay = min(LONGEST_DELAY, max(SHORTEST_DELAY, 10 * (self._seconds() - began)))

    def _write_carefully(self, piece: Piece) -> None:
        """Take the piece's events again, stream by stream, and set aside those whose rows are refused."""
        self.restart()
        self._begin(IDLE_SECONDS)
        for source in piece.sources:
            until = piece.sources[source].place.position
            while self._place(source).position < until:
                batch = self._feed.next(self._place, IDLE_SECONDS)
                if batch is None:
                    return  # the feed has gone elsewhere: go on from what is written
                self._take_carefully(batch)

    def _take_carefully(self, batch: Batch) -> None:
        streams: dict[UUID, list[Recorded]] = {}
        for event in batch.events:
            streams.setdefault(event.stream, []).append(event)
        for own in streams.values():
            self.take(batch._replace(events=own, undecodable=()))
            part, self._piece = self._piece, Piece()
            try:
                self.sink.write(part.lines, part.aside, {})
            except RowsRefused as refused:
                self.folding.forget()
                for event in own:
                    self._set_aside(event, event.event.topic, str(refused))
                part, self._piece = self._piece, Piece()
                self.sink.write({}, part.aside, {})
            self.folding.written()
        self.take(batch._replace(events=()))
        part, self._piece = self._piece, Piece()
        self.sink.write({}, part.aside, part.sources)

    def redrive(self, stream: UUID, events: Sequence[Recorded]) -> None:
        """Let a stream go on that was set aside: write its events (all of them; what is known is left out)."""
        self._aside.discard(stream)
        folded = self.folding.fold(events)
        if folded.refused:
            self._aside.add(stream)
            self.folding.forget()
            raise RowsRefused(folded.refused[0].reason)
        lines = {table: [_ENCODER.encode_lines(rows)] for table, rows in folded.rows.items() if rows}
        self.sink.write(lines, (), {})
        self.folding.written()
