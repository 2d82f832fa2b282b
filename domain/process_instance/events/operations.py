"""What operators do to an instance as a whole: suspend and resume it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.events import Event


class Available(msgspec.Struct, frozen=True, array_like=True):
    """A job that may be taken, or a timer that fires, at a time (µs)."""

    local: int
    available_at: int


class InstanceSuspended(Event, frozen=True):
    """The instance stands still until it is resumed: these jobs are not given to workers, these timers do not fire.

    Recorded again after an operation on a suspended instance that brought new jobs or timers.
    """

    topic: ClassVar[str] = "pi.suspended.1"
    reason: str = ""
    jobs: list[int] = []
    timers: list[int] = []


class InstanceResumed(Event, frozen=True):
    """The instance goes on; from when its jobs may be taken and its timers fire."""

    topic: ClassVar[str] = "pi.resumed.1"
    reason: str = ""
    jobs: list[Available] = []
    timers: list[Available] = []
