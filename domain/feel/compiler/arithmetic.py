"""Compiles + - * / ** and negation: ints at once, everything else by `operators`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import DecimalException
from typing import Any

from domain.feel import ast, operators
from domain.feel.compiler.core import Code, Compiler, Frame, handles, note
from domain.feel.compiler.literals import constant
from domain.feel.numeric import LIMIT, is_number, negate
from domain.feel.operators import UNDEFINED, kind_of

Operation = Callable[[Any, Any], object]


def _general(operation: Operation, node: ast.Arithmetic) -> Callable[[Any, Any, Frame], Any]:
    """The operation on any two values, null with a note where they do not fit."""
    symbol, at = node.operator, node.at

    def apply(left: Any, right: Any, frame: Frame) -> Any:
        try:
            result = operation(left, right)
        except DecimalException as error:
            note(frame, f"{symbol} leaves the range of numbers ({type(error).__name__})", at)
            return None
        if result is UNDEFINED:
            if right == 0 and symbol == "/" and is_number(right):
                note(frame, "division by zero", at)
            else:
                note(frame, f"{kind_of(left)} {symbol} {kind_of(right)} has no meaning", at)
            return None
        return result

    return apply


@handles(ast.Arithmetic)
def _arithmetic(compiler: Compiler, node: ast.Arithmetic) -> Code:
    left, right = compiler.compile(node.left), compiler.compile(node.right)
    return _MAKERS[node.operator](left, right, node)


def _plus(left: Code, right: Code, node: ast.Arithmetic) -> Code:
    plain = _general(operators.add, node)

    def plus(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        if one.__class__ is int and other.__class__ is int:
            total = one + other
            if -LIMIT < total < LIMIT:
                return total
        elif one.__class__ is str and other.__class__ is str:
            return operators.add(one, other, frame[1])
        return plain(one, other, frame)

    return plus


def _minus(left: Code, right: Code, node: ast.Arithmetic) -> Code:
    plain = _general(operators.subtract, node)

    def minus(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        if one.__class__ is int and other.__class__ is int:
            total = one - other
            if -LIMIT < total < LIMIT:
                return total
        return plain(one, other, frame)

    return minus


def _times(left: Code, right: Code, node: ast.Arithmetic) -> Code:
    plain = _general(operators.multiply, node)

    def times(frame: Frame) -> Any:
        one, other = left(frame), right(frame)
        if one.__class__ is int and other.__class__ is int:
            total = one * other
            if -LIMIT < total < LIMIT:
                return total
        return plain(one, other, frame)

    return times


def _binary(operation: Operation) -> Callable[[Code, Code, ast.Arithmetic], Code]:
    def make(left: Code, right: Code, node: ast.Arithmetic) -> Code:
        plain = _general(operation, node)

        def apply(frame: Frame) -> Any:
            return plain(left(frame), right(frame), frame)

        return apply

    return make


_MAKERS: dict[str, Callable[[Code, Code, ast.Arithmetic], Code]] = {
    "+": _plus,
    "-": _minus,
    "*": _times,
    "/": _binary(operators.divide),
    "**": _binary(operators.power),
}


@handles(ast.Negation)
def _negation(compiler: Compiler, node: ast.Negation) -> Code:
    if isinstance(node.operand, ast.Literal) and is_number(node.operand.value):
        return constant(negate(node.operand.value))  # type: ignore[arg-type]
    operand, at = compiler.compile(node.operand), node.at

    def minus(frame: Frame) -> Any:
        value = operand(frame)
        result = operators.negate(value)
        if result is UNDEFINED:
            note(frame, f"a {kind_of(value)} cannot be negated", at)
            return None
        return result

    return minus
