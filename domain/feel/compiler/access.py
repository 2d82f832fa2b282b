"""Compiles paths (context entries, calendar properties, projections of lists) and filters."""

from __future__ import annotations

from typing import Any

from domain.feel import ast
from domain.feel.compiler.core import Code, Compiler, Frame, handles, note
from domain.feel.native import native, shallow
from domain.feel.numeric import is_number, truncated
from domain.feel.operators import kind_of
from domain.feel.properties import PROPERTIES


def compile_base(compiler: Compiler, node: ast.Node) -> Code:
    """The value that a path or filter looks into; what lies inside is made native only when it is reached."""
    if isinstance(node, ast.Name):
        return compiler.reader(node.name, node.at, inside=False)
    if isinstance(node, ast.Path):
        return _compile_path(compiler, node, inside=False)
    return compiler.compile(node)


@handles(ast.Path)
def _path(compiler: Compiler, node: ast.Path) -> Code:
    return _compile_path(compiler, node, inside=True)


def _compile_path(compiler: Compiler, node: ast.Path, *, inside: bool) -> Code:
    base, member, at = compile_base(compiler, node.base), node.member, node.at
    convert = native if inside else shallow

    def follow(frame: Frame) -> Any:
        value = base(frame)
        if value.__class__ is dict and member in value:
            return convert(value[member])
        return _member_of(value, member, frame, at)

    return follow


def _member_of(value: Any, member: str, frame: Frame, at: tuple[int, int]) -> Any:
    """What `.member` means on any value."""
    kind = value.__class__
    if kind is dict:
        if member in value:
            return native(value[member])
        note(frame, f"the context has no entry '{member}'", at)
        return None
    if kind is list:
        return [_member_of(native(item), member, frame, at) for item in value]
    if value is None:
        note(frame, f"'{member}' of null", at)
        return None
    readers = PROPERTIES.get(kind)
    reader = readers.get(member) if readers is not None else None
    if reader is None:
        note(frame, f"a {kind_of(value)} has no property '{member}'", at)
        return None
    return reader(value)


@handles(ast.Filter)
def _filter(compiler: Compiler, node: ast.Filter) -> Code:
    base, condition = compile_base(compiler, node.base), node.condition
    index = _constant_index(condition)
    if index is not None:
        return _indexed(base, index, node.at)
    compiler.needs_context = True
    with compiler.item() as place:
        test = compiler.compile(condition)
    return _filtered(base, test, place, node.at)


def _constant_index(condition: ast.Node) -> int | None:
    """The index that `list[2]` or `list[-1]` names."""
    negative = isinstance(condition, ast.Negation)
    literal = condition.operand if isinstance(condition, ast.Negation) else condition
    if isinstance(literal, ast.Literal) and literal.value.__class__ is int:
        index = literal.value
        assert isinstance(index, int)
        return -index if negative else index
    return None


def element(values: list[Any], index: int, frame: Frame, at: tuple[int, int]) -> Any:
    """The element at a 1-based index, or from the end at a negative one; null beyond the list."""
    if 0 < index <= len(values):
        return native(values[index - 1])
    if index < 0 and -index <= len(values):
        return native(values[index])
    note(frame, f"there is no element {index} in a list of {len(values)}", at)
    return None


def _as_list(value: Any) -> list[Any]:
    return value if value.__class__ is list else [value]


def _indexed(base: Code, index: int, at: tuple[int, int]) -> Code:
    def pick(frame: Frame) -> Any:
        value = base(frame)
        if value is None:
            note(frame, "an element of null", at)
            return None
        return element(_as_list(value), index, frame, at)

    return pick


def _filtered(base: Code, test: Code, place: int, at: tuple[int, int]) -> Code:
    def select(frame: Frame) -> Any:
        value = base(frame)
        if value is None:
            note(frame, "a filter of null", at)
            return None
        values = _as_list(value)
        if not values:
            frame[place] = None
            return None if is_number(test(frame)) else []
        frame[1].step(len(values))
        chosen = []
        for item in values:
            frame[place] = inner = native(item)
            found = test(frame)
            if found is True:
                chosen.append(inner)
            elif found is not False and is_number(found):
                return element(values, truncated(found), frame, at)
        return chosen

    return select
