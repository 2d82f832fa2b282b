"""The embedded engine: chDB (ClickHouse in this process) on one folder. Exactly one process may open a folder, and a
process one folder; `ChdbEngine` takes the folder's lock before it opens it, because chDB's own refusal says little.

Each call runs on a connection of its own (0.1 ms to open), so settings of one query never touch another, and calls of
several threads run at the same time. Do not fork a process that has opened the engine.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from domain.errors import DomainError, StorageUnavailable

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
STREAMED_FORMATS = frozenset({"Native", "TabSeparated", "CSV", "RowBinary", "JSONEachRow", "JSONCompactEachRow"})
"""Formats whose blocks, one after another, are the whole: the engine makes each block a document of its own."""
_CODE = re.compile(r"Code: (\d+)\. ")
UNKNOWN_EXCEPTION = 1002


class EngineInUse(DomainError):
    """Another process has the folder open."""

    code = "ENGINE_IN_USE"


class QueryFailed(DomainError):
    """The engine refuses a statement; `number` is ClickHouse's error code."""

    code = "QUERY_FAILED"

    def __init__(self, message: str) -> None:
        found = _CODE.search(message)
        self.number = int(found.group(1)) if found else UNKNOWN_EXCEPTION
        super().__init__(message[found.start() :] if found else message)


def quoted(value: str) -> str:
    """A text as a literal of ClickHouse's SQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    """The name, checked. Raises QueryFailed."""
    if not IDENTIFIER.fullmatch(name):
        raise QueryFailed(f"Code: 62. DB::Exception: not an identifier: {name!r}. (SYNTAX_ERROR)")
    return name


class ChdbEngine:
    """chDB on the folder `path`. Raises EngineInUse where another process has it."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(path.parent / f"{path.name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise EngineInUse(f"the monitoring store in '{path}' is open in another process") from None
        import chdb  # 0.5 s, and only the owner needs it

        self._chdb: Any = chdb
        self._path = str(path)
        try:
            self._keeper = self._chdb.connect(self._path)  # the engine stays open as long as one connection does
        except RuntimeError as error:
            os.close(self._lock)
            raise StorageUnavailable(f"the monitoring store in '{path}' cannot be opened: {error}") from error

    def connect(self, database: str = "", settings: Mapping[str, str] | None = None) -> Any:
        """A connection with these settings; to be closed."""
        connection = self._chdb.connect(self._path)
        try:
            if settings:
                pairs = ", ".join(f"{identifier(name)} = {quoted(value)}" for name, value in settings.items())
                self._run(connection, f"SET {pairs}")
            if database:
                self._run(connection, f"USE {identifier(database)}")
        except QueryFailed:
            connection.close()
            raise
        return connection

    @staticmethod
    def _run(connection: Any, sql: str, output: str = "TabSeparated", params: Mapping[str, Any] | None = None) -> bytes:
        try:
            result = connection.query(sql, output, params=dict(params or {}))
        except Exception as error:  # chDB raises RuntimeError and ChdbError, neither of which says more than its text
            raise QueryFailed(str(error)) from None
        data: bytes | None = result.bytes()
        return data or b""

    def run(
        self,
        sql: str,
        output: str = "TabSeparated",
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, str] | None = None,
        database: str = "",
    ) -> bytes:
        """The whole result of a statement in format `output` (a FORMAT clause goes first). Raises QueryFailed.

        params: texts must be escaped as in TabSeparated.
        """
        connection = self.connect(database, settings)
        try:
            return self._run(connection, sql, output, params)
        finally:
            connection.close()

    def stream(
        self,
        sql: str,
        output: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, str] | None = None,
        database: str = "",
    ) -> Iterator[bytes]:
        """The result block by block; `output` must be one of STREAMED_FORMATS. Raises QueryFailed, also later on."""
        connection = self.connect(database, settings)
        try:
            try:
                result = connection.send_query(sql, output, params=dict(params or {}))
                for block in result:
                    yield block.bytes()
            except Exception as error:
                raise QueryFailed(str(error)) from None
        finally:
            connection.close()

    def insert(
        self,
        statement: str,
        data: Iterator[bytes] | list[bytes],
        input_format: str,
        settings: Mapping[str, str] | None = None,
        database: str = "",
    ) -> int:
        """Insert data in a format; `statement` is INSERT INTO … without FORMAT. The rows that were written."""
        connection = self.connect(database, settings)
        try:
            inserter = connection.send_insert(statement, input_format)
            try:
                for chunk in data:
                    if chunk:
                        inserter.append(chunk)
                return int(inserter.finish().rows_written)
            except BaseException:
                inserter.close()
                raise
        except Exception as error:
            if isinstance(error, DomainError):
                raise
            raise QueryFailed(str(error)) from None
        finally:
            connection.close()

    def close(self) -> None:
        """Close the engine and let go of the folder."""
        self._keeper.close()
        os.close(self._lock)
