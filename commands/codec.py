"""Between what deciding speaks (events, states, commands) and what the log holds (topics, bytes, index rows)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from commands.cache import HeldStream
from commands.handling import CALENDAR, FAMILY, INSTANCE, Command, Kind, Meta, StreamRef
from commands.ports import Append, CommandRecord, IndexedDefinition, NewEvent, StoredEvent
from domain.calendar.events import CALENDAR as CALENDAR_KIND
from domain.calendar.events import CalendarDefined, CalendarDeleted
from domain.errors import InvalidArgument, LogCorrupt
from domain.events import REGISTRY, Envelope, Event, encode_envelope, encode_event, encode_json
from domain.process_definition.events import (
    DECISION,
    FORM,
    PROCESS,
    REQUIREMENTS,
    DecisionDeployed,
    DecisionsDeployed,
    FormDeployed,
    ProcessDeployed,
)
from domain.process_definition.state import Deployed
from domain.process_instance.wait_states import (
    OUTLIVES_INSTANCE,
    WITH_OFFSET,
    DropInstance,
    WaitChange,
    wait_change,
)

MAX_EVENT_BYTES = 64 << 20
SNAPSHOT_PREFIX = "snapshot."

_SNAPSHOT_KINDS: dict[str, Kind] = {"snapshot.instance.1": INSTANCE}
_SNAPSHOT_TOPICS: dict[str, str] = {kind.name: topic for topic, kind in _SNAPSHOT_KINDS.items()}
_SNAPSHOT_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    topic: msgspec.json.Decoder(kind.state_type, float_hook=Decimal) for topic, kind in _SNAPSHOT_KINDS.items()
}
_BODY_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class SnapshotUnreadable(Exception):
    """A snapshot of another version of Flowledger: the stream is to be read from its first event."""


def make_envelope(streams: Sequence[HeldStream], at: int, meta: Meta) -> Envelope:
    """The envelope of a command's events. The tenant is that of the instance where there is one: a timer fires on
    behalf of nobody, and still belongs to the tenant whose instance it is."""
    tenant = meta.tenant
    if streams and streams[0].ref.kind is INSTANCE:
        tenant = streams[0].state.tenant or tenant
    return Envelope(at, meta.actor, tenant, meta.command_id, meta.trace_id)


def encode_append(
    streams: Sequence[HeldStream], envelope: Envelope, snapshot_every: int, command: CommandRecord | None
) -> Append:
    """What a decided command adds: the events its streams emitted, with their index rows and snapshots.

    The streams are not changed. Raises InvalidArgument for an event beyond 64 MB.
    """
    head = encode_envelope(envelope)
    events: list[NewEvent] = []
    waits: list[tuple[int, WaitChange]] = []
    definitions: list[IndexedDefinition] = []
    snapshots: list[NewEvent] = []
    for held in streams:
        stream, version = held.ref.id, held.version
        for event in held.emitted:
            version += 1
            state = encode_event(head, event)
            if len(state) > MAX_EVENT_BYTES:
                size, most = len(state) >> 20, MAX_EVENT_BYTES >> 20
                raise InvalidArgument(f"the command's data makes an event of {size} MB; at most {most} MB are kept")
            events.append(NewEvent(stream, version, event.topic, state))
            change = wait_change(event)
            if change is not None:
                kind = type(change)
                if kind is DropInstance:
                    waits = [w for w in waits if w[0] != held.ref.key or type(w[1]) in OUTLIVES_INSTANCE]
                elif kind in WITH_OFFSET:
                    change = msgspec.structs.replace(change, offset=len(events) - 1)
                waits.append((held.ref.key, change))
            if held.ref.kind is FAMILY or held.ref.kind is CALENDAR:
                definitions += definition_rows(envelope.tenant, held.ref, version, event)
        if version - held.snapshot_version >= snapshot_every and held.ref.kind.name in _SNAPSHOT_TOPICS:
            snapshots.append(NewEvent(stream, version, _SNAPSHOT_TOPICS[held.ref.kind.name], encode_json(held.state)))
    return Append(events, envelope.tenant, waits, command, definitions, snapshots)


def replay(ref: StreamRef, stored: Sequence[StoredEvent]) -> HeldStream:
    """The aggregate that these events (the first may be a snapshot) make. Raises SnapshotUnreadable and LogCorrupt."""
    snapshot_version = 0
    if stored and stored[0].topic.startswith(SNAPSHOT_PREFIX):
        state = _decode_snapshot(ref, stored[0])
        version = snapshot_version = stored[0].version
        stored = stored[1:]
    else:
        state, version = ref.kind.new(ref.key), 0
    evolve, decode = ref.kind.evolve, REGISTRY.decode
    for row in stored:
        version += 1
        if row.version != version:
            raise LogCorrupt(f"stream {ref.id} lacks version {version}: the log holds {row.version} next")
        envelope, event = decode(row.topic, row.state)
        evolve(state, event, envelope.at)
    return HeldStream(ref, state, version, snapshot_version)


def _decode_snapshot(ref: StreamRef, stored: StoredEvent) -> Any:
    if _SNAPSHOT_KINDS.get(stored.topic) is not ref.kind:
        raise SnapshotUnreadable(stored.topic)
    try:
        return _SNAPSHOT_DECODERS[stored.topic].decode(stored.state)
    except msgspec.MsgspecError as error:
        raise SnapshotUnreadable(stored.topic) from error


def definition_rows(tenant: str, ref: StreamRef, version: int, event: Event) -> list[IndexedDefinition]:
    """The rows of the definition index that an event of a family makes; `version` is the event's in its stream."""

    def row(kind: str, id: str, key: int, event: Deployed) -> IndexedDefinition:
        deployment, tag = event.deployment_key, event.version_tag
        return IndexedDefinition(tenant, kind, id, event.version, key, ref.id, version, deployment, tag)

    match event:
        case ProcessDeployed():
            return [row(PROCESS, event.bpmn_process_id, event.definition_key, event)]
        case FormDeployed():
            return [row(FORM, event.form_id, event.form_key, event)]
        case DecisionsDeployed():
            return [row(REQUIREMENTS, event.requirements_id, event.requirements_key, event)]
        case DecisionDeployed():
            return [row(DECISION, event.decision_id, event.decision_key, event)]
        case CalendarDefined() | CalendarDeleted():
            key, kind = event.calendar_key, CALENDAR_KIND
            return [IndexedDefinition(tenant, kind, event.calendar_id, event.version, key, ref.id, version, 0, "")]
        case _:
            return []


def body_hash(command: Command) -> bytes:
    """SHA-256 over a command's type and fields: equal requests hash equal, whatever the order of their members."""
    return sha256(type(command).__name__.encode() + b"\0" + _BODY_ENCODER.encode(command)).digest()


def encode_result(result: object) -> bytes:
    """The outcome as it is kept for repeats of the command."""
    return encode_json(result)


def decode_result(result: bytes, result_type: type[Any] | None) -> Any:
    """The outcome of the first time."""
    if result_type is None:
        return None
    return msgspec.json.Decoder(result_type, float_hook=Decimal).decode(result)
