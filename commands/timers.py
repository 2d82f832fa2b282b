"""The timer loop: finds due timers in the wait-state index and sends a command for each (due_work.py).

It sleeps until the next timer is due, wakes when the bus commits an earlier one, and looks at least once a second for
those of other processes. It never fires early: the time is the one the command will see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from commands.bus import CommandBus
from commands.bus_batch import Emission
from commands.clock import Clock
from commands.due_work import POLL_SECONDS, DueWorkLoop, Found
from commands.handling import Command
from commands.ports import DueTimer, EventLog
from domain.process_instance.events import InstanceResumed, TimerStarted, TimerTriggered

ACTOR = "timer"


class TimerLoop(DueWorkLoop[DueTimer]):
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
        self._clock = clock
        self._now = 0
        self._sleeps_until = 0
        super().__init__(ACTOR, bus, make_command, monotonic)

    def find(self, limit: int) -> Found[DueTimer]:
        """What is due by now."""
        self._now = self._clock.now()
        self._sleeps_until = self._now + int(POLL_SECONDS * 1e6)
        return Found(self._log.due_timers(self._now, limit), complete=True)

    def pause(self) -> float:
        """Until the next timer is due, but at most a second."""
        following = self._log.next_timer(self._now)
        if following is None:
            return POLL_SECONDS
        self._sleeps_until = min(self._sleeps_until, following)
        return min(POLL_SECONDS, max((following - self._clock.now()) / 1e6, 0.0))

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Wake up for a timer that is due before the loop would look."""
        for emission in emissions:
            for event in emission.events:
                due = _due(event)
                if due and due < self._sleeps_until:
                    self.wake()
                    return


def _due(event: object) -> int:
    if isinstance(event, TimerStarted):
        return event.due
    if isinstance(event, TimerTriggered):
        return event.next_due
    if isinstance(event, InstanceResumed):
        return min((timer.available_at for timer in event.timers), default=0)
    return 0
