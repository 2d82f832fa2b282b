"""What decisions need of FEEL values: which kind a value is, how values from outside come in and into messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from domain.feel import compile_expression, format_value
from domain.feel.context import EvaluationContext
from domain.feel.errors import FeelBudgetExceeded
from domain.feel.formatting import quote
from domain.feel.numeric import from_float
from domain.feel.temporal import from_datetime, from_time, from_timedelta, parse_temporal
from domain.feel.values import Date, DateTime, DaysTimeDuration, Function, Range, Time, YearsMonthsDuration

MAX_INPUT_DEPTH: Final = 64
"""Nesting of lists and contexts in values from outside."""


__all__ = ["Function", "Range"]


MAX_SHOWN: Final = 80
"""Characters of a value that messages show."""


class InputError(ValueError):
    """A value from outside that is no FEEL value; the message names where it stands."""


def is_number(value: object) -> bool:
    """An int or Decimal; booleans are no numbers."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def is_string(value: object) -> bool:
    """A string."""
    return isinstance(value, str)


def is_boolean(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


def is_date(value: object) -> bool:
    """A date without time of day."""
    return isinstance(value, Date)


def is_time(value: object) -> bool:
    """A time of day."""
    return isinstance(value, Time)


def is_date_time(value: object) -> bool:
    """A date and time."""
    return isinstance(value, DateTime)


def is_days_duration(value: object) -> bool:
    """A days and time duration."""
    return isinstance(value, DaysTimeDuration)


def is_months_duration(value: object) -> bool:
    """A years and months duration."""
    return isinstance(value, YearsMonthsDuration)


def is_context(value: object) -> bool:
    """A context."""
    return isinstance(value, dict)


def is_list(value: object) -> bool:
    """A list."""
    return isinstance(value, list)


def is_function(value: object) -> bool:
    """A function value."""
    return isinstance(value, Function)


def midnight(value: object) -> DateTime:
    """The date and time of a date at UTC midnight (DMN 1.5, 10.3.2.9.4)."""
    assert isinstance(value, Date)
    return DateTime(value, Time(0, 0))


TEMPORAL_KINDS: Final[dict[str, type]] = {
    "date": Date,
    "time": Time,
    "date and time": DateTime,
    "days and time duration": DaysTimeDuration,
    "years and months duration": YearsMonthsDuration,
}
"""The FEEL types whose values are written as strings in JSON."""

_PLAIN: Final = (str, int, Decimal, Date, Time, DateTime, DaysTimeDuration, YearsMonthsDuration, Range, Function)


def from_outside(value: object, path: str = "", depth: int = 0) -> object:
    """A Python or JSON value as FEEL value; raises InputError for what FEEL has no value for."""
    kind = type(value)
    if value is None or kind in (str, int, bool, Decimal):
        return value
    if isinstance(value, float):
        return from_float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if depth >= MAX_INPUT_DEPTH:
        raise InputError(f"'{path}' is nested deeper than {MAX_INPUT_DEPTH} levels")
    if isinstance(value, Mapping):
        return {str(name): from_outside(member, f"{path}.{name}", depth + 1) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [from_outside(element, f"{path}[{index}]", depth + 1) for index, element in enumerate(value, 1)]
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, dt.datetime):
        return from_datetime(value)
    if isinstance(value, dt.date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, dt.time):
        return from_time(value)
    if isinstance(value, dt.timedelta):
        return from_timedelta(value)
    raise InputError(f"'{path}' is a Python {kind.__name__}, which is no FEEL value")


def temporal_of(text: str, category: str) -> object:
    """The temporal value that a JSON string stands for, null where it is not one of that category."""
    value = parse_temporal(text)
    return value if isinstance(value, TEMPORAL_KINDS[category]) else None


def steps_of(domain: Range, context: EvaluationContext) -> object:
    """What a range steps through (integers or dates), as FEEL's `for` does; null where it has no steps."""
    return compile_expression("for step in domain return step", ("domain",)).evaluate({"domain": domain}, context)


def short(value: object) -> str:
    """A value as FEEL text, cut for messages."""
    if isinstance(value, str):
        text = quote(value[:MAX_SHOWN])
    else:
        try:
            text = format_value(value, 10_000)
        except FeelBudgetExceeded:
            return f"a {'list' if isinstance(value, list) else 'context'} too large to show"
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."
