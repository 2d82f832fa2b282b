"""Hot aggregates, kept between commands: a bounded LRU cache by number of streams.

A cached state is trusted while deciding; that it was current is proven by the unique (stream, version) index when its
events are appended, and whatever fails is evicted. Owned by the bus's engine thread.
"""

from __future__ import annotations

from itertools import islice
from typing import Any
from uuid import UUID

from commands.handling import Stream, StreamRef


class HeldStream(Stream):
    """An aggregate in the cache. snapshot_version: version of its newest snapshot. loaded_in: number of the round that
    read it from the log; before a rejection is final, the state that it rests on is read anew."""

    __slots__ = ("loaded_in", "snapshot_version")

    def __init__(self, ref: StreamRef, state: Any, version: int = 0, snapshot_version: int = 0, loaded_in: int = 0):
        super().__init__(ref, state, version)
        self.snapshot_version = snapshot_version
        self.loaded_in = loaded_in


class StreamCache:
    """Streams by id, the least recently used first. It may grow past its limit within a round; `trim` ends one."""

    def __init__(self, limit: int) -> None:
        if limit < 0:
            raise ValueError(f"the cache's limit must not be negative: {limit}")
        self._limit = limit
        self._streams: dict[UUID, HeldStream] = {}

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, stream: UUID) -> bool:
        return stream in self._streams

    def get(self, stream: UUID) -> HeldStream | None:
        """The stream, which thereby becomes the most recently used."""
        held = self._streams.pop(stream, None)
        if held is not None:
            self._streams[stream] = held
        return held

    def put(self, held: HeldStream) -> None:
        """Keep a stream."""
        self._streams[held.ref.id] = held

    def evict(self, stream: UUID) -> None:
        """Forget a stream; no error if it is not there."""
        self._streams.pop(stream, None)

    def clear(self) -> None:
        """Forget all."""
        self._streams.clear()

    def trim(self, keep: set[UUID]) -> None:
        """Forget the least recently used beyond the limit, but none of `keep`: those have events not stored yet."""
        excess = len(self._streams) - self._limit
        if excess <= 0:
            return
        for stream in list(islice((stream for stream in self._streams if stream not in keep), excess)):
            del self._streams[stream]
