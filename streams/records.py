"""Public records: each event of the log as others may rely on it, a CloudEvent in Kafka's binary mode.

    key        the instance key (decimal); the stream's UUID for definitions
    headers    ce_specversion, ce_id, ce_source, ce_type, ce_time, ce_subject and, as extensions, ce_position,
               ce_version, ce_previous, ce_tenant, ce_actor, ce_commandid, ce_traceparent; content-type
    value      the event's fields as JSON (streams/record_fields.py); docs/schemas/ has a JSON Schema of each type

A type carries a version, and a released one never changes its meaning: the domain may be rebuilt behind it. The mapping
is lossless both ways, so our own projections read the same topic as everybody else.

    ce_position   where the event stands in the log: ascending within a partition
    ce_previous   the position of the partition's event before this one (0: none): who has not seen that, has a gap
    ce_upto       all events of this partition up to this position have been sent (absent: up to ce_position), at the
                  log's time ce_uptotime. A *watermark* record says the same where there is no event to say it with
    ce_dataref    the event is not in the value: it was too large, or cannot be read; it stands in the log
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from domain.errors import DomainError
from domain.events import REGISTRY, Envelope, Event, Recorded, decode_json, encode_json
from domain.keys import MAX_KEY
from streams.feeds import Undecodable
from streams.record_fields import Field, decode_fields, encode_fields, fields_of, read_time, time_text

Headers = Sequence[tuple[str, bytes]]

SOURCE = "/flowledger"
TYPE_PREFIX = "com.flowledger."
WATERMARK_TYPE = "com.flowledger.watermark.v1"
UNREADABLE_TYPE = "com.flowledger.unreadable.v1"
DATA_REFERENCE = "/flowledger/log/"
_AGGREGATES = {"pi": "instance"}
_CONSTANT: tuple[tuple[str, bytes], ...] = (
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_source", SOURCE.encode()),
)


class RecordInvalid(DomainError):
    """A Kafka record that is no public record of ours, or a damaged one."""

    code = "RECORD_INVALID"


class OutRecord(NamedTuple):
    """A record to be sent. `headers` may be added to."""

    key: bytes | None
    headers: list[tuple[str, bytes]]
    value: bytes | None


class InRecord(NamedTuple):
    """What a record says. event: None for a watermark, and for an event that must be read from the log (`reference`).
    position: of the event; upto: all events of the partition up to there have been sent, at the log's time `at` (µs).
    """

    event: Recorded | None
    position: int
    previous: int
    upto: int
    at: int
    reference: bool = False


def type_of(topic: str) -> str:
    """ "pi.job_created.1" → "com.flowledger.instance.job-created.v1"."""
    aggregate, name, version = topic.split(".")
    return f"{TYPE_PREFIX}{_AGGREGATES.get(aggregate, aggregate)}.{name.replace('_', '-')}.v{version}"


def stream_key(stream: UUID) -> str:
    """A stream's name in records: the decimal key of an instance (or evaluation), else its UUID."""
    return str(stream.int) if stream.int <= MAX_KEY else str(stream)


def read_stream(text: str) -> UUID:
    """The inverse. Raises ValueError."""
    return UUID(int=int(text)) if text.isdigit() else UUID(text)


class _Codec(NamedTuple):
    kind: type[Event]
    type: bytes
    fields: list[Field]


@lru_cache(maxsize=1)
def codecs() -> tuple[dict[str, _Codec], dict[bytes, _Codec]]:
    """By topic, and by type."""
    made = {
        topic: _Codec(kind, type_of(topic).encode(), fields_of(kind))
        for topic, kind in sorted(REGISTRY.topics().items())
    }
    return made, {codec.type: codec for codec in made.values()}


def to_record(recorded: Recorded, previous: int = 0) -> OutRecord:
    """The public record of an event. previous: the position of the partition's event before it."""
    event, stream = recorded.event, recorded.stream
    codec = codecs()[0][event.topic]
    key = stream_key(stream).encode()
    headers = _headers(key, recorded.version, recorded.position, previous, codec.type, recorded.envelope)
    return OutRecord(key, headers, encode_json(encode_fields(codec.fields, event, stream.int)))


def to_reference(record: OutRecord, position: int) -> OutRecord:
    """The same record without its value, which is too large to send."""
    return OutRecord(record.key, [*record.headers, ("ce_dataref", f"{DATA_REFERENCE}{position}".encode())], None)


def unreadable_record(event: Undecodable, previous: int = 0) -> OutRecord:
    """The record of an event that cannot be decoded: whoever can, reads it from the log."""
    key = stream_key(event.stream).encode()
    headers = _headers(key, event.version, event.position, previous, UNREADABLE_TYPE.encode(), Envelope(0))
    return to_reference(OutRecord(key, headers, None), event.position)


