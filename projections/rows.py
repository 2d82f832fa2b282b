"""Row changes: what a batch of events does to the read models, netted per row before anything is written.

A projection is a function of one event that says what changes. `Changes` keeps the net effect of a whole batch: a row
that is inserted and updated in the same batch is one insert of the final row; several updates of a row are one.

    table specs (literal, one beside each projection) ──► TableChanges (inserts, updates by key) ──► infra writes them

What an element or instance that ended leaves open (its job, user task, incidents) is not known to a function of one
event. Such *implied ends* are noted (`end_element`, `end_instance`) and carried out by the writer after all other
changes of the batch: nothing opens in what has ended, so the order cannot matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from domain.events import Event

Key = tuple[Any, ...]
Row = dict[str, Any]

MICROSECONDS_PER_MS = 1000


class ColumnType(StrEnum):
    """What a column holds, by PostgreSQL's name for it."""

    BIGINT = "bigint"
    INTEGER = "integer"
    SMALLINT = "smallint"
    BOOLEAN = "boolean"
    TEXT = "text"
    TEXTS = "text[]"


class Table(NamedTuple):
    """A read-model table. key: the columns that identify a row. rewritable: an insert may meet an existing row and
    then overwrites it. closing_state: the `state` of a row that is still open (`ended` is NULL) when its instance ends;
    None: its rows do not end. keeps_state: the state that such a row keeps. closed_by_element: the row ends with its
    element instance (`element_key`) too."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, ColumnType]
    rewritable: bool = False
    closing_state: int | None = None
    keeps_state: int | None = None
    closed_by_element: bool = False


class TableChanges:
    """The net changes of one table: whole rows to insert, and single columns of existing rows to update."""

    __slots__ = ("inserts", "table", "updates")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.inserts: dict[Key, Row] = {}
        self.updates: dict[Key, Row] = {}

    def insert(self, key: Key, row: Row) -> None:
        """A new row (or, in a rewritable table, the whole row anew)."""
        self.inserts[key] = row

    def update(self, key: Key, values: Row) -> None:
        """New values of some columns."""
        row = self.inserts.get(key)
        if row is None:
            row = self.updates.get(key)
            if row is None:
                self.updates[key] = values
                return
        row.update(values)


class Changes:
    """The net changes of one batch of events, by table."""

    __slots__ = ("ended_elements", "ended_instances", "tables")

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = {name: TableChanges(table) for name, table in tables.items()}
        self.ended_elements: dict[tuple[int, int], int] = {}
        self.ended_instances: dict[int, int] = {}

    def __getitem__(self, table: str) -> TableChanges:
        return self.tables[table]

    def end_element(self, instance_key: int, element_key: int, at: int) -> None:
        """Whatever is still open at this element instance ended at `at` (ms)."""
        self.ended_elements[instance_key, element_key] = at

    def end_instance(self, instance_key: int, at: int) -> None:
        """Whatever is still open in this instance ended at `at` (ms)."""
        self.ended_instances[instance_key] = at


Handlers = Mapping[type[Event], Callable[["Changes", "Source", Any], None]]
"""A projection: event type → what it changes."""


class Source(NamedTuple):
    """Where an event comes from: the stream's integer (the instance key, for an instance), when (ms), for whom."""

    key: int
    at: int
    tenant: str
