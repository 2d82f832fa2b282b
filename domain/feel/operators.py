"""What FEEL's operators mean on any two values (DMN 1.5 §10.3.2.13 and tables 50 to 56).

Comparisons answer True, False or None (not comparable); arithmetic answers UNDEFINED where the operands do not fit,
so that the caller can say which ones. Nothing here raises but FeelBudgetExceeded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from domain.feel import numeric, temporal
from domain.feel.context import EvaluationContext
from domain.feel.errors import FeelBudgetExceeded
from domain.feel.numeric import is_number
from domain.feel.values import (
    DAY_NANOS,
    NANOS,
    Date,
    DateTime,
    DaysTimeDuration,
    Function,
    Range,
    Time,
    YearsMonthsDuration,
)

UNDEFINED: Final = object()
MAX_STRING = 1_000_000

_KINDS: dict[type, str] = {
    type(None): "null", bool: "boolean", int: "number", Decimal: "number", str: "string", list: "list",
    dict: "context", Date: "date", Time: "time", DateTime: "date and time",
    DaysTimeDuration: "days and time duration", YearsMonthsDuration: "years and months duration",
    Range: "range", Function: "function",
}  # fmt: skip


def kind_of(value: object) -> str:
    """The FEEL name of a value's type."""
    return _KINDS.get(value.__class__, value.__class__.__name__)


def equal(left: Any, right: Any, context: EvaluationContext | None = None) -> bool | None:
    """left = right; None where the types differ (null equals only null)."""
    if left is None or right is None:
        return left is right
    kind = left.__class__
    if kind is int or kind is Decimal:
        return bool(left == right) if is_number(right) else None
    if right.__class__ is not kind:
        return None
    if kind is list:
        return _equal_lists(left, right, context)
    if kind is dict:
        return _equal_contexts(left, right, context)
    if kind is Time:
        return _equal_times(left, right)
    if kind is DateTime:
        if left.time.local != right.time.local:
            return False
        return temporal.instant_nanos(left) == temporal.instant_nanos(right)
    if kind is Range:
        return _equal_ranges(left, right, context)
    if kind is Function:
        return True if left is right else None
    return bool(left == right)


def _equal_lists(left: list[Any], right: list[Any], context: EvaluationContext | None) -> bool | None:
    if len(left) != len(right):
        return False
    if context is not None:
        context.step(len(left))
    return _all(equal(one, other, context) for one, other in zip(left, right, strict=True))


def _equal_contexts(left: dict[str, Any], right: dict[str, Any], context: EvaluationContext | None) -> bool | None:
    if left.keys() != right.keys():
        return False
    if context is not None:
        context.step(len(left))
    return _all(equal(value, right[key], context) for key, value in left.items())


def _all(results: Any) -> bool | None:
    unknown = False
    for result in results:
        if result is False:
            return False
        unknown = unknown or result is None
    return None if unknown else True


def _equal_times(left: Time, right: Time) -> bool:
    if left.local or right.local:
        return left == right
    if left.zone is not None and left.zone == right.zone:
        return left.nanos == right.nanos
    return _utc_nanos(left) == _utc_nanos(right)


def _utc_nanos(time: Time) -> int:
    return time.nanos - (temporal.time_offset(time) or 0) * NANOS


def _equal_ranges(left: Range, right: Range, context: EvaluationContext | None) -> bool | None:
    if (left.low_included, left.high_included, left.operator) != (
        right.low_included,
        right.high_included,
        right.operator,
    ):
        return False
    return _all((equal(left.low, right.low, context), equal(left.high, right.high, context)))


def order(left: Any, right: Any) -> int | None:
    """-1, 0 or 1 as left is less than, the same as or greater than right; None where they have no order."""
    kind = left.__class__
    if kind is int or kind is Decimal:
        if not is_number(right):
            return None
    elif right.__class__ is not kind or kind not in _ORDERED:
        return None
    elif kind is Time:
        if left.local != right.local:
            return None
        left, right = (left.nanos, right.nanos) if left.local else (_utc_nanos(left), _utc_nanos(right))
    elif kind is DateTime:
        if left.time.local != right.time.local:
            return None
        left, right = temporal.instant_nanos(left), temporal.instant_nanos(right)
    return int(left > right) - int(left < right)


