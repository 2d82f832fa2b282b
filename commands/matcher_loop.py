"""The thread in which the matcher works, woken by the commits that give it something to do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from commands.bus import CommandBus
from commands.bus_batch import Emission, Outcome
from commands.clock import Clock
from commands.handling import Command, Meta
from commands.loop import POLL_SECONDS, WakingLoop
from commands.matcher import Matcher, Sent
from commands.ports import EventLog
from domain.errors import Overloaded
from domain.events import Event
from domain.messages.events import MessagePublished, SignalBroadcast
from domain.process_definition.events import ProcessDeployed
from domain.process_instance import events as e
from domain.process_instance.subscribing import MESSAGE

_RELEVANT = frozenset(
    {
        MessagePublished,
        SignalBroadcast,
        ProcessDeployed,
        e.SignalThrown,
        e.SubscriptionOpened,
        e.SubscriptionClosed,
        e.InstanceResumed,
    }
)
_ENDS = frozenset({e.InstanceCompleted, e.InstanceTerminated})


class _Noted(NamedTuple):
    """Who waits until commits up to `number` were looked at."""

    number: int
    future: Future[None]


class MatcherLoop:
    """See the module. `listen` is called by the bus; `considered` tells when what was committed has been looked at."""

    def __init__(
        self, log: EventLog, bus: CommandBus, clock: Clock, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._bus = bus
        self._clock = clock
        self._matcher = Matcher(log, self._send, clock.now, monotonic)
        self._loop = WakingLoop("messages", self._work)
        self._lock = threading.Lock()
        self._noted = 0  # commits that gave the matcher something to do,
        self._done = 0  # and how many of them it has looked at
        self._freed = False
        self._waiting: list[_Noted] = []
        bus.add_listener(self.on_commit)

    def start(self) -> None:
        """Start the thread."""
        self._loop.start()

    def stop(self) -> None:
        """End it; to be called before the bus is stopped."""
        self._loop.stop()

    def wake(self) -> None:
        """Look now (the clock was set)."""
        with self._lock:
            self._noted += 1
        self._loop.wake()

    @property
    def is_settled(self) -> bool:
        """Whether everything this process committed has met what it could, and no signal is under way."""
        return self._noted == self._done and self._matcher.is_settled

    def considered(self) -> Future[None]:
        """Done when everything committed before this call has been looked at (or failed, and will be tried again)."""
        future: Future[None] = Future()
        with self._lock:
            if self._noted == self._done:
                future.set_result(None)
            else:
                self._waiting.append(_Noted(self._noted, future))
        return future

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Listener of the command bus."""
        relevant = freed = False
        for emission in emissions:
            kinds = {type(event) for event in emission.events}
            if not kinds & _RELEVANT:
                continue
            if not relevant:
                relevant = any(map(_matters, emission.events))
            if e.SubscriptionClosed in kinds and kinds & _ENDS:  # perhaps a start key
                relevant = freed = True
        if relevant:
            with self._lock:
                self._noted += 1
                self._freed = self._freed or freed
            self._loop.wake()

    def _work(self) -> float:
        with self._lock:
            noted, freed, self._freed = self._noted, self._freed, False
        if freed:
            self._matcher.look_at_held()
        if self._matcher.round():
            return 0.0
        with self._lock:
            self._done = noted
            through = [waiting for waiting in self._waiting if waiting.number <= noted]
            self._waiting = [waiting for waiting in self._waiting if waiting.number > noted]
        for waiting in through:
            waiting.future.set_result(None)
        now = self._clock.now()
        following = self._log.next_expiry(now)
        until = POLL_SECONDS if following is None else max((following - now) / 1e6, 0.0)
        return min(POLL_SECONDS, until, self._matcher.next_due())

    def _send(self, commands: Sequence[tuple[Command, Meta]]) -> Sent:
        """Hand the commands in and wait for all of them."""
        sent: list[Future[Outcome] | Overloaded] = []
        for command, meta in commands:
            try:
                sent.append(self._bus.submit(command, meta))
            except Overloaded as error:
                sent.append(error)
        return [one if isinstance(one, Overloaded) else one.exception() for one in sent]


def _matters(event: Event) -> bool:
    """Whether the event opens something that may meet something else. Closing alone does not."""
    if isinstance(event, e.SubscriptionOpened):
        return event.kind == MESSAGE
    if isinstance(event, ProcessDeployed):
        return bool(event.starts)
    if isinstance(event, e.InstanceResumed):
        return bool(event.subscriptions)
    return isinstance(event, MessagePublished | SignalBroadcast | e.SignalThrown)
