"""The FEEL values that Python lacks: calendar values of any year, both durations, ranges and functions.

Null, booleans, numbers, strings, lists and contexts are Python's None, bool, int | Decimal, str, list and dict.
Source: DMN 1.5 §10.3.2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NANOS = 1_000_000_000
DAY_NANOS = 86_400 * NANOS
MAX_YEAR = 999_999_999


def days_of_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 of a proleptic Gregorian date of any year (H. Hinnant's civil-calendar algorithm)."""
    year -= month <= 2
    era, year_of_era = divmod(year, 400)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def civil_of_days(days: int) -> tuple[int, int, int]:
    """The (year, month, day) of a count of days since 1970-01-01."""
    era, day_of_era = divmod(days + 719_468, 146_097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * day_of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, day_of_year - (153 * shifted + 2) // 5 + 1


def days_in_month(year: int, month: int) -> int:
    """The length of a month, 28 to 31."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


@dataclass(frozen=True, slots=True, order=True)
class Date:
    """A calendar date; years from -999999999 to 999999999."""

    year: int
    month: int
    day: int

    def days(self) -> int:
        """Days since 1970-01-01."""
        return days_of_civil(self.year, self.month, self.day)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day: `nanos` since midnight, with a UTC offset in seconds, a zone id, or neither (a local time)."""

    nanos: int
    offset: int | None = None
    zone: str | None = None

    @property
    def local(self) -> bool:
        """Whether it has neither offset nor zone."""
        return self.offset is None and self.zone is None


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date and a time of day; offset or zone are the time's."""

    date: Date
    time: Time


@dataclass(frozen=True, slots=True, order=True)
class DaysTimeDuration:
    """A days and time duration, in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True, order=True)
class YearsMonthsDuration:
    """A years and months duration, in months."""

    months: int


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """An interval of comparable values. An end that was left open by `< 5` and the like is None and not included.

    `operator` tells the unary tests that are no interval: "=" or "!=" with the value in `low`; "" for intervals,
    and "<", "<=", ">", ">=" where the range was written so.
    """

    low_included: bool
    low: object
    high: object
    high_included: bool
    operator: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function value. `call` takes the evaluation context and one value per parameter, in order.

    Give one of these in a scope to make a function callable from FEEL (a business knowledge model, a service).
    `types` are the declared parameter types (domain.feel.ast type nodes or None), for `instance of function<...>`.
    """

    parameters: tuple[str, ...]
    call: Callable[[Any, list[object]], object]
    name: str = ""
    types: tuple[object, ...] = ()
    result_type: object = None
    builtin: Any = None
