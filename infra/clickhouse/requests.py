"""What operators ask of the monitoring writer, through a table of the store: to rebuild everything from the log, to let
a stream go on that was set aside. Only the writer may do these things, since only it knows what it is about to write.

    asked → running → done | failed

A rebuild fills empty tables beside the live ones from the log, in a thread of its own, while the live ones are written
and read on. When it has nearly caught up, the writer pauses, lets it catch up, and exchanges the tables, each in
milliseconds. A rebuild that was cut off begins anew.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from domain.errors import DomainError, InvalidState
from domain.events import Recorded, encode_json
from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.sink import ClickHouseSink, Shadow, serial
from projections.monitoring.instance import Dimensions
from projections.monitoring.rows import Folding
from streams.feeds import LOG_SOURCE, Feed
from streams.monitoring import Writer

LOG = logging.getLogger("flowledger.monitoring")
REBUILD = "rebuild"
REDRIVE = "redrive"
DONE = "done"
FAILED = "failed"
OPEN = ("asked", "running")
NOTE_SECONDS = 0.5
_COLUMNS = ("id", "kind", "argument", "state", "position", "until", "message", "at", "serial")


class Request(NamedTuple):
    """A request and how far it is. until: the position that it will reach, as far as is known."""

    id: str
    kind: str
    argument: str
    state: str
    position: int = 0
    until: int = 0
    message: str = ""

    @property
    def open(self) -> bool:
        """Whether it is not settled yet."""
        return self.state in OPEN


def ask(store: ClickHouse, kind: str, argument: str = "") -> str:
    """Ask the writer for something; the request's id. Raises InvalidState while the same is under way."""
    if any(request.kind == kind and request.argument == argument and request.open for request in requests(store)):
        raise InvalidState(f"a {kind} is under way already")
    request = Request(uuid.uuid4().hex, kind, argument, "asked")
    note(store, request)
    return request.id


def note(store: ClickHouse, request: Request) -> None:
    """Write how far a request is."""
    row = [*request, time.time(), serial()]
    store.insert("requests", _COLUMNS, encode_json(row) + b"\n")


def requests(store: ClickHouse, id: str = "") -> list[Request]:
    """Requests, the oldest first."""
    where = "WHERE id = {id:String}" if id else ""
    text = f"SELECT id, kind, argument, state, position, until, message FROM requests {where} ORDER BY serial"  # noqa: S608
    return [Request(*row) for row in store.rows(text, {"id": id} if id else None)]


class Requests:
    """Carries requests out, between the pieces that the writer writes (`Writer`'s `between`).

    log_feed: makes a feed of the log. history: a stream's events that are in the log.
    """

    def __init__(
        self,
        store: ClickHouse,
        log_feed: Callable[[], Feed],
        history: Callable[[UUID], Sequence[Recorded]],
        dimensions: Dimensions,
    ) -> None:
        self._store = store
        self._log_feed = log_feed
        self._history = history
        self._dimensions = dimensions
        self._rebuild: Rebuild | None = None

    def __call__(self, writer: Writer) -> None:
        """Go on with what is open."""
        if self._rebuild is not None:
            if self._rebuild.over(writer):
                self._rebuild = None
            return
        for request in requests(self._store):
            if request.open:
                self._begin(request, writer)
                return

    def _begin(self, request: Request, writer: Writer) -> None:
        match request.kind:
            case kind if kind == REBUILD:
                self._rebuild = Rebuild(self._store, request, self._log_feed, self._dimensions)
            case kind if kind == REDRIVE:
                self._redrive(request, writer)
            case _:
                note(self._store, request._replace(state=FAILED, message=f"there is no request '{request.kind}'"))

    def _redrive(self, request: Request, writer: Writer) -> None:
        try:
            stream = UUID(request.argument)
            events = self._history(stream)
            writer.redrive(stream, events)
        except (DomainError, ValueError) as error:
            note(self._store, request._replace(state=FAILED, message=str(error)))
            return
        ClickHouseSink(self._store).redriven(stream)
        note(self._store, request._replace(state=DONE, message=f"{len(events)} events"))

    def stop(self) -> None:
        """Give up a rebuild that runs; the next start begins it anew."""
        if self._rebuild is not None:
            self._rebuild.stop()


class Rebuild:
    """One rebuild; its thread fills the shadow tables from the log."""

    def __init__(
        self, store: ClickHouse, request: Request, log_feed: Callable[[], Feed], dimensions: Dimensions
    ) -> None:
        self._store = store
        self._request = request._replace(state="running")
        self._shadow = Shadow(store)
        self._feed = log_feed()
        sink = ClickHouseSink(store, suffix="_next")
        self._filling = Writer(self._feed, sink, Folding(sink.load, dimensions))
        self._failure: Exception | None = None
        self._stop = threading.Event()
        self._near = threading.Event()
        self._noted = 0.0
        self._thread = threading.Thread(target=self._fill, name="rebuild", daemon=True)
        note(store, self._request)
        self._thread.start()

    @property
    def position(self) -> int:
        """How far the shadow tables are."""
        place = self._filling.places().get(LOG_SOURCE)
        return place.position if place is not None else 0

    def _fill(self) -> None:
        try:
            self._shadow.create()
            self._catch_up()
        except Exception as error:
            self._failure = error
        self._near.set()

    def _catch_up(self, until: int = 0) -> None:
        """Write what is in the log by now, and at least up to `until`."""
        filling = self._filling
        while not self._stop.is_set():
            before = self.position
            filling.step(0.0)
            caught_up = filling.leading and (self.position == before or 0 < until <= self.position)
            if caught_up and filling.pending:
                filling.flush()
            if caught_up and self.position >= until:
                return

    def over(self, writer: Writer) -> bool:
        """Look after it, in the writer's thread; whether it is settled."""
        until = max((place.position for place in writer.places().values()), default=0)
        if not self._near.is_set():
            if time.monotonic() - self._noted > NOTE_SECONDS:
                self._noted = time.monotonic()
                note(self._store, self._request._replace(position=self.position, until=until))
            return False
        self._thread.join()
        try:
            if self._failure is not None:
                raise self._failure
            self._catch_up(until)
            self._shadow.exchange()
            self._release(writer)
        except Exception as error:
            LOG.exception("the rebuild failed")
            note(self._store, self._request._replace(state=FAILED, message=str(error)))
        else:
            note(self._store, self._request._replace(state=DONE, position=self.position, until=self.position))
        self._feed.close()
        self._shadow.drop()
        return True

    def _release(self, writer: Writer) -> None:
        """Streams that the rebuild could take wholly are set aside no more."""
        sink = ClickHouseSink(self._store)
        for stream in frozenset(sink.quarantined()) - self._filling.aside:
            sink.redriven(stream)
        writer.restart()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join(10)
        self._feed.close()
