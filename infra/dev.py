"""`flowledger dev`: the whole platform on one machine, each part a process of its own, kept running by a supervisor.

    supervisor ─┬─ PostgreSQL under the data folder (unless FLOWLEDGER_DATABASE_URL names one)
                ├─ a Kafka broker under the data folder (if FLOWLEDGER_KAFKA is "local")
                ├─ flowledger serve       HTTP API, command bus, timers
                ├─ flowledger relay       log → Kafka (if FLOWLEDGER_KAFKA is set)
                ├─ flowledger projector   Kafka, or the log → read models
                └─ flowledger monitoring  log → monitoring store (chDB, which this process owns, or ClickHouse)

The supervisor opens the listening socket and hands it down: while the server is started again, connections wait in
line instead of being refused.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from domain.errors import StorageUnavailable
from infra.data_folder import DataFolder
from infra.embedded.postgres import EmbeddedPostgres
from infra.kafka.broker import KafkaBroker
from infra.net import address_of, listen
from infra.postgres.migrations import migrate
from infra.settings import KAFKA_LOCAL, PREFIX, Settings
from infra.supervisor import POLL_SECONDS, Child, supervise

LOG = logging.getLogger("flowledger.dev")
ROOT = Path(__file__).resolve().parents[1]
CHECK_SECONDS = 0.5
READY_POLL_SECONDS = 0.1


class Dev:
    """One run of the supervisor. on_ready: told the address once the server answers."""

    def __init__(self, settings: Settings, on_ready: Callable[[str], None] = lambda address: None) -> None:
        self._settings = settings
        self._folder = DataFolder(settings.data_dir)
        self._postgres = None if settings.database_url else EmbeddedPostgres(self._folder.postgres)
        self._kafka = KafkaBroker(self._folder.kafka) if settings.kafka == KAFKA_LOCAL else None
        self._on_ready = on_ready
        self._next_check = 0

    def run(self, stop: threading.Event) -> None:
        """Start everything, keep it running until `stop` is set, stop everything.

        Raises DataFolderInUse, StorageUnavailable, SchemaMismatch or ChildRefused.
        """
        lock = self._folder.lock()
        try:
            self._folder.announce("")  # the address of a supervisor that was killed
            url = self._settings.database_url or self._start_postgres()
            for name in migrate(url):
                LOG.info("migrated the database: %s", name)
            kafka = self._kafka.start() if self._kafka is not None else self._settings.kafka
            with listen(self._settings.host, self._settings.port, or_any=True) as server:
                self._supervise(stop, self._settings._replace(database_url=url, kafka=kafka), lock, server)
        finally:
            self._folder.announce("")
            if self._kafka is not None:
                self._kafka.stop()
            if self._postgres is not None:
                self._postgres.stop()
            self._folder.unlock()

    def _start_postgres(self) -> str:
        assert self._postgres is not None
        return self._postgres.start()

    def _supervise(self, stop: threading.Event, settings: Settings, lock: int, server: socket.socket) -> None:
        address = address_of(server)
        children = processes(
            settings._replace(data_dir=self._folder.path),
            server,
            lock,
            ends_database=self._postgres is not None,
        )
        waiting = threading.Thread(target=self._announce, args=(address, stop), name="ready", daemon=True)
        waiting.start()
        try:
            supervise(children, stop, self._check_own_servers)
        finally:
            stop.set()
            waiting.join(2)

    def _check_own_servers(self) -> None:
        """Start the database, or the broker, again if it is gone; they recover by themselves, and the others
        reconnect."""
        self._next_check -= 1
        if self._next_check > 0:
            return
        self._next_check = int(CHECK_SECONDS / POLL_SECONDS)
        for name, own in (("PostgreSQL", self._postgres), ("Kafka", self._kafka)):
            if own is None or own.is_running():
                continue
            LOG.warning("%s is gone; starting it again", name)
            try:
                own.start()
            except StorageUnavailable as error:
                LOG.error("%s", error)

    def _announce(self, address: str, stop: threading.Event) -> None:
        while not stop.is_set():
            if is_ready(address):
                self._folder.announce(address)
                self._on_ready(address)
                return
            stop.wait(READY_POLL_SECONDS)


def processes(settings: Settings, server: socket.socket, *keep_open: int, ends_database: bool = False) -> list[Child]:
    """`serve` on a listening socket, `projector`, `monitoring` and, with Kafka, `relay`, not yet started.

    keep_open: descriptors that they inherit (the data folder's lock). ends_database: the server stops the embedded
    PostgreSQL when it finds its supervisor dead.
    """
    environment = {
        **os.environ,
        f"{PREFIX}DATABASE_URL": settings.database_url,
        f"{PREFIX}DATA_DIR": str(settings.data_dir),
        f"{PREFIX}LOG_LEVEL": settings.log_level,
        f"{PREFIX}KAFKA": settings.kafka,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    flowledger = (sys.executable, "-m", "infra.cli")
    serve = [*flowledger, "serve", "--supervised", "--listen-fd", str(server.fileno())]
    if ends_database:
        serve.append("--ends-database")
    children = [
        Child("serve", serve, environment, (*keep_open, server.fileno())),
        Child("projector", [*flowledger, "projector", "--supervised"], environment, keep_open, stop_seconds=5.0),
        Child("monitoring", [*flowledger, "monitoring", "--supervised"], environment, keep_open, stop_seconds=15.0),
    ]
    if settings.kafka:
        children.append(Child("relay", [*flowledger, "relay", "--supervised"], environment, keep_open))
    return children


def is_ready(address: str, timeout: float = 2.0) -> bool:
    """Whether the server at `address` says that it is ready."""
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=timeout) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
