"""How far the read models are, for readers in this or another process (synchronous; the queries have their own)."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from infra.postgres.read_models_sink import SCHEMA, TRACKING, Connection, checked_schema, connect, storage_errors

POLL_SECONDS = 0.005


class ReadPosition:
    """Reads the tracking row on one connection of its own (opened when first used, and again when lost)."""

    def __init__(self, url: str, schema: str = SCHEMA) -> None:
        self._url = url
        self._schema = checked_schema(schema)
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def position(self) -> int:
        """The log position up to which the read models are written: the lowest of their sources.

        Raises StorageUnavailable."""
        text = f"SELECT coalesce(min(notification_id), 0) FROM {self._schema}.tracking WHERE application_name = %s"  # noqa: S608
        return int(self._rows(text, (TRACKING,))[0][0])

    def lag(self) -> int:
        """How many positions the log is ahead."""
        head = self._rows("SELECT coalesce(max(notification_id), 0) FROM stored_events")[0][0]
        return max(int(head) - self.position(), 0)

    def wait_for(self, position: int, timeout: float) -> bool:
        """Whether the read models reached `position` within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.position() < position:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True

    def quarantine(self) -> list[dict[str, object]]:
        """The events that are set aside, by position."""
        text = f"SELECT position, stream, version, topic, reason FROM {self._schema}.quarantine ORDER BY position"  # noqa: S608
        names = ("position", "stream", "version", "topic", "reason")
        return [dict(zip(names, row, strict=True)) for row in self._rows(text)]

    def _rows(self, text: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                with storage_errors():
                    if self._connection is None:
                        self._connection = connect(self._url)
                    return self._connection.execute(text.encode(), parameters).fetchall()
            except Exception:
                self._close()
                raise

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._close()

    def __enter__(self) -> ReadPosition:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
