"""How far the read models are, for many waiting readers at once: while anybody waits, one task polls the tracking row
and wakes those whose position is reached. No listening connection, nothing at all while nobody waits.

(NOTIFY by the projector would be the alternative: it makes every commit of the projector wait for those of the write
path, which notify too, because PostgreSQL lets only one notifying transaction commit at a time.)
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Awaitable, Callable
from itertools import count

from domain.errors import DomainError

POLL_SECONDS = 0.004
PATIENT_POLL_SECONDS = 0.02
PATIENT_AFTER = 50

Waiter = tuple[int, int, "asyncio.Future[bool]"]


class PositionWatcher:
    """`read` gives the current position; it is asked at most every 4 ms, every 20 ms after the first 50 times."""

    def __init__(self, read: Callable[[], Awaitable[int]]) -> None:
        self._read = read
        self._waiters: list[Waiter] = []
        self._order = count()
        self._task: asyncio.Task[None] | None = None
        self.reached = 0

    async def wait_for(self, position: int, timeout: float) -> bool:
        """Whether `position` is reached within `timeout` seconds. A read that fails counts as not reached yet."""
        if position <= self.reached:
            return True
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiters, (position, next(self._order), future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            return await asyncio.wait_for(future, timeout)
        except TimeoutError:
            return False

    async def _poll(self) -> None:
        polls = 0
        while self._waiters:
            # positions go back only when the read models are rebuilt; then waiting starts over
            with contextlib.suppress(DomainError):
                self.reached = await self._read()
            self._wake()
            polls += 1
            if self._waiters:
                await asyncio.sleep(POLL_SECONDS if polls < PATIENT_AFTER else PATIENT_POLL_SECONDS)

    def _wake(self) -> None:
        while self._waiters and (self._waiters[0][2].done() or self._waiters[0][0] <= self.reached):
            _, _, future = heapq.heappop(self._waiters)
            if not future.done():
                future.set_result(True)
        if any(waiter[2].done() for waiter in self._waiters):
            self._waiters = [waiter for waiter in self._waiters if not waiter[2].done()]
            heapq.heapify(self._waiters)

    async def close(self) -> None:
        """Stop polling; whoever still waits is told that the position was not reached."""
        for _, _, future in self._waiters:
            if not future.done():
                future.set_result(False)
        self._waiters.clear()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
