"""The matcher: lets messages meet subscriptions and start events, carries signals to everybody who waits, and ends what
has had its time. It works from the wait-state index, which is written with the events, and sends commands that check
everything again: several processes may run it, and nothing is lost when one is killed between two steps.

It is woken by commits of its own process, and looks once a second for those of others. `seen` is the log position up to
which everything has met that could; only what is newer is looked at, so that waiting messages cost nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from commands.correlate_message import ExpireMessage
from commands.correlation import Pairing, pairings
from commands.deliver_signal import DeliverSignal, FinishSignal, StartBySignal
from commands.handling import Command, Meta
from commands.message_ports import MessageIndex, PendingSignal, Topic
from domain.errors import AlreadyExists, IdempotencyMismatch

LOGGER = logging.getLogger(__name__)
ACTOR = "correlation"
TOPICS = 1_000
"""Topics that are looked at together."""
EACH = 100
"""Messages and subscriptions of one topic that are looked at together."""
SIGNALS = 1_000
"""Signals under way that are looked at together."""
CHUNK = 100
"""Commands that are sent before the matcher looks again: what others send in between does not wait long."""
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 60.0
"""Seconds until what was sent in vain is sent again."""
HELD_SECONDS = 10.0
"""How often messages that wait for a start key are looked at, in case the process that freed it was killed."""

Sent = Sequence[BaseException | None]
Send = Callable[[Sequence[tuple[Command, Meta]]], Sent]
"""Carries out commands; for each, in order, the error that it was refused with, or None."""


class Index(MessageIndex, Protocol):
    """The part of the log that the matcher reads."""

    def last_position(self) -> int:
        """The highest position in the log."""
        ...


class Tried(NamedTuple):
    """What was sent in vain. again_at: when it is sent again (monotonic seconds); pause: seconds until then."""

    again_at: float
    pause: float


class Matcher:
    """See the module. `now` is the engine's clock (µs)."""

    def __init__(
        self, index: Index, send: Send, now: Callable[[], int], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._index = index
        self._send = send
        self._now = now
        self._monotonic = monotonic
        self._seen = 0
        self._held_at = float("-inf")
        self._again: dict[Topic, Tried] = {}
        self._deaf: dict[tuple[int, int, int], Tried] = {}  # signal's position, instance, subscription
        self._begun: set[tuple[int, int]] = set()  # signals whose start events were told

    @property
    def is_settled(self) -> bool:
        """Whether nothing that was found is still to be sent."""
        return not (self._again or self._deaf or self._begun)

    def look_at_held(self) -> None:
        """A start key was freed: the next round looks at the messages that wait for one."""
        self._held_at = float("-inf")

    def round(self) -> bool:
        """Do what there is to do, of each signal one chunk; whether another round would do more at once."""
        head = self._index.last_position()
        at = self._monotonic()
        held = at - self._held_at >= HELD_SECONDS
        if held:
            self._held_at = at
        self._correlate(held)
        more = self._deliver()
        more = self._expire(head) or more
        self._seen = head
        return more

    def next_due(self) -> float:
        """Seconds until something that was sent in vain is due again; a large number if nothing is."""
        tried = [*self._again.values(), *self._deaf.values()]
        return min((max(one.again_at - self._monotonic(), 0.0) for one in tried), default=LONGEST_PAUSE)

    # --- messages ---

    def _correlate(self, held: bool) -> None:
        at = self._monotonic()
        beyond: Topic | None = None
        retried = [topic for topic, tried in self._again.items() if tried.again_at <= at]
        while True:
            topics = self._index.correlatable(self._seen, TOPICS, held, beyond)
            self._meet([*(topic for topic in topics if topic not in self._again), *retried])
            retried = []
            if len(topics) < TOPICS:
                return
            beyond = topics[-1]

    def _meet(self, topics: Sequence[Topic]) -> None:
        """Let everything meet at these topics."""
        sent: set[Pairing] = set()
        vain: set[Topic] = set()
        while topics:
            found = self._index.candidates(topics, EACH)
            pairs = [(one.topic, command) for one in found for command in pairings(one, sent)]
            for start in range(0, len(pairs), CHUNK):
                chunk = pairs[start : start + CHUNK]
                errors = self._send([(command, Meta(ACTOR, topic.tenant)) for topic, command in chunk])
                for (topic, command), error in zip(chunk, errors, strict=True):
                    if error is not None and not isinstance(error, AlreadyExists):
                        LOGGER.warning("%s was refused: %s", command, error)
                        vain.add(topic)
            sent |= {command for _, command in pairs}
            active = {topic for topic, _ in pairs}
            for topic in topics:
                if topic in vain:
                    self._again[topic] = self._tried(self._again.get(topic))
                elif topic not in active:
                    self._again.pop(topic, None)
            topics = [topic for topic in topics if topic in active and topic not in vain]

    def _expire(self, head: int) -> bool:
        """End what has no time to live and was looked at, and what has outlived it; whether there may be more."""
        passing = self._index.passing_messages(head, TOPICS)
        keys = [key for key, topic in passing if topic not in self._again]
        keys += self._index.expired_messages(self._now(), TOPICS)
        ended = 0
        for start in range(0, len(keys), CHUNK):
            chunk = keys[start : start + CHUNK]
            for error in self._send([(ExpireMessage(message_key=key), Meta(ACTOR)) for key in chunk]):
                if error is not None:
                    LOGGER.warning("a message cannot be ended yet: %s", error)
                else:
                    ended += 1
        return ended >= TOPICS

    # --- signals ---

    def _deliver(self) -> bool:
        """One chunk of each signal's way; whether more is to be delivered. Signals of one name go one after the other,
        as who waits on hears them in the order of the log."""
        pending = self._index.pending_signals(SIGNALS)
        keys = {(signal.key, signal.local) for signal in pending}
        positions = {signal.position for signal in pending}
        self._begun &= keys
        self._deaf = {key: tried for key, tried in self._deaf.items() if key[0] in positions}
        under_way: set[tuple[str, str]] = set()
        for signal in pending:
            topic = (signal.tenant, signal.name)
            if topic not in under_way and self._go_on(signal):
                under_way.add(topic)
        return bool(under_way)

    def _go_on(self, signal: PendingSignal) -> bool:
        """The next chunk of one signal; False if there is nobody left to be told now."""
        if (signal.key, signal.local) not in self._begun:
            self._start(signal)
        at, deaf = self._monotonic(), self._deaf.items()
        blocked = {key[1:] for key, tried in deaf if key[0] <= signal.position and tried.again_at > at}
        found = self._index.signal_targets(signal, CHUNK + len(blocked))
        ready = [target for target in found if (target.instance_key, target.local) not in blocked]
        if ready:
            self._tell(signal, [(target.instance_key, target.local) for target in ready[:CHUNK]])
            return True
        if not found and (signal.key, signal.local) in self._begun:
            self._finish(signal)
        return False

    def _start(self, signal: PendingSignal) -> None:
        """Start the instances that the signal starts, each under a command id."""
        key = (signal.position, 0, 0)
        tried = self._deaf.get(key)
        if tried is not None and tried.again_at > self._monotonic():
            return
        commands: list[tuple[Command, Meta]] = []
        for start in self._index.start_subscriptions("signal", signal.tenant, signal.name):
            command = StartBySignal(
                signal_key=signal.key + signal.local,
                name=signal.name,
                definition_key=start.definition_key,
                element_id=start.element_id,
                variables=signal.variables,
            )
            once = f"signal:{signal.key + signal.local}:{start.process_id}:{start.element_id}"
            commands.append((command, Meta(ACTOR, signal.tenant, once)))
        # A mismatch: an older version of the process was started by this signal before a newer one was deployed.
        errors = [e for e in self._send(commands) if e is not None and not isinstance(e, IdempotencyMismatch)]
        for error in errors:
            LOGGER.warning("the signal '%s' cannot start an instance yet: %s", signal.name, error)
        if errors:
            self._deaf[key] = self._tried(tried)
        else:
            self._deaf.pop(key, None)
            self._begun.add((signal.key, signal.local))

    def _tell(self, signal: PendingSignal, targets: Sequence[tuple[int, int]]) -> None:
        commands = [
            DeliverSignal(
                signal_key=signal.key + signal.local,
                position=signal.position,
                instance_key=instance,
                subscription=local,
                variables=signal.variables,
            )
            for instance, local in targets
        ]
        errors = self._send([(command, Meta(ACTOR, signal.tenant)) for command in commands])
        for target, error in zip(targets, errors, strict=True):
            key = (signal.position, *target)
            if error is None:
                self._deaf.pop(key, None)
            else:
                LOGGER.warning("the signal '%s' does not reach instance %d yet: %s", signal.name, target[0], error)
                self._deaf[key] = self._tried(self._deaf.get(key))

    def _finish(self, signal: PendingSignal) -> None:
        (error,) = self._send([(FinishSignal(key=signal.key, local=signal.local), Meta(ACTOR, signal.tenant))])
        if error is None:
            self._begun.discard((signal.key, signal.local))

    def _tried(self, before: Tried | None) -> Tried:
        pause = FIRST_PAUSE if before is None else min(before.pause * 2, LONGEST_PAUSE)
        return Tried(self._monotonic() + pause, pause)
