"""CorrelateMessage, StartByMessage and ExpireMessage: what becomes of a published message.

Sent by the matcher; all are safe to send twice: a message is taken once by each process, and a subscription that
closed is gone. Message and instance change in one append.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref, message_ref
from commands.instances import execution
from commands.starting import EventStart, start_by_event
from domain.errors import NotFound
from domain.messages.events import MessageCorrelated, MessageExpired
from domain.messages.state import Message
from domain.process_instance.state import ProcessInstance
from domain.process_instance.subscribing import MESSAGE


class CorrelateMessage(Command, frozen=True, kw_only=True):
    """An instance that waits takes the message; subscription: its local."""

    message_key: int
    instance_key: int
    subscription: int


class StartByMessage(Command, frozen=True, kw_only=True):
    """The message starts an instance at a start event."""

    message_key: int
    definition_key: int
    element_id: str


class ExpireMessage(Command, frozen=True, kw_only=True):
    """The message is kept no more: its time has come, or (without a time to live) whoever waited has been found."""

    message_key: int


class Takers(msgspec.Struct, frozen=True):
    """The instances that took the message, in the order in which they did."""

    instances: list[int]


def _existing(command: CorrelateMessage, _context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(command.instance_key), message_ref(command.message_key))


def _fresh(command: StartByMessage, context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(context.new_key(), fresh=True), message_ref(command.message_key))


def _message(command: ExpireMessage, _context: Context, _route: Route) -> Sequence[StreamRef]:
    return (message_ref(command.message_key),)


def decide_correlate(command: CorrelateMessage, context: Context, streams: Sequence[Stream]) -> None:
    """Check again that both are still there and fit; then the event that waited happens."""
    instance, stream = streams
    state: ProcessInstance = instance.state
    message: Message = stream.state
    waiting = state.subscriptions.get(command.subscription)
    if waiting is None or waiting.kind != MESSAGE or message.tenant != state.tenant or state.suspended:
        return
    if (waiting.name, waiting.key) != (message.name, message.correlation_key):
        return
    if not message.may_be_taken(context.now, state.bpmn_process_id):
        return
    stream.emit(
        MessageCorrelated(
            state.key,
            state.bpmn_process_id,
            state.definition_key,
            waiting.element_id,
            message.name,
            message.correlation_key,
            state.key + waiting.element,
            state.key + waiting.local,
            root_key=state.root_key,
        )
    )
    x = execution(instance, context)
    x.meet(waiting.local, dict(message.variables), source=message.key)
    x.run()


def decide_start(command: StartByMessage, context: Context, streams: Sequence[Stream]) -> None:
    """Start the instance. With a correlation key it holds that key until it ends; the log refuses a second holder."""
    instance, stream = streams
    message: Message = stream.state
    model = context.definitions.process(command.definition_key)
    process_id = model.id
    if not message.may_be_taken(context.now, process_id):
        return
    key = instance.ref.key
    stream.emit(
        MessageCorrelated(
            key,
            process_id,
            command.definition_key,
            command.element_id,
            message.name,
            message.correlation_key,
            subscription_key=command.definition_key + 1 + model.root.starts.index(command.element_id),
            started=True,
            root_key=key,
        )
    )
    start = EventStart(
        command.definition_key,
        command.element_id,
        "message",
        message.tenant,
        message.variables,
        message.name,
        message.correlation_key,
        message.key,
        message.business_id,
    )
    start_by_event(instance, context, start)


def decide_expire(command: ExpireMessage, context: Context, streams: Sequence[Stream]) -> Takers:
    """Record the end if it has come; either way, tell who took the message. Raises NotFound."""
    (stream,) = streams
    message: Message = stream.state
    if not message.published:
        raise NotFound(f"no message with key '{command.message_key}' exists")
    if not message.expired and context.now >= message.expires_at:
        stream.emit(MessageExpired())
    return Takers(list(message.takers.values()))


CORRELATE = Handler(_existing, decide_correlate)
START = Handler(_fresh, decide_start)
EXPIRE = Handler(_message, decide_expire, Takers)
