"""What the write side asks of the index of messages, signals and start events: a part of the EventLog port.

A message and what waits for it meet at a *topic*: tenant, name and correlation key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol


class Topic(NamedTuple):
    """Where a message meets those who wait for it."""

    tenant: str
    name: str
    key: str


class KeptMessage(NamedTuple):
    """A message that may be taken. once: it has no time to live, and is for what waited before it only."""

    key: int
    position: int
    once: bool
    takers: frozenset[str]


class OpenSubscription(NamedTuple):
    """An instance of `process_id` waits since log position `position`."""

    instance_key: int
    local: int
    process_id: str = ""
    position: int = 0


class StartSubscription(NamedTuple):
    """The newest version of a process starts at `element_id`. name: of the message or signal, or the expression of a
    condition. held: an active instance holds the topic's key."""

    definition_key: int
    element_id: str
    process_id: str
    name: str
    held: bool = False


class Candidates(NamedTuple):
    """What may meet at a topic, the oldest first."""

    topic: Topic
    messages: Sequence[KeptMessage]
    subscriptions: Sequence[OpenSubscription]
    starts: Sequence[StartSubscription]


class PendingSignal(NamedTuple):
    """A signal that not everybody has heard. key: of its stream (its own, or the instance that threw it as `local`)."""

    key: int
    local: int
    tenant: str
    name: str
    position: int
    variables: dict[str, Any]


class DueStart(NamedTuple):
    """A start timer whose time has come."""

    definition_key: int
    element_id: str
    tenant: str
    due: int
    remaining: int
    cycle: str


class MessageIndex(Protocol):
    """Rows are written with the events, so what is asked here never lags behind the log."""

    def correlatable(self, after: int, limit: int, held: bool = False, beyond: Topic | None = None) -> Sequence[Topic]:
        """Topics at which something may meet, ascending from the one after `beyond`: a kept message and a subscription
        or start event, one of which arose after log position `after`. held: those too at which a message may start an
        instance, whenever they arose."""
        ...

    def candidates(self, topics: Sequence[Topic], limit: int) -> Sequence[Candidates]:
        """What may meet at these topics, at most `limit` messages and subscriptions each: messages that a subscription
        or a start event fits that is not held, subscriptions that one of these messages fits, all start events."""
        ...

    def passing_messages(self, until: int, limit: int) -> Sequence[tuple[int, Topic]]:
        """Messages without a time to live up to log position `until`, the oldest first."""
        ...

    def expired_messages(self, now: int, limit: int) -> Sequence[int]:
        """Keys of messages whose time to live has ended at `now` (µs)."""
        ...

    def pending_signals(self, limit: int) -> Sequence[PendingSignal]:
        """Signals under way, the oldest first."""
        ...

    def signal_targets(self, signal: PendingSignal, limit: int) -> Sequence[OpenSubscription]:
        """Who waited for the signal before it, and has not heard it yet."""
        ...

    def start_subscriptions(
        self, kind: str, tenant: str, name: str | None = None, definition_key: int = 0
    ) -> Sequence[StartSubscription]:
        """Start events in force. kind: "message", "signal" or "condition"; name None: any; definition_key 0: any."""
        ...

    def due_starts(self, now: int, limit: int) -> Sequence[DueStart]:
        """Start timers due at `now` (µs), the most overdue first."""
        ...

    def next_start(self, after: int = -1) -> int | None:
        """When the first start timer is due that is due after `after` (µs), None if there is none."""
        ...

    def next_expiry(self, after: int) -> int | None:
        """When the first message's time to live ends after `after` (µs), None if none does."""
        ...
