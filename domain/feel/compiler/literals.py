"""Compiles constants, names, lists, contexts and ranges."""

from __future__ import annotations

from typing import Any

from domain.feel import ast, temporal
from domain.feel.compiler.calls import function_maker
from domain.feel.compiler.core import Code, Compiler, Frame, handles, note
from domain.feel.operators import kind_of, order
from domain.feel.values import Range


def constant(value: object) -> Code:
    """A closure that always gives the same value."""

    def give(_frame: Frame) -> Any:
        return value

    return give


@handles(ast.Literal)
def _literal(_compiler: Compiler, node: ast.Literal) -> Code:
    return constant(node.value)


@handles(ast.AtLiteral)
def _at_literal(_compiler: Compiler, node: ast.AtLiteral) -> Code:
    value = temporal.parse_temporal(node.text)
    if value is not None:
        return constant(value)

    def refuse(frame: Frame) -> None:
        note(frame, f'@"{node.text}" is no date, time, date and time or duration', node.at)

    return refuse


@handles(ast.Name)
def _name(compiler: Compiler, node: ast.Name) -> Code:
    return compiler.reader(node.name, node.at)


@handles(ast.ListNode)
def _list(compiler: Compiler, node: ast.ListNode) -> Code:
    items = [compiler.compile(item) for item in node.items]

    def build(frame: Frame) -> list[Any]:
        return [item(frame) for item in items]

    return build


@handles(ast.ContextNode)
def _context(compiler: Compiler, node: ast.ContextNode) -> Code:
    compiler.needs_context = True
    keys = [key for key, _ in node.entries]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        return _refusal(f"the context has the entry '{twice}' twice", node.at)
    entries: list[tuple[str, int, Code]] = []
    with compiler.names():
        for key, value in node.entries:
            if isinstance(value, ast.FunctionNode):  # its own name is known inside, for recursion
                place = compiler.declare(key)
                code = function_maker(compiler, value, place)
            else:
                code = compiler.compile(value)
                place = compiler.declare(key)
            entries.append((key, place, code))

    def build(frame: Frame) -> dict[str, Any]:
        result = {}
        for key, place, code in entries:
            result[key] = frame[place] = code(frame)
        return result

    return build


def _refusal(message: str, at: tuple[int, int]) -> Code:
    def refuse(frame: Frame) -> None:
        note(frame, message, at)

    return refuse


@handles(ast.Interval)
def _interval(compiler: Compiler, node: ast.Interval) -> Code:
    low, high = compiler.compile(node.low), compiler.compile(node.high)
    low_included, high_included, at = node.low_included, node.high_included, node.at

    def build(frame: Frame) -> Range | None:
        start, end = low(frame), high(frame)
        if start is not None and end is not None and order(start, end) is None:
            note(frame, f"a {kind_of(start)} and a {kind_of(end)} make no range", at)
            return None
        return Range(low_included, start, end, high_included)

    return build


@handles(ast.UnaryTest)
def _unary_test(compiler: Compiler, node: ast.UnaryTest) -> Code:
    """A test standing as value: a range open at one side."""
    endpoint, operator = compiler.compile(node.endpoint), node.operator
    upper, included = operator in ("<", "<="), operator in ("<=", ">=")
    point = operator in ("=", "!=")

    def build(frame: Frame) -> Range:
        value = endpoint(frame)
        if point:
            return Range(True, value, value, True, operator)
        if upper:
            return Range(False, None, value, included, operator)
        return Range(included, value, None, False, operator)

    return build
