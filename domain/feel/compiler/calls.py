"""Compiles calls, of built-in and of defined functions, and function definitions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.feel import ast
from domain.feel.compiler.core import CONTEXT, Code, Compiler, Frame, handles, note
from domain.feel.context import EvaluationContext
from domain.feel.errors import FeelBudgetExceeded
from domain.feel.operators import kind_of
from domain.feel.types import coerce
from domain.feel.values import Function


@handles(ast.Call)
def _call(compiler: Compiler, node: ast.Call) -> Code:
    compiler.needs_context = True
    arguments = [compiler.compile(argument) for argument in node.arguments]
    function = node.function
    if isinstance(function, ast.Name) and function.name in compiler.builtins:
        items, place = compiler.lookup(function.name)
        if not items and place is None:
            return _builtin_call(compiler, node, function.name, arguments)
    return _value_call(compiler.compile(function), node, arguments)


def _builtin_call(compiler: Compiler, node: ast.Call, name: str, arguments: list[Code]) -> Code:
    """A call by a built-in's name; a function of that name among the variables goes first."""
    builtin, at = compiler.builtins[name], node.at
    invoke = builtin.caller(len(arguments), node.names)
    other = _value_call(compiler.root_reader(name, at), node, arguments)
    compiler.free.discard(name)

    def call(frame: Frame) -> Any:
        if frame[0].get(name).__class__ is Function:
            return other(frame)
        context = frame[CONTEXT]
        context.step()
        return invoke(context, [argument(frame) for argument in arguments], at)

    return call


def _value_call(function: Code, node: ast.Call, arguments: list[Code]) -> Code:
    at, names = node.at, node.names

    def call(frame: Frame) -> Any:
        value = function(frame)
        if value.__class__ is not Function:
            note(frame, f"a {kind_of(value)} cannot be called", at)
            return None
        values = [argument(frame) for argument in arguments]
        return apply(value, values, frame[CONTEXT], names, at)

    return call


def apply(
    function: Function,
    values: list[Any],
    context: EvaluationContext,
    names: tuple[str, ...] | None = None,
    at: tuple[int, int] = (0, 0),
) -> Any:
    """Call a function value with positional arguments, or with `names` for them; null with a warning if they misfit."""
    context.step()
    if function.builtin is not None:
        return function.builtin.caller(len(values), names)(context, values, at)
    parameters = function.parameters
    if names is not None:
        if len(names) != len(parameters) or set(names) != set(parameters):
            context.warn(f"the parameters are {', '.join(parameters) or 'none'}; not {', '.join(names)}", *at)
            return None
        given = dict(zip(names, values, strict=True))
        values = [given[parameter] for parameter in parameters]
    elif len(values) != len(parameters):
        context.warn(f"the function has {len(parameters)} parameters, but {len(values)} arguments are given", *at)
        return None
    if context.depth >= context.max_depth:
        raise FeelBudgetExceeded("depth", context.max_depth)
    context.depth += 1
    try:
        return function.call(context, values)
    finally:
        context.depth -= 1


@handles(ast.FunctionNode)
def _function(compiler: Compiler, node: ast.FunctionNode) -> Code:
    return function_maker(compiler, node)


def function_maker(compiler: Compiler, node: ast.FunctionNode, own_place: int | None = None) -> Code:
    """Makes the function value; it keeps a copy of the frame. `own_place`: where it finds itself, for recursion."""
    compiler.needs_context = True
    parameters = tuple(parameter.name for parameter in node.parameters)
    types = tuple(parameter.type for parameter in node.parameters)
    with compiler.names(*parameters) as scope:
        places = [scope[parameter] for parameter in parameters]
        body = _external(node) if node.external else compiler.compile(node.body)
    checked = any(kind is not None for kind in types)
    duplicate = len(set(parameters)) < len(parameters)

    def make(frame: Frame) -> Function | None:
        if duplicate:
            note(frame, "two parameters of the function have the same name", node.at)
            return None
        kept = frame[:]
        function = Function(parameters, _caller(kept, places, body, types if checked else None, node), types=types)
        if own_place is not None:
            kept[own_place] = function
        return function

    return make


def _caller(
    kept: Frame, places: list[int], body: Code, types: tuple[ast.TypeNode | None, ...] | None, node: ast.FunctionNode
) -> Callable[[EvaluationContext, list[Any]], Any]:
    def call(context: EvaluationContext, values: list[Any]) -> Any:
        frame = kept[:]
        frame[CONTEXT] = context
        for place, value in zip(places, values, strict=True):
            frame[place] = value
        if types is not None:
            for index, kind in enumerate(types):
                if kind is None:
                    continue
                fits, value = coerce(values[index], kind, context)
                if not fits:
                    name = node.parameters[index].name
                    note(frame, f"the argument '{name}' is no {kind.name} but a {kind_of(values[index])}", node.at)
                    return None
                frame[places[index]] = value
        return body(frame)

    return call


def _external(node: ast.FunctionNode) -> Code:
    def refuse(frame: Frame) -> None:
        note(frame, "external functions (Java, PMML) are not run here", node.at)

    return refuse
