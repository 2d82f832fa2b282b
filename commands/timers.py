"""The timer loop: finds due timers in the wait-state index and sends a command for each.

Several processes may run it: the command fires a timer only if it still runs and is due, so it is safe to send twice.
The loop sleeps until the next timer is due, wakes when the bus commits an earlier one, and looks at least once a
second for those of other processes. It never fires early: the time is the one the command will see.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from commands.bus import CommandBus
from commands.bus_batch import Emission, Outcome
from commands.clock import Clock
from commands.handling import Command, Meta
from commands.ports import DueTimer, EventLog
from domain.errors import DomainError, Overloaded
from domain.process_instance.events import TimerStarted, TimerTriggered

LOGGER = logging.getLogger(__name__)
ACTOR = "timer"
POLL_SECONDS = 1.0
BATCH = 500
"""Timers sent before the loop looks again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds until a timer that was sent in vain is sent again."""


class TimerLoop:
    """See the module. `make_command` makes the command of a due timer (TriggerTimer)."""

    def __init__(
        self,
        log: EventLog,
        bus: CommandBus,
        clock: Clock,
        make_command: Callable[[DueTimer], Command],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._monotonic = monotonic
        self._tried: dict[DueTimer, _Tried] = {}
        self._bus = bus
        self._clock = clock
        self._make_command = make_command
        self._wake = threading.Event()
        self._stopping = False
        self._sleeps_until = 0
        self._thread: threading.Thread | None = None
        bus.add_listener(self.on_commit)

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the loop; to be called before the bus is stopped."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """Look at the timers now (the clock was set)."""
        self._wake.set()

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Listener of the command bus: wake up for a timer that is due before the loop would look."""
        for emission in emissions:
            for event in emission.events:
                due = _due(event)
                if due and due < self._sleeps_until:
                    self._wake.set()
                    return

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                pause = self.fire_due()
            except DomainError as error:  # the log is away: it is looked at again shortly
                LOGGER.warning("timers cannot be read: %s", error)
                pause = POLL_SECONDS
            except Exception:
                LOGGER.exception("the timer loop failed; it goes on")
                pause = POLL_SECONDS
            if pause > 0:
                self._wake.wait(pause)

    def fire_due(self) -> float:
        """Send what is due and wait for the outcome; how long to sleep then, in seconds."""
        now = self._clock.now()
        self._sleeps_until = now + int(POLL_SECONDS * 1e6)
        due = self._log.due_timers(now, BATCH + len(self._tried))
        started = self._monotonic()
        self._tried = {timer: self._tried[timer] for timer in due if timer in self._tried}
        ready = [timer for timer in due if timer not in self._tried or self._tried[timer].again_at <= started]
        if ready:
            self._send(ready[:BATCH])
            return 0.0
        pause = POLL_SECONDS
        following = self._log.next_timer(now)
        if following is not None:
            self._sleeps_until = min(self._sleeps_until, following)
            pause = min(pause, max((following - self._clock.now()) / 1e6, 0.0))
        return min([pause, *(max(tried.again_at - started, 0.0) for tried in self._tried.values())])

    def _send(self, due: Sequence[DueTimer]) -> None:
        """Fire them. One that is still due afterwards is sent again, at ever longer intervals: it must neither be lost
        nor keep the loop busy."""
        sent: list[tuple[DueTimer, Future[Outcome]]] = []
        for timer in due:
            pause = min(self._tried[timer].pause * 2, LONGEST_PAUSE) if timer in self._tried else FIRST_PAUSE
            self._tried[timer] = _Tried(self._monotonic() + pause, pause)
            try:
                sent.append((timer, self._bus.submit(self._make_command(timer), Meta(ACTOR))))
            except Overloaded:
                break
        for timer, future in sent:
            try:
                future.result()
            except DomainError as error:
                LOGGER.warning("timer %d of instance %d is not fired: %s", timer.local, timer.instance_key, error)
            except Exception:
                LOGGER.exception("timer %d of instance %d cannot be fired", timer.local, timer.instance_key)


class _Tried(NamedTuple):
    """A timer that was sent. again_at: when it may be sent again (monotonic seconds); pause: seconds until then."""

    again_at: float
    pause: float


def _due(event: object) -> int:
    if isinstance(event, TimerStarted):
        return event.due
    if isinstance(event, TimerTriggered):
        return event.next_due
    return 0
