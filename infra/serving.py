"""The server process: uvicorn around the API, with an orderly end.

SIGTERM or Ctrl-C: not ready any more → no new connections, long polls answered → running requests end → the bus
commits what it took → exit, all within 30 seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

from domain.errors import StorageUnavailable
from infra.bootstrap import Platform
from infra.net import address_of, listen
from infra.postgres.migrations import migrate
from infra.postgres.read_models import build_projector
from infra.settings import Settings

KEEP_ALIVE_SECONDS = 75
FAREWELL_SECONDS = 1.0
START_SECONDS = 30.0
STOP_SECONDS = 30.0


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: it would end the process before the bus has drained."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to us."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, let each client end its connection with an answer, then close what is idle.

        Closing at once would fail requests that are on their way: a client that keeps its connection cannot know.
        """
        for server in self.servers:
            server.close()
        self.server_state.default_headers.append((b"connection", b"close"))
        await asyncio.sleep(FAREWELL_SECONDS)
        await super().shutdown(sockets)


def _server(app: Any, drain_seconds: int) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=drain_seconds,
        )
    )


def serve_forever(settings: Settings, listen_fd: int = -1) -> None:
    """Serve until SIGTERM or Ctrl-C. listen_fd: a listening socket that was inherited, -1: open one.

    Raises StorageUnavailable where the database cannot be reached at the start.
    """
    sock = socket.socket(fileno=listen_fd) if listen_fd >= 0 else listen(settings.host, settings.port)
    platform = Platform(settings)
    platform.start()
    server = _server(platform.app, settings.drain_seconds)
    try:
        _run(_serve(server, sock, platform, own_signals=True))
    finally:
        platform.stop()


def _run(main: Any) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


async def _serve(server: _Server, sock: socket.socket, platform: Platform, own_signals: bool) -> None:
    def end() -> None:
        platform.drain()
        server.should_exit = True

    if own_signals:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
    await platform.open()
    try:
        await server.serve(sockets=[sock])
    finally:
        await platform.close()


class RunningServer:
    """A whole platform in this process, for tests and measurements: server in a thread, projector beside it.

    `address` is its URL once started. The database is migrated first. own_process: the projector gets a process.
    """

    def __init__(self, settings: Settings, own_process: bool = False) -> None:
        migrate(settings.database_url)
        self._settings = settings
        self.platform = Platform(settings)
        self.projector = build_projector(settings.database_url, own_process=own_process)
        self._socket = listen(settings.host, 0)
        self.address = address_of(self._socket)
        self._server = _server(self.platform.app, settings.drain_seconds)
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def __enter__(self) -> RunningServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return once requests are answered. Raises StorageUnavailable when that does not happen."""
        self.projector.start()
        self.platform.start()
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not (self._server.started and self.platform.is_ready()):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise StorageUnavailable("the server did not start; its log says why")
            time.sleep(0.01)

    def stop(self) -> None:
        """End requests, the bus and the projector, in this order."""
        self.platform.drain()
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._socket.close()
        self.platform.stop()
        self.projector.stop()

    def _run(self) -> None:
        _run(_serve(self._server, self._socket, self.platform, own_signals=False))
