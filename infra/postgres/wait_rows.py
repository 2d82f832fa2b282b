"""The net effect of a batch's wait-state changes on the tables wait_jobs, wait_timers, wait_deliveries and key_blocks.

What is created and gone within the batch is never written; a row that is moved twice is moved once. What remains is
independent of order: put (new rows), move (a new time for known rows) and drop (ranges of rows). One exception: a moved
row may belong to an element that is dropped later in the batch (a move does not name its element); then
`moves_may_be_dropped` is set, and the drops must be carried out first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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
from infra.postgres.message_rows import MESSAGE_KINDS, MessageRows

MAX_LOCAL = (1 << 63) - 1
ANY_ELEMENT = -1


class Drop(NamedTuple):
    """Rows to delete: those with local in [low, high], of one element or of ANY_ELEMENT."""

    low: int
    high: int
    element: int


EVERYTHING = Drop(0, MAX_LOCAL, ANY_ELEMENT)


class PutRow(NamedTuple):
    """A new row. at: `available_at` of a job, `due` of a timer; type: "" for a timer."""

    element: int
    at: int
    tenant: str = ""
    type: str = ""


class Rows:
    """Changes of one instance's rows in one table, by local."""

    __slots__ = ("drop", "move", "moves_may_be_dropped", "put")

    def __init__(self) -> None:
        self.put: dict[int, PutRow] = {}
        self.move: dict[int, int] = {}
        self.drop: list[Drop] = []
        self.moves_may_be_dropped = False

    def move_row(self, local: int, at: int) -> None:
        """A new time for the row."""
        new = self.put.get(local)
        if new is not None:
            self.put[local] = new._replace(at=at)
        else:
            self.move[local] = at

    def drop_row(self, local: int) -> None:
        """The row is gone."""
        if self.put.pop(local, None) is None:
            self.move.pop(local, None)
            self.drop.append(Drop(local, local, ANY_ELEMENT))

    def drop_element(self, element: int) -> None:
        """All rows of the element are gone; they have higher locals than the element itself."""
        for local in [local for local, row in self.put.items() if row.element == element]:
            del self.put[local]
        if self.move:
            self.moves_may_be_dropped = True
        self.drop.append(Drop(element, MAX_LOCAL, element))

    def drop_all(self) -> None:
        """No row of the instance is left."""
        self.put.clear()
        self.move.clear()
        self.drop[:] = (EVERYTHING,)


class WaitRows:
    """The net change of a batch: per instance key the changes in wait_jobs and wait_timers; new key blocks; and by
    (instance key, local) the deliveries that are owed from now on (kind, peer), and those that are no more; and what
    messages and signals bring, if anything."""

    __slots__ = ("blocks", "deliveries", "jobs", "messages", "settled", "timers")

    def __init__(self) -> None:
        self.jobs: dict[int, Rows] = {}
        self.timers: dict[int, Rows] = {}
        self.blocks: list[tuple[int, int]] = []  # first key of the block, instance key
        self.deliveries: dict[tuple[int, int], tuple[str, int]] = {}
        self.settled: list[tuple[int, int]] = []
        self.messages: MessageRows | None = None

    @property
    def moves_may_be_dropped(self) -> bool:
        """Whether drops must be carried out before moves."""
        return any(rows.moves_may_be_dropped for table in (self.jobs, self.timers) for rows in table.values())

    def add(self, key: int, tenant: str, changes: Sequence[WaitChange], first: int = 0) -> None:
        """Take in the next changes of instance `key`, in order; first: the place in the batch, or log position, of the
        first event of their command."""
        for change in changes:
            kind = type(change)
            if kind in _OF_JOBS:
                _OF_JOBS[kind](self._of(self.jobs, key), change, tenant)
            if kind in _OF_TIMERS:
                _OF_TIMERS[kind](self._of(self.timers, key), change)
            if kind not in _KINDS:
                raise TypeError(f"{kind.__name__} is not a change of the wait-state index that this table knows")
            if kind in MESSAGE_KINDS:
                if self.messages is None:
                    self.messages = MessageRows()
                self.messages.add(key, tenant, change, first)
            if kind in _OF_INSTANCES:
                _OF_INSTANCES[kind](self, key, change)

    def _of(self, table: dict[int, Rows], key: int) -> Rows:
        rows = table.get(key)
        if rows is None:
            rows = table[key] = Rows()
        return rows


def _put_job(rows: Rows, change: PutJob, tenant: str) -> None:
    rows.put[change.local] = PutRow(change.element, change.available_at, tenant, change.type)


def _put_timer(rows: Rows, change: PutTimer) -> None:
    rows.put[change.local] = PutRow(change.element, change.due)


def _move_all(rows: Rows, moves: Sequence[tuple[int, int]]) -> None:
    for local, at in moves:
        rows.move_row(local, at)


_OF_JOBS: dict[type[Any], Callable[[Rows, Any, str], None]] = {
    PutJob: _put_job,
    MoveJob: lambda rows, change, _: rows.move_row(change.local, change.available_at),
    MoveWaits: lambda rows, change, _: _move_all(rows, change.jobs),
    DropJob: lambda rows, change, _: rows.drop_row(change.local),
    DropElement: lambda rows, change, _: rows.drop_element(change.element),
    DropInstance: lambda rows, _change, _: rows.drop_all(),
}
_OF_TIMERS: dict[type[Any], Callable[[Rows, Any], None]] = {
    PutTimer: _put_timer,
    MoveTimer: lambda rows, change: rows.move_row(change.local, change.due),
    MoveWaits: lambda rows, change: _move_all(rows, change.timers),
    DropTimer: lambda rows, change: rows.drop_row(change.local),
    DropElement: lambda rows, change: rows.drop_element(change.element),
    DropInstance: lambda rows, _change: rows.drop_all(),
}


def _settle(rows: WaitRows, key: int, change: DropDelivery) -> None:
    if rows.deliveries.pop((key, change.local), None) is None:
        rows.settled.append((key, change.local))


def _owe(rows: WaitRows, key: int, change: PutDelivery) -> None:
    rows.deliveries[key, change.local] = (change.kind, change.peer)


_OF_INSTANCES: dict[type[Any], Callable[[WaitRows, int, Any], None]] = {
    PutKeyBlock: lambda rows, key, change: rows.blocks.append((key + change.offset, key)),
    PutDelivery: _owe,
    DropDelivery: _settle,
}
_KINDS = frozenset((*_OF_JOBS, *_OF_TIMERS, *_OF_INSTANCES, *MESSAGE_KINDS))
