"""What can happen to a published message and to a broadcast signal. Times are µs since the Unix epoch.

A released event never changes its meaning: append a field with a default, or add a version and an upcaster.
"""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import REGISTRY, Event


class MessagePublished(Event, frozen=True):
    """A message was published. It may be correlated until `expires_at`; 0: only with what waits already (no time to
    live). message_id: unique for this name and key while the message is kept, "" for none."""

    topic: ClassVar[str] = "message.published.1"
    name: str
    key: str
    expires_at: int
    message_id: str
    variables: dict[str, Any]
    tenant: str = ""
    business_id: str = ""


class MessageCorrelated(Event, frozen=True):
    """An instance of `process_id` took the message, or was started by it (`started`), at event `element_id`;
    `subscription_key` names what was met, `element_key` the element instance that waited. `started`: there was none,
    and `subscription_key` counts the start event among those of its version, from the definition's key on."""

    topic: ClassVar[str] = "message.correlated.1"
    instance_key: int
    process_id: str
    definition_key: int
    element_id: str
    name: str
    key: str
    element_key: int = 0
    subscription_key: int = 0
    started: bool = False
    root_key: int = 0


class MessageExpired(Event, frozen=True):
    """The message is kept no more."""

    topic: ClassVar[str] = "message.expired.1"


class SignalBroadcast(Event, frozen=True):
    """A signal was broadcast from outside: all who waited for it in the log before this event hear it."""

    topic: ClassVar[str] = "signal.broadcast.1"
    name: str
    variables: dict[str, Any]
    tenant: str = ""


class SignalDelivered(Event, frozen=True):
    """Everybody who waited for the signal has heard it."""

    topic: ClassVar[str] = "signal.delivered.1"


EVENTS: tuple[type[Event], ...] = (
    MessagePublished,
    MessageCorrelated,
    MessageExpired,
    SignalBroadcast,
    SignalDelivered,
)
REGISTRY.register(EVENTS)
