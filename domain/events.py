"""Domain events: what they are, how they are named in the log, and how they are written down.

An event is a frozen record of one fact. Its *topic* (`pi.job_created.1`) is its name in the log: explicit, short,
never a module path. It is stored as JSON `[envelope, fields]`, both as arrays (compact, readable in psql, and new
fields with defaults may be appended without a new version). The envelope is the same for all events of one command,
so it is encoded once. Numbers are exact: integers as int, everything else as Decimal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

import msgspec

from domain.errors import LogCorrupt


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Base of all domain events; `topic` is the name in the log and ends in the version."""

    topic: ClassVar[str] = ""


class Envelope(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Who, when and why: shared by all events that one command recorded.

    at: microseconds since the Unix epoch (UTC), the command's time. tenant: "" is the default tenant. command_id:
    the caller's idempotency key or "". trace_id: W3C trace id (hex) or "".
    """

    at: int
    actor: str = ""
    tenant: str = ""
    command_id: str = ""
    trace_id: str = ""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event as it stands in the log. position: notification id (0 before it is committed). version: 1-based."""

    stream: UUID
    version: int
    position: int
    envelope: Envelope
    event: Event


Upcaster = Callable[[list[Any]], list[Any]]

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_RAW_DECODER = msgspec.json.Decoder(tuple[Envelope, list[Any]], float_hook=Decimal)


class EventRegistry:
    """Topic → event type. Literal tables of the aggregates' modules are registered at import, each topic once."""

    def __init__(self) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[tuple[Envelope, Event]]] = {}
        self._upcast: dict[str, tuple[Upcaster, str]] = {}
        self._types: dict[str, type[Event]] = {}

    def register(self, events: Iterable[type[Event]]) -> None:
        """Make the events known by their topics; a topic that is taken or missing is a programming error."""
        for event in events:
            topic = event.topic
            if not topic.rpartition(".")[2].isdigit():
                raise ValueError(f"{event.__name__} needs a topic that ends in its version, not {topic!r}")
            if topic in self._types:
                raise ValueError(f"topic {topic!r} is taken by {self._types[topic].__name__}")
            self._types[topic] = event
            self._decoders[topic] = msgspec.json.Decoder(tuple[Envelope, event], float_hook=Decimal)  # type: ignore[valid-type]

    def register_upcaster(self, old_topic: str, new_topic: str, upcast: Upcaster) -> None:
        """Read events of `old_topic` as `new_topic`: `upcast` maps the old list of fields to the new one."""
        self._upcast[old_topic] = (upcast, new_topic)

    def topics(self) -> dict[str, type[Event]]:
        """All current topics."""
        return dict(self._types)

    def decode(self, topic: str, state: bytes) -> tuple[Envelope, Event]:
        """The envelope and event in a stored state. Raises LogCorrupt for an unknown topic or undecodable state."""
        decoder = self._decoders.get(topic)
        try:
            if decoder is not None:
                return decoder.decode(state)
            return self._decode_old(topic, state)
        except msgspec.MsgspecError as error:
            raise LogCorrupt(f"an event of topic {topic!r} cannot be decoded: {error}") from error

    def _decode_old(self, topic: str, state: bytes) -> tuple[Envelope, Event]:
        if topic not in self._upcast:
            raise LogCorrupt(f"the log holds topic {topic!r}, which this version of Flowledger does not know")
        envelope, fields = _RAW_DECODER.decode(state)
        while topic in self._upcast:
            upcast, topic = self._upcast[topic]
            fields = upcast(fields)
        return envelope, msgspec.convert(fields, self._types[topic])


REGISTRY = EventRegistry()


def encode_envelope(envelope: Envelope) -> bytes:
    """The first half of the stored state, shared by a command's events."""
    return b"[" + _ENCODER.encode(envelope) + b","


def encode_event(envelope: bytes, event: Event) -> bytes:
    """The stored state of one event; `envelope` comes from `encode_envelope`."""
    return envelope + _ENCODER.encode(event) + b"]"


def encode_json(value: object) -> bytes:
    """JSON with exact numbers, the form in which variables travel everywhere."""
    return _ENCODER.encode(value)


_JSON_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def decode_json(data: bytes | str) -> Any:
    """JSON with exact numbers: integers as int, others as Decimal."""
    return _JSON_DECODER.decode(data)
