"""Order and pages: ORDER BY with the key as the last word, so that the order is total; keyset paging by opaque cursors
that hold the sort values of a page's first and last row; offset paging by `from`.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from domain.errors import InvalidArgument
from infra.postgres.queries_fields import Entity, Field, Kind
from infra.postgres.queries_filter import suggest
from projections.queries import DEFAULT_LIMIT, MAX_LIMIT

MAX_SORTS = 10
_PAGE_MEMBERS = ("from", "limit", "after", "before")


class Term(NamedTuple):
    """One term of the order. shape: the type of its values in a cursor."""

    sql: str
    descending: bool
    nullable: bool
    shape: type


class Order(NamedTuple):
    """The total order of a search. name: what a cursor must have been made for. joins: what its terms need."""

    terms: tuple[Term, ...]
    name: str
    joins: frozenset[str]

    def sql(self, backwards: bool) -> str:
        """ORDER BY's list; NULLs come last in either direction (first when read backwards)."""
        parts: list[str] = []
        for term in self.terms:
            direction = "DESC" if term.descending != backwards else "ASC"
            nulls = f" NULLS {'FIRST' if backwards else 'LAST'}" if term.nullable else ""
            parts.append(f"{term.sql} {direction}{nulls}")
        return ", ".join(parts)


class PageRequest(NamedTuple):
    """Which page. cursor: the sort values of the row beyond which it lies, None for the first page or an offset."""

    limit: int
    offset: int
    cursor: tuple[Any, ...] | None
    backwards: bool


def _shape(field: Field) -> type:
    """The type of a field's sort values; states are sorted by name."""
    match field.kind:
        case Kind.KEY | Kind.INTEGER | Kind.DATE:
            return int
        case Kind.BOOLEAN:
            return bool
        case _:
            return str


def read_order(entity: Entity, sort: Sequence[Mapping[str, Any]]) -> Order:
    """The order of a request's `sort`. Raises InvalidArgument naming the element."""
    if len(sort) > MAX_SORTS:
        raise InvalidArgument(f"'sort' has at most {MAX_SORTS} elements", "sort")
    terms: dict[str, Term] = {}
    joins: set[str] = set()
    name = entity.key_field
    for index, element in enumerate(sort):
        path = f"sort[{index}]"
        field_name, descending = _read_sort(element, path)
        field = entity.fields.get(field_name)
        if field is None or not field.sorted:
            allowed = [known for known, field in entity.fields.items() if field.sorted]
            hint = suggest(field_name, allowed, f"the sort fields of a {entity.title}")
            raise InvalidArgument(f"'{path}.field' {field_name!r} is not a sort field: {hint}", f"{path}.field")
        name += f",{field_name}{'-' if descending else '+'}"
        joins.update(field.joins)
        for sql in entity.key if field_name == entity.key_field else (field.order_sql,):
            shape = int if sql in entity.key else _shape(field)
            terms.setdefault(sql, Term(sql, descending, field.nullable, shape))
    # the key goes on in the direction of the last field: so one index can give the whole order
    last_descending = next(reversed(terms.values())).descending if terms else False
    for sql in entity.key:
        terms.setdefault(sql, Term(sql, last_descending, False, int))
    return Order(tuple(terms.values()), name, frozenset(joins))


def _read_sort(element: object, path: str) -> tuple[str, bool]:
    if not isinstance(element, dict) or not isinstance(element.get("field"), str):
        raise InvalidArgument(f'\'{path}\' must be an object like {{"field": "…", "order": "ASC"}}', path)
    extra = sorted(set(element) - {"field", "order"})
    if extra:
        raise InvalidArgument(f"'{path}.{extra[0]}' is not a member: field and order are", path)
    order = element.get("order", "ASC")
    if not isinstance(order, str) or order.upper() not in ("ASC", "DESC"):
        raise InvalidArgument(f"'{path}.order' must be ASC or DESC, not {order!r}", f"{path}.order")
    return element["field"], order.upper() == "DESC"


