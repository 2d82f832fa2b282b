"""The owner of the embedded store: the only process that opens it. It serves ClickHouse's HTTP interface on loopback
and tells where in `url` in its folder (with the password: only this user may read it).

    <data folder>/monitoring/store/      the engine's files
    <data folder>/monitoring/url         where the owner answers, while it runs
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from domain.errors import StorageUnavailable
from infra.clickhouse.connection import DEFAULT_DATABASE, EmbeddedClickHouse
from infra.clickhouse.engine import ChdbEngine
from infra.clickhouse.http_interface import USER, HttpInterface
from infra.net import listen
from infra.settings import Settings

START_SECONDS = 20.0
STOP_SECONDS = 10.0
STORE = "store"
URL = "url"
FOLDER = "monitoring"


class StoreServer:
    """The engine in `folder` and its HTTP interface, in a thread of this process."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self.engine = ChdbEngine(folder / STORE)
        self.store = EmbeddedClickHouse(self.engine)
        password = secrets.token_urlsafe(24)
        self._socket = listen("127.0.0.1", port)
        self.url = f"http://{USER}:{password}@127.0.0.1:{self._socket.getsockname()[1]}/{DEFAULT_DATABASE}"
        self._interface = HttpInterface(self.engine, password)
        config = uvicorn.Config(
            self._interface,
            http="httptools",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=5,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="clickhouse-http", daemon=True)

    def _run(self) -> None:
        self._server.run([self._socket])  # signals are handled in the main thread only, and this is none

    def start(self) -> None:
        """Serve, and tell where. Raises StorageUnavailable if that does not come about."""
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise StorageUnavailable("the monitoring store's HTTP interface did not start")
            time.sleep(0.01)
        announce(self._folder, self.url)

    def stop(self) -> None:
        """Answer what was asked, then close the engine."""
        announce(self._folder, "")
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._interface.close()
        self._socket.close()
        self.engine.close()


def announce(folder: Path, url: str) -> None:
    """Write where the owner answers; "" when it is gone."""
    path = folder / URL
    if not url:
        path.unlink(missing_ok=True)
        return
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        file.write(url)
    fresh.rename(path)


def located(folder: Path) -> str:
    """Where the owner of a folder answers. Raises StorageUnavailable where none runs."""
    try:
        return (folder / URL).read_text(encoding="utf-8").strip()
    except OSError:
        raise StorageUnavailable(
            "the monitoring store does not run: `flowledger dev` runs it, `flowledger monitoring` alone does, or "
            "FLOWLEDGER_CLICKHOUSE names a ClickHouse server"
        ) from None


def folder_of(data_dir: Path) -> Path:
    """Where the embedded store is."""
    return data_dir.absolute() / FOLDER


def store_address(settings: Settings) -> str:
    """The URL of the store that the settings mean. Raises StorageUnavailable where its owner does not run."""
    return settings.clickhouse or located(folder_of(settings.data_dir))


@contextmanager
def running(folder: Path) -> Iterator[StoreServer]:
    """A server, for as long as the block lasts."""
    server = StoreServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
