"""What timers and deliveries have in common: a loop that finds work in the wait-state index and sends commands for it.

Several processes may run it: each command does its work only if it is still to be done, so it is safe to send twice.
The loop sleeps until there is something to do, and wakes when the bus commits what it waits for. What was sent and is
still found afterwards is sent again, at ever longer intervals: it must neither be lost nor keep the loop busy.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, NamedTuple, TypeVar

from commands.bus import CommandBus
from commands.bus_batch import Emission, Outcome
from commands.handling import Command, Meta
from commands.loop import POLL_SECONDS, WakingLoop
from domain.errors import DomainError, Overloaded

__all__ = ["BATCH", "FIRST_PAUSE", "LONGEST_PAUSE", "POLL_SECONDS", "DueWorkLoop", "Found"]

LOGGER = logging.getLogger(__name__)
BATCH = 500
"""Commands sent before the loop looks again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds until work that was sent in vain is sent again."""

W = TypeVar("W", bound=tuple[object, ...])


class Found(NamedTuple, Generic[W]):
    """Work that is to be done now. complete: there is no other, so that what was sent and is not among it is done."""

    work: Sequence[W]
    complete: bool


class DueWorkLoop(ABC, Generic[W]):
    """See the module. name: of the thread, and who acts. `make_command` makes the command for a piece of work."""

    def __init__(
        self,
        name: str,
        bus: CommandBus,
        make_command: Callable[[W], Command],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._bus = bus
        self._make_command = make_command
        self._monotonic = monotonic
        self._tried: dict[W, _Tried] = {}
        self._loop = WakingLoop(name, self.send_due)
        bus.add_listener(self.on_commit)

    @abstractmethod
    def find(self, limit: int) -> Found[W]:
        """Up to `limit` pieces of work that are to be done now."""

    @abstractmethod
    def pause(self) -> float:
        """Seconds until `find` may find something, unless `wake` is called."""

    @abstractmethod
    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Listener of the command bus: wake up if it brought work."""

    def start(self) -> None:
        """Start the thread."""
        self._loop.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the loop; to be called before the bus is stopped."""
        self._loop.stop(timeout)

    def wake(self) -> None:
        """Look for work now."""
        self._loop.wake()

    def meta(self, work: W) -> Meta:
        """Who asks, for a piece of work."""
        return Meta(self._name)

    def send_due(self) -> float:
        """Send what is to be done and wait for the outcome; how long to sleep then, in seconds."""
        found = self.find(BATCH + len(self._tried))
        started = self._monotonic()
        if found.complete:
            self._tried = {work: self._tried[work] for work in found.work if work in self._tried}
        ready = [work for work in found.work if work not in self._tried or self._tried[work].again_at <= started]
        if ready:
            self._send(ready[:BATCH])
            return 0.0
        pauses = [self.pause()]
        if found.complete:
            pauses += [max(tried.again_at - started, 0.0) for tried in self._tried.values()]
        return min(pauses)

    def _send(self, ready: Sequence[W]) -> None:
        sent: list[tuple[W, Future[Outcome]]] = []
        for work in ready:
            pause = min(self._tried[work].pause * 2, LONGEST_PAUSE) if work in self._tried else FIRST_PAUSE
            self._tried[work] = _Tried(self._monotonic() + pause, pause)
            try:
                sent.append((work, self._bus.submit(self._make_command(work), self.meta(work))))
            except Overloaded:
                break
        for work, future in sent:
            try:
                future.result()
            except DomainError as error:
                LOGGER.warning("%s: %s is not done: %s", self._name, work, error)
            except Exception:
                LOGGER.exception("%s: %s cannot be done", self._name, work)


class _Tried(NamedTuple):
    """Work that was sent. again_at: when it may be sent again (monotonic seconds); pause: seconds until then."""

    again_at: float
    pause: float
