"""Condition cells that are constants, comparisons and intervals, understood as sets on an ordered line.

Two things build on it: tables find the matching rules of a column by bisection, and the table check finds overlaps and
gaps. Cells that are more than that (expressions, variables, null) are not understood here and are evaluated by FEEL.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from domain.feel import FeelSyntaxError, compile_expression
from domain.feel.values import Date, DaysTimeDuration, YearsMonthsDuration

Key = Any
"""Something ordered: a number, a string, False < True, days since 1970, nanoseconds or months."""

_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?(?:\d+(?:\.\d+)?|\.\d+)(?!\w|\.(?!\.))"
_LITERAL = rf"{_NUMBER}|{_STRING}|true\b|false\b|@{_STRING}|(?:date|duration)\s*\(\s*{_STRING}\s*\)"
_TEST = re.compile(
    rf"\s*(?:(?P<operator><=|>=|<|>|!=|=)?\s*(?P<single>{_LITERAL})"
    rf"|(?P<open>[\[\](])\s*(?P<low>{_LITERAL})\s*\.\.\s*(?P<high>{_LITERAL})\s*(?P<close>[\])\[]))\s*(?P<end>,|$)",
    re.ASCII,
)
_NEGATED = re.compile(r"\s*not\s*\((.*)\)\s*", re.DOTALL)
_CONSTANT = re.compile(rf"\s*(?:{_LITERAL}|null)\s*", re.ASCII)

_KINDS: Final[dict[type, tuple[str, Callable[[Any], Key]]]] = {
    int: ("number", lambda value: value),
    Decimal: ("number", lambda value: value),
    str: ("string", lambda value: value),
    bool: ("boolean", lambda value: value),
    Date: ("date", lambda value: value.days()),
    DaysTimeDuration: ("days and time duration", lambda value: value.nanos),
    YearsMonthsDuration: ("years and months duration", lambda value: value.months),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Values between two keys; an end that is None is open to infinity. `text` shows the ends as written."""

    low: Key
    low_included: bool
    high: Key
    high_included: bool
    text: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Cell:
    """A condition as a set: everything (`kind` ""), or disjoint ascending spans of values of one kind."""

    kind: str
    spans: tuple[Span, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether the cell does not look at the value (`-`)."""
        return not self.kind


ANYTHING: Final = Cell("")


def is_dash(text: str) -> bool:
    """Whether a condition cell is irrelevant: `-` or empty."""
    return text.strip() in ("", "-")


def constant(text: str) -> tuple[bool, object]:
    """(True, value) where a text is a single literal, (False, None) where it is more than that."""
    if not _CONSTANT.fullmatch(text):
        return False, None
    try:
        value = compile_expression(text.strip()).evaluate({})
    except FeelSyntaxError:
        return False, None
    return value is not None or text.strip() == "null", value


def split_tests(text: str) -> list[str]:
    """The unary tests of a text, one by one: cut at the commas that stand outside of strings and brackets."""
    parts: list[str] = []
    depth = begin = 0
    quoted = escaped = False
    for position, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = not escaped and character == "\\"
        elif character == '"':
            quoted = True
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[begin:position])
            begin = position + 1
    parts.append(text[begin:])
    return [part.strip() for part in parts if part.strip()]


def understand(text: str) -> Cell | None:
    """The set a condition cell stands for, None where it is more than constants, comparisons and intervals."""
    if is_dash(text):
        return ANYTHING
    negated = _NEGATED.fullmatch(text)
    if negated is not None:
        inner = _tests(negated[1])
        return Cell(inner.kind, complement(inner.spans)) if inner is not None else None
    return _tests(text)


def kind_of(value: object) -> tuple[str, Key] | None:
    """(kind, key) of a value that lies on an ordered line, None for others."""
    found = _KINDS.get(value.__class__)
    return (found[0], found[1](value)) if found is not None else None


def _tests(text: str) -> Cell | None:
    spans: list[Span] = []
    kinds: set[str] = set()
    position = 0
    while True:
        match = _TEST.match(text, position)
        if match is None:
            return None
        found = _single(match) if match["single"] else _interval(match)
        if found is None:
            return None
        kinds.add(found[0])
        spans.extend(found[1])
        if match["end"] == "":
            return Cell(kinds.pop(), merged(spans)) if len(kinds) == 1 else None
        position = match.end()


def _literal(text: str) -> tuple[str, Key] | None:
    known, value = constant(text)
    return kind_of(value) if known else None


def _single(match: re.Match[str]) -> tuple[str, tuple[Span, ...]] | None:
    text = match["single"]
    found = _literal(text)
    if found is None:
        return None
    kind, key = found
    point = Span(key, True, key, True, (text, text))
    operator = match["operator"] or "="
    if operator == "=":
        return kind, (point,)
    if operator == "!=":
        return kind, complement((point,))
    if kind == "boolean":
        return None
    if operator[0] == "<":
        return kind, (Span(None, False, key, operator == "<=", ("", text)),)
    return kind, (Span(key, operator == ">=", None, False, (text, "")),)


def _interval(match: re.Match[str]) -> tuple[str, tuple[Span, ...]] | None:
    low, high = _literal(match["low"]), _literal(match["high"])
    if low is None or high is None or low[0] != high[0] or low[0] == "boolean":
        return None
    low_included, high_included = match["open"] == "[", match["close"] == "]"
    if low[1] > high[1] or (low[1] == high[1] and not (low_included and high_included)):
        return low[0], ()
    return low[0], (Span(low[1], low_included, high[1], high_included, (match["low"], match["high"])),)


def complement(spans: Sequence[Span]) -> tuple[Span, ...]:
    """Everything on the line that disjoint ascending spans leave out."""
    found: list[Span] = []
    low, included, text = None, False, ""
    for span in spans:
        starts_at_infinity = span.low is None
        if not starts_at_infinity and (low is None or low < span.low or (included and not span.low_included)):
            found.append(Span(low, included, span.low, not span.low_included, (text, span.text[0])))
        if span.high is None:
            return tuple(found)
        low, included, text = span.high, not span.high_included, span.text[1]
    found.append(Span(low, included, None, False, (text, "")))
    return tuple(found)


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same set as disjoint ascending spans."""
    ordered = sorted(spans, key=_start)
    found: list[Span] = []
    for span in ordered:
        if found and _touches(found[-1], span):
            found[-1] = _joined(found[-1], span)
        else:
            found.append(span)
    return tuple(found)


class _Lowest:
    def __lt__(self, other: object) -> bool:
        return other is not self

    def __gt__(self, other: object) -> bool:
        return False


_LOWEST: Final = _Lowest()


def _start(span: Span) -> tuple[Key, int]:
    return (_LOWEST if span.low is None else span.low, 0 if span.low_included else 1)


def _touches(left: Span, right: Span) -> bool:
    if left.high is None or right.low is None:
        return True
    if left.high == right.low:
        return left.high_included or right.low_included
    return bool(right.low < left.high)


def _joined(left: Span, right: Span) -> Span:
    if left.high is None or (
        right.high is not None
        and (right.high < left.high or (right.high == left.high and (left.high_included or not right.high_included)))
    ):
        return left
    return Span(left.low, left.low_included, right.high, right.high_included, (left.text[0], right.text[1]))


@dataclass(frozen=True, slots=True)
class Line:
    """Bit masks of the rows that match, for every stretch of an ordered line: below, at and between the bounds."""

    bounds: list[Key]
    masks: list[int]
    points: dict[Key, int] | None

    def rows(self, key: Key) -> int:
        """The rows whose cell holds the key."""
        if self.points is not None:
            return self.points.get(key, self.masks[0])
        bounds = self.bounds
        index = bisect_left(bounds, key)
        if index < len(bounds) and bounds[index] == key:
            return self.masks[2 * index + 1]
        return self.masks[2 * index]


def line_of_cells(cells: Sequence[Cell | None], kind: str) -> Line:
    """The line of one kind over a column's cells; rows that are not understood or irrelevant count as matching."""
    always = sum(1 << row for row, cell in enumerate(cells) if cell is None or cell.is_any)
    ranged = [(1 << row, cell.spans) for row, cell in enumerate(cells) if cell is not None and cell.kind == kind]
    ends = {end for _, spans in ranged for span in spans for end in (span.low, span.high) if end is not None}
    bounds = sorted(ends)
    position = {bound: 2 * index + 1 for index, bound in enumerate(bounds)}
    changes = [0] * (2 * len(bounds) + 2)
    for bit, spans in ranged:
        for span in spans:
            first = 0 if span.low is None else position[span.low] + (not span.low_included)
            last = 2 * len(bounds) if span.high is None else position[span.high] - (not span.high_included)
            changes[first] ^= bit
            changes[last + 1] ^= bit
    masks: list[int] = []
    mask = always
    for change in changes[:-1]:
        mask ^= change
        masks.append(mask)
    outside = masks[0]
    pointed = all(between == outside for between in masks[::2])
    points = {bound: masks[2 * index + 1] for index, bound in enumerate(bounds)} if pointed else None
    return Line(bounds, masks, points)


def classes_of(kind: str) -> tuple[type, ...]:
    """The Python classes of the values of a kind."""
    return tuple(each for each, (name, _) in _KINDS.items() if name == kind)


def key_of(kind: str) -> Callable[[Any], Key] | None:
    """What turns a value of a kind into its key; None where the value is its own key."""
    if kind in ("number", "string", "boolean"):
        return None
    return next(key for name, key in _KINDS.values() if name == kind)
