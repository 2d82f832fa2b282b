"""The wait-state index: which rows the engine needs at once, as a pure function of events: available jobs, due timers,
deliveries to other instances, what messages and signals are waited for or under way, and what starts instances.

The rows are written in the transaction that appends the events, so finding due work never races a projection; like
every read model they can be rebuilt from the log. Changes of one batch are netted per row before they are written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from domain.events import Event
from domain.messages import events as m
from domain.process_definition import events as d
from domain.process_definition.events import StartEvent
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
    """Many at once: (local, from when) of jobs and of timers; locals of subscriptions that nothing reaches for the time
    being (their kind is HELD), and (local, kind) of those that are open again, as if from this event on."""

    jobs: tuple[tuple[int, int], ...]
    timers: tuple[tuple[int, int], ...]
    held: tuple[int, ...] = ()
    reopened: tuple[tuple[int, str], ...] = ()
    offset: int = 0


HELD = "held"


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


class PutSubscription(msgspec.Struct, frozen=True, gc=False):
    """A message or signal is waited for. kind: MESSAGE, SIGNAL, or START: a held start key (one row at a time for each
    process id and key). offset: the place of its event among those of its command, from 0."""

    local: int
    kind: str
    name: str
    key: str
    process_id: str
    offset: int = 0


class MarkSubscription(msgspec.Struct, frozen=True, gc=False):
    """The subscription stays open and has heard the signals up to log position `heard`."""

    local: int
    heard: int


class DropSubscription(msgspec.Struct, frozen=True, gc=False):
    """It is waited for no more."""

    local: int


class PutMessage(msgspec.Struct, frozen=True, gc=False):
    """A message is kept until `expires_at` (µs; 0: only for what waits before it). The id, if any, is unique for its
    name and key."""

    name: str
    key: str
    message_id: str
    expires_at: int
    offset: int = 0


class TakeMessage(msgspec.Struct, frozen=True, gc=False):
    """An instance of this process took the message."""

    process_id: str


class DropMessage(msgspec.Struct, frozen=True, gc=False):
    """The message is kept no more."""


class PutSignal(msgspec.Struct, frozen=True, gc=False):
    """A signal is to be delivered. local: of the signal within the instance that threw it, 0 if it has a stream."""

    local: int
    name: str
    variables: dict[str, Any]
    offset: int = 0


class DropSignal(msgspec.Struct, frozen=True, gc=False):
    """Everybody has heard the signal."""

    local: int


class PutStarts(msgspec.Struct, frozen=True, gc=False):
    """What starts instances of a process from now on; it replaces what its version before said."""

    process_id: str
    definition_key: int
    starts: list[StartEvent]
    offset: int = 0


class MoveStart(msgspec.Struct, frozen=True, gc=False):
    """A start timer fired: it is due next at `due` (0: never again), `remaining` times."""

    definition_key: int
    element_id: str
    due: int
    remaining: int


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
    | PutSubscription
    | MarkSubscription
    | DropSubscription
    | PutMessage
    | TakeMessage
    | DropMessage
    | PutSignal
    | DropSignal
    | PutStarts
    | MoveStart
)
WITH_OFFSET = frozenset({PutSubscription, PutMessage, PutSignal, PutStarts, MoveWaits})
"""Changes whose rows tell the log position of their event."""
OUTLIVES_INSTANCE = frozenset(
    {PutKeyBlock, PutDelivery, DropDelivery, PutSubscription, DropSubscription, PutSignal, MoveStart}
)
"""What DropInstance does not undo: these have an end of their own, or none."""


def _subscribed(event: e.SubscriptionOpened) -> WaitChange | None:
    if event.kind == "condition":
        return None
    return PutSubscription(event.local, event.kind, event.name, event.key, event.process_id)


def _met(event: e.SubscriptionMet) -> WaitChange | None:
    if event.closes:
        return DropSubscription(event.subscription) if event.source_key else None
    return MarkSubscription(event.subscription, event.position) if event.position else None


def _triggered(event: e.InstanceTriggered) -> WaitChange | None:
    if event.kind != "timer":
        return None
    return MoveStart(event.definition_key, event.element_id, event.next_due, event.remaining)


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
        tuple((local, e.NEVER) for local in event.jobs),
        tuple((local, e.NEVER) for local in event.timers),
        held=tuple(event.subscriptions),
    ),
    e.InstanceResumed: lambda event: MoveWaits(
        tuple((job.local, job.available_at) for job in event.jobs),
        tuple((timer.local, timer.available_at) for timer in event.timers),
        reopened=tuple((open.local, open.kind) for open in event.subscriptions),
    ),
    **_DELIVERIES,
    e.SubscriptionOpened: _subscribed,
    e.SubscriptionMet: _met,
    e.SubscriptionClosed: lambda event: DropSubscription(event.subscription),
    e.SignalThrown: lambda event: PutSignal(event.local, event.name, event.variables),
    e.SignalHeard: lambda event: DropSignal(event.signal),
    e.InstanceTriggered: _triggered,
    m.MessagePublished: lambda event: PutMessage(event.name, event.key, event.message_id, event.expires_at),
    m.MessageCorrelated: lambda event: TakeMessage(event.process_id),
    m.MessageExpired: lambda event: DropMessage(),
    m.SignalBroadcast: lambda event: PutSignal(0, event.name, event.variables),
    m.SignalDelivered: lambda event: DropSignal(0),
    d.ProcessDeployed: lambda event: PutStarts(event.bpmn_process_id, event.definition_key, event.starts),
}


def wait_change(event: Event) -> WaitChange | None:
    """What an event changes in the index (rows are keyed by instance key and local); None for most events."""
    change = _CHANGES.get(type(event))
    return None if change is None else change(event)


def delivery_change(event: Event) -> PutDelivery | DropDelivery | None:
    """What an event changes among the deliveries that an instance owes others; None for most events."""
    change = _DELIVERIES.get(type(event))
    return None if change is None else change(event)
