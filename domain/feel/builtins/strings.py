"""String functions (DMN 1.5 table 74)."""

from __future__ import annotations

from domain.feel import regex
from domain.feel.builtins.registry import Null, builtin
from domain.feel.context import EvaluationContext
from domain.feel.numeric import Number, truncated
from domain.feel.operators import kind_of
from domain.feel.regex import RegexError


@builtin("substring(string: string, start position: number, length?: number)")
def substring(_context: EvaluationContext, string: str, start: Number, length: Number | None = None) -> str:
    """Characters from a 1-based position, negative from the end."""
    position = truncated(start)
    if position == 0:
        raise Null("'start position' counts from 1, or from -1 backwards; it is 0")
    begin = position - 1 if position > 0 else max(len(string) + position, 0)
    if length is None:
        return string[begin:]
    size = truncated(length)
    if size < 1:
        raise Null(f"'length' must be at least 1, but is {size}")
    return string[begin : begin + size]


@builtin("string length(string: string)")
def string_length(_context: EvaluationContext, string: str) -> int:
    """The number of characters (code points)."""
    return len(string)


@builtin("upper case(string: string)")
def upper_case(_context: EvaluationContext, string: str) -> str:
    """In capitals."""
    return string.upper()


@builtin("lower case(string: string)")
def lower_case(_context: EvaluationContext, string: str) -> str:
    """In small letters."""
    return string.lower()


@builtin("substring before(string: string, match: string)")
def substring_before(_context: EvaluationContext, string: str, match: str) -> str:
    """What stands before the first match, "" where there is none."""
    before, found, _ = string.partition(match) if match else ("", "", "")
    return before if found else ""


@builtin("substring after(string: string, match: string)")
def substring_after(_context: EvaluationContext, string: str, match: str) -> str:
    """What stands after the first match, "" where there is none."""
    return string.partition(match)[2] if match else string


@builtin("contains(string: string, match: string)")
def contains(_context: EvaluationContext, string: str, match: str) -> bool:
    """Whether match is part of string."""
    return match in string


@builtin("starts with(string: string, match: string)")
def starts_with(_context: EvaluationContext, string: str, match: str) -> bool:
    """Whether string begins with match."""
    return string.startswith(match)


@builtin("ends with(string: string, match: string)")
def ends_with(_context: EvaluationContext, string: str, match: str) -> bool:
    """Whether string ends with match."""
    return string.endswith(match)


@builtin("matches(input: string, pattern: string, flags?: string?)")
def matches(_context: EvaluationContext, input_: str, pattern: str, flags: str | None = None) -> bool:
    """Whether a part of the input matches the regular expression (XPath fn:matches)."""
    try:
        return regex.matches(input_, pattern, flags or "")
    except RegexError as error:
        raise Null(str(error)) from None


@builtin("replace(input: string, pattern: string, replacement: string, flags?: string?)")
def replace(context: EvaluationContext, input_: str, pattern: str, new: str, flags: str | None = None) -> str:
    """Every match replaced, $1 standing for the first group (XPath fn:replace)."""
    try:
        return regex.replace(input_, pattern, new, flags or "", context.check_size)
    except RegexError as error:
        raise Null(str(error)) from None


@builtin("split(string: string, delimiter: string)")
def split(context: EvaluationContext, string: str, delimiter: str) -> list[str]:
    """The parts between the matches of a regular expression."""
    try:
        parts = regex.split(string, delimiter)
    except RegexError as error:
        raise Null(str(error)) from None
    context.check_size(len(parts))
    return parts


@builtin("string join(list: list, delimiter?: string?)")
def string_join(context: EvaluationContext, strings: list[object], delimiter: str | None = None) -> str:
    """The strings of a list one after the other, nulls left out."""
    parts: list[str] = []
    for part in strings:
        if part.__class__ is str:
            parts.append(part)
        elif part is not None:
            raise Null(f"'list' must hold strings, but has a {kind_of(part)}")
    between = delimiter or ""
    context.step(len(parts))
    context.check_size(sum(map(len, parts)) + len(between) * len(parts))
    return between.join(parts)
