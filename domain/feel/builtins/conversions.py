"""Conversion functions (DMN 1.5 table 73): number, string, date, time, durations, ranges."""

from __future__ import annotations

import re
from decimal import DecimalException
from typing import Any

from domain.feel import temporal
from domain.feel.builtins.registry import Null, builtin
from domain.feel.context import EvaluationContext
from domain.feel.formatting import format_value
from domain.feel.numeric import Number, parse_number, truncated
from domain.feel.operators import kind_of
from domain.feel.values import NANOS, Date, DateTime, DaysTimeDuration, Time, YearsMonthsDuration

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


@builtin("number(from: string, grouping separator?: string?, decimal separator?: string?)")
def number(_context: EvaluationContext, text: str, grouping: str | None = None, point: str | None = None) -> Number:
    """A number from text, with the separators given taken out and read as point."""
    if grouping not in (None, " ", ",", "."):
        raise Null(f"'grouping separator' must be a space, comma or point, but is '{grouping}'")
    if point not in (None, ",", "."):
        raise Null(f"'decimal separator' must be a comma or point, but is '{point}'")
    if grouping is not None and grouping == (point or "."):
        raise Null("both separators are the same")
    plain = text.replace(grouping, "") if grouping else text
    plain = plain.replace(point, ".") if point else plain
    if not _NUMBER.fullmatch(plain):
        raise Null(f"'{text[:40]}' is no number")
    try:
        return parse_number(plain)
    except DecimalException:
        raise Null(f"'{text[:40]}' is out of the range of numbers") from None


@builtin("number(from: number)")
def number_of_number(_context: EvaluationContext, value: Number) -> Number:
    """A number is one already."""
    return value


@builtin("string(from: any?)")
def string(context: EvaluationContext, value: Any) -> str | None:
    """The value as text; null stays null."""
    return None if value is None else format_value(value, context.max_size)


@builtin("date(from: value)")
def date(_context: EvaluationContext, value: Any) -> Date:
    """A date from text or from a date and time."""
    found = temporal.parse_date(value) if value.__class__ is str else value
    if found.__class__ is DateTime:
        found = found.date
    if found.__class__ is not Date:
        raise Null(f"no date can be made of {_shown(value)}")
    return found


@builtin("date(year: number, month: number, day: number)")
def date_of_parts(_context: EvaluationContext, year: Number, month: Number, day: Number) -> Date:
    """A date from its parts."""
    found = temporal.make_date(truncated(year), truncated(month), truncated(day))
    if found is None:
        raise Null(f"there is no date {year}-{month}-{day}")
    return found


def _shown(value: Any) -> str:
    return f"'{value[:40]}'" if value.__class__ is str else f"a {kind_of(value)}"


@builtin("time(from: value)")
def time(_context: EvaluationContext, value: Any) -> Time:
    """A time from text, from a date and time, or midnight UTC of a date."""
    found = temporal.parse_time(value.removeprefix("T")) if value.__class__ is str else value
    if found.__class__ is DateTime:
        found = found.time
    if found.__class__ is Date:
        found = Time(0, 0)
    if found.__class__ is not Time:
        raise Null(f"no time can be made of {_shown(value)}")
    return found


@builtin("time(hour: number, minute: number, second: number, offset?: days and time duration?)")
def time_of_parts(
    _context: EvaluationContext, hour: Number, minute: Number, second: Number, offset: DaysTimeDuration | None = None
) -> Time:
    """A time from its parts; the second may have a fraction."""
    hours, minutes, nanos = truncated(hour), truncated(minute), truncated(second * NANOS)
    if not (0 <= hours < 24 and 0 <= minutes < 60 and 0 <= nanos < 60 * NANOS):
        raise Null(f"there is no time {hour}:{minute}:{second}")
    seconds = offset.nanos // NANOS if offset is not None else None
    if seconds is not None and abs(seconds) > temporal.MAX_OFFSET:
        raise Null("'offset' must not exceed 18 hours")
    return Time((hours * 3600 + minutes * 60) * NANOS + nanos, seconds)


@builtin("date and time(from: value)")
def date_and_time(_context: EvaluationContext, value: Any) -> DateTime:
    """A date and time from text; a date means its midnight."""
    found = temporal.parse_date_time(value) if value.__class__ is str else value
    if found.__class__ is Date:
        found = DateTime(found, Time(0))
    if found.__class__ is not DateTime:
        raise Null(f"no date and time can be made of {_shown(value)}")
    return found


@builtin("date and time(date: date or date and time, time: time)")
def date_and_time_of_parts(_context: EvaluationContext, day: Date | DateTime, clock: Time) -> DateTime:
    """A date and a time of day put together."""
    return DateTime(day.date if isinstance(day, DateTime) else day, clock)


@builtin("date and time(date: date and time, timezone: string)")
def date_and_time_in_zone(_context: EvaluationContext, moment: DateTime, zone: str) -> DateTime:
    """The same moment on the clock of another zone (Camunda)."""
    if temporal.zone_info(zone) is None:
        raise Null(f"'{zone[:40]}' is no timezone")
    there = temporal.in_zone(moment, zone)
    if there is None:
        raise Null("the date is out of range")
    return there


@builtin("duration(from: value)")
def duration(_context: EvaluationContext, value: Any) -> DaysTimeDuration | YearsMonthsDuration:
    """A duration from text."""
    found = temporal.parse_duration(value) if value.__class__ is str else value
    if not isinstance(found, DaysTimeDuration | YearsMonthsDuration):
        raise Null(f"no duration can be made of {_shown(value)}")
    return found


@builtin("years and months duration(from: date or date and time, to: date or date and time)")
def years_and_months_duration(_context: EvaluationContext, start: Any, end: Any) -> YearsMonthsDuration:
    """Whole months from one date to another."""
    return YearsMonthsDuration(temporal.months_between(start, end))
