"""Range functions (DMN 1.5 table 78) and range()."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.feel import ast, temporal
from domain.feel.builtins.registry import BUILTINS, Null, builtin
from domain.feel.context import EvaluationContext
from domain.feel.errors import FeelSyntaxError
from domain.feel.numeric import is_number, negate
from domain.feel.operators import contains, kind_of, order
from domain.feel.parser import parse
from domain.feel.values import Range

Test = Callable[[Any, Any], bool]


def compare(left: Any, right: Any) -> int:
    """-1, 0, 1; Null where two values have no order."""
    found = order(left, right)
    if found is None:
        raise Null(f"a {kind_of(left)} and a {kind_of(right)} have no order")
    return found


def _meeting(value1: Range, value2: Range) -> bool:
    return value1.high_included and value2.low_included and compare(value1.high, value2.low) == 0


def _ends_before(value1: Any, value2: Any) -> bool:
    """Whether value1 (a point or range) lies wholly before value2."""
    end, end_in = (value1.high, value1.high_included) if value1.__class__ is Range else (value1, True)
    start, start_in = (value2.low, value2.low_included) if value2.__class__ is Range else (value2, True)
    found = compare(end, start)
    return found < 0 or (found == 0 and not (end_in and start_in))


def _starts(value1: Range, value2: Range) -> bool:
    if compare(value1.low, value2.low) != 0 or value1.low_included != value2.low_included:
        return False
    found = compare(value1.high, value2.high)
    return found < 0 or (found == 0 and (not value1.high_included or value2.high_included))


def _finishes(value1: Range, value2: Range) -> bool:
    if compare(value1.high, value2.high) != 0 or value1.high_included != value2.high_included:
        return False
    found = compare(value1.low, value2.low)
    return found > 0 or (found == 0 and (not value1.low_included or value2.low_included))


def _includes(value1: Range, value2: Range) -> bool:
    low, high = compare(value1.low, value2.low), compare(value1.high, value2.high)
    begins = low < 0 or (low == 0 and (value1.low_included or not value2.low_included))
    return begins and (high > 0 or (high == 0 and (value1.high_included or not value2.high_included)))


def _overlaps(value1: Range, value2: Range) -> bool:
    return not _ends_before(value1, value2) and not _ends_before(value2, value1)


def _overlaps_before(value1: Range, value2: Range) -> bool:
    low, high = compare(value1.low, value2.low), compare(value1.high, value2.high)
    begins = low < 0 or (low == 0 and value1.low_included and not value2.low_included)
    ends = high < 0 or (high == 0 and (not value1.high_included or value2.high_included))
    return begins and ends and not _ends_before(value1, value2)


def _coincide(value1: Any, value2: Any) -> bool:
    if value1.__class__ is not Range:
        return compare(value1, value2) == 0
    same_ends = compare(value1.low, value2.low) == 0 and compare(value1.high, value2.high) == 0
    included = (value1.low_included, value1.high_included) == (value2.low_included, value2.high_included)
    return same_ends and included


def _point_in(value1: Range, value2: Any) -> bool:
    found = contains(value1, value2)
    if found is None:
        raise Null(f"a {kind_of(value2)} has no place in this range")
    return found


def _point_starts(value1: Any, value2: Range) -> bool:
    return value2.low_included and compare(value1, value2.low) == 0


def _point_finishes(value1: Any, value2: Range) -> bool:
    return value2.high_included and compare(value1, value2.high) == 0


_POINTS = "point1: value, point2: value"
_POINT_RANGE = "point: value, range: range"
_RANGE_POINT = "range: range, point: value"
_RANGES = "range1: range, range2: range"


def _register(name: str, signature: str, test: Test) -> None:
    @builtin(f"{name}({signature})")
    def check(_context: EvaluationContext, value1: Any, value2: Any) -> bool:
        return test(value1, value2)


def _swapped(test: Test) -> Test:
    return lambda value1, value2: test(value2, value1)


for _signature in (_RANGES, _POINT_RANGE, _RANGE_POINT, _POINTS):
    _register("before", _signature, _ends_before)
    _register("after", _signature, _swapped(_ends_before))
for _name, _test in (
    ("meets", _meeting),
    ("met by", _swapped(_meeting)),
    ("overlaps", _overlaps),
    ("overlaps before", _overlaps_before),
    ("overlaps after", _swapped(_overlaps_before)),
    ("finishes", _finishes),
    ("finished by", _swapped(_finishes)),
    ("includes", _includes),
    ("during", _swapped(_includes)),
    ("starts", _starts),
    ("started by", _swapped(_starts)),
    ("coincides", _coincide),
):
    _register(_name, _RANGES, _test)
_register("finishes", _POINT_RANGE, _point_finishes)
_register("finished by", _RANGE_POINT, _swapped(_point_finishes))
_register("includes", _RANGE_POINT, _point_in)
_register("during", _POINT_RANGE, _swapped(_point_in))
_register("starts", _POINT_RANGE, _point_starts)
_register("started by", _RANGE_POINT, _swapped(_point_starts))
_register("coincides", _POINTS, _coincide)


@builtin("range(from: string)")
def range_(context: EvaluationContext, text: str) -> Range:
    """A range from text such as "[1..10)"; its ends are literals or calls that make dates, times and durations."""
    half_open = _unbounded(text)
    try:
        node = parse(half_open[0]) if half_open is not None else parse(text)
    except FeelSyntaxError:
        raise Null(f"'{text[:40]}' is no range") from None
    if half_open is not None:
        end = _end(context, node)
        operator, included = half_open[1], half_open[1] in ("<=", ">=")
        return (
            Range(False, None, end, included, operator)
            if operator[0] == "<"
            else Range(included, end, None, False, operator)
        )
    if not isinstance(node, ast.Interval):
        raise Null(f"'{text[:40]}' is no range")
    low, high = _end(context, node.low), _end(context, node.high)
    if compare(low, high) > 0:
        raise Null("the range starts behind its end")
    return Range(node.low_included, low, high, node.high_included)


def _unbounded(text: str) -> tuple[str, str] | None:
    """(end, operator) of a range text that leaves one end out: "(..10]" or "[10..)"."""
    inside = text.strip()
    if len(inside) < 5 or inside[0] not in "([]" or inside[-1] not in ")][":
        return None
    low, dots, high = inside[1:-1].partition("..")
    if not dots or bool(low.strip()) == bool(high.strip()):
        return None
    if low.strip():
        return (low, ">=" if inside[0] == "[" else ">") if inside[-1] in ")[" else None
    return (high, "<=" if inside[-1] == "]" else "<") if inside[0] in "(]" else None


_MAKERS = ("date", "time", "date and time", "duration")


def _end(context: EvaluationContext, node: ast.Node) -> Any:
    """The value of an end that is a literal."""
    value: Any = None
    if isinstance(node, ast.Literal):
        value = node.value
    elif isinstance(node, ast.Negation) and isinstance(node.operand, ast.Literal) and is_number(node.operand.value):
        value = negate(node.operand.value)  # type: ignore[arg-type]
    elif isinstance(node, ast.AtLiteral):
        value = temporal.parse_temporal(node.text)
    elif isinstance(node, ast.Call) and isinstance(node.function, ast.Name) and node.function.name in _MAKERS:
        arguments = [a.value for a in node.arguments if isinstance(a, ast.Literal)]
        if len(arguments) == len(node.arguments):
            value = BUILTINS[node.function.name].caller(len(arguments), node.names)(context, arguments, node.at)
    if value is None:
        raise Null("the ends of a range text must be literals")
    return value
