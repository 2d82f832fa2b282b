"""StartByTimer: the time of a start timer has come. Sent by the timer loop, under a command id made of the definition,
the start event and the time, so that it starts one instance however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.starting import EventStart, start_by_event
from domain.bpmn.timers import ENDLESS, next_due


class StartByTimer(Command, frozen=True, kw_only=True):
    """A start timer that was due at `due` (µs); remaining, cycle: as in process_definition.events.StartEvent."""

    definition_key: int
    element_id: str
    due: int
    remaining: int
    cycle: str


class Started(msgspec.Struct, frozen=True):
    """The instance."""

    instance_key: int


def streams(_command: StartByTimer, context: Context, _route: Route) -> Sequence[StreamRef]:
    """A fresh stream under a new key."""
    return (instance_ref(context.new_key(), fresh=True),)


def decide(command: StartByTimer, context: Context, streams: Sequence[Stream]) -> Started:
    """Start the instance, and say when the timer is due next: an endless cycle that fell behind skips what it missed,
    a counted one starts as many instances as it was told."""
    (stream,) = streams
    remaining = command.remaining if command.remaining == ENDLESS else command.remaining - 1
    due = next_due(command.cycle, command.due, context.now, remaining) if command.cycle and remaining else 0
    start = EventStart(
        command.definition_key,
        command.element_id,
        "timer",
        context.meta.tenant,
        {},
        due=command.due,
        next_due=due,
        remaining=remaining if due else 0,
    )
    start_by_event(stream, context, start)
    return Started(stream.ref.key)


HANDLER = Handler(streams, decide, Started)
