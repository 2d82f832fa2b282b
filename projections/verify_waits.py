"""The wait-state index as the log says it: the rows that an instance's events leave, folded one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from domain.events import Event
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
    wait_change,
)

_OF_ELEMENTS = ("job", "timer")
"""What ends with its element instance or with the instance."""


class WaitRow(NamedTuple):
    """A row of the index: a job that may be taken, or a timer that fires, at `at` (µs); a reserved block of keys (`key`
    is its first); or a delivery of kind `type` that is owed to the instance `at`."""

    kind: str
    key: int
    element: int = 0
    at: int = 0
    type: str = ""

    def __str__(self) -> str:
        what = f"{self.kind} {self.key}"
        if self.kind == "block":
            return what
        if self.kind == "delivery":
            return f"{what} ({self.type}) to instance {self.at}"
        return f"{what} of element {self.element} at {self.at}" + (f" (type {self.type})" if self.type else "")


def expected_waits(instance_key: int, events: Sequence[Event]) -> frozenset[WaitRow]:
    """The rows of an instance after all its events; keys of jobs and timers are locals."""
    rows: dict[tuple[str, int], WaitRow] = {}
    for event in events:
        change = wait_change(event)
        if change is not None:
            _apply(rows, instance_key, change)
    return frozenset(rows.values())


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
