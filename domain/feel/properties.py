"""The properties of calendar values and ranges that a path can read (DMN 1.5 tables 65 and 66)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.feel import temporal
from domain.feel.values import DAY_NANOS, NANOS, Date, DateTime, DaysTimeDuration, Range, Time, YearsMonthsDuration


def _signed(value: int, size: int) -> int:
    """value // size, towards zero."""
    return value // size if value >= 0 else -(-value // size)


def _part(value: DaysTimeDuration, unit: int, limit: int) -> int:
    """One component of a duration, with its sign."""
    whole = abs(value.nanos) // unit
    part = whole % limit if limit else whole
    return part if value.nanos >= 0 else -part


def _second(value: Time) -> int:
    return value.nanos // NANOS % 60


def _time_offset(value: Time) -> DaysTimeDuration | None:
    offset = temporal.time_offset(value)
    return DaysTimeDuration(offset * NANOS) if offset is not None else None


def _date_time_offset(value: DateTime) -> DaysTimeDuration | None:
    offset = temporal.offset_at(value.date, value.time)
    return DaysTimeDuration(offset * NANOS) if offset is not None else None


Reader = Callable[[Any], object]

_DATE: dict[str, Reader] = {
    "year": lambda v: v.year,
    "month": lambda v: v.month,
    "day": lambda v: v.day,
    "weekday": lambda v: (v.days() + 3) % 7 + 1,
}
_TIME: dict[str, Reader] = {
    "hour": lambda v: v.nanos // (3600 * NANOS),
    "minute": lambda v: v.nanos // (60 * NANOS) % 60,
    "second": _second,
    "time offset": _time_offset,
    "timezone": lambda v: v.zone,
}


def _of(part: str, reader: Reader) -> Reader:
    return lambda value: reader(getattr(value, part))


def _range_end(name: str) -> Reader:
    return lambda value: getattr(value, name)


PROPERTIES: dict[type, dict[str, Reader]] = {
    Date: _DATE,
    Time: _TIME,
    DateTime: {
        **{name: _of("date", reader) for name, reader in _DATE.items()},
        **{name: _of("time", reader) for name, reader in _TIME.items()},
        "time offset": _date_time_offset,
    },
    DaysTimeDuration: {
        "days": lambda v: _signed(v.nanos, DAY_NANOS),
        "hours": lambda v: _part(v, 3600 * NANOS, 24),
        "minutes": lambda v: _part(v, 60 * NANOS, 60),
        "seconds": lambda v: _part(v, NANOS, 60),
    },
    YearsMonthsDuration: {
        "years": lambda v: _signed(v.months, 12),
        "months": lambda v: v.months - 12 * _signed(v.months, 12),
    },
    Range: {
        "start": _range_end("low"),
        "end": _range_end("high"),
        "start included": _range_end("low_included"),
        "end included": _range_end("high_included"),
    },
}
