"""A connection to the monitoring store, wherever it is: a ClickHouse server or the owner of the embedded engine over
HTTP (clickhouse-connect), or, inside the owner, the engine itself. One port, one contract suite.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

import msgspec

from domain.errors import StorageUnavailable
from infra.clickhouse.engine import ChdbEngine, QueryFailed, identifier

DEFAULT_DATABASE = "flowledger"
CONNECT_SECONDS = 5
READ_SECONDS = 120
LINES = "JSONCompactEachRow"
OBJECTS = "JSONEachRow"
OUTPUT: Mapping[str, str] = {"output_format_json_quote_64bit_integers": "0"}
QUERY: Mapping[str, str] = {
    **OUTPUT,
    "do_not_merge_across_partitions_select_final": "1",
    "final": "1",
}
"""Settings of reads: every table is read as FINAL, partition by partition (an instance is in one of them)."""

_LINES_DECODER = msgspec.json.Decoder(list[Any])


class ClickHouse(Protocol):
    """A database of the monitoring store. Methods raise StorageUnavailable where it cannot be reached, QueryFailed
    where it refuses."""

    database: str

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[list[Any]]:
        """The result of a query, row by row. Parameters are {name:Type} in the text."""
        ...

    def stream(self, sql: str, output: str, params: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """The result in a format of ClickHouse, piece by piece."""
        ...

    def command(self, sql: str) -> None:
        """A statement without a result."""
        ...

    def insert(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """Insert rows, one JSON array a line. All or, if this raises, perhaps none or some of them."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0", "'": "\\'"})


def parameter(value: Any) -> Any:
    """A query parameter as the engine reads it: texts escaped as in TabSeparated, in lists quoted too."""
    match value:
        case str():
            return value.translate(_ESCAPES)
        case list() | tuple():
            return (
                "[" + ",".join(f"'{parameter(item)}'" if isinstance(item, str) else str(item) for item in value) + "]"
            )
    return value


def _parameters(params: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: parameter(value) for name, value in (params or {}).items()}


class EmbeddedClickHouse:
    """The engine in this process."""

    def __init__(self, engine: ChdbEngine, database: str = DEFAULT_DATABASE, create: bool = True) -> None:
        self.database = identifier(database)
        self._engine = engine
        if create:
            engine.run(f"CREATE DATABASE IF NOT EXISTS {database} ENGINE = Atomic")

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[list[Any]]:
        """See ClickHouse.rows."""
        return _LINES_DECODER.decode_lines(self._engine.run(sql, LINES, _parameters(params), QUERY, self.database))

    def stream(self, sql: str, output: str, params: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """See ClickHouse.stream."""
        yield self._engine.run(sql, output, _parameters(params), QUERY, self.database)

    def command(self, sql: str) -> None:
        """See ClickHouse.command."""
        self._engine.run(sql, database=self.database)

    def insert(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """See ClickHouse.insert."""
        statement = f"INSERT INTO {identifier(table)} ({', '.join(columns)})"
        self._engine.insert(statement, [lines], LINES, database=self.database)

    def close(self) -> None:
        """The engine stays open: it is its owner's."""


class Address(NamedTuple):
    """Where a ClickHouse server is, from http(s)://user:password@host:port/database."""

    secure: bool
    host: str
    port: int
    user: str
    password: str
    database: str


def parse_url(url: str) -> Address:
    """The parts of a URL (infra/settings.py has checked it)."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    return Address(
        secure,
        parts.hostname or "127.0.0.1",
        parts.port or (8443 if secure else 8123),
        unquote(parts.username or "default"),
        unquote(parts.password or ""),
        parts.path.strip("/") or DEFAULT_DATABASE,
    )


class HttpClickHouse:
    """clickhouse-connect over HTTP. Connects when first used, and again after a loss; usable from several threads."""

    def __init__(self, url: str, connections: int = 8) -> None:
        self._address = parse_url(url)
        self._connections = connections
        self.database = identifier(self._address.database)
        self._client: Any = None

    def client(self) -> Any:
        """The clickhouse-connect client. Raises StorageUnavailable."""
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> Any:
        import clickhouse_connect
        from clickhouse_connect.driver.httputil import get_pool_manager

        address = self._address
        with _errors():
            return clickhouse_connect.get_client(
                interface="https" if address.secure else "http",
                host=address.host,
                port=address.port,
                username=address.user,
                password=address.password,
                database="",
                connect_timeout=CONNECT_SECONDS,
                send_receive_timeout=READ_SECONDS,
                autogenerate_session_id=False,
                query_retries=0,
                pool_mgr=get_pool_manager(maxsize=self._connections),
            )

    def create(self) -> None:
        """Create the database where it is not there."""
        with _errors():
            self.client().command(f"CREATE DATABASE IF NOT EXISTS {self.database}")

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> list[list[Any]]:
        """See ClickHouse.rows."""
        return _LINES_DECODER.decode_lines(self.raw(sql, LINES, params))

    def raw(self, sql: str, output: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The whole result in a format."""
        with _errors():
            data: bytes = self.client().raw_query(
                sql, parameters=params, settings=self._settings(QUERY), fmt=output, use_database=False
            )
            return data

    def stream(self, sql: str, output: str, params: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """See ClickHouse.stream."""
        with _errors():
            source = self.client().raw_stream(
                sql, parameters=params, settings=self._settings(QUERY), fmt=output, use_database=False
            )
            try:
                while piece := source.read(1 << 16):
                    yield piece
            finally:
                source.close()

    def _settings(self, more: Mapping[str, str] = {}) -> dict[str, Any]:
        return {"database": self.database, **more}

    def command(self, sql: str) -> None:
        """See ClickHouse.command."""
        with _errors():
            self.client().command(sql, settings=self._settings(), use_database=False)

    def insert(self, table: str, columns: Sequence[str], lines: bytes) -> None:
        """See ClickHouse.insert."""
        with _errors():
            self.client().raw_insert(
                f"{self.database}.{identifier(table)}", columns, lines, {"date_time_input_format": "basic"}, LINES
            )

    def close(self) -> None:
        """Close the connections; the next use opens others."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


@contextmanager
def _errors() -> Iterator[None]:
    """clickhouse-connect's errors in our words."""
    from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError, OperationalError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except OperationalError as error:
        raise StorageUnavailable(f"the monitoring store cannot be reached: {error}") from error
    except DatabaseError as error:
        failed = QueryFailed(str(error))
        if failed.number in UNAVAILABLE_CODES:
            raise StorageUnavailable(f"the monitoring store refuses for now: {error}") from error
        raise failed from error
    except (ClickHouseError, HTTPError, OSError) as error:
        raise StorageUnavailable(f"the monitoring store cannot be reached: {error}") from error


UNAVAILABLE_CODES = frozenset({159, 202, 203, 209, 210, 241, 243, 252, 279, 425, 999})
"""ClickHouse's codes for what may go better later: time, memory, disk, too many queries or parts, network."""
