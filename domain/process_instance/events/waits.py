"""What an element instance waits for: timers and subscriptions."""

from __future__ import annotations

from typing import ClassVar

from domain.events import Event


class SubscriptionOpened(Event, frozen=True):
    """An element instance waits for something on behalf of event `element_id`; kind: "condition", "message" or
    "signal" (by `name`, a message by `key` too). kind "start": no further message `name` with this `key` starts an
    instance of `process_id` while this one is active.

    A condition's ends with the element instance; the others are closed by an event, unless what was met closed them.
    """

    topic: ClassVar[str] = "pi.subscription_opened.1"
    local: int
    element: int
    element_id: str
    kind: str
    name: str = ""
    key: str = ""
    process_id: str = ""


class SubscriptionMet(Event, frozen=True):
    """What was waited for happened; closes: it is waited for no more. source_key: of the message or signal.
    position: that of the signal in the log, so that none is heard twice."""

    topic: ClassVar[str] = "pi.subscription_met.1"
    subscription: int
    closes: bool = True
    source_key: int = 0
    position: int = 0


class SubscriptionClosed(Event, frozen=True):
    """It is waited for no more, without having happened: its element instance ended, or an interrupting event
    subprocess took the scope over."""

    topic: ClassVar[str] = "pi.subscription_closed.1"
    subscription: int


class TimerStarted(Event, frozen=True):
    """A timer runs on behalf of an element instance (`element`: the catch event itself, or a boundary event's host).

    remaining: how often it may still fire (-1: endless); cycle: the repeating interval or cron text, "" for one shot.
    """

    topic: ClassVar[str] = "pi.timer_started.1"
    local: int
    element: int
    element_id: str
    due: int
    remaining: int = 1
    cycle: str = ""


class TimerTriggered(Event, frozen=True):
    """A timer fired; `next_due` is its next time, 0 when it was the last."""

    topic: ClassVar[str] = "pi.timer_triggered.1"
    timer: int
    next_due: int = 0
    remaining: int = 0


class TimerCanceled(Event, frozen=True):
    """The timer runs no more, without having fired (an interrupting event subprocess took the scope over)."""

    topic: ClassVar[str] = "pi.timer_canceled.1"
    timer: int
