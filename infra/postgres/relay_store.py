"""The relay's position in PostgreSQL (streams.relay.RelayStore), and the lock that settles who relays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import StorageUnavailable
from infra.postgres.read_models_sink import Connection, connect, storage_errors
from streams.relay import LeadLost, Mark, RelayState

_LOCK_CLASS = 7308
POLL_SECONDS = 0.1


class PostgresRelayStore:
    """On one connection; losing it is losing the lead."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None

    def _open(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._url)
            # A position that a crash of the server takes back only means that records are sent again.
            self._connection.execute("SET synchronous_commit = off")
        return self._connection

    def lead(self, topic: str, timeout: float) -> bool:
        """See RelayStore.lead: the session's advisory lock of the topic."""
        deadline = time.monotonic() + timeout
        with self._closing_on_loss():
            while True:
                text = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
                row = self._open().execute(text, (_LOCK_CLASS, topic)).fetchone()
                if row is not None and row[0]:
                    return True
                if time.monotonic() > deadline:
                    return False
                time.sleep(POLL_SECONDS)

    def load(self, topic: str) -> RelayState | None:
        """See RelayStore.load."""
        text = "SELECT topic_id, position, previous, ends FROM relay_positions WHERE topic = %s"
        with self._closing_on_loss():
            row = self._open().execute(text, (topic,)).fetchone()
        if row is None:
            return None
        return RelayState(topic, row[0], row[1], tuple(map(Mark, row[2], row[3])))

    def save(self, state: RelayState, expected: RelayState | None) -> None:
        """See RelayStore.save."""
        values = (
            state.topic_id,
            state.position,
            [mark.previous for mark in state.marks],
            [mark.end for mark in state.marks],
            state.topic,
        )
        with self._closing_on_loss():
            if expected is None:
                done = self._open().execute(
                    "INSERT INTO relay_positions (topic_id, position, previous, ends, topic) "
                    "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    values,
                )
            else:
                done = self._open().execute(
                    "UPDATE relay_positions SET topic_id = %s, position = %s, previous = %s, ends = %s, "
                    "updated_at = now() WHERE topic = %s AND topic_id = %s AND position = %s",
                    (*values, expected.topic_id, expected.position),
                )
        if done.rowcount != 1:
            raise LeadLost(f"another relay moved the position of '{state.topic}'; standing by")

    @contextmanager
    def _closing_on_loss(self) -> Iterator[None]:
        try:
            with storage_errors():
                yield
        except StorageUnavailable:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection, which gives up the lead."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
