"""DeliverSignal, StartBySignal and FinishSignal: a signal on its way to everybody who waited for it.

Sent by the matcher, and safe to send twice: a subscription remembers how far in the log it has heard signals (they are
delivered in the order of the log); an instance is started under a command id made of the signal and the start event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import INSTANCE, Command, Context, Handler, Route, Stream, StreamRef, instance_ref, signal_ref
from commands.instances import execution
from commands.starting import EventStart, start_by_event
from domain.messages.events import SignalDelivered
from domain.process_instance.events import SignalHeard
from domain.process_instance.state import ProcessInstance
from domain.process_instance.subscribing import SIGNAL


class DeliverSignal(Command, frozen=True, kw_only=True):
    """One who waits hears the signal. position: of the signal in the log."""

    signal_key: int
    position: int
    instance_key: int
    subscription: int
    variables: dict[str, Any]


class StartBySignal(Command, frozen=True, kw_only=True):
    """The signal starts an instance."""

    signal_key: int
    name: str
    definition_key: int
    element_id: str
    variables: dict[str, Any]


class FinishSignal(Command, frozen=True, kw_only=True):
    """Nobody is left who has to hear it. key: of the signal's stream; local: 0, or the signal's in the instance `key`
    that threw it."""

    key: int
    local: int


class Started(msgspec.Struct, frozen=True):
    """The instance."""

    instance_key: int


def _target(command: DeliverSignal, _context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(command.instance_key),)


def _fresh(_command: StartBySignal, context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(context.new_key(), fresh=True),)


def _source(command: FinishSignal, _context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(command.key) if command.local else signal_ref(command.key),)


def decide_deliver(command: DeliverSignal, context: Context, streams: Sequence[Stream]) -> None:
    """The event that waited happens, unless it heard this signal already or waits no more."""
    (stream,) = streams
    state: ProcessInstance = stream.state
    waiting = state.subscriptions.get(command.subscription)
    if waiting is None or waiting.kind != SIGNAL or waiting.heard >= command.position or state.suspended:
        return
    x = execution(stream, context)
    x.meet(waiting.local, dict(command.variables), source=command.signal_key, position=command.position)
    x.run()


def decide_start(command: StartBySignal, context: Context, streams: Sequence[Stream]) -> Started:
    """Start the instance."""
    (stream,) = streams
    start = EventStart(
        command.definition_key,
        command.element_id,
        "signal",
        context.meta.tenant,
        command.variables,
        command.name,
        source=command.signal_key,
    )
    start_by_event(stream, context, start)
    return Started(stream.ref.key)


def decide_finish(command: FinishSignal, _context: Context, streams: Sequence[Stream]) -> None:
    """Record that it is over; a signal that an instance threw is that instance's, even if it has ended."""
    (stream,) = streams
    if stream.ref.kind is not INSTANCE:
        if not stream.state.delivered:
            stream.emit(SignalDelivered())
    elif command.local in stream.state.signals:
        stream.emit(SignalHeard(command.local))


DELIVER = Handler(_target, decide_deliver)
START = Handler(_fresh, decide_start, Started)
FINISH = Handler(_source, decide_finish)