def read_page(page: Mapping[str, Any], order: Order) -> PageRequest:
    """The request's `page`. Raises InvalidArgument for a bad member, number or cursor."""
    for name in page:
        if name not in _PAGE_MEMBERS:
            raise InvalidArgument(f"'page.{name}' is not known: {suggest(name, _PAGE_MEMBERS, 'its members')}", "page")
    given = [name for name in ("from", "after", "before") if page.get(name) is not None]
    if len(given) > 1:
        raise InvalidArgument(f"'page' has '{given[0]}' and '{given[1]}': one of them at a time", "page")
    limit = _number(page, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    offset = _number(page, "from", 0, MAX_LIMIT)
    for name in ("after", "before"):
        if page.get(name) is not None:
            return PageRequest(limit, 0, read_cursor(page[name], order, f"page.{name}"), name == "before")
    return PageRequest(limit, offset, None, False)


def _number(page: Mapping[str, Any], name: str, default: int, most: int) -> int:
    value = page.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        hint = "; use 'after' with a page's endCursor to go further" if name == "from" else ""
        raise InvalidArgument(f"'page.{name}' must be a number from 0 to {most}, not {value!r}{hint}", f"page.{name}")
    return value


def write_cursor(values: Sequence[Any], order: Order) -> str:
    """The cursor of a row with these sort values: base64 with padding, which Camunda's clients insist on."""
    return b64encode(msgspec.json.encode([order.name, *values])).decode()


def read_cursor(cursor: object, order: Order, path: str) -> tuple[Any, ...]:
    """The sort values in a cursor. Raises InvalidArgument for one that is damaged or of another search."""
    wrong = InvalidArgument(f"'{path}' is not a cursor that this search gave out", path)
    if not isinstance(cursor, str) or len(cursor) > 20_000 or not re.fullmatch(r"[A-Za-z0-9+/]+=*", cursor):
        raise wrong
    try:
        values = msgspec.json.decode(b64decode(cursor, validate=True))
    except (ValueError, binascii.Error) as error:
        raise wrong from error
    if not isinstance(values, list) or not values or not isinstance(values[0], str):
        raise wrong
    if values[0] != order.name:
        raise InvalidArgument(f"'{path}' belongs to a search with another 'sort'; keep it the same for all pages", path)
    if len(values) != len(order.terms) + 1:
        raise wrong
    for value, term in zip(values[1:], order.terms, strict=True):
        if not (value is None and term.nullable) and type(value) is not term.shape:
            raise wrong
        if (isinstance(value, str) and "\0" in value) or (isinstance(value, int) and abs(value) >= 1 << 63):
            raise wrong
    return tuple(values[1:])


def beyond(order: Order, cursor: tuple[Any, ...], backwards: bool) -> tuple[str, list[Any]]:
    """The condition that a row lies after (backwards: before) the one with these sort values."""
    directions = {term.descending for term in order.terms}
    if len(directions) == 1 and not any(term.nullable for term in order.terms):
        # one row comparison, which an index can answer
        comparison = "<" if directions.pop() != backwards else ">"
        left = ", ".join(term.sql for term in order.terms)
        return f"({left}) {comparison} ({', '.join(['%s'] * len(cursor))})", list(cursor)
    alternatives: list[str] = []
    parameters: list[Any] = []
    same: list[str] = []
    same_parameters: list[Any] = []
    for term, value in zip(order.terms, cursor, strict=True):
        sql, more = _beyond_term(term, value, backwards)
        if sql:
            alternatives.append(" AND ".join([*same, sql]))
            parameters += same_parameters + more
        same.append(f"({term.sql}) IS NULL" if value is None else f"({term.sql}) = %s")
        same_parameters += [] if value is None else [value]
    return "(" + " OR ".join(f"({one})" for one in alternatives) + ")", parameters


def _beyond_term(term: Term, value: Any, backwards: bool) -> tuple[str, list[Any]]:
    """NULLs are last: nothing lies after one, everything else before it."""
    if value is None:
        return (f"({term.sql}) IS NOT NULL", []) if backwards else ("", [])
    comparison = "<" if term.descending != backwards else ">"
    sql = f"({term.sql}) {comparison} %s"
    return (f"({sql} OR ({term.sql}) IS NULL)" if term.nullable and not backwards else sql), [value]