_ORDERED = frozenset((str, Date, Time, DateTime, DaysTimeDuration, YearsMonthsDuration))


def less(left: Any, right: Any) -> bool | None:
    """left < right."""
    found = order(left, right)
    return None if found is None else found < 0


def less_or_equal(left: Any, right: Any) -> bool | None:
    """left <= right."""
    found = order(left, right)
    return None if found is None else found <= 0


def greater(left: Any, right: Any) -> bool | None:
    """left > right."""
    found = order(left, right)
    return None if found is None else found > 0


def greater_or_equal(left: Any, right: Any) -> bool | None:
    """left >= right."""
    found = order(left, right)
    return None if found is None else found >= 0


def contains(range_: Range, value: object, context: EvaluationContext | None = None) -> bool | None:
    """Whether a range holds a value; None where they cannot be compared."""
    if range_.operator in ("=", "!="):
        same = equal(value, range_.low, context)
        return same if same is None or range_.operator == "=" else not same
    above = below = True
    if range_.low is not None or not range_.operator:
        found = order(value, range_.low)
        if found is None:
            return None
        above = found > 0 or (found == 0 and range_.low_included)
    if range_.high is not None or not range_.operator:
        found = order(value, range_.high)
        if found is None:
            return None
        below = found < 0 or (found == 0 and range_.high_included)
    return above and below


def holds(value: object, test: object, context: EvaluationContext | None = None) -> bool | None:
    """`value in test`: equality, range membership, or for lists any of both."""
    if test.__class__ is Range and value.__class__ is not Range:
        return contains(test, value, context)
    if test.__class__ is list:
        return _holds_any(value, test, context)
    return equal(value, test, context)


def _holds_any(value: object, tests: list[object], context: EvaluationContext | None) -> bool | None:
    if value.__class__ is list and equal(value, tests, context):
        return True
    if context is not None:
        context.step(len(tests))
    for test in tests:
        ranged = test.__class__ is Range and value.__class__ is not Range
        found = contains(test, value, context) if ranged else equal(value, test, context)  # type: ignore[arg-type]
        if found:
            return True
    return False


def _result(value: object) -> object:
    return UNDEFINED if value is None else value


def add(left: Any, right: Any, context: EvaluationContext | None = None) -> object:
    """left + right (table 54)."""
    if is_number(left) and is_number(right):
        return numeric.add(left, right)
    kind, other = left.__class__, right.__class__
    if kind is str and other is str:
        limit = context.max_size if context is not None else MAX_STRING
        if len(left) + len(right) > limit:
            raise FeelBudgetExceeded("size", limit)
        return left + right
    if other is DaysTimeDuration and kind is not DaysTimeDuration:
        return _shift(left, right.nanos)
    if other is YearsMonthsDuration and kind is not YearsMonthsDuration:
        return _shift_months(left, right.months)
    if kind is DaysTimeDuration:
        return _result(temporal.days_time(left.nanos + right.nanos)) if other is kind else _shift(right, left.nanos)
    if kind is YearsMonthsDuration:
        if other is kind:
            return _result(temporal.years_months(left.months + right.months))
        return _shift_months(right, left.months)
    return UNDEFINED


