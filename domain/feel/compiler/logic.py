"""Compiles and, or, if and instance of (three-valued logic: DMN 1.5 table 49)."""

from __future__ import annotations

from typing import Any

from domain.feel import ast
from domain.feel.compiler.core import Code, Compiler, Frame, handles, note
from domain.feel.operators import kind_of
from domain.feel.types import conforms


@handles(ast.Logical)
def _logical(compiler: Compiler, node: ast.Logical) -> Code:
    operands = [compiler.compile(operand) for operand in node.operands]
    decisive = node.operator == "or"
    if len(operands) == 2:
        return _pair(operands[0], operands[1], decisive, node)
    return _several(operands, decisive, node)


def _pair(left: Code, right: Code, decisive: bool, node: ast.Logical) -> Code:
    several, neutral = _several([left, right], decisive, node), not decisive

    def decide(frame: Frame) -> Any:
        first = left(frame)
        if first is decisive:
            return decisive
        if first is neutral:
            second = right(frame)
            if second is decisive or second is neutral:
                return second
        return several(frame)

    return decide


def _several(operands: list[Code], decisive: bool, node: ast.Logical) -> Code:
    word, at, neutral = node.operator, node.at, not decisive

    def decide(frame: Frame) -> Any:
        unknown = False
        for operand in operands:
            value = operand(frame)
            if value is decisive:
                return decisive
            if value is not neutral:
                unknown = True
                if value is not None:
                    note(frame, f"'{word}' needs booleans, not a {kind_of(value)}", at)
        return None if unknown else neutral

    return decide


@handles(ast.If)
def _if(compiler: Compiler, node: ast.If) -> Code:
    condition, yes, no = (compiler.compile(part) for part in (node.condition, node.yes, node.no))
    at = node.at

    def choose(frame: Frame) -> Any:
        value = condition(frame)
        if value is True:
            return yes(frame)
        if value is not False and value is not None:
            note(frame, f"the condition of 'if' is a {kind_of(value)}, not a boolean: taken as false", at)
        return no(frame)

    return choose


@handles(ast.InstanceOf)
def _instance_of(compiler: Compiler, node: ast.InstanceOf) -> Code:
    operand, kind, at = compiler.compile(node.operand), node.type, node.at
    compiler.needs_context = True

    def check(frame: Frame) -> Any:
        result = conforms(operand(frame), kind, frame[1])
        if result is None:
            note(frame, f"the type '{kind.name}' is not known", at)
        return result

    return check
