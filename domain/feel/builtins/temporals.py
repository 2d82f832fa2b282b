"""Calendar functions: now, today, is and the places of a day in its year (DMN 1.5 tables 79, 80 and 83)."""

from __future__ import annotations

from typing import Any

from domain.feel import temporal
from domain.feel.builtins.registry import Null, builtin
from domain.feel.context import EvaluationContext
from domain.feel.numeric import is_number
from domain.feel.operators import equal
from domain.feel.values import Date, DateTime, Time, civil_of_days, days_in_month, days_of_civil

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July",
    "August", "September", "October", "November", "December",
)  # fmt: skip


@builtin("now()")
def now(context: EvaluationContext) -> DateTime:
    """The moment of this evaluation, as handed in."""
    if context.now is None:
        raise Null("this evaluation has no clock")
    return temporal.from_datetime(context.now)


@builtin("today()")
def today(context: EvaluationContext) -> Date:
    """The date of this evaluation, as handed in."""
    moment: DateTime = now(context)
    return moment.date


@builtin("is(value1?: any?, value2?: any?)")
def is_(context: EvaluationContext, value1: Any = None, value2: Any = None) -> bool:
    """Whether both are the same in every part: 10:00Z is not 12:00+02:00, though equal to it."""
    if value1.__class__ is not value2.__class__ and not (is_number(value1) and is_number(value2)):
        return False
    if value1.__class__ in (list, dict):
        return bool(equal(value1, value2, context))
    return bool(value1 == value2) or bool(equal(value1, value2, context) and value1.__class__ not in _IN_PARTS)


_IN_PARTS = (DateTime, Time)


def _date(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


def _day_of_year(date: Date) -> int:
    return date.days() - days_of_civil(date.year, 1, 1) + 1


@builtin("day of year(date: date or date and time)")
def day_of_year(_context: EvaluationContext, date: Date | DateTime) -> int:
    """1 to 366."""
    return _day_of_year(_date(date))


@builtin("day of week(date: date or date and time)")
def day_of_week(_context: EvaluationContext, date: Date | DateTime) -> str:
    """Monday to Sunday."""
    return WEEKDAYS[(_date(date).days() + 3) % 7]


@builtin("month of year(date: date or date and time)")
def month_of_year(_context: EvaluationContext, date: Date | DateTime) -> str:
    """January to December."""
    return MONTHS[_date(date).month - 1]


@builtin("week of year(date: date or date and time)")
def week_of_year(_context: EvaluationContext, date: Date | DateTime) -> int:
    """1 to 53 (ISO 8601: the week belongs to the year of its Thursday)."""
    days = _date(date).days()
    thursday = civil_of_days(days - (days + 3) % 7 + 3)
    return (days_of_civil(*thursday) - days_of_civil(thursday[0], 1, 1)) // 7 + 1


@builtin("last day of month(date: date or date and time)")
def last_day_of_month(_context: EvaluationContext, date: Date | DateTime) -> Date:
    """The last date of the same month (Camunda)."""
    day = _date(date)
    return Date(day.year, day.month, days_in_month(day.year, day.month))