def subtract(left: Any, right: Any) -> object:
    """left - right (table 54)."""
    if is_number(left) and is_number(right):
        return numeric.subtract(left, right)
    kind, other = left.__class__, right.__class__
    if other is DaysTimeDuration:
        if kind is DaysTimeDuration:
            return _result(temporal.days_time(left.nanos - right.nanos))
        return _shift(left, -right.nanos)
    if other is YearsMonthsDuration:
        if kind is YearsMonthsDuration:
            return _result(temporal.years_months(left.months - right.months))
        return _shift_months(left, -right.months)
    if kind is Time and other is Time:
        if left.local != right.local:
            return UNDEFINED
        nanos = left.nanos - right.nanos if left.local else _utc_nanos(left) - _utc_nanos(right)
        return DaysTimeDuration(nanos)
    if kind in (Date, DateTime) and other in (Date, DateTime):
        return _elapsed(left, right)
    return UNDEFINED


def _elapsed(left: Date | DateTime, right: Date | DateTime) -> object:
    """Time from right to left. A date counts as its midnight, in UTC where the other has an offset or zone."""
    mixed = left.__class__ is not right.__class__
    first = _as_date_time(left, right if mixed else None)
    second = _as_date_time(right, left if mixed else None)
    if first.time.local != second.time.local:
        return UNDEFINED
    return _result(temporal.days_time(temporal.instant_nanos(first) - temporal.instant_nanos(second)))


def _as_date_time(value: Date | DateTime, other: Date | DateTime | None) -> DateTime:
    if isinstance(value, DateTime):
        return value
    zoned = isinstance(other, DateTime) and not other.time.local
    return DateTime(value, Time(0, 0 if zoned else None))


def _shift(value: Any, nanos: int) -> object:
    kind = value.__class__
    if kind is DateTime:
        return _result(temporal.add_nanos(value, nanos))
    if kind is Date:
        return _result(temporal.date_of_days((value.days() * DAY_NANOS + nanos) // DAY_NANOS))
    if kind is Time:
        return Time((value.nanos + nanos) % DAY_NANOS, value.offset, value.zone)
    return UNDEFINED


def _shift_months(value: Any, months: int) -> object:
    if value.__class__ is Date:
        return _result(temporal.add_months(value, months))
    if value.__class__ is DateTime:
        date = temporal.add_months(value.date, months)
        return DateTime(date, value.time) if date is not None else UNDEFINED
    return UNDEFINED


def multiply(left: Any, right: Any) -> object:
    """left * right (table 55)."""
    if is_number(left):
        if is_number(right):
            return numeric.multiply(left, right)
        left, right = right, left
    if not is_number(right):
        return UNDEFINED
    if left.__class__ is DaysTimeDuration:
        return _result(temporal.days_time(numeric.truncated(numeric.multiply(left.nanos, right))))
    if left.__class__ is YearsMonthsDuration:
        return _result(temporal.years_months(numeric.truncated(numeric.multiply(left.months, right))))
    return UNDEFINED


def divide(left: Any, right: Any) -> object:
    """left / right (table 55); UNDEFINED also for a division by zero."""
    if is_number(right):
        if right == 0:
            return UNDEFINED
        if is_number(left):
            return numeric.divide(left, right)
        if left.__class__ is DaysTimeDuration:
            return _result(temporal.days_time(numeric.truncated(numeric.divide(left.nanos, right))))
        if left.__class__ is YearsMonthsDuration:
            return _result(temporal.years_months(numeric.truncated(numeric.divide(left.months, right))))
        return UNDEFINED
    if left.__class__ is not right.__class__:
        return UNDEFINED
    if left.__class__ is DaysTimeDuration and right.nanos:
        return numeric.divide(left.nanos, right.nanos)
    if left.__class__ is YearsMonthsDuration and right.months:
        return numeric.divide(left.months, right.months)
    return UNDEFINED


def power(left: Any, right: Any) -> object:
    """left ** right, numbers only."""
    return numeric.power(left, right) if is_number(left) and is_number(right) else UNDEFINED


def negate(value: Any) -> object:
    """-value, of numbers and durations."""
    if is_number(value):
        return numeric.negate(value)
    if value.__class__ is DaysTimeDuration:
        return DaysTimeDuration(-value.nanos)
    if value.__class__ is YearsMonthsDuration:
        return YearsMonthsDuration(-value.months)
    return UNDEFINED
