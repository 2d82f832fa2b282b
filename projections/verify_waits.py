"""The wait-state index as the log says it: the rows that an instance's events leave, folded one by one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from domain.events import Event
from domain.process_definition.events import ProcessDeployed
from domain.process_instance.events import InstanceTriggered
from domain.process_instance.wait_states import (
    HELD,
    DropDelivery,
    DropElement,
    DropInstance,
    DropJob,
    DropMessage,
    DropSignal,
    DropSubscription,
    DropTimer,
    MarkSubscription,
    MoveJob,
    MoveStart,
    MoveTimer,
    MoveWaits,
    PutDelivery,
    PutJob,
    PutKeyBlock,
    PutMessage,
    PutSignal,
    PutStarts,
    PutSubscription,
    PutTimer,
    TakeMessage,
    WaitChange,
    wait_change,
)

_OF_ELEMENTS = ("job", "timer")
"""What ends with its element instance or with the instance."""


SEPARATOR = "\x1f"


class WaitRow(NamedTuple):
    """A row of the index: a job that may be taken, or a timer that fires, at `at` (µs); a reserved block of keys (`key`
    is its first); a delivery of kind `type` that is owed to the instance `at`; or a subscription, message or signal
    that came to be at log position `element` (of the last signal heard, or the expiry, `at`; what it says, `type`)."""

    kind: str
    key: int
    element: int = 0
    at: int = 0
    type: str = ""

    def __str__(self) -> str:
        what = f"{self.kind} {self.key}"
        if self.kind == "block":
            return what
        if self.kind in ("subscription", "message", "signal"):
            return f"{what} ({self.type.replace(SEPARATOR, ', ')}) of position {self.element}, {self.at}"
        if self.kind == "delivery":
            return f"{what} ({self.type}) to instance {self.at}"
        return f"{what} of element {self.element} at {self.at}" + (f" (type {self.type})" if self.type else "")


def expected_waits(key: int, events: Sequence[Event], positions: Sequence[int] = ()) -> frozenset[WaitRow]:
    """The rows of an instance, message or signal after all its events (at these log positions); keys of jobs, timers
    and subscriptions are locals."""
    rows: dict[tuple[str, int], WaitRow] = {}
    for event, position in zip_longest(events, positions, fillvalue=0):
        change = wait_change(event)  # type: ignore[arg-type]
        if isinstance(change, MoveWaits):
            _reach(rows, change, position)
        if change is not None and not _of_messages(rows, change, position):
            _apply(rows, key, change)
    return frozenset(rows.values())


def text_of(*parts: str) -> str:
    """What a row of the index of messages says, as one text."""
    return SEPARATOR.join(parts)


def _of_messages(rows: dict[tuple[str, int], WaitRow], change: WaitChange, position: int) -> bool:
    """Apply a change of the index of messages; False if it is none."""
    match change:
        case PutSubscription(local, kind, name, key, process_id):
            said = text_of(kind, name, key, process_id)
            rows["subscription", local] = WaitRow("subscription", local, position, 0, said)
        case MarkSubscription(local, heard):
            _move(rows, ("subscription", local), heard)
        case DropSubscription(local):
            rows.pop(("subscription", local), None)
        case PutMessage(name, key, message_id, expires_at):
            rows["message", 0] = WaitRow("message", 0, position, expires_at, text_of(name, key, message_id))
        case TakeMessage(process_id):
            row = rows["message", 0]
            rows["message", 0] = row._replace(type=text_of(row.type, process_id))
        case DropMessage():
            rows.pop(("message", 0), None)
        case PutSignal(local, name):
            rows["signal", local] = WaitRow("signal", local, position, 0, name)
        case DropSignal(local):
            rows.pop(("signal", local), None)
        case PutStarts() | MoveStart():
            pass  # several streams speak of them: see ExpectedStarts
        case _:
            return False
    return True


def _reach(rows: dict[tuple[str, int], WaitRow], change: MoveWaits, position: int) -> None:
    """Subscriptions that nothing reaches for the time being, and those that are open again."""
    for local in change.held:
        _say(rows, local, HELD)
    for local, kind in change.reopened:
        _say(rows, local, kind, position)


def _say(rows: dict[tuple[str, int], WaitRow], local: int, kind: str, position: int = 0) -> None:
    row = rows.get(("subscription", local))
    if row is not None:
        said = text_of(kind, *row.type.split(SEPARATOR)[1:])
        rows["subscription", local] = row._replace(type=said, element=position or row.element)


class StartRow(NamedTuple):
    """A row of the index of start events."""

    definition_key: int
    element_id: str
    due: int
    remaining: int
    cycle: str
    kind: str
    name: str
    process_id: str

    def __str__(self) -> str:
        when = f" due at {self.due}" if self.due else ""
        return f"start event {self.element_id} of definition {self.definition_key}{when}"


class ExpectedStarts:
    """The start events in force as the log says it. Streams may come in any order: of the times of one timer the latest
    counts."""

    def __init__(self) -> None:
        self._rows: set[StartRow] = set()
        self._moves: dict[tuple[int, str], MoveStart] = {}
        self._fired: dict[tuple[int, str], int] = {}

    def add(self, events: Sequence[Event]) -> None:
        """Take in the events of a stream."""
        newest = [event for event in events if isinstance(event, ProcessDeployed)][-1:]
        for deployed in newest:
            for start in deployed.starts:
                times = (start.due, start.remaining, start.cycle, start.kind, start.name)
                row = StartRow(deployed.definition_key, start.element_id, *times, deployed.bpmn_process_id)
                self._rows.add(row)
        for event in events[:2]:  # an instance says at once what started it
            change = wait_change(event)
            if isinstance(event, InstanceTriggered) and isinstance(change, MoveStart):
                at = (change.definition_key, change.element_id)
                if event.due >= self._fired.get(at, 0):
                    self._fired[at], self._moves[at] = event.due, change

    def rows(self) -> frozenset[StartRow]:
        """The rows after all streams."""
        found = set()
        for row in self._rows:
            move = self._moves.get((row.definition_key, row.element_id))
            found.add(row if move is None else row._replace(due=move.due, remaining=move.remaining))
        return frozenset(found)


def _apply(rows: dict[tuple[str, int], WaitRow], instance_key: int, change: WaitChange) -> None:
    match change:
        case PutJob():
            job = WaitRow("job", change.local, change.element, change.available_at, change.type)
            rows["job", change.local] = job
        case PutTimer():
            rows["timer", change.local] = WaitRow("timer", change.local, change.element, change.due)
        case PutKeyBlock():
            block = instance_key + change.offset
            rows["block", block] = WaitRow("block", block)
        case PutDelivery():
            delivery = WaitRow("delivery", change.local, 0, change.peer, change.kind)
            rows["delivery", change.local] = delivery
        case DropDelivery():
            rows.pop(("delivery", change.local), None)
        case MoveJob():
            _move(rows, ("job", change.local), change.available_at)
        case MoveTimer():
            _move(rows, ("timer", change.local), change.due)
        case MoveWaits():
            for local, at in change.jobs:
                _move(rows, ("job", local), at)
            for local, at in change.timers:
                _move(rows, ("timer", local), at)
        case DropJob():
            rows.pop(("job", change.local), None)
        case DropTimer():
            rows.pop(("timer", change.local), None)
        case DropElement():
            _drop(rows, [row for row in rows.values() if row.element == change.element and row.kind in _OF_ELEMENTS])
        case DropInstance():
            _drop(rows, [row for row in rows.values() if row.kind in _OF_ELEMENTS])


def _move(rows: dict[tuple[str, int], WaitRow], key: tuple[str, int], at: int) -> None:
    if key in rows:
        rows[key] = rows[key]._replace(at=at)


def _drop(rows: dict[tuple[str, int], WaitRow], gone: Sequence[WaitRow]) -> None:
    for row in gone:
        del rows[row.kind, row.key]
