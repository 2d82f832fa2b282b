"""Compiles for, some and every: nested loops over lists and ranges, each round charged to the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from domain.feel import ast
from domain.feel.compiler.access import compile_base
from domain.feel.compiler.core import Code, Compiler, Frame, handles, note
from domain.feel.native import native
from domain.feel.numeric import is_integral, is_number, truncated
from domain.feel.operators import kind_of
from domain.feel.temporal import date_of_days
from domain.feel.values import Date, Range

Domain = Callable[[Frame], Iterable[Any] | None]
Loop = tuple[int, Domain]


def _rounds(low: Any, high: Any) -> Iterable[Any] | None:
    """All values from low to high, downwards where high is the lower: whole numbers or dates."""
    if is_number(low) and is_number(high) and is_integral(low) and is_integral(high):
        start, end = truncated(low), truncated(high)
        return range(start, end + 1) if start <= end else range(start, end - 1, -1)
    if low.__class__ is Date and high.__class__ is Date:
        start, end = low.days(), high.days()
        step = 1 if start <= end else -1
        return map(date_of_days, range(start, end + step, step))
    return None


def _range_rounds(value: Range) -> Iterable[Any] | None:
    low, high = value.low, value.high
    if low is None or high is None:
        return None
    found = _rounds(low, high)
    if found is None:
        return None
    return (each for each in found if (value.low_included or each != low) and (value.high_included or each != high))


def _domain(compiler: Compiler, node: ast.Iterator) -> Domain:
    at = node.at
    if node.end is not None:
        low, high = compiler.compile(node.domain), compiler.compile(node.end)

        def spanned(frame: Frame) -> Iterable[Any] | None:
            start, end = low(frame), high(frame)
            found = _rounds(start, end)
            if found is None:
                note(frame, f"nothing to count from a {kind_of(start)} to a {kind_of(end)}", at)
            return found

        return spanned
    domain = compile_base(compiler, node.domain)

    def listed(frame: Frame) -> Iterable[Any] | None:
        value = domain(frame)
        if value.__class__ is list:
            return map(native, value)
        found = None if value is None else _range_rounds(value) if value.__class__ is Range else (value,)
        if found is None:
            note(frame, f"a {kind_of(value)} cannot be gone through", at)
        return found

    return listed


def _loops(compiler: Compiler, iterators: tuple[ast.Iterator, ...]) -> list[Loop]:
    """The loops, outermost first; each sees the variables of those before it."""
    loops = []
    for iterator in iterators:
        domain = _domain(compiler, iterator)
        loops.append((compiler.declare(iterator.name), domain))
    return loops


class _Unreadable(Exception):
    """An inner domain is neither list nor range: the whole loop is null."""


def _walk(loops: list[Loop], frame: Frame, level: int = 0) -> Iterator[None]:
    """Sets the loop variables, round by round."""
    place, domain = loops[level]
    values = domain(frame)
    if values is None:
        raise _Unreadable
    innermost = level == len(loops) - 1
    step = frame[1].step
    for value in values:
        step()
        frame[place] = value
        if innermost:
            yield
        else:
            yield from _walk(loops, frame, level + 1)


@handles(ast.For)
def _for(compiler: Compiler, node: ast.For) -> Code:
    compiler.needs_context = True
    with compiler.names() as scope:
        loops = _loops(compiler, node.iterators)
        partial = compiler.reserve()
        if "partial" not in scope:
            scope["partial"] = partial
        body = compiler.compile(node.body)

    def loop(frame: Frame) -> list[Any] | None:
        results: list[Any] = []
        frame[partial] = results
        check_size, limit = frame[1].check_size, frame[1].max_size
        try:
            for _ in _walk(loops, frame):
                results.append(body(frame))
                frame[partial] = results
                if len(results) > limit:
                    check_size(len(results))
        except _Unreadable:
            return None
        return results

    return loop


@handles(ast.Quantified)
def _quantified(compiler: Compiler, node: ast.Quantified) -> Code:
    compiler.needs_context = True
    decisive, at = node.quantifier == "some", node.at
    with compiler.names():
        loops = _loops(compiler, node.iterators)
        condition = compiler.compile(node.condition)

    def decide(frame: Frame) -> Any:
        unknown = False
        try:
            for _ in _walk(loops, frame):
                found = condition(frame)
                if found is decisive:
                    return decisive
                if found is not (not decisive):
                    unknown = True
                    if found is not None:
                        note(frame, f"'satisfies' needs a boolean, not a {kind_of(found)}", at)
        except _Unreadable:
            return None
        return None if unknown else not decisive

    return decide
