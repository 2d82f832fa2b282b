"""Values as text: FEEL literals (what string() gives) and JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.feel import temporal
from domain.feel.errors import FeelBudgetExceeded
from domain.feel.lexer import KEYWORDS, WORD
from domain.feel.native import native
from domain.feel.numeric import format_number, is_number
from domain.feel.values import Date, DateTime, DaysTimeDuration, Function, Range, Time, YearsMonthsDuration

MAX_PARTS = 1_000_000

_TEMPORAL: dict[type, Callable[[Any], str]] = {
    Date: temporal.format_date,
    Time: temporal.format_time,
    DateTime: temporal.format_date_time,
    DaysTimeDuration: temporal.format_duration,
    YearsMonthsDuration: temporal.format_duration,
}


def temporal_text(value: object) -> str | None:
    """The ISO text of a calendar value or duration, None for other values."""
    writer = _TEMPORAL.get(value.__class__)
    return writer(value) if writer is not None else None


def quote(text: str) -> str:
    """A string as a FEEL literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def format_value(value: object, max_size: int = MAX_PARTS) -> str:
    """A value as string() writes it: strings bare, numbers without exponent, lists and contexts as FEEL literals.

    Raises FeelBudgetExceeded when the text would be longer than `max_size` characters.
    """
    if value.__class__ is str:
        return str(value)
    parts: list[str] = []
    _write(native(value), parts, [max_size])
    return "".join(parts)


def _put(text: str, parts: list[str], room: list[int]) -> None:
    room[0] -= len(text)
    if room[0] < 0:
        raise FeelBudgetExceeded("size", MAX_PARTS, "the text of a value is too long")
    parts.append(text)


def _write(value: Any, parts: list[str], room: list[int]) -> None:
    if value.__class__ is str:
        _put(quote(value), parts, room)
    elif isinstance(value, list):
        _put("[", parts, room)
        for index, item in enumerate(value):
            _put(", " if index else "", parts, room)
            _write(item, parts, room)
        _put("]", parts, room)
    elif isinstance(value, dict):
        _put("{", parts, room)
        for index, (key, item) in enumerate(value.items()):
            _put((", " if index else "") + _key(key) + ": ", parts, room)
            _write(item, parts, room)
        _put("}", parts, room)
    elif isinstance(value, Range):
        _write_range(value, parts, room)
    else:
        _put(_scalar(value), parts, room)


def _key(key: str) -> str:
    return key if WORD.fullmatch(key) and key not in KEYWORDS else quote(key)


def _write_range(value: Range, parts: list[str], room: list[int]) -> None:
    if value.operator:
        end = value.high if value.operator in ("<", "<=") else value.low
        _put(value.operator, parts, room)
        _write_end(end, parts, room)
        return
    _put("[" if value.low_included else "(", parts, room)
    _write_end(value.low, parts, room)
    _put("..", parts, room)
    _write_end(value.high, parts, room)
    _put("]" if value.high_included else ")", parts, room)


def _write_end(value: object, parts: list[str], room: list[int]) -> None:
    text = temporal_text(value)
    if text is not None:
        _put(f'@"{text}"', parts, room)
    else:
        _write(value, parts, room)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if value.__class__ is bool:
        return "true" if value else "false"
    if is_number(value):
        return format_number(value)
    if isinstance(value, Function):
        return f"function({', '.join(value.parameters)})"
    return temporal_text(value) or "null"


def to_json(value: object) -> object:
    """A value as JSON knows it: None, bool, int, Decimal, str, list, dict.

    Calendar values become ISO texts, ranges and functions FEEL text. Raises FeelBudgetExceeded for values with more
    than a million parts (an expression can build such from shared pieces).
    """
    return _json(native(value), [MAX_PARTS])


def _json(value: Any, room: list[int]) -> object:
    room[0] -= 1
    if room[0] < 0:
        raise FeelBudgetExceeded("size", MAX_PARTS, "the value has too many parts to be written as JSON")
    if isinstance(value, list):
        return [_json(item, room) for item in value]
    if isinstance(value, dict):
        return {key: _json(item, room) for key, item in value.items()}
    if isinstance(value, Range | Function):
        return format_value(value)
    if isinstance(value, DateTime) and value.time.zone is not None:
        return _zoned(value)
    text = temporal_text(value)
    return value if text is None else text


def _zoned(value: DateTime) -> str:
    """A date and time of a zone as Camunda writes it to JSON: with the offset too, 2025-11-24T10:00:00+01:00[...]."""
    offset = temporal.offset_at(value.date, value.time) or 0
    local = DateTime(value.date, Time(value.time.nanos, offset))
    return f"{temporal.format_date_time(local)}[{value.time.zone}]"
