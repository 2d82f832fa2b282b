"""One search, compiled: the statements that count and that fetch a page, and how rows become items."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

from infra.postgres.queries_fields import Entity, Field, renderer
from infra.postgres.queries_filter import FilterCompiler, Where
from infra.postgres.queries_page import Order, PageRequest, beyond, read_order, read_page, write_cursor
from projections.queries import COUNT_LIMIT, TRUNCATE_AT, Item, Page, SearchRequest

Statement = tuple[bytes, list[Any]]


def in_schema(entity: Entity, schema: str) -> Entity:
    """The entity with the schema's name in its SQL."""

    def put(sql: str) -> str:
        return sql.replace("{schema}", schema).replace("{truncate_at}", str(TRUNCATE_AT))

    return entity._replace(
        table=put(entity.table),
        fields={name: field._replace(sql=put(field.sql)) for name, field in entity.fields.items()},
        joins={name: (put(sql), needs) for name, (sql, needs) in entity.joins.items()},
        nested={name: put(sql) for name, sql in entity.nested.items()},
    )


def from_clause(entity: Entity, needed: Collection[str]) -> str:
    """FROM's list: the table and the joins that are needed, each after those that it needs itself."""
    joins: dict[str, str] = {}

    def add(name: str) -> None:
        sql, needs = entity.joins[name]
        for other in needs:
            add(other)
        joins[name] = sql

    for name in sorted(needed):
        add(name)
    return " ".join([entity.table, *joins.values()])


class Shown(NamedTuple):
    """The columns of an entity's items: names, expressions, how each is shown, and the joins they need."""

    names: tuple[str, ...]
    columns: tuple[str, ...]
    renderers: tuple[Callable[[Any], Any], ...]
    joins: frozenset[str]

    @classmethod
    def of(cls, fields: Mapping[str, Field]) -> Shown:
        """From an entity's field table."""
        shown = {name: field for name, field in fields.items() if field.shown}
        return cls(
            tuple(shown),
            tuple(field.sql for field in shown.values()),
            tuple(renderer(field) for field in shown.values()),
            frozenset(join for field in shown.values() for join in field.joins),
        )

    def item(self, row: Sequence[Any]) -> Item:
        """A row (whose first columns are these) as the API shows it."""
        return {name: show(value) for name, show, value in zip(self.names, self.renderers, row, strict=False)}


class Search:
    """A search request on an entity (already in its schema), ready to run."""

    def __init__(
        self,
        entity: Entity,
        shown: Shown,
        schema: str,
        request: SearchRequest,
        tenants: Sequence[str] | None,
        also: Where | None = None,
    ) -> None:
        """also: a further condition on the rows (t)."""
        self._entity = entity
        self._shown = shown
        self._where = FilterCompiler(entity, schema).compile(request.filter, tenants)
        if also is not None:
            where = self._where
            sql = f"{also.sql} AND {where.sql}"
            self._where = Where(sql, also.parameters + where.parameters, where.joins | also.joins)
        self._order: Order = read_order(entity, request.sort)
        self.page: PageRequest = read_page(request.page, self._order)

    def count(self) -> Statement:
        """How many rows match, counted no further than one beyond the limit."""
        source = from_clause(self._entity, self._where.joins)
        inner = f"SELECT FROM {source} WHERE {self._where.sql} LIMIT {COUNT_LIMIT + 1}"
        return f"SELECT count(*) FROM ({inner}) AS counted".encode(), self._where.parameters  # noqa: S608

    def rows(self) -> Statement:
        """The rows of the page: the shown columns, then the sort values."""
        condition, parameters = self._where.sql, list(self._where.parameters)
        if self.page.cursor is not None:
            sql, more = beyond(self._order, self.page.cursor, self.page.backwards)
            condition += f" AND {sql}"
            parameters += more
        columns = ", ".join([*self._shown.columns, *(term.sql for term in self._order.terms)])
        source = from_clause(self._entity, self._shown.joins | self._where.joins | self._order.joins)
        text = (
            f"SELECT {columns} FROM {source} WHERE {condition} "  # noqa: S608 - identifiers from the entity's tables
            f"ORDER BY {self._order.sql(self.page.backwards)} LIMIT %s OFFSET %s"
        )
        return text.encode(), [*parameters, self.page.limit, self.page.offset]

    def answer(self, count: int, rows: list[tuple[Any, ...]]) -> tuple[list[Item], Page]:
        """The items and the page object."""
        if self.page.backwards:
            rows = rows[::-1]
        items = [self._shown.item(row) for row in rows]
        first, last = (self._cursor(rows[0]), self._cursor(rows[-1])) if rows else (None, None)
        return items, Page(min(count, COUNT_LIMIT), count > COUNT_LIMIT, first, last)

    def _cursor(self, row: tuple[Any, ...]) -> str:
        return write_cursor(row[len(self._shown.columns) :], self._order)
