"""Key lanes: each process that hands out keys holds one of 64 lanes, so that no two processes hand out the same key.

A lane is leased in `key_lanes` with a *ceiling*: keys below it may be handed out without asking again. The ceiling is
raised some seconds at a time, as keys are needed; whoever takes the lane over begins above it. So keys never repeat,
whatever happens to the holder: killed, cut off, or paused for longer than its lease.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg

from domain.errors import StorageUnavailable
from domain.keys import EPOCH_SECONDS, TICKS_PER_SECOND, Key, KeySource, compose_key
from infra.postgres.appender import CONNECTION

LEASE_SECONDS = 60
CEILING_SECONDS = 20

_TAKE = """
UPDATE key_lanes SET holder = %(holder)s, expires_at = now() + make_interval(secs => %(lease)s)
WHERE lane = (
    SELECT lane FROM key_lanes WHERE holder IS NULL OR expires_at < now()
    ORDER BY ceiling, lane LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING lane, ceiling
"""
_RAISE = """
UPDATE key_lanes SET ceiling = greatest(ceiling, %(ceiling)s), expires_at = now() + make_interval(secs => %(lease)s)
WHERE lane = %(lane)s AND holder = %(holder)s
"""
_RELEASE = """
UPDATE key_lanes SET holder = NULL, expires_at = now(), ceiling = %(ceiling)s
WHERE lane = %(lane)s AND holder = %(holder)s
"""


class LeasedKeys:
    """Hands out keys of a leased lane; for one thread. holder: an id of this process, new at every start."""

    def __init__(self, url: str, holder: UUID, seconds: Callable[[], float]) -> None:
        self._url = url
        self._holder = holder
        self._seconds = seconds
        self._source: KeySource | None = None
        self._lane = -1
        self._ceiling = 0
        self._pending: Key | None = None
        self._first = self._last = 0

    @property
    def lane(self) -> int:
        """The lane that is held, -1 before the first key."""
        return self._lane

    def next_key(self) -> Key:
        """A new key. Raises StorageUnavailable when the lease is used up and the database cannot be reached."""
        if self._source is None:
            self._take_lane()
        assert self._source is not None
        key = self._pending or self._source.next_key()
        if key >= self._ceiling:
            self._pending = key  # if raising fails, it is the next to be handed out
            if not self._raise_ceiling(key):
                self._source, self._pending = None, None  # another process took the lane over
                return self.next_key()
            self._pending = None
        self._last = key
        return key

    def close(self) -> None:
        """Give the lane back."""
        if self._source is not None:
            self._source = None
            self._execute(_RELEASE, max(self._last, self._first))

    def _take_lane(self) -> None:
        row = self._execute(_TAKE)
        if row is None:
            raise StorageUnavailable("all 64 key lanes are held by other processes; stop one, or wait a minute")
        self._lane, self._ceiling = row
        self._first = self._ceiling
        self._source = KeySource(self._lane, self._seconds, not_before=self._ceiling)

    def _raise_ceiling(self, key: Key) -> bool:
        ticks = int((self._seconds() - EPOCH_SECONDS + CEILING_SECONDS) * TICKS_PER_SECOND)
        ceiling = max(compose_key(ticks, self._lane, 0), key + (compose_key(CEILING_SECONDS * TICKS_PER_SECOND, 0, 0)))
        if self._execute(_RAISE, ceiling) is None:
            return False
        self._ceiling = ceiling
        return True

    def _execute(self, statement: str, ceiling: int = 0) -> tuple[int, ...] | None:
        """The row that is returned, () if one was changed, None if none was."""
        parameters = {"holder": self._holder, "lease": LEASE_SECONDS, "lane": self._lane, "ceiling": ceiling}
        try:
            with psycopg.connect(self._url, autocommit=True, **CONNECTION) as connection:  # type: ignore[arg-type]
                cursor = connection.execute(statement, parameters)
                if cursor.description is not None:
                    return cursor.fetchone()
                return () if cursor.rowcount else None
        except psycopg.OperationalError as error:
            raise StorageUnavailable(f"no keys can be leased: {error}") from error
