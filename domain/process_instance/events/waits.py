"""What an element instance waits for: timers and subscriptions."""

from __future__ import annotations

from typing import ClassVar

from domain.events import Event


class SubscriptionOpened(Event, frozen=True):
    """An element instance waits for something on behalf of event `element_id`; kind: "condition".

    It ends with the element instance, or when it was met and its event happens only once.
    """

    topic: ClassVar[str] = "pi.subscription_opened.1"
    local: int
    element: int
    element_id: str
    kind: str


class SubscriptionMet(Event, frozen=True):
    """What was waited for happened; closes: it is waited for no more."""

    topic: ClassVar[str] = "pi.subscription_met.1"
    subscription: int
    closes: bool = True


class SubscriptionClosed(Event, frozen=True):
    """It is waited for no more, without having happened (an interrupting event subprocess took the scope over)."""

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
