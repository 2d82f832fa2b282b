"""The index of messages, signals and start events in memory (commands.message_ports.MessageIndex)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from commands.message_ports import (
    Candidates,
    DueStart,
    KeptMessage,
    OpenSubscription,
    PendingSignal,
    StartSubscription,
    Topic,
)
from domain.errors import AlreadyExists
from domain.process_instance import wait_states as w


@dataclass(frozen=True)
class Waiting:
    """A row of wait_subscriptions."""

    tenant: str
    kind: str
    name: str
    key: str
    process_id: str
    position: int
    heard: int = 0


@dataclass(frozen=True)
class Message:
    """A row of wait_messages."""

    topic: Topic
    message_id: str
    expires_at: int
    position: int
    takers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Start:
    """A row of start_events."""

    tenant: str
    process_id: str
    definition_key: int
    element_id: str
    kind: str
    name: str
    position: int
    due: int
    remaining: int
    cycle: str


@dataclass
class MemoryIndex:
    """Rows by key; `apply` takes in a change."""

    waiting: dict[tuple[int, int], Waiting] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    signals: dict[tuple[int, int], PendingSignal] = field(default_factory=dict)
    starts: dict[tuple[int, str], Start] = field(default_factory=dict)

    def refuse_taken(self, key: int, tenant: str, change: w.WaitChange) -> None:
        """Raises AlreadyExists where a row would break a unique index."""
        match change:
            case w.PutSubscription(kind="start"):
                if self._holds(tenant, change.process_id, change.key):
                    raise AlreadyExists("an active instance holds this start key")
            case w.PutMessage() if change.message_id:
                topic = Topic(tenant, change.name, change.key)
                if any((m.topic, m.message_id) == (topic, change.message_id) for m in self.messages.values()):
                    raise AlreadyExists("a message with this id is kept")
            case _:
                pass

    def apply(self, key: int, tenant: str, change: w.WaitChange, first: int) -> None:
        """Take in a change; `first` is the position of its command's first event."""
        match change:
            case w.PutSubscription():
                row = Waiting(tenant, change.kind, change.name, change.key, change.process_id, first + change.offset)
                self.waiting[key, change.local] = row
            case w.MarkSubscription() if (key, change.local) in self.waiting:
                self.waiting[key, change.local] = replace(self.waiting[key, change.local], heard=change.heard)
            case w.MoveWaits():
                for local in change.held:
                    self.waiting[key, local] = replace(self.waiting[key, local], kind=w.HELD)
                for local, kind in change.reopened:
                    open_again = replace(self.waiting[key, local], kind=kind, position=first + change.offset)
                    self.waiting[key, local] = open_again
            case w.DropSubscription():
                self.waiting.pop((key, change.local), None)
            case w.PutMessage():
                topic = Topic(tenant, change.name, change.key)
                self.messages[key] = Message(topic, change.message_id, change.expires_at, first + change.offset)
            case w.TakeMessage() if key in self.messages:
                message = self.messages[key]
                self.messages[key] = replace(message, takers=message.takers | {change.process_id})
            case w.DropMessage():
                self.messages.pop(key, None)
            case w.PutSignal():
                self.signals[key, change.local] = PendingSignal(
                    key, change.local, tenant, change.name, first + change.offset, change.variables
                )
            case w.DropSignal():
                self.signals.pop((key, change.local), None)
            case w.PutStarts() | w.MoveStart():
                self._start(tenant, change, first)
            case _:
                pass

    def _start(self, tenant: str, change: w.PutStarts | w.MoveStart, first: int) -> None:
        if isinstance(change, w.MoveStart):
            row = self.starts.get((change.definition_key, change.element_id))
            if row is not None:
                self.starts[change.definition_key, change.element_id] = replace(
                    row, due=change.due, remaining=change.remaining
                )
            return
        of_process = (tenant, change.process_id)
        self.starts = {k: row for k, row in self.starts.items() if (row.tenant, row.process_id) != of_process}
        for start in change.starts:
            self.starts[change.definition_key, start.element_id] = Start(
                tenant,
                change.process_id,
                change.definition_key,
                start.element_id,
                start.kind,
                start.name,
                first + change.offset,
                start.due,
                start.remaining,
                start.cycle,
            )

    def _holds(self, tenant: str, process_id: str, key: str) -> bool:
        return any(
            (row.kind, row.tenant, row.process_id, row.key) == ("start", tenant, process_id, key)
            for row in self.waiting.values()
        )

    # --- what is asked ---

    def correlatable(self, after: int, limit: int, held: bool = False, beyond: Topic | None = None) -> Sequence[Topic]:
        found: set[Topic] = set()
        for message in self.messages.values():
            for row in self.waiting.values():
                meets = row.kind == "message" and Topic(row.tenant, row.name, row.key) == message.topic
                newer = max(row.position, message.position) > after
                if meets and newer and row.process_id not in message.takers:
                    found.add(message.topic)
            for start in self.starts.values():
                meets = start.kind == "message" and (start.tenant, start.name) == message.topic[:2]
                newer = held or max(start.position, message.position) > after
                if meets and newer and start.process_id not in message.takers:
                    found.add(message.topic)
        return sorted(topic for topic in found if beyond is None or topic > beyond)[:limit]

    def candidates(self, topics: Sequence[Topic], limit: int) -> Sequence[Candidates]:
        found = []
        for topic in topics:
            waiting = [
                OpenSubscription(*key, row.process_id, row.position)
                for key, row in sorted(self.waiting.items(), key=lambda item: (item[1].position, item[0]))
                if row.kind == "message" and Topic(row.tenant, row.name, row.key) == topic
            ]
            starts = [
                start._replace(held=bool(topic.key) and self._holds(topic.tenant, start.process_id, topic.key))
                for start in self.start_subscriptions("message", topic.tenant, topic.name)
            ]
            kept = [
                KeptMessage(key, m.position, m.expires_at == 0, m.takers)
                for key, m in sorted(self.messages.items(), key=lambda item: item[1].position)
                if m.topic == topic
            ]
            messages = [
                message
                for message in kept
                if any(_fit(message, one) for one in waiting)
                or any(not start.held and start.process_id not in message.takers for start in starts)
            ][:limit]
            fitting = [one for one in waiting if any(_fit(message, one) for message in messages)]
            found.append(Candidates(topic, messages, fitting[:limit], starts))
        return found

    def passing_messages(self, until: int, limit: int) -> Sequence[tuple[int, Topic]]:
        found = [(m.position, key, m.topic) for key, m in self.messages.items() if not m.expires_at]
        return [(key, topic) for position, key, topic in sorted(found) if position <= until][:limit]

    def expired_messages(self, now: int, limit: int) -> Sequence[int]:
        due = sorted((m.expires_at, key) for key, m in self.messages.items() if 0 < m.expires_at <= now)
        return [key for _, key in due][:limit]

    def next_start(self, after: int = -1) -> int | None:
        return min((start.due for start in self.starts.values() if start.due > max(after, 0)), default=None)

    def next_expiry(self, after: int) -> int | None:
        return min((m.expires_at for m in self.messages.values() if m.expires_at > after), default=None)

    def pending_signals(self, limit: int) -> Sequence[PendingSignal]:
        return sorted(self.signals.values(), key=lambda signal: signal.position)[:limit]

    def signal_targets(self, signal: PendingSignal, limit: int) -> Sequence[OpenSubscription]:
        return [
            OpenSubscription(*key, row.process_id, row.position)
            for key, row in sorted(self.waiting.items())
            if (row.kind, row.tenant, row.name) == ("signal", signal.tenant, signal.name)
            and max(row.position, row.heard) < signal.position
        ][:limit]

    def start_subscriptions(
        self, kind: str, tenant: str, name: str | None = None, definition_key: int = 0
    ) -> Sequence[StartSubscription]:
        return [
            StartSubscription(row.definition_key, row.element_id, row.process_id, row.name)
            for row in sorted(self.starts.values(), key=lambda row: (row.definition_key, row.element_id))
            if (row.kind, row.tenant) == (kind, tenant)
            and name in (None, row.name)
            and definition_key in (0, row.definition_key)
        ]

    def due_starts(self, now: int, limit: int) -> Sequence[DueStart]:
        due = sorted(
            (row.due, row.definition_key, row.element_id) for row in self.starts.values() if 0 < row.due <= now
        )
        rows = [self.starts[key, element] for _, key, element in due[:limit]]
        return [DueStart(r.definition_key, r.element_id, r.tenant, r.due, r.remaining, r.cycle) for r in rows]


def _fit(message: KeptMessage, waiting: OpenSubscription) -> bool:
    return waiting.process_id not in message.takers and (not message.once or waiting.position < message.position)
