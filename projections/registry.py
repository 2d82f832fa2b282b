"""All read models: their tables, and which projections each event goes to. `project` applies a batch of events.

An event type that neither a projection nor `IGNORED` names cannot be projected; a test keeps that set empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from domain.calendar.events import CalendarDefined, CalendarDeleted
from domain.errors import DomainError
from domain.events import REGISTRY, Event, Recorded
from domain.messages import events as m
from domain.process_instance import events as e
from projections import (
    decision_instances,
    decisions,
    element_instances,
    forms,
    incidents,
    jobs,
    key_blocks,
    message_subscriptions,
    process_definitions,
    process_instances,
    user_tasks,
    variables,
)
from projections.rows import MICROSECONDS_PER_MS, Changes, Source, Table

Handler = Callable[[Changes, Source, Any], None]

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (
        process_definitions.TABLE,
        process_definitions.ELEMENTS,
        forms.TABLE,
        decisions.REQUIREMENTS,
        decisions.DECISIONS,
        decision_instances.TABLE,
        process_instances.TABLE,
        element_instances.TABLE,
        variables.TABLE,
        jobs.TABLE,
        user_tasks.TABLE,
        incidents.TABLE,
        message_subscriptions.SUBSCRIPTIONS,
        message_subscriptions.CORRELATED,
        key_blocks.TABLE,
    )
}

# Facts that no read model shows: the log itself is the history.
IGNORED: frozenset[type[Event]] = frozenset(
    {
        CalendarDefined,  # calendars are read from the log itself: they are few
        CalendarDeleted,
        e.TokenArrived,
        e.TokensDiscarded,
        e.InstanceTriggered,
        e.SignalThrown,
        e.SignalHeard,
        m.MessagePublished,
        m.MessageExpired,
        m.SignalBroadcast,
        m.SignalDelivered,
        e.TimerCanceled,
        e.CompensationRegistered,
        e.CompensationTriggered,
        e.LoopStarted,
        e.LoopInnerEnded,
        e.ListenersStarted,
        e.UserTaskCorrected,
        e.ErrorThrown,
        e.EscalationThrown,
        e.ChildCalled,
        e.ChildStarted,
        e.ChildCompleted,
        e.ChildAbandoned,
        e.ReturnOwed,
        e.ThrownToCaller,
        e.DeliverySettled,
        e.TimerStarted,
        e.TimerTriggered,
    }
)


def _dispatch() -> dict[type[Event], tuple[Handler, ...]]:
    found: dict[type[Event], tuple[Handler, ...]] = dict.fromkeys(IGNORED, ())
    for projection in (
        process_definitions.HANDLERS,
        forms.HANDLERS,
        decisions.HANDLERS,
        decision_instances.HANDLERS,
        process_instances.HANDLERS,
        element_instances.HANDLERS,
        variables.HANDLERS,
        jobs.HANDLERS,
        user_tasks.HANDLERS,
        incidents.HANDLERS,
        message_subscriptions.HANDLERS,
        key_blocks.HANDLERS,
    ):
        for event, handler in projection.items():
            found[event] = (*found.get(event, ()), handler)
    return found


HANDLERS: Mapping[type[Event], tuple[Handler, ...]] = _dispatch()


class ProjectionFailed(DomainError):
    """An event that a projection cannot take. `recorded` is the event, the cause is chained."""

    code = "PROJECTION_FAILED"

    def __init__(self, recorded: Recorded, cause: Exception) -> None:
        super().__init__(f"{recorded.event.topic} at position {recorded.position}: {type(cause).__name__}: {cause}")
        self.recorded = recorded


def project(events: Iterable[Recorded], without: Collection[UUID] = ()) -> Changes:
    """The net row changes of a batch, leaving out the streams in `without`.

    Raises ProjectionFailed for the first event that cannot be projected: the caller sets its stream aside and asks
    again. Pure: the same events give the same changes.
    """
    changes = Changes(TABLES)
    handlers = HANDLERS
    for recorded in events:
        if without and recorded.stream in without:
            continue
        envelope = recorded.envelope
        try:
            taking = handlers.get(type(recorded.event))
            if taking is None:
                raise LookupError("no projection takes it, and it is not among those that none has to")
            if taking:
                source = Source(recorded.stream.int, envelope.at // MICROSECONDS_PER_MS, envelope.tenant)
                for handler in taking:
                    handler(changes, source, recorded.event)
        except Exception as error:
            raise ProjectionFailed(recorded, error) from error
    return changes


def unprojected() -> set[type[Event]]:
    """Registered event types that nothing here takes (a test keeps this empty)."""
    return set(REGISTRY.topics().values()) - set(HANDLERS)
