"""Starting an instance at an event: what messages, signals, timers and conditions have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from commands.handling import Context, Stream
from commands.instances import execution
from domain.process_instance import events as e
from domain.process_instance import subscribing
from domain.process_instance.state import ROOT


class EventStart(NamedTuple):
    """Which event started it. kind, name, key, source, due, …: as in the event InstanceTriggered."""

    definition_key: int
    element_id: str
    kind: str
    tenant: str
    variables: Mapping[str, Any]
    name: str = ""
    key: str = ""
    source: int = 0
    business_id: str = ""
    due: int = 0
    next_due: int = 0
    remaining: int = 0


def start_by_event(stream: Stream, context: Context, start: EventStart) -> None:
    """Create the instance in its fresh stream and run it to its first wait state.

    The event's variables become the instance's, unless the start event has output mappings: then those decide.
    """
    model = context.definitions.process(start.definition_key)
    mapped = bool(model.nodes[start.element_id].outputs)
    variables = {} if mapped else dict(start.variables)
    stream.emit(
        e.InstanceCreated(
            start.definition_key,
            model.id,
            context.definitions.version_of(start.definition_key),
            variables,
            list(range(1, len(variables) + 1)),
            start.business_id,
            tenant=start.tenant,
        )
    )
    stream.emit(
        e.InstanceTriggered(
            start.element_id,
            start.kind,
            start.name,
            start.key,
            start.source,
            start.definition_key,
            start.due,
            start.next_due,
            start.remaining,
            dict(start.variables) if mapped else None,
        )
    )
    x = execution(stream, context)
    if start.kind == "message" and start.key:
        x.emit(
            e.SubscriptionOpened(
                x.next_local(), ROOT, start.element_id, subscribing.START, start.name, start.key, model.id
            )
        )
    x.begin(ROOT)
    x.run()
