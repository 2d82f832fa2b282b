"""The state of a message and of a signal, and how events change it."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.errors import LogCorrupt
from domain.events import Event
from domain.messages import events as e


class Message(msgspec.Struct):
    """A published message. takers: process id → the instance that took it (a message is correlated once to each)."""

    key: int
    published: bool = False
    name: str = ""
    correlation_key: str = ""
    expires_at: int = 0
    message_id: str = ""
    variables: dict[str, Any] = {}
    tenant: str = ""
    business_id: str = ""
    takers: dict[str, int] = {}
    expired: bool = False

    def may_be_taken(self, now: int, process_id: str) -> bool:
        """Whether an instance of the process may take it at `now` (µs)."""
        kept = self.published and not self.expired and (not self.expires_at or now < self.expires_at)
        return kept and process_id not in self.takers


class Signal(msgspec.Struct):
    """A signal that was broadcast from outside."""

    key: int
    name: str = ""
    delivered: bool = False


def evolve_message(message: Message, event: Event, _at: int = 0) -> None:
    """Apply one event."""
    match event:
        case e.MessagePublished():
            message.published = True
            message.name, message.correlation_key = event.name, event.key
            message.expires_at, message.message_id = event.expires_at, event.message_id
            message.variables, message.tenant, message.business_id = event.variables, event.tenant, event.business_id
        case e.MessageCorrelated():
            message.takers[event.process_id] = event.instance_key
        case e.MessageExpired():
            message.expired = True
        case _:
            raise LogCorrupt(f"{type(event).__name__} is not an event of a message")


def evolve_signal(signal: Signal, event: Event, _at: int = 0) -> None:
    """Apply one event."""
    match event:
        case e.SignalBroadcast():
            signal.name = event.name
        case e.SignalDelivered():
            signal.delivered = True
        case _:
            raise LogCorrupt(f"{type(event).__name__} is not an event of a signal")
