"""The clock that is handed in: microseconds since the Unix epoch (UTC). Tests and `PUT /v2/clock` can pin it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Tells the time in µs since the Unix epoch."""

    def now(self) -> int:
        """The time now."""
        ...


class PinnableClock:
    """Follows `source` (µs) until it is pinned to a time; `reset` lets it follow the source again."""

    def __init__(self, source: Callable[[], int], pinned: int | None = None) -> None:
        self._source = source
        self._pinned = pinned

    def now(self) -> int:
        """The pinned time, or the source's."""
        pinned = self._pinned
        return self._source() if pinned is None else pinned

    def pin(self, at: int) -> None:
        """Stand still at `at` (µs)."""
        self._pinned = at

    def reset(self) -> None:
        """Follow the source again."""
        self._pinned = None
