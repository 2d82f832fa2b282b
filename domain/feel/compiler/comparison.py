"""Compiles comparisons, between, in and the tests of decision tables, with short cuts for numbers and strings."""

from __future__ import annotations

import operator as op
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from domain.feel import ast, operators
from domain.feel.compiler.core import Code, Compiler, Frame, handles, note
from domain.feel.numeric import LIMIT, is_number
from domain.feel.operators import kind_of

Relation = Callable[[Any, Any], Any]

_PYTHON: dict[str, Relation] = {"=": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}
_ORDERING: dict[str, Relation] = {
    "<": operators.less,
    "<=": operators.less_or_equal,
    ">": operators.greater,
    ">=": operators.greater_or_equal,
}


def _relation(symbol: str, at: tuple[int, int]) -> Callable[[Any, Any, Frame], bool | None]:
    """The comparison of any two values, null with a note where they do not fit."""

    def equality(left: Any, right: Any, frame: Frame) -> bool | None:
        result = operators.equal(left, right, frame[1])
        if result is None:
            note(frame, f"a {kind_of(left)} cannot be compared with a {kind_of(right)}", at)
            return None
        return result if symbol == "=" else not result

    def ordering(left: Any, right: Any, frame: Frame) -> bool | None:
        result: bool | None = _ORDERING[symbol](left, right)
        if result is None:
            note(frame, f"a {kind_of(left)} cannot be compared with a {kind_of(right)} by {symbol}", at)
        return result

    return equality if symbol in ("=", "!=") else ordering


@handles(ast.Comparison)
def _comparison(compiler: Compiler, node: ast.Comparison) -> Code:
    if isinstance(node.left, ast.Name) and isinstance(node.right, ast.Literal):
        items, place = compiler.lookup(node.left.name)
        value: Any = node.right.value
        short = value.__class__ is str or (is_number(value) and -LIMIT < value < LIMIT)  # long ints must be rounded
        if not items and place is None and short:
            return _variable_with_constant(compiler, node, node.left, value)
    left, right = compiler.compile(node.left), compiler.compile(node.right)
    relation, python = _relation(node.operator, node.at), _PYTHON[node.operator]

    def compare(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        kind, second = one.__class__, other.__class__
        if (kind is int and (second is int or second is Decimal)) or (kind is str and second is str):
            return python(one, other)
        return relation(one, other, frame)

    return compare


def _variable_with_constant(compiler: Compiler, node: ast.Comparison, name: ast.Name, value: Any) -> Code:
    """`amount > 5000`, `department = "IT"`: one look-up and one comparison."""
    read, relation = compiler.root_reader(name.name, name.at), _relation(node.operator, node.at)
    key, python = name.name, _PYTHON[node.operator]
    kind = value.__class__ if value.__class__ is str else int

    def compare(frame: Frame) -> Any:
        found = frame[0].get(key)
        if found.__class__ is kind:
            return python(found, value)
        return relation(read(frame), value, frame)

    return compare


@handles(ast.Between)
def _between(compiler: Compiler, node: ast.Between) -> Code:
    operand, low, high = (compiler.compile(part) for part in (node.operand, node.low, node.high))
    at = node.at

    def between(frame: Frame) -> Any:
        value, start, end = operand(frame), low(frame), high(frame)
        above, below = operators.order(value, start), operators.order(value, end)
        if above is None or below is None:
            note(frame, f"a {kind_of(value)} has no place between {kind_of(start)} and {kind_of(end)}", at)
            return None
        return above >= 0 >= below

    return between


@handles(ast.In)
def _in(compiler: Compiler, node: ast.In) -> Code:
    operand = compiler.compile(node.operand)
    with compiler.names("?") as places:
        place = places["?"]
        tests = [compile_test(compiler, test, place, in_cell=False) for test in node.tests]
    check = any_of(tests)

    def contained(frame: Frame) -> Any:
        before = frame[place]
        frame[place] = operand(frame)
        try:
            return check(frame)
        finally:
            frame[place] = before

    return contained


def any_of(tests: list[Code]) -> Code:
    """True as soon as one test is; null if none is and one is null."""
    if len(tests) == 1:
        return tests[0]

    def check(frame: Frame) -> Any:
        result: bool | None = False
        for test in tests:
            found = test(frame)
            if found is True:
                return True
            if found is None:
                result = None
        return result

    return check


def compile_test(compiler: Compiler, node: ast.Node, place: int, *, in_cell: bool) -> Code:
    """One positive unary test of the value at `place`.

    A test that asks about `?` gives the answer itself; any other is a value to be equal to, contained in or, in a
    decision table's cell (`in_cell`), true.
    """
    if isinstance(node, ast.UnaryTest):
        return _operator_test(compiler, node, place)
    if isinstance(node, ast.Interval):
        return _interval_test(compiler, node, place)
    if isinstance(node, ast.Literal) and node.value.__class__ in (int, Decimal, str):
        return _constant_test(node.value, node.at, place)
    before = compiler.input_reads
    code = compiler.compile(node)
    asks, at = compiler.input_reads > before, node.at
    literal = isinstance(node, ast.Literal)

    def test(frame: Frame) -> Any:
        value, found = frame[place], code(frame)
        if asks and (found.__class__ is bool or found is None):
            return found
        if in_cell and found.__class__ is bool and value.__class__ is not bool and not literal:
            return found
        result = operators.holds(value, found, frame[1])
        if result is None:
            note(frame, f"a {kind_of(value)} cannot be tested with a {kind_of(found)}", at)
        return result

    return test


def _constant_test(constant: Any, at: tuple[int, int], place: int) -> Code:
    kind, relation = constant.__class__, _relation("=", at)

    def test(frame: Frame) -> Any:
        value = frame[place]
        if value.__class__ is kind:
            return value == constant
        if value.__class__ is list:
            return operators.holds(value, constant, frame[1])
        return relation(value, constant, frame)

    return test


def _operator_test(compiler: Compiler, node: ast.UnaryTest, place: int) -> Code:
    endpoint, relation = compiler.compile(node.endpoint), _relation(node.operator, node.at)
    python = _PYTHON[node.operator]

    def test(frame: Frame) -> Any:
        value, limit = frame[place], endpoint(frame)
        if value.__class__ is int and limit.__class__ is int:
            return python(value, limit)
        return relation(value, limit, frame)

    return test


def _interval_test(compiler: Compiler, node: ast.Interval, place: int) -> Code:
    build, at = compiler.compile(node), node.at
    low, high = node.low, node.high
    fast: tuple[Any, Any] | None = None
    above, below = op.ge, op.le
    if all(isinstance(end, ast.Literal) and is_number(end.value) for end in (low, high)):
        fast = (low.value, high.value)  # type: ignore[attr-defined]
        above, below = op.ge if node.low_included else op.gt, op.le if node.high_included else op.lt

    def test(frame: Frame) -> Any:
        value = frame[place]
        if fast is not None and value.__class__ is int:
            return above(value, fast[0]) and below(value, fast[1])
        found = build(frame)
        result = operators.holds(value, found, frame[1]) if found is not None else None
        if result is None:
            note(frame, f"a {kind_of(value)} has no place in this range", at)
        return result

    return test
