"""The projector of the read models, ready to run: `build_projector(url)` for the service, `rebuild` and `redrive` for
the command line.

By default the projector is an operating-system process of its own (infra/postgres/read_models_process.py), so that it
does not share the API's interpreter lock. It ends when its parent does, killed or not: its standard input closes.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol
from uuid import UUID

import msgspec

from domain.errors import InvalidState, StorageUnavailable
from infra.postgres.read_models_position import ReadPosition
from infra.postgres.read_models_sink import SCHEMA, PostgresSink, PostgresTail
from infra.postgres.read_models_sources import adopt, within
from streams.feeds import LOG_SOURCE
from streams.projector import RETRY_SECONDS, apply, run
from streams.store_feed import StoreFeed

LOG = logging.getLogger("flowledger.projector")
ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 10.0
RESTART_SECONDS = (0.2, 1.0, 5.0)


class ProjectorSettings(msgspec.Struct, frozen=True):
    """What the projector's process is told on its standard input. log_url: where the events are; url: the rows."""

    url: str
    log_url: str
    schema: str = SCHEMA


class Projector(Protocol):
    """A running projector, as the service sees it."""

    def start(self) -> None:
        """Begin (or stand by while another projector leads); returns at once."""
        ...

    def stop(self) -> None:
        """End after the batch at hand, within 10 s."""
        ...

    def position(self) -> int:
        """The log position up to which the read models are written."""
        ...


def build_projector(url: str, log_url: str | None = None, own_process: bool = True) -> Projector:
    """The projector of the read models at `url`, fed from the log at `log_url` (by default the same database)."""
    settings = ProjectorSettings(url, log_url or url)
    return ProcessProjector(settings) if own_process else ThreadProjector(settings)


def run_projector(settings: ProjectorSettings, stop: threading.Event) -> None:
    """Project from the log until `stop` is set."""
    tail = PostgresTail(settings.log_url)
    sink = PostgresSink(settings.url, settings.schema)
    try:
        when_reachable(lambda: adopt(sink, tail, [LOG_SOURCE], stop), stop)
        run(StoreFeed(tail), sink, stop)
    finally:
        tail.close()
        sink.close()


def when_reachable(act: Callable[[], None], stop: threading.Event) -> None:
    """Do it, again and again while the database or the broker is away."""
    while not stop.is_set():
        try:
            act()
            return
        except StorageUnavailable as away:
            LOG.warning("the database or the broker is away, trying again: %s", away)
            stop.wait(RETRY_SECONDS)


class ThreadProjector:
    """The projector as a thread of this process."""

    def __init__(self, settings: ProjectorSettings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._position = ReadPosition(settings.url, settings.schema)

    def start(self) -> None:
        """See Projector.start."""
        self._stop.clear()
        self._thread = threading.Thread(
            target=run_projector, args=(self._settings, self._stop), name="projector", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """See Projector.stop."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
        self._position.close()

    def position(self) -> int:
        """See Projector.position."""
        return self._position.position()


class ProcessProjector:
    """The projector as a process of its own, started again if it dies."""

    def __init__(self, settings: ProjectorSettings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: threading.Thread | None = None
        self._position = ReadPosition(settings.url, settings.schema)

    def start(self) -> None:
        """See Projector.start."""
        self._stop.clear()
        self._process = self._spawn()
        self._supervisor = threading.Thread(target=self._supervise, name="projector-supervisor", daemon=True)
        self._supervisor.start()

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "infra.postgres.read_models_process"]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)  # noqa: S603 - our own module
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(self._settings) + b"\n")
        process.stdin.flush()
        return process

    def _supervise(self) -> None:
        failures = 0
        while self._process is not None:
            code = self._process.wait()
            if self._stop.is_set():
                return
            pause = RESTART_SECONDS[min(failures, len(RESTART_SECONDS) - 1)]
            failures += 1
            LOG.error("the projector's process ended with code %d; starting it again in %.1f s", code, pause)
            if self._stop.wait(pause):
                return
            self._process = self._spawn()

    def stop(self) -> None:
        """See Projector.stop."""
        self._stop.set()
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
        if self._supervisor is not None:
            self._supervisor.join(STOP_SECONDS)
        self._position.close()

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid if self._process is not None else None

    def position(self) -> int:
        """See Projector.position."""
        return self._position.position()


def rebuild(url: str, progress: Callable[[int], None] = lambda position: None, schema: str = SCHEMA) -> int:
    """Empty the read models and project the whole log again (offline); the position reached.

    Raises InvalidState while a projector runs. progress: called with the position after each batch.
    """
    feed, sink = StoreFeed(PostgresTail(url)), PostgresSink(url, schema)
    try:
        if not sink.lead(0):
            raise InvalidState("a projector is writing the read models: stop the service, then rebuild")
        sink.empty()
        return catch_up(feed, sink, progress)
    finally:
        feed.close()
        sink.close()


def catch_up(
    feed: StoreFeed,
    sink: PostgresSink,
    progress: Callable[[int], None] = lambda position: None,
    until: int | None = None,
    limit: Callable[[UUID], int] | None = None,
) -> int:
    """Project what is in the log now (up to position `until` at most, and of each stream up to its `limit`, where
    given); the position reached."""
    place = sink.place(LOG_SOURCE)
    while until is None or place.position < until:
        batch = feed.next({LOG_SOURCE: place}.__getitem__, 0)
        if batch is None:
            break
        if until is not None:
            batch = batch.up_to(until)
        place = apply(within(batch, limit) if limit else batch, sink, place.position)
        progress(place.position)
    return place.position


def quarantine(url: str, schema: str = SCHEMA) -> list[dict[str, object]]:
    """The events that are set aside, by position: stream, version, topic and reason."""
    with ReadPosition(url, schema) as reader:
        return reader.quarantine()


def redrive(url: str, stream: UUID, schema: str = SCHEMA) -> int:
    """Project a stream's events that were set aside, and let it go on; their number (see PostgresSink.redrive)."""
    sink = PostgresSink(url, schema)
    try:
        return sink.redrive(stream)
    finally:
        sink.close()
