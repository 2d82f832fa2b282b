"""What the write side needs from outside, as Protocols; infra/postgres provides them, tests have fakes. One contract
suite (tests/contracts) runs on every adapter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

from commands.message_ports import MessageIndex
from domain.process_instance.wait_states import WaitChange


class NewEvent(NamedTuple):
    """An encoded event to append. version: 1-based position in its stream."""

    stream: UUID
    version: int
    topic: str
    state: bytes


class StoredEvent(NamedTuple):
    """An event as read back. position: its notification id, ascending in commit order without gaps to readers."""

    stream: UUID
    version: int
    topic: str
    state: bytes
    position: int


class CommandRecord(NamedTuple):
    """An idempotent command that was carried out: its id (unique per tenant), SHA-256 of its body, encoded result."""

    tenant: str
    command_id: str
    body_hash: bytes
    result: bytes
    position: int = 0


class IndexedDefinition(NamedTuple):
    """A row of the definition index: kind is process, form, decision or requirements; id is unique per version."""

    tenant: str
    kind: str
    id: str
    version: int
    key: int
    stream: UUID
    stream_version: int
    deployment_key: int = 0
    version_tag: str = ""


class Append(NamedTuple):
    """What one decided command adds: all of it becomes durable, or nothing."""

    events: Sequence[NewEvent]
    tenant: str
    waits: Sequence[tuple[int, WaitChange]] = ()  # (instance key, change), in order
    command: CommandRecord | None = None
    definitions: Sequence[IndexedDefinition] = ()
    snapshots: Sequence[NewEvent] = ()


class AvailableJob(NamedTuple):
    """A job that a worker may take now."""

    instance_key: int
    local: int


class DueTimer(NamedTuple):
    """A timer whose time has come. due: µs since the Unix epoch."""

    instance_key: int
    local: int
    due: int


class DueDelivery(NamedTuple):
    """What instance `instance_key` owes `peer` (0: an instance that is to be created); kind: how it is delivered."""

    instance_key: int
    local: int
    kind: str
    peer: int


class EventLog(MessageIndex, Protocol):
    """The append-only log with its wait-state index. Thread-safe for one appender and many readers."""

    def append(self, batch: Sequence[Append]) -> Sequence[int]:
        """Make the batch durable in ONE transaction; the last position of each Append (0 if it has no events), in
        order. Positions ascend in the order of the batch.

        Raises ConcurrentWrite if a version or command id is taken (nothing of the batch is stored), and
        StorageUnavailable if the outcome is unknown or the log cannot be reached.
        """
        ...

    def load(self, streams: Sequence[UUID], snapshots: bool = True) -> dict[UUID, list[StoredEvent]]:
        """All events of each stream that has any, oldest first, starting at its newest snapshot if it has one (whose
        topic begins with "snapshot." and whose version is that of the last event in it); one query for all.
        snapshots False: all events from the first."""
        ...

    def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        """Events with position > after, ascending; never steps over one that commits later."""
        ...

    def last_position(self) -> int:
        """The highest position in the log, 0 when it is empty."""
        ...

    def find_commands(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CommandRecord]:
        """The recorded commands among these (tenant, command id)."""
        ...

    def available_jobs(self, tenants: Sequence[str], job_type: str, now: int, limit: int) -> Sequence[AvailableJob]:
        """Jobs of a type that may be taken at `now` (µs), the longest available first."""
        ...

    def due_timers(self, now: int, limit: int) -> Sequence[DueTimer]:
        """Timers due at `now` (µs), the most overdue first."""
        ...

    def next_timer(self, after: int = -1) -> int | None:
        """When the first timer is due that is due after `after` (µs), None if there is none."""
        ...

    def due_deliveries(self, limit: int) -> Sequence[DueDelivery]:
        """What instances owe each other, by instance and in the order in which it came to be owed."""
        ...

    def find_definitions(
        self, kind: str, tenant: str | None, id: str | None = None, key: int | None = None
    ) -> Sequence[IndexedDefinition]:
        """Versions of the definitions of a kind: all, or those with this id or key, by id, newest version first.
        tenant None: any tenant's."""
        ...

    def key_block_owner(self, block: int) -> int | None:
        """The instance that reserved this key block, None if nobody did."""
        ...
