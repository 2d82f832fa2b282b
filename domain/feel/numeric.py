"""FEEL numbers: 34 significant digits, half-even (DMN 1.5 §10.3.2.3.1, IEEE 754-2008 Decimal128).

A number is an `int` (the fast path, below 10**34 in size) or a `Decimal`; both behave the same. bool is no number.
Operations that leave the number range raise `decimal.DecimalException`, which callers turn into null.
"""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)

Number = int | Decimal

LIMIT = 10**34
MIN_SCALE, MAX_SCALE = -6111, 6176
CONTEXT = Context(
    prec=34, rounding=ROUND_HALF_EVEN, Emin=-6143, Emax=6144, traps=[InvalidOperation, DivisionByZero, Overflow]
)
_WIDE = Context(prec=13_000, Emin=-20_000, Emax=20_000, traps=[InvalidOperation, DivisionByZero, Overflow])


def is_number(value: object) -> bool:
    """Whether a value is a FEEL number (a bool is not)."""
    kind = value.__class__
    return kind is int or kind is Decimal


def rounded(number: Number) -> Number:
    """A number cut to 34 significant digits; ints of up to 34 digits come back unchanged."""
    if number.__class__ is int:
        return number if -LIMIT < number < LIMIT else CONTEXT.create_decimal(number)
    return CONTEXT.plus(number)


def parse_number(text: str) -> Number:
    """The number a text of digits, point and exponent denotes; raises decimal.DecimalException out of range."""
    if text.isdecimal() and text.isascii() and len(text) <= 34:
        return int(text)
    return CONTEXT.create_decimal(text)


def from_float(value: float) -> Decimal | None:
    """A float as the decimal it prints as; None for NaN and infinities."""
    number = Decimal(repr(value))
    return number if number.is_finite() else None


def add(left: Number, right: Number) -> Number:
    """left + right."""
    if left.__class__ is int and right.__class__ is int:
        total = left + right
        return total if -LIMIT < total < LIMIT else CONTEXT.create_decimal(total)
    return CONTEXT.add(left, right)


def subtract(left: Number, right: Number) -> Number:
    """left - right."""
    if left.__class__ is int and right.__class__ is int:
        total = left - right
        return total if -LIMIT < total < LIMIT else CONTEXT.create_decimal(total)
    return CONTEXT.subtract(left, right)


def multiply(left: Number, right: Number) -> Number:
    """left * right."""
    if left.__class__ is int and right.__class__ is int:
        total = left * right
        return total if -LIMIT < total < LIMIT else CONTEXT.create_decimal(total)
    return CONTEXT.multiply(left, right)


def divide(left: Number, right: Number) -> Number:
    """left / right; raises DivisionByZero."""
    if left.__class__ is int and right.__class__ is int and right != 0:
        quotient, rest = divmod(left, right)
        if rest == 0:
            return quotient
    return CONTEXT.divide(left, right)


def power(left: Number, right: Number) -> Number:
    """left ** right."""
    if right == 0:
        return 1
    return compact(CONTEXT.power(left, right))


def negate(number: Number) -> Number:
    """-number (never the decimal -0)."""
    return -number if number.__class__ is int else CONTEXT.minus(number)


def floored(number: Number) -> int:
    """The largest integer not above the number."""
    return number if isinstance(number, int) else int(number.to_integral_value(ROUND_FLOOR))


def truncated(number: Number) -> int:
    """The number without its fraction."""
    return number if isinstance(number, int) else int(number.to_integral_value(ROUND_DOWN))


def is_integral(number: Number) -> bool:
    """Whether the number has no fraction."""
    return isinstance(number, int) or number == number.to_integral_value()


def modulo(dividend: Number, divisor: Number) -> Number:
    """dividend - divisor * floor(dividend / divisor); raises DivisionByZero (DMN 1.5 table 75)."""
    if dividend.__class__ is int and divisor.__class__ is int and divisor != 0:
        return dividend % divisor
    rest = _WIDE.remainder(Decimal(dividend), Decimal(divisor))
    if rest and rest.is_signed() != (divisor < 0):
        rest = _WIDE.add(rest, Decimal(divisor))
    return CONTEXT.plus(rest)


def scaled(number: Number, scale: int, rounding: str) -> Number:
    """The number with `scale` digits after the point (negative: before it), rounded as decimal's `rounding` says."""
    if number.__class__ is int and scale >= 0:
        return number
    value = Decimal(number)
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -scale:
        return number
    return compact(CONTEXT.plus(value.quantize(Decimal((0, (1,), -scale)), rounding, _WIDE)))


def floor_to(number: Number, scale: int) -> Number:
    """floor() with a scale."""
    return scaled(number, scale, ROUND_FLOOR)


def ceiling_to(number: Number, scale: int) -> Number:
    """ceiling() with a scale."""
    return scaled(number, scale, ROUND_CEILING)


def compact(number: Decimal) -> Number:
    """An int where the decimal is a whole number of modest size, else the decimal: keeps the fast path fast."""
    if number.adjusted() < 34 and number == number.to_integral_value():
        return int(number)
    return number


def format_number(number: Number) -> str:
    """The number as FEEL writes it: no exponent, no trailing zeros."""
    if number.__class__ is int:
        return str(number)
    if number == 0:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