def watermark_record(position: int, at: int, previous: int, partition: int) -> OutRecord:
    """Says on a partition without a later event that all events up to `position` have been sent."""
    headers = [
        *_CONSTANT,
        ("ce_type", WATERMARK_TYPE.encode()),
        ("ce_id", b"watermark:%d:%d" % (partition, position)),
        ("ce_time", time_text(at).encode()),
        ("ce_position", b"%d" % position),
        ("ce_previous", b"%d" % previous),
    ]
    return OutRecord(None, headers, encode_json({"position": str(position)}))


def mark_upto(record: OutRecord, position: int, at: int) -> None:
    """Have an event's record say that all events of its partition up to `position` have been sent."""
    record.headers.append(("ce_upto", b"%d" % position))
    record.headers.append(("ce_uptotime", time_text(at).encode()))


def _headers(
    key: bytes, version: int, position: int, previous: int, type: bytes, envelope: Envelope
) -> list[tuple[str, bytes]]:
    headers = [
        *_CONSTANT,
        ("ce_type", type),
        ("ce_id", b"%b:%d" % (key, version)),
        ("ce_subject", key),
        ("ce_time", _time_bytes(envelope.at)),
        ("ce_version", b"%d" % version),
        ("ce_position", b"%d" % position),
        ("ce_previous", b"%d" % previous),
    ]
    if envelope.tenant:
        headers.append(("ce_tenant", envelope.tenant.encode()))
    if envelope.actor:
        headers.append(("ce_actor", envelope.actor.encode()))
    if envelope.command_id:
        headers.append(("ce_commandid", envelope.command_id.encode()))
    if envelope.trace_id:
        headers.append(_trace_header(envelope.trace_id, position))
    return headers


@lru_cache(maxsize=1024)
def _time_bytes(at: int) -> bytes:
    """All events of a command have the same time."""
    return time_text(at).encode()


def _trace_header(trace_id: str, position: int) -> tuple[str, bytes]:
    """A W3C traceparent (the parent is the event itself); or the id alone, where it is not of that form."""
    if len(trace_id) == 32 and all(character in "0123456789abcdef" for character in trace_id):
        return "ce_traceparent", f"00-{trace_id}-{max(position, 1):016x}-01".encode()
    return "ce_traceid", trace_id.encode()


def from_record(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> Recorded | None:
    """The event in a record; None for a watermark. Raises RecordInvalid, also for an event that is not in its record
    (`ce_dataref`): `read_record` tells these apart."""
    record = read_record(headers, value)
    if record.reference:
        raise RecordInvalid(f"the event at position {record.position} is not in its record: read it from the log")
    return record.event


def read_record(headers: Iterable[tuple[str, bytes]], value: bytes | None) -> InRecord:
    """What a record says. Raises RecordInvalid with the reason."""
    attributes = dict(headers)
    try:
        return _read(attributes, value)
    except KeyError as error:
        raise RecordInvalid(f"the header {error.args[0]} is missing") from error
    except (ValueError, TypeError, AttributeError, msgspec.MsgspecError) as error:
        kind = attributes.get("ce_type", b"").decode(errors="replace")
        raise RecordInvalid(f"a record of type '{kind}' cannot be read: {error}") from error


def _read(attributes: dict[str, bytes], value: bytes | None) -> InRecord:
    if attributes["ce_specversion"] != b"1.0" or attributes["ce_source"] != _CONSTANT[2][1]:
        raise ValueError("it is not a CloudEvent 1.0 of /flowledger")
    position, previous = int(attributes["ce_position"]), int(attributes["ce_previous"])
    kind = attributes["ce_type"]
    at = read_time(attributes["ce_time"].decode())
    if kind == WATERMARK_TYPE.encode():
        return InRecord(None, position, previous, position, at)
    upto = position
    upto_text = attributes.get("ce_upto")
    upto_at = at
    if upto_text is not None:
        upto, upto_at = int(upto_text), read_time(attributes["ce_uptotime"].decode())
    if "ce_dataref" in attributes:
        return InRecord(None, position, previous, upto, upto_at, reference=True)
    codec = codecs()[1].get(kind)
    if codec is None:
        raise ValueError("this version of Flowledger does not know the type")
    if value is None:
        raise ValueError("it has no value")
    event = Recorded(
        read_stream(attributes["ce_subject"].decode()),
        int(attributes["ce_version"]),
        position,
        _read_envelope(attributes, at),
        _read_event(codec, value, attributes["ce_subject"]),
    )
    return InRecord(event, position, previous, upto, upto_at)


def _read_envelope(attributes: dict[str, bytes], at: int) -> Envelope:
    get = attributes.get
    trace = get("ce_traceparent", b"")[3:35] or get("ce_traceid", b"")
    return Envelope(
        at,
        get("ce_actor", b"").decode(),
        get("ce_tenant", b"").decode(),
        get("ce_commandid", b"").decode(),
        trace.decode(),
    )


def _read_event(codec: _Codec, value: bytes, subject: bytes) -> Event:
    members: Any = decode_json(value)
    if not isinstance(members, dict):
        raise ValueError("its value is not a JSON object")
    base = int(subject) if subject.isdigit() else 0
    return msgspec.convert(decode_fields(codec.fields, members, base), codec.kind)
