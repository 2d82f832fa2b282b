"""Brings Python values that callers hand in to FEEL's own types: floats, datetimes, tuples, long numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.feel import temporal
from domain.feel.numeric import CONTEXT, LIMIT, from_float, rounded
from domain.feel.values import Date, DateTime, DaysTimeDuration, Function, Range, Time, YearsMonthsDuration

PLAIN = frozenset((type(None), bool, str, Date, Time, DateTime, DaysTimeDuration, YearsMonthsDuration, Range, Function))


def native(value: object) -> object:
    """The value as FEEL knows it; lists and contexts are returned as they are when all inside is native."""
    kind = value.__class__
    if kind in PLAIN:
        return value
    if kind is int:
        return value if -LIMIT < value < LIMIT else CONTEXT.create_decimal(value)  # type: ignore[operator, arg-type]
    if kind is Decimal:
        return rounded(value) if value.is_finite() else None  # type: ignore[attr-defined, arg-type]
    if kind is list or kind is dict:
        return _container(value, {})
    return _foreign(value)


def shallow(value: object) -> object:
    """Like native(), but leaves the inside of lists and contexts for whoever reads it."""
    kind = value.__class__
    if kind is list or kind is dict:
        return value
    return native(value)


def _container(value: Any, done: dict[int, Any]) -> Any:
    """A list or context with all inside native; `done` keeps shared parts from being gone through twice."""
    key = id(value)
    if key not in done:
        done[key] = _list(value, done) if value.__class__ is list else _context(value, done)
    return done[key]


def _inner(value: Any, done: dict[int, Any]) -> Any:
    kind = value.__class__
    if kind in PLAIN:
        return value
    return _container(value, done) if kind is list or kind is dict else native(value)


def _list(values: list[Any], done: dict[int, Any]) -> list[Any]:
    for index, value in enumerate(values):
        if value.__class__ in PLAIN:
            continue
        converted = _inner(value, done)
        if converted is not value:
            return [*values[:index], converted, *(_inner(other, done) for other in values[index + 1 :])]
    return values


def _context(entries: dict[Any, Any], done: dict[int, Any]) -> dict[Any, Any]:
    for key, value in entries.items():
        if key.__class__ is not str or (value.__class__ not in PLAIN and _inner(value, done) is not value):
            return {str(name): _inner(inner, done) for name, inner in entries.items()}
    return entries


def _foreign(value: object) -> object:  # one return per kind of value
    if isinstance(value, float):
        return from_float(value)
    if isinstance(value, bool | str | int):
        return native(str(value) if isinstance(value, str) else int(value))
    if isinstance(value, dt.datetime):
        return temporal.from_datetime(value)
    if isinstance(value, dt.date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, dt.time):
        return temporal.from_time(value)
    if isinstance(value, dt.timedelta):
        return temporal.from_timedelta(value)
    if isinstance(value, Mapping):
        return {str(key): native(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [native(inner) for inner in value]
    return None
