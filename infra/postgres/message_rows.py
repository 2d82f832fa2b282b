"""The net effect of a batch on the index of messages, signals and start events, as wait_rows.py has it for jobs and
timers: what is created and gone within the batch is never written."""

from __future__ import annotations

from typing import Any, NamedTuple

from domain.events import encode_json
from domain.process_instance.wait_states import (
    HELD,
    DropMessage,
    DropSignal,
    DropSubscription,
    MarkSubscription,
    MoveStart,
    MoveWaits,
    PutMessage,
    PutSignal,
    PutStarts,
    PutSubscription,
    TakeMessage,
)

Row = tuple[int, int]
SEPARATOR = "\x1f"
"""Between process ids that are handed over as one text; XML allows no such character in an id."""


MESSAGE_KINDS: frozenset[type[Any]] = frozenset(
    {
        PutSubscription,
        MarkSubscription,
        MoveWaits,
        DropSubscription,
        PutMessage,
        TakeMessage,
        DropMessage,
        PutSignal,
        DropSignal,
        PutStarts,
        MoveStart,
    }
)
"""The changes that are taken in here."""


class SubscriptionRow(NamedTuple):
    """A row of wait_subscriptions without its key. position: 0-based in the batch, or a log position."""

    position: int
    heard: int
    kind: str
    tenant: str
    name: str
    key: str
    process_id: str


class SubscriptionMove(NamedTuple):
    """What becomes of a row of wait_subscriptions; 0, "" and None: that stays."""

    heard: int = 0
    kind: str = ""
    position: int | None = None


class MessageRow(NamedTuple):
    """A row of wait_messages without its key; taken: process ids."""

    position: int
    expires_at: int
    tenant: str
    name: str
    key: str
    message_id: str
    taken: tuple[str, ...] = ()


class SignalRow(NamedTuple):
    """A row of wait_signals without its key; variables: as JSON."""

    position: int
    tenant: str
    name: str
    variables: bytes


class StartRow(NamedTuple):
    """A row of start_events."""

    definition_key: int
    element_id: str
    position: int
    due: int
    remaining: int
    cycle: str
    kind: str
    name: str
    tenant: str
    process_id: str


class MessageRows:
    """Changes by row; `first` (of add) is the number of events in the batch before the command's, or a position."""

    __slots__ = (
        "drop_messages",
        "drop_signals",
        "drop_subscriptions",
        "move_starts",
        "move_subscriptions",
        "put_messages",
        "put_signals",
        "put_subscriptions",
        "starts",
        "take",
    )

    def __init__(self) -> None:
        self.put_subscriptions: dict[Row, SubscriptionRow] = {}
        self.move_subscriptions: dict[Row, SubscriptionMove] = {}
        self.drop_subscriptions: list[Row] = []
        self.put_messages: dict[int, MessageRow] = {}
        self.take: dict[int, tuple[str, ...]] = {}
        self.drop_messages: list[int] = []
        self.put_signals: dict[Row, SignalRow] = {}
        self.drop_signals: list[Row] = []
        self.starts: dict[tuple[str, str], dict[tuple[int, str], StartRow]] = {}  # by tenant and process id
        self.move_starts: dict[tuple[int, str], tuple[int, int]] = {}  # due, remaining

    def add(self, key: int, tenant: str, change: Any, first: int) -> None:
        """Take in a change of the stream `key`."""
        match change:
            case PutSubscription(local, kind, name, topic, process_id, offset):
                self.put_subscriptions[key, local] = SubscriptionRow(
                    first + offset, 0, kind, tenant, name, topic, process_id
                )
            case MarkSubscription(local, heard):
                self._move((key, local), heard=heard)
            case MoveWaits():
                for local in change.held:
                    self._move((key, local), kind=HELD)
                for local, kind in change.reopened:
                    self._move((key, local), kind=kind, position=first + change.offset)
            case DropSubscription(local):
                if self.put_subscriptions.pop((key, local), None) is None:
                    self.move_subscriptions.pop((key, local), None)
                    self.drop_subscriptions.append((key, local))
            case PutSignal(local, name, variables, offset):
                self.put_signals[key, local] = SignalRow(first + offset, tenant, name, encode_json(variables))
            case DropSignal(local):
                if self.put_signals.pop((key, local), None) is None:
                    self.drop_signals.append((key, local))
            case PutMessage() | TakeMessage() | DropMessage():
                self._message(key, tenant, change, first)
            case PutStarts() | MoveStart():
                self._start(tenant, change, first)
            case _:
                raise TypeError(f"{type(change).__name__} is not a change of the wait-state index that is known here")

    def _move(self, row: Row, **to: Any) -> None:
        put = self.put_subscriptions.get(row)
        if put is not None:
            self.put_subscriptions[row] = put._replace(**to)
        else:
            self.move_subscriptions[row] = self.move_subscriptions.get(row, SubscriptionMove())._replace(**to)

    def _message(self, key: int, tenant: str, change: PutMessage | TakeMessage | DropMessage, first: int) -> None:
        put = self.put_messages.get(key)
        if isinstance(change, PutMessage):
            self.put_messages[key] = MessageRow(
                first + change.offset, change.expires_at, tenant, change.name, change.key, change.message_id
            )
        elif isinstance(change, TakeMessage):
            if put is not None:
                self.put_messages[key] = put._replace(taken=(*put.taken, change.process_id))
            else:
                self.take[key] = (*self.take.get(key, ()), change.process_id)
        elif self.put_messages.pop(key, None) is None:
            self.take.pop(key, None)
            self.drop_messages.append(key)

    def _start(self, tenant: str, change: PutStarts | MoveStart, first: int) -> None:
        if isinstance(change, PutStarts):
            self.starts[tenant, change.process_id] = {
                (change.definition_key, start.element_id): StartRow(
                    change.definition_key,
                    start.element_id,
                    first + change.offset,
                    start.due,
                    start.remaining,
                    start.cycle,
                    start.kind,
                    start.name,
                    tenant,
                    change.process_id,
                )
                for start in change.starts
            }
            return
        at = (change.definition_key, change.element_id)
        for rows in self.starts.values():
            if at in rows:
                rows[at] = rows[at]._replace(due=change.due, remaining=change.remaining)
                return
        self.move_starts[at] = (change.due, change.remaining)

    def forget_closed(self) -> None:
        """For a replay of the whole log: what is gone needs no mention, and what is moved is known."""
        self.move_subscriptions.clear()
        self.drop_subscriptions.clear()
        self.take.clear()
        self.drop_messages.clear()
        self.drop_signals.clear()
        self.move_starts.clear()
