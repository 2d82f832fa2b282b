"""The timer loop: finds due timers in the wait-state index and sends a command for each.

Several processes may run it: the command fires a timer only if it still runs and is due, so it is safe to send twice.
The loop sleeps until the next timer is due, wakes when the bus commits an earlier one, and looks at least once a
second for those of other processes. It never fires early: the time is the one the command will see.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future

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


class TimerLoop:
    """See the module. `make_command` makes the command of a due timer (TriggerTimer)."""

    def __init__(
        self, log: EventLog, bus: CommandBus, clock: Clock, make_command: Callable[[DueTimer], Command]
    ) -> None:
        self._log = log
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
        due = self._log.due_timers(now, BATCH)
        if due:
            fired = self._send(due)
            return 0.0 if fired == len(due) == BATCH else POLL_SECONDS / 20 if fired < len(due) else 0.0
        following = self._log.next_timer()
        if following is None:
            return POLL_SECONDS
        self._sleeps_until = min(self._sleeps_until, following)
        return min(max((following - self._clock.now()) / 1e6, 0.0), POLL_SECONDS)

    def _send(self, due: Sequence[DueTimer]) -> int:
        """How many were carried out. One whose command fails stays due, and is tried again at the next look."""
        sent: list[tuple[DueTimer, Future[Outcome]]] = []
        for timer in due:
            try:
                sent.append((timer, self._bus.submit(self._make_command(timer), Meta(ACTOR))))
            except Overloaded:
                break
        fired = 0
        for timer, future in sent:
            try:
                future.result()
                fired += 1
            except DomainError as error:
                LOGGER.warning("timer %d of instance %d is not fired: %s", timer.local, timer.instance_key, error)
            except Exception:
                LOGGER.exception("timer %d of instance %d cannot be fired", timer.local, timer.instance_key)
        return fired


def _due(event: object) -> int:
    if isinstance(event, TimerStarted):
        return event.due
    if isinstance(event, TimerTriggered):
        return event.next_due
    return 0
