"""The wait-state index: which rows the engine needs at once (available jobs, due timers, deliveries to other
instances), as a pure function of events.

The rows are written in the transaction that appends the events, so finding due work never races a projection; like
every read model they can be rebuilt from the log. Changes of one batch are netted per row before they are written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from domain.events import Event
from domain.process_instance import events as e


class PutJob(msgspec.Struct, frozen=True, gc=False):
    """A job that workers may take from `available_at` (µs) on."""

    local: int
    element: int
    type: str
    available_at: int


class MoveJob(msgspec.Struct, frozen=True, gc=False):
    """The job may be taken from `available_at` (µs) on; NEVER while it is blocked."""

    local: int
    available_at: int


class DropJob(msgspec.Struct, frozen=True, gc=False):
    """The job is done."""

    local: int


class PutTimer(msgspec.Struct, frozen=True, gc=False):
    """A timer that fires at `due` (µs)."""

    local: int
    element: int
    due: int


class MoveTimer(msgspec.Struct, frozen=True, gc=False):
    """The timer fires next at `due` (µs)."""

    local: int
    due: int


class DropTimer(msgspec.Struct, frozen=True, gc=False):
    """The timer fired for the last time."""

    local: int


class MoveWaits(msgspec.Struct, frozen=True, gc=False):
    """Many at once: (local, from when) of jobs and of timers."""

    jobs: tuple[tuple[int, int], ...]
    timers: tuple[tuple[int, int], ...]


class DropElement(msgspec.Struct, frozen=True, gc=False):
    """An element instance ended: all jobs and timers whose `element` it is are gone."""

    element: int


class DropInstance(msgspec.Struct, frozen=True, gc=False):
    """The instance ended: none of its rows is left."""


class PutKeyBlock(msgspec.Struct, frozen=True, gc=False):
    """Keys from instance key + `offset` on (4096 of them) belong to the instance."""

    offset: int


class PutDelivery(msgspec.Struct, frozen=True, gc=False):
    """The instance owes another one (`peer`, 0: one that is to be created) a delivery; kind: which command makes it.

    It is owed until a DropDelivery says otherwise: the end of an element or of the instance leaves it standing.
    """

    local: int
    kind: str
    peer: int = 0


class DropDelivery(msgspec.Struct, frozen=True, gc=False):
    """The delivery was made, or is owed no more."""

    local: int


WaitChange = (
    PutJob
    | MoveJob
    | DropJob
    | PutTimer
    | MoveTimer
    | DropTimer
    | MoveWaits
    | DropElement
    | DropInstance
    | PutKeyBlock
    | PutDelivery
    | DropDelivery
)


_DELIVERIES: dict[type[Event], Callable[[Any], PutDelivery | DropDelivery]] = {
    e.ChildCalled: lambda event: PutDelivery(event.local, "call"),
    e.ChildStarted: lambda event: DropDelivery(event.delivery),
    e.ChildAbandoned: lambda event: PutDelivery(event.local, "cancel", event.child_key),
    e.ReturnOwed: lambda event: PutDelivery(event.local, "return", event.parent_key),
    e.ThrownToCaller: lambda event: PutDelivery(event.local, "throw", event.caller_key),
    e.DeliverySettled: lambda event: DropDelivery(event.delivery),
}
_CHANGES: dict[type[Event], Callable[[Any], WaitChange | None]] = {
    e.JobCreated: lambda event: PutJob(event.local, event.element, event.type, 0),
    e.JobActivated: lambda event: MoveJob(event.job, event.deadline),
    e.JobCompleted: lambda event: DropJob(event.job),
    e.JobFailed: lambda event: MoveJob(event.job, event.retry_at if event.retries > 0 else e.NEVER),
    e.JobErrorThrown: lambda event: MoveJob(event.job, e.NEVER),
    e.JobUpdated: lambda event: MoveJob(event.job, event.available_at),
    e.TimerStarted: lambda event: PutTimer(event.local, event.element, event.due),
    e.TimerTriggered: lambda event: (
        MoveTimer(event.timer, event.next_due) if event.next_due else DropTimer(event.timer)
    ),
    e.TimerCanceled: lambda event: DropTimer(event.timer),
    e.ElementCompleted: lambda event: DropElement(event.local) if event.waits else None,
    e.ElementTerminated: lambda event: DropElement(event.local) if event.waits else None,
    e.InstanceCompleted: lambda event: DropInstance() if event.waits else None,
    e.InstanceTerminated: lambda event: DropInstance() if event.waits else None,
    e.KeyBlockReserved: lambda event: PutKeyBlock(event.offset),
    e.InstanceSuspended: lambda event: MoveWaits(
        tuple((local, e.NEVER) for local in event.jobs), tuple((local, e.NEVER) for local in event.timers)
    ),
    e.InstanceResumed: lambda event: MoveWaits(
        tuple((job.local, job.available_at) for job in event.jobs),
        tuple((timer.local, timer.available_at) for timer in event.timers),
    ),
    **_DELIVERIES,
}


def wait_change(event: Event) -> WaitChange | None:
    """What an event changes in the index (rows are keyed by instance key and local); None for most events."""
    change = _CHANGES.get(type(event))
    return None if change is None else change(event)


def delivery_change(event: Event) -> PutDelivery | DropDelivery | None:
    """What an event changes among the deliveries that an instance owes others; None for most events."""
    change = _DELIVERIES.get(type(event))
    return None if change is None else change(event)
