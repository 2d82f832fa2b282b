"""Numeric functions (DMN 1.5 table 75) and not()."""

from __future__ import annotations

import decimal
from typing import Any

from domain.feel.builtins.registry import Null, builtin
from domain.feel.context import EvaluationContext
from domain.feel.numeric import (
    CONTEXT,
    MAX_SCALE,
    MIN_SCALE,
    Number,
    ceiling_to,
    compact,
    floor_to,
    is_number,
    modulo,
    negate,
    scaled,
    truncated,
)
from domain.feel.operators import kind_of
from domain.feel.operators import negate as negate_any
from domain.feel.values import DaysTimeDuration


@builtin("not(negand: any?)")
def not_(_context: EvaluationContext, negand: Any) -> bool:
    """The other truth value."""
    if negand.__class__ is not bool:
        raise Null(f"'negand' must be a boolean, but is {kind_of(negand)}")
    return not negand


def scale_of(scale: Number) -> int:
    """A scale argument as int; outside of what the number type holds there is no result."""
    digits = truncated(scale)
    if not MIN_SCALE <= digits <= MAX_SCALE:
        raise Null(f"'scale' must lie between {MIN_SCALE} and {MAX_SCALE}, but is {digits}")
    return digits


@builtin("decimal(n: number, scale: number)")
def decimal_(_context: EvaluationContext, n: Number, scale: Number) -> Number:
    """Rounded half-even to a scale."""
    return scaled(n, scale_of(scale), decimal.ROUND_HALF_EVEN)


@builtin("floor(n: number, scale?: number)")
def floor(_context: EvaluationContext, n: Number, scale: Number = 0) -> Number:
    """The greatest number of that scale not above n."""
    return floor_to(n, scale_of(scale))


@builtin("ceiling(n: number, scale?: number)")
def ceiling(_context: EvaluationContext, n: Number, scale: Number = 0) -> Number:
    """The least number of that scale not below n."""
    return ceiling_to(n, scale_of(scale))


def _rounding(name: str, mode: str) -> None:
    @builtin(f"{name}(n: number, scale?: number)")
    def round_(_context: EvaluationContext, n: Number, scale: Number = 0) -> Number:
        return scaled(n, scale_of(scale), mode)


_rounding("round up", decimal.ROUND_UP)
_rounding("round down", decimal.ROUND_DOWN)
_rounding("round half up", decimal.ROUND_HALF_UP)
_rounding("round half down", decimal.ROUND_HALF_DOWN)


@builtin("abs(n: value)")
def abs_(_context: EvaluationContext, n: Any) -> Any:
    """The size of a number or duration."""
    if is_number(n):
        return n if n >= 0 else negate(n)
    zero: Any = DaysTimeDuration(0) if n.__class__ is DaysTimeDuration else n.__class__(0) if _is_duration(n) else None
    if zero is None:
        raise Null(f"'n' must be a number or duration, but is a {kind_of(n)}")
    return n if n >= zero else negate_any(n)


def _is_duration(value: object) -> bool:
    return kind_of(value).endswith("duration")


@builtin("modulo(dividend: number, divisor: number)")
def modulo_(_context: EvaluationContext, dividend: Number, divisor: Number) -> Number:
    """The remainder with the divisor's sign."""
    if divisor == 0:
        raise Null("division by zero")
    return modulo(dividend, divisor)


@builtin("sqrt(number: number)")
def sqrt(_context: EvaluationContext, number: Number) -> Number:
    """The square root."""
    if number < 0:
        raise Null("a negative number has no square root")
    return compact(CONTEXT.sqrt(number))


@builtin("log(number: number)")
def log(_context: EvaluationContext, number: Number) -> Number:
    """The natural logarithm."""
    if number <= 0:
        raise Null("only positive numbers have a logarithm")
    return compact(CONTEXT.ln(number))


@builtin("exp(number: number)")
def exp(_context: EvaluationContext, number: Number) -> Number:
    """e to that power."""
    return compact(CONTEXT.exp(number))


@builtin("odd(number: number)")
def odd(_context: EvaluationContext, number: Number) -> bool:
    """Whether it is a whole odd number."""
    return modulo(number, 2) == 1


@builtin("even(number: number)")
def even(_context: EvaluationContext, number: Number) -> bool:
    """Whether it is a whole even number."""
    return modulo(number, 2) == 0
