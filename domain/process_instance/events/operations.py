"""What operators do to an instance as a whole: suspend and resume it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.events import Event


class Available(msgspec.Struct, frozen=True, array_like=True):
    """A job that may be taken, or a timer that fires, at a time (µs)."""

    local: int
    available_at: int


class Open(msgspec.Struct, frozen=True, array_like=True):
    """A message or signal that is waited for again; kind: as in SubscriptionOpened."""

    local: int
    kind: str


class InstanceSuspended(Event, frozen=True):
    """The instance stands still until it is resumed: these jobs are not given to workers, these timers do not fire, and
    what these subscriptions wait for does not reach it.

    Recorded again after an operation on a suspended instance that brought new jobs, timers or subscriptions.
    """

    topic: ClassVar[str] = "pi.suspended.1"
    reason: str = ""
    jobs: list[int] = []
    timers: list[int] = []
    subscriptions: list[int] = []


class InstanceResumed(Event, frozen=True):
    """The instance goes on; from when its jobs may be taken and its timers fire, and what reaches it from this event
    on."""

    topic: ClassVar[str] = "pi.resumed.1"
    reason: str = ""
    jobs: list[Available] = []
    timers: list[Available] = []
    subscriptions: list[Open] = []
