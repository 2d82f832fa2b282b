"""`flowledger monitoring`: keeps the monitoring store up to date with the log. With a ClickHouse server it is the
writer alone; without one it owns the embedded engine too, and serves its HTTP interface, which the API asks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from commands.ports import StoredEvent
from domain.errors import StorageUnavailable
from domain.events import Recorded
from infra.clickhouse.calendars import ensure_calendar
from infra.clickhouse.connection import ClickHouse, HttpClickHouse
from infra.clickhouse.engine import QueryFailed
from infra.clickhouse.migrate import migrate
from infra.clickhouse.requests import Requests
from infra.clickhouse.server import StoreServer, folder_of
from infra.clickhouse.sink import ClickHouseSink
from infra.postgres.read_models_sink import Connection, PostgresTail, connect, storage_errors
from infra.settings import Settings
from projections.monitoring.instance import Dimensions
from projections.monitoring.rows import Folding
from streams.feeds import Feed
from streams.monitoring import Writer
from streams.projector import StopSignal
from streams.store_feed import StoreFeed, decode_batch

LOG = logging.getLogger("flowledger.monitoring")
BATCH = 5_000
RETRY_SECONDS = 1.0
_LEAD_LOCK_CLASS = 7308


class Lead:
    """One writer at a time on a ClickHouse server: an advisory lock in the log's database."""

    def __init__(self, url: str, store: str) -> None:
        self._url = url
        self._store = store
        self._connection: Connection | None = None

    def __call__(self, timeout: float) -> bool:
        """Take the lock, waiting at most `timeout` seconds."""
        deadline = time.monotonic() + timeout
        try:
            while True:
                with storage_errors():
                    if self._connection is None:
                        self._connection = connect(self._url)
                    text = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
                    row = self._connection.execute(text, (_LEAD_LOCK_CLASS, self._store)).fetchone()
                if row is not None and row[0]:
                    return True
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.05)
        except StorageUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Give it up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Parts(NamedTuple):
    """What a writer is made of. feed: of everything; log_feed: makes one of the log alone (rebuilds)."""

    store: ClickHouse
    feed: Feed
    log_feed: Callable[[], Feed]
    database_url: str
    dimensions: Dimensions = Dimensions()
    lead: Callable[[float], bool] = lambda timeout: True


def log_feed(url: str) -> Feed:
    """The log of a database as a feed, in large batches."""
    return StoreFeed(PostgresTail(url), BATCH)


def history(url: str) -> Callable[[UUID], Sequence[Recorded]]:
    """Reads the events of a stream in the log. Raises StorageUnavailable, LogCorrupt."""

    def read(stream: UUID) -> Sequence[Recorded]:
        text = (
            "SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events "
            "WHERE originator_id = %s ORDER BY originator_version"
        )
        with storage_errors(), connect(url) as connection, connection.cursor(binary=True) as cursor:
            cursor.execute(text, (stream,))
            return decode_batch([StoredEvent._make(row) for row in cursor.fetchall()]).events

    return read


def run_writer(parts: Parts, stop: StopSignal) -> None:
    """Migrate the store, then write until `stop` is set. A store that is away is waited for."""
    while not stop.is_set():
        try:
            prepare(parts.store)
            break
        except (StorageUnavailable, QueryFailed) as error:
            LOG.warning("the monitoring store is not ready, trying again: %s", error)
            stop.wait(RETRY_SECONDS)
    sink = ClickHouseSink(parts.store, parts.lead)
    asked = Requests(parts.store, parts.log_feed, history(parts.database_url), parts.dimensions)
    writer = Writer(parts.feed, sink, Folding(sink.load, parts.dimensions), asked)
    try:
        writer.run(stop)
    finally:
        asked.stop()
        parts.feed.close()


def prepare(store: ClickHouse) -> None:
    """Create and migrate the database, and write the calendar that ships."""
    if isinstance(store, HttpClickHouse):
        store.create()
    for name in migrate(store):
        LOG.info("migrated the monitoring store: %s", name)
    ensure_calendar(store)


def dimensions_of(settings: Settings) -> Dimensions:
    """The start variables that count."""
    return Dimensions(settings.monitoring_department, settings.monitoring_initiator)


@contextmanager
def opened_store(settings: Settings) -> Iterator[ClickHouse]:
    """The store that the settings name: a server's, or the embedded one, served meanwhile."""
    if settings.clickhouse:
        client = HttpClickHouse(settings.clickhouse)
        try:
            yield client
        finally:
            client.close()
        return
    server = StoreServer(folder_of(settings.data_dir), settings.monitoring_port)
    prepare(server.store)  # before anybody is told where it is
    server.start()
    try:
        yield server.store
    finally:
        server.stop()


def run_monitoring(settings: Settings, stop: threading.Event) -> None:
    """Run until `stop` is set. Raises EngineInUse where the embedded store is open in another process."""
    lead = Lead(settings.database_url, settings.clickhouse) if settings.clickhouse else None
    try:
        with opened_store(settings) as store:
            parts = Parts(
                store,
                log_feed(settings.database_url),
                lambda: log_feed(settings.database_url),
                settings.database_url,
                dimensions_of(settings),
            )
            run_writer(parts if lead is None else parts._replace(lead=lead), stop)
    finally:
        if lead is not None:
            lead.close()
