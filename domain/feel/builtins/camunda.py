"""Functions that Camunda's FEEL adds to DMN's (last day of month, date and time(date, timezone) stand with their kin).

What is random or unique comes from sources handed in with the EvaluationContext; without one there is null.
"""

from __future__ import annotations

import base64
import decimal
import json
from decimal import Decimal
from typing import Any

import msgspec

from domain.feel import regex
from domain.feel.builtins.lists import Seen, distinct
from domain.feel.builtins.numbers import scale_of
from domain.feel.builtins.registry import Null, builtin
from domain.feel.builtins.strings import string_join
from domain.feel.context import EvaluationContext
from domain.feel.errors import FeelAssertion
from domain.feel.formatting import to_json
from domain.feel.native import native
from domain.feel.numeric import Number, from_float, scaled, truncated
from domain.feel.regex import RegexError


@builtin("is defined(value: any?)")
def is_defined(_context: EvaluationContext, value: Any) -> bool:
    """Whether the value is not null."""
    return value is not None


@builtin("get or else(value: any?, default: any?)")
def get_or_else(_context: EvaluationContext, value: Any, default: Any) -> Any:
    """The value, or the default where it is null."""
    return default if value is None else value


@builtin("assert(value: any?, condition: any?, cause?: string?)")
def assert_(_context: EvaluationContext, value: Any, condition: Any, cause: str | None = None) -> Any:
    """The value where the condition is true; else the whole evaluation fails (EvaluationContext.failure)."""
    if condition is True:
        return value
    raise FeelAssertion(cause or "the condition of assert() is not fulfilled")


@builtin("trim(string: string)")
def trim(_context: EvaluationContext, string: str) -> str:
    """Without white space at both ends."""
    return string.strip()


@builtin("is blank(string: string)")
def is_blank(_context: EvaluationContext, string: str) -> bool:
    """Whether it is empty or white space only."""
    return not string.strip()


@builtin("extract(string: string, pattern: string)")
def extract(context: EvaluationContext, string: str, pattern: str) -> list[str]:
    """All matches of a regular expression."""
    try:
        found = regex.find_all(string, pattern)
    except RegexError as error:
        raise Null(str(error)) from None
    context.check_size(len(found))
    return found


@builtin("to base64(value: string)")
def to_base64(context: EvaluationContext, value: str) -> str:
    """The UTF-8 bytes in Base64."""
    context.check_size(len(value) * 2)
    return base64.b64encode(value.encode("utf-8", "replace")).decode("ascii")


@builtin("uuid()")
def uuid(context: EvaluationContext) -> str:
    """A new UUID, from the source handed in."""
    if context.uuid is None:
        raise Null("this evaluation has no source of UUIDs")
    return context.uuid()


@builtin("random number()")
def random_number(context: EvaluationContext) -> Number:
    """A number from 0 to below 1, from the source handed in."""
    number = from_float(context.random()) if context.random is not None else None
    if number is None:
        raise Null("this evaluation has no source of random numbers")
    return number


_MODES = {
    "UP": decimal.ROUND_UP, "DOWN": decimal.ROUND_DOWN, "CEILING": decimal.ROUND_CEILING,
    "FLOOR": decimal.ROUND_FLOOR, "HALF_UP": decimal.ROUND_HALF_UP, "HALF_DOWN": decimal.ROUND_HALF_DOWN,
    "HALF_EVEN": decimal.ROUND_HALF_EVEN,
}  # fmt: skip


@builtin("decimal(n: number, scale: number, mode: string)")
def decimal_with_mode(_context: EvaluationContext, n: Number, scale: Number, mode: str) -> Number:
    """Rounded to a scale in a named mode, such as "half_up"."""
    rounding = _MODES.get(mode.upper())
    if rounding is None:
        raise Null(f"'mode' must be one of {', '.join(_MODES)}, but is '{mode[:40]}'")
    return scaled(n, scale_of(scale), rounding)


@builtin("string join(list: list, delimiter: string?, prefix: string?, suffix: string?)")
def string_join_between(
    context: EvaluationContext, strings: list[object], delimiter: str | None, prefix: str | None, suffix: str | None
) -> str:
    """The strings of a list, with something before and after."""
    return (prefix or "") + str(string_join(context, strings, delimiter)) + (suffix or "")


@builtin("duplicate values(list: list)")
def duplicate_values(context: EvaluationContext, values: list[Any]) -> list[Any]:
    """The values that are there more than once, each once, in the order of their first place."""
    context.step(len(values))
    seen, repeated = Seen(context), Seen(context)
    for value in values:
        if not seen.add(value):
            repeated.add(value)
    return [value for value in distinct(context, values) if not repeated.add(value)]


@builtin("is empty(list: list)")
def is_empty(_context: EvaluationContext, values: list[Any]) -> bool:
    """Whether there is no element."""
    return not values


@builtin("partition(list: list, size: number)")
def partition(context: EvaluationContext, values: list[Any], size: Number) -> list[list[Any]]:
    """Lists of so many elements each, the last perhaps shorter."""
    step = truncated(size)
    if step < 1:
        raise Null(f"'size' must be at least 1, but is {step}")
    context.step(len(values))
    return [values[start : start + step] for start in range(0, len(values), step)]


@builtin("from json(value: string)")
def from_json(context: EvaluationContext, text: str) -> Any:
    """The value that a JSON text holds."""
    context.step(len(text) // 8)
    try:
        return native(json.loads(text, parse_float=Decimal, parse_constant=_no_constant))
    except (ValueError, RecursionError, decimal.DecimalException):
        raise Null("the text is no JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)


_ENCODER = msgspec.json.Encoder(decimal_format="number")


@builtin("to json(value: any?)")
def to_json_(context: EvaluationContext, value: Any) -> str:
    """The value as a JSON text."""
    text = _ENCODER.encode(to_json(value)).decode("utf-8")
    context.check_size(len(text))
    return text


@builtin(
    "fromAi(value: any?, description?: string?, type?: string?, schema?: context?, options?: context?)",
)
def from_ai(_context: EvaluationContext, value: Any, *_tags: Any) -> Any:
    """The value itself: the call only marks it for integrations."""
    return value
