"""A database and, for HTTP, the platform's own processes, as `flowledger dev` runs them, while it is measured."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bench.peers.workload import BenchError, Json, temporary_database
from infra.dev import is_ready, processes
from infra.embedded.postgres import EmbeddedPostgres
from infra.net import address_of, listen
from infra.postgres.migrations import migrate
from infra.settings import Settings

START_SECONDS = 30.0
TABLES = """
SELECT n.nspname || '.' || c.relname, pg_relation_size(c.oid), pg_indexes_size(c.oid), pg_total_relation_size(c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND pg_total_relation_size(c.oid) > 16384
 ORDER BY 4 DESC
"""


@contextmanager
def postgres(url: str) -> Iterator[str]:
    """The server of `url`, or an embedded one in a temporary folder."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="flowledger-bench-") as folder:
        Path(folder).chmod(0o755)  # started by root, PostgreSQL runs as another user
        server = EmbeddedPostgres(Path(folder) / "postgres")
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def ledger_database(url: str) -> Iterator[str]:
    """A fresh database with our schema on the server of `url`; its URL. Dropped at the end."""
    with temporary_database(url) as database:
        migrate(as_url(database))
        yield as_url(database)


def as_url(conninfo: str) -> str:
    """A connection string of libpq (`host=… dbname=…`) as a URL."""
    if conninfo.startswith("postgresql://"):
        return conninfo
    from urllib.parse import quote

    parts = {name: quote(str(value), safe="") for name, value in conninfo_to_dict(conninfo).items()}
    user = f"{parts.get('user', '')}:{parts.get('password', '')}"
    return f"postgresql://{user}@{parts.get('host', '')}:{parts.get('port', '5432')}/{parts['dbname']}"


class Processes:
    """`serve` and `projector` on a database, each a process; `address` is the server's URL."""

    def __init__(self, url: str, server: bool = True) -> None:
        settings = Settings(database_url=url, data_dir=Path(), log_level="warning")
        self._socket = listen(settings.host, 0)
        self.address = address_of(self._socket)
        measured = ("serve", "projector") if server else ("projector",)
        self._children = [child for child in processes(settings, self._socket) if child.name in measured]
        self._server = server

    @contextmanager
    def running(self) -> Iterator[str]:
        """Start, wait until requests are answered, give the address, stop at the end."""
        with ExitStack() as stack:
            stack.callback(self._socket.close)
            for child in self._children:
                child.start()
                stack.callback(child.stop)
            self._await_ready()
            yield self.address

    def _await_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self._server and not is_ready(self.address):
            if time.monotonic() > deadline:
                raise BenchError("the server did not become ready; the lines above say why")
            time.sleep(0.05)


def table_sizes(url: str) -> list[Json]:
    """`{table, table_bytes, index_bytes, total_bytes}` of every table with rows, the largest first."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(TABLES).fetchall()
    names = ("table", "table_bytes", "index_bytes", "total_bytes")
    return [dict(zip(names, row, strict=True)) for row in rows]


def event_sample(url: str, limit: int = 5_000) -> list[tuple[str, bytes]]:
    """(topic, state) of the first events of instances, as our run stored them: what the ceiling is measured with."""
    query = "SELECT topic, state FROM stored_events WHERE topic LIKE 'pi.%%' ORDER BY notification_id LIMIT %s"
    with psycopg.connect(url, autocommit=True) as connection:
        return [(topic, bytes(state)) for topic, state in connection.execute(query, (limit,)).fetchall()]
