"""The statements that write row changes: for each table one multi-row insert, one multi-row update per set of changed
columns, one statement per kind of implied end. Parameters are arrays in PostgreSQL's text format: `str` of a list of
integers is one C call, which beats packing a binary array with NULLs element by element in Python (0.05 against
0.15 µs an element), and the server parses an integer in about 0.03 µs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from projections.rows import Changes, ColumnType, Row, Table, TableChanges

Statement = tuple[str, list[str]]

_NUL, _REPLACEMENT = "\0", "\ufffd"


def integer_array(values: Sequence[int | None]) -> str:
    """An array literal of integers, None as NULL."""
    return "{" + str(values)[1:-1].replace("None", "NULL") + "}"


def boolean_array(values: Sequence[bool | None]) -> str:
    """An array literal of booleans, None as NULL."""
    return "{" + ",".join("NULL" if value is None else "t" if value else "f" for value in values) + "}"


def text_array(values: Iterable[str | None]) -> str:
    """An array literal of texts, None as NULL. PostgreSQL cannot hold U+0000: it becomes U+FFFD."""
    literal = ",".join(["NULL" if value is None else f'"{_escaped(value)}"' for value in values])
    return "{" + (literal.replace(_NUL, _REPLACEMENT) if _NUL in literal else literal) + "}"


def _escaped(value: str) -> str:
    if "\\" in value or '"' in value:
        return value.replace("\\", "\\\\").replace('"', '\\"')
    return value


def texts_array(values: Iterable[Sequence[str] | None]) -> str:
    """An array of array literals (rows of a text[] column travel as text and are cast)."""
    return text_array(None if value is None else text_array(value) for value in values)


_LITERALS: Mapping[ColumnType, Any] = {
    ColumnType.BIGINT: integer_array,
    ColumnType.INTEGER: integer_array,
    ColumnType.SMALLINT: integer_array,
    ColumnType.BOOLEAN: boolean_array,
    ColumnType.TEXT: text_array,
    ColumnType.TEXTS: texts_array,
}


def _parameter_type(column: ColumnType) -> str:
    return "text[]" if column is ColumnType.TEXTS else f"{column.value}[]"


def _value(name: str, column: ColumnType) -> str:
    return f"u.{name}::text[]" if column is ColumnType.TEXTS else f"u.{name}"


class TableWriter:
    """The statements of one table in one schema; texts are built once (per set of changed columns)."""

    def __init__(self, schema: str, table: Table) -> None:
        self.table = table
        self._name = f"{schema}.{table.name}"
        self._insert = self._insert_text()
        self._updates: dict[tuple[str, ...], str] = {}

    def statements(self, changes: TableChanges) -> Iterator[Statement]:
        """What writes these changes."""
        if changes.inserts:
            columns = self.table.columns
            yield self._insert, self._arrays(tuple(columns), list(changes.inserts.values()))
        if changes.updates:
            yield from self._update_statements(changes.updates)

    def _insert_text(self) -> str:
        columns = self.table.columns
        names = ", ".join(columns)
        parameters = ", ".join(f"%s::{_parameter_type(column)}" for column in columns.values())
        values = ", ".join(_value(name, column) for name, column in columns.items())
        text = f"INSERT INTO {self._name} ({names}) SELECT {values} FROM unnest({parameters}) AS u({names})"  # noqa: S608
        if self.table.rewritable:
            rewritten = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in self.table.key)
            text += f" ON CONFLICT ({', '.join(self.table.key)}) DO UPDATE SET {rewritten}"
        return text

    def _arrays(self, names: tuple[str, ...], rows: Sequence[Row]) -> list[str]:
        columns = self.table.columns
        return [_LITERALS[columns[name]]([row[name] for row in rows]) for name in names]

    def _update_statements(self, updates: Mapping[tuple[Any, ...], Row]) -> Iterator[Statement]:
        groups: dict[tuple[str, ...], list[tuple[tuple[Any, ...], Row]]] = {}
        for key, values in updates.items():
            groups.setdefault(tuple(values), []).append((key, values))
        for names, rows in groups.items():
            keys = [integer_array(column) for column in map(list, zip(*(key for key, _ in rows), strict=True))]
            yield self._update_text(names), keys + self._arrays(names, [values for _, values in rows])

    def _update_text(self, names: tuple[str, ...]) -> str:
        text = self._updates.get(names)
        if text is None:
            columns, key = self.table.columns, self.table.key
            parameters = ", ".join(f"%s::{_parameter_type(columns[name])}" for name in (*key, *names))
            settings = ", ".join(f"{name} = {_value(name, columns[name])}" for name in names)
            unnested = ", ".join(f"k_{name}" if name in key else name for name in key + names)
            same = " AND ".join(f"f.{name} = u.k_{name}" for name in key)
            text = self._update(settings, f"unnest({parameters}) AS u({unnested})", same)
            self._updates[names] = text
        return text

    def _update(self, settings: str, given: str, found_by: str) -> str:
        """An UPDATE of the rows f that are found by those given (u).

        It goes the long way round, by a subquery that cannot be flattened and the row's physical address, so that
        PostgreSQL finds the rows one by one through an index, whatever it believes about the sizes: plans are made
        once, perhaps while a table is empty, and then a join that reads the whole table for each row looks cheap.
        """
        return (
            f"UPDATE {self._name} AS t SET {settings} FROM {given} CROSS JOIN LATERAL "  # noqa: S608 - own identifiers
            f"(SELECT f.ctid AS address FROM {self._name} AS f WHERE {found_by} OFFSET 0) AS found "
            "WHERE t.ctid = found.address"
        )

    def end_with_elements(self, ended: Mapping[tuple[int, int], int]) -> Statement:
        """Rows still open at element instances that ended: (instance key, element key) → time (ms)."""
        text = self._update(
            self._closing(),
            "unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS u(instance_key, element_key, at)",
            "f.instance_key = u.instance_key AND f.element_key = u.element_key AND f.ended IS NULL",
        )
        instances, elements = [key for key, _ in ended], [element for _, element in ended]
        return text, [integer_array(instances), integer_array(elements), integer_array(list(ended.values()))]

    def end_with_instances(self, ended: Mapping[int, int]) -> Statement:
        """Rows still open in instances that ended: instance key → time (ms)."""
        text = self._update(
            self._closing(),
            "unnest(%s::bigint[], %s::bigint[]) AS u(instance_key, at)",
            "f.instance_key = u.instance_key AND f.ended IS NULL",
        )
        return text, [integer_array(list(ended)), integer_array(list(ended.values()))]

    def _closing(self) -> str:
        closing, keeps = self.table.closing_state, self.table.keeps_state
        assert closing is not None
        state = f"{int(closing)}"
        if keeps is not None:
            state = f"CASE WHEN t.state = {int(keeps)} THEN t.state ELSE {int(closing)} END"
        updated = ", updated = u.at" if "updated" in self.table.columns else ""
        return f"ended = u.at, state = {state}{updated}"


class ChangesWriter:
    """The statements of a whole batch, in the order in which they must run."""

    def __init__(self, schema: str, tables: Mapping[str, Table]) -> None:
        self._writers = {name: TableWriter(schema, table) for name, table in tables.items()}

    def statements(self, changes: Changes) -> Iterator[Statement]:
        """Inserts and updates by table, then what ended elements and instances had left open."""
        for name, table in changes.tables.items():
            if table.inserts or table.updates:
                yield from self._writers[name].statements(table)
        if changes.ended_elements:
            for writer in self._writers.values():
                if writer.table.closed_by_element:
                    yield writer.end_with_elements(changes.ended_elements)
        if changes.ended_instances:
            for writer in self._writers.values():
                if writer.table.closing_state is not None:
                    yield writer.end_with_instances(changes.ended_instances)
