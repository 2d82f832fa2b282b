"""The timer loops: they find due timers of instances, and of start events, in the wait-state index and send a command
for each (due_work.py).

A loop sleeps until the next timer is due, wakes when the bus commits an earlier one, and looks at least once a second
for those of other processes. It never fires early: the time is the one the command will see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from commands.bus import CommandBus
from commands.bus_batch import Emission
from commands.clock import Clock
from commands.due_work import POLL_SECONDS, DueWorkLoop, Found
from commands.handling import Command, Meta
from commands.message_ports import DueStart
from commands.ports import DueTimer, EventLog
from commands.start_by_timer import StartByTimer
from domain.process_definition.events import ProcessDeployed
from domain.process_instance.events import InstanceResumed, InstanceTriggered, TimerStarted, TimerTriggered

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


class StartTimerLoop(DueWorkLoop[DueStart]):
    """Start timers. An instance is started under a command id made of the definition, the start event and the time that
    was due, so that it starts once, however many processes run this loop."""

    def __init__(
        self, log: EventLog, bus: CommandBus, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._clock = clock
        self._now = 0
        self._sleeps_until = 0
        super().__init__("start timer", bus, start_command, monotonic)

    def find(self, limit: int) -> Found[DueStart]:
        """What is due by now."""
        self._now = self._clock.now()
        self._sleeps_until = self._now + int(POLL_SECONDS * 1e6)
        return Found(self._log.due_starts(self._now, limit), complete=True)

    def meta(self, work: DueStart) -> Meta:
        """The definition's tenant, and the command id."""
        return Meta(ACTOR, work.tenant, f"timer:{work.definition_key}:{work.element_id}:{work.due}")

    def pause(self) -> float:
        """Until the next timer is due, but at most a second."""
        following = self._log.next_start(self._now)
        if following is None:
            return POLL_SECONDS
        self._sleeps_until = min(self._sleeps_until, following)
        return min(POLL_SECONDS, max((following - self._clock.now()) / 1e6, 0.0))

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Wake up for a timer that was deployed, or goes on."""
        for emission in emissions:
            for event in emission.events:
                due = _next_start(event)
                if due and due < self._sleeps_until:
                    self.wake()
                    return


def start_command(start: DueStart) -> StartByTimer:
    """The command of a start timer."""
    return StartByTimer(
        definition_key=start.definition_key,
        element_id=start.element_id,
        due=start.due,
        remaining=start.remaining,
        cycle=start.cycle,
    )


def _next_start(event: object) -> int:
    if isinstance(event, InstanceTriggered):
        return event.next_due
    if isinstance(event, ProcessDeployed):
        return min((start.due for start in event.starts if start.due), default=0)
    return 0
