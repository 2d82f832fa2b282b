"""An EventLog in memory, with failures on demand."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from uuid import UUID

from commands.ports import (
    Append,
    AvailableJob,
    CommandRecord,
    DueDelivery,
    DueTimer,
    IndexedDefinition,
    NewEvent,
    StoredEvent,
)
from domain.errors import ConcurrentWrite
from domain.process_instance.wait_states import (
    DropDelivery,
    DropElement,
    DropInstance,
    DropJob,
    DropTimer,
    MoveJob,
    MoveTimer,
    MoveWaits,
    PutDelivery,
    PutJob,
    PutKeyBlock,
    PutTimer,
    WaitChange,
)
from tests.fakes.message_index import MemoryIndex


class FakeEventLog(MemoryIndex):
    """Keeps everything in lists and dicts. `fail_next` holds errors that the next appends raise, one each."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[StoredEvent] = []
        self.batches: list[int] = []
        self.fail_next: list[Exception] = []
        self.gate = threading.Event()
        """Cleared, it holds appends back."""
        self.gate.set()
        self.loads = 0
        self._lock = threading.Lock()
        self._versions: dict[tuple[UUID, int], StoredEvent] = {}
        self._snapshots: dict[UUID, NewEvent] = {}
        self._commands: dict[tuple[str, str], CommandRecord] = {}
        self._definitions: list[IndexedDefinition] = []
        self._blocks: dict[int, int] = {}
        self._jobs: dict[tuple[int, int], tuple[int, int, str, str]] = {}  # element, available_at, tenant, type
        self._timers: dict[tuple[int, int], tuple[int, int]] = {}  # element, due
        self._deliveries: dict[tuple[int, int], tuple[str, int]] = {}  # kind, peer

    def append(self, batch: Sequence[Append]) -> Sequence[int]:
        assert self.gate.wait(20)
        with self._lock:
            if self.fail_next:
                raise self.fail_next.pop(0)
            self._refuse_conflicts(batch)
            self.batches.append(len(batch))
            return [self._append_one(append) for append in batch]

    def _refuse_conflicts(self, batch: Sequence[Append]) -> None:
        versions = [(event.stream, event.version) for append in batch for event in append.events]
        commands = [(a.command.tenant, a.command.command_id) for a in batch if a.command]
        if len(set(versions)) < len(versions) or any(version in self._versions for version in versions):
            raise ConcurrentWrite("a version is taken")
        if len(set(commands)) < len(commands) or any(command in self._commands for command in commands):
            raise ConcurrentWrite("a command id is taken")
        for append in batch:
            for key, change in append.waits:
                self.refuse_taken(key, append.tenant, change)

    def _append_one(self, append: Append) -> int:
        first = len(self.events) + 1
        for event in append.events:
            stored = StoredEvent(*event, position=len(self.events) + 1)
            self.events.append(stored)
            self._versions[event.stream, event.version] = stored
        for key, change in append.waits:
            self._change(key, append.tenant, change)
            self.apply(key, append.tenant, change, first)
        position = len(self.events) if append.events else 0
        if append.command is not None:
            command = append.command
            recorded = command._replace(position=position or command.position)
            self._commands[command.tenant, command.command_id] = recorded
        self._definitions += append.definitions
        for snapshot in append.snapshots:
            self._snapshots[snapshot.stream] = snapshot
        return position

    def _change(self, key: int, tenant: str, change: WaitChange) -> None:
        jobs, timers = self._jobs, self._timers
        match change:
            case PutJob():
                jobs[key, change.local] = (change.element, change.available_at, tenant, change.type)
            case MoveJob() if (key, change.local) in jobs:
                element, _, owner, kind = jobs[key, change.local]
                jobs[key, change.local] = (element, change.available_at, owner, kind)
            case DropJob():
                jobs.pop((key, change.local), None)
            case PutTimer():
                timers[key, change.local] = (change.element, change.due)
            case MoveTimer() if (key, change.local) in timers:
                timers[key, change.local] = (timers[key, change.local][0], change.due)
            case DropTimer():
                timers.pop((key, change.local), None)
            case MoveWaits():
                for local, at in change.jobs:
                    self._change(key, tenant, MoveJob(local, at))
                for local, at in change.timers:
                    self._change(key, tenant, MoveTimer(local, at))
            case DropElement() | DropInstance():
                gone = change.element if isinstance(change, DropElement) else None
                self._jobs = {r: job for r, job in jobs.items() if r[0] != key or gone not in (None, job[0])}
                self._timers = {r: timer for r, timer in timers.items() if r[0] != key or gone not in (None, timer[0])}
            case PutDelivery():
                self._deliveries[key, change.local] = (change.kind, change.peer)
            case DropDelivery():
                self._deliveries.pop((key, change.local), None)
            case PutKeyBlock():
                self._blocks[key + change.offset] = key
            case _:
                pass

    def load(self, streams: Sequence[UUID], snapshots: bool = True) -> dict[UUID, list[StoredEvent]]:
        with self._lock:
            self.loads += 1
            loaded: dict[UUID, list[StoredEvent]] = {}
            for stream in streams:
                events = [event for event in self.events if event.stream == stream]
                snapshot = self._snapshots.get(stream)
                if snapshots and snapshot is not None:
                    tail = [event for event in events if event.version > snapshot.version]
                    events = [StoredEvent(*snapshot, position=0), *tail]
                if events:
                    loaded[stream] = events
            return loaded

    def read(self, after: int, limit: int) -> Sequence[StoredEvent]:
        return self.events[after : after + limit]

    def last_position(self) -> int:
        return len(self.events)

    def find_commands(self, ids: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CommandRecord]:
        with self._lock:
            return {id: self._commands[id] for id in ids if id in self._commands}

    def available_jobs(self, tenants: Sequence[str], job_type: str, now: int, limit: int) -> Sequence[AvailableJob]:
        found = sorted(
            (available_at, key, local)
            for (key, local), (_, available_at, tenant, kind) in self._jobs.items()
            if tenant in tenants and kind == job_type and available_at <= now
        )
        return [AvailableJob(key, local) for _, key, local in found[:limit]]

    def due_timers(self, now: int, limit: int) -> Sequence[DueTimer]:
        found = sorted((due, key, local) for (key, local), (_, due) in self._timers.items() if due <= now)
        return [DueTimer(key, local, due) for due, key, local in found[:limit]]

    def next_timer(self, after: int = -1) -> int | None:
        return min((due for _, due in self._timers.values() if due > after), default=None)

    def due_deliveries(self, limit: int) -> Sequence[DueDelivery]:
        with self._lock:
            return [DueDelivery(*row, *owed) for row, owed in sorted(self._deliveries.items())[:limit]]

    def find_definitions(
        self, kind: str, tenant: str | None, id: str | None = None, key: int | None = None
    ) -> Sequence[IndexedDefinition]:
        found = [
            row
            for row in self._definitions
            if row.kind == kind and tenant in (None, row.tenant) and id in (None, row.id) and key in (None, row.key)
        ]
        return sorted(found, key=lambda row: (row.id, -row.version))

    def key_block_owner(self, block: int) -> int | None:
        return self._blocks.get(block)
