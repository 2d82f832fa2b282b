"""Read model: one row per variable and scope, with its value as compact JSON text."""

from __future__ import annotations

from typing import Any

from domain.events import encode_json
from domain.process_instance import events as e
from projections.rows import Changes, ColumnType, Handlers, Source, Table

TABLE = Table(
    "variables",
    ("instance_key", "key"),
    {
        "instance_key": ColumnType.BIGINT,
        "key": ColumnType.BIGINT,
        "scope_key": ColumnType.BIGINT,
        "name": ColumnType.TEXT,
        "value": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
    rewritable=True,
)


def created(changes: Changes, source: Source, event: e.InstanceCreated) -> None:
    """The variables that an instance starts with."""
    if event.variables:
        _put(changes, source, source.key, event.variables, event.variable_locals)


def variables_set(changes: Changes, source: Source, event: e.VariablesSet) -> None:
    """Variables of one scope, new or overwritten."""
    _put(changes, source, source.key + event.scope, event.variables, event.locals)


def _put(changes: Changes, source: Source, scope_key: int, values: dict[str, Any], locals_: list[int]) -> None:
    table = changes["variables"]
    for (name, value), local in zip(values.items(), locals_, strict=True):
        key = source.key + local
        row = {
            "instance_key": source.key,
            "key": key,
            "scope_key": scope_key,
            "name": name,
            "value": encode_json(value).decode(),
            "tenant": source.tenant,
        }
        table.insert((source.key, key), row)


HANDLERS: Handlers = {e.InstanceCreated: created, e.VariablesSet: variables_set}
