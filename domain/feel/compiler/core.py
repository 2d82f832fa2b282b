"""The heart of the compiler: a tree becomes one Python closure per node, built once and called many times.

Every closure takes the *frame* of the evaluation, a list: [0] the variables handed in (a mapping), [1] the
EvaluationContext (None for expressions that need none), [2:] the local values (loop variables, parameters, context
entries, filter items), whose places are known when compiling. No closure can reach Python beyond these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from domain.feel.ast import Node
from domain.feel.native import PLAIN, native, shallow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.feel.context import EvaluationContext

Frame = list[Any]
Code = Callable[[Frame], Any]
_N = TypeVar("_N", bound=Node)

ROOT, CONTEXT, FIRST_LOCAL = 0, 1, 2

HANDLERS: dict[type[Node], Callable[[Compiler, Any], Code]] = {}


def handles(kind: type[_N]) -> Callable[[Callable[[Compiler, _N], Code]], Callable[[Compiler, _N], Code]]:
    """Register the function that compiles one kind of node."""

    def register(handler: Callable[[Compiler, _N], Code]) -> Callable[[Compiler, _N], Code]:
        HANDLERS[kind] = handler
        return handler

    return register


def note(frame: Frame, message: str, at: tuple[int, int]) -> None:
    """Record why something is null."""
    context: EvaluationContext | None = frame[CONTEXT]
    if context is not None:
        context.warn(message, *at)


class Compiler:
    """What is known while one text is compiled: which local names stand where, and what the text needs."""

    def __init__(self, builtins: Mapping[str, Any]) -> None:
        self.builtins = builtins
        self.scopes: list[dict[str, int] | int] = []  # names with their places, or the place of a filter's item
        self.next = FIRST_LOCAL
        self.frame_size = FIRST_LOCAL
        self.free: set[str] = set()
        self.needs_context = False
        self.input_reads = 0  # how often the text asked for the unary tests' value, "?"

    def compile(self, node: Node) -> Code:
        """The closure of a node."""
        return HANDLERS[type(node)](self, node)

    @contextmanager
    def names(self, *names: str) -> Iterator[dict[str, int]]:
        """A scope with local names; inside, names may still be declared. Gives name -> place."""
        start = self.next
        places: dict[str, int] = {}
        self.scopes.append(places)
        for name in names:
            self.declare(name)
        try:
            yield places
        finally:
            self.scopes.pop()
            self.next = start

    def declare(self, name: str) -> int:
        """One more local name in the innermost scope; its place."""
        place = self.reserve()
        scope = self.scopes[-1]
        assert isinstance(scope, dict)
        scope[name] = place
        return place

    def reserve(self) -> int:
        """A place in the frame."""
        place = self.next
        self.next += 1
        self.frame_size = max(self.frame_size, self.next)
        return place

    @contextmanager
    def item(self) -> Iterator[int]:
        """A filter's scope: the item's place. Its members count as names, before `item` and all outer names."""
        start = self.next
        place = self.reserve()
        self.scopes += [{"item": place}, place]
        try:
            yield place
        finally:
            del self.scopes[-2:]
            self.next = start

    def lookup(self, name: str) -> tuple[list[int], int | None]:
        """Where a name may be found: the filter items to ask first, then its place (None: the outer variables)."""
        self.input_reads += name == "?"
        items: list[int] = []
        for scope in reversed(self.scopes):
            if isinstance(scope, int):
                items.append(scope)
            elif name in scope:
                return items, scope[name]
        self.free.add(name)
        return items, None

    def root_reader(self, name: str, at: tuple[int, int], *, inside: bool = True) -> Code:
        """Reads an outer variable or names a built-in function; `inside`: convert what lists and contexts hold."""
        convert = native if inside else shallow
        builtin = self.builtins.get(name)

        def read(frame: Frame) -> Any:
            try:
                value = frame[0][name]
            except KeyError:
                if builtin is not None:
                    return builtin.value
                note(frame, f"no variable '{name}' is known here", at)
                return None
            return value if value.__class__ in PLAIN else convert(value)

        return read

    def reader(self, name: str, at: tuple[int, int], *, inside: bool = True) -> Code:
        """Reads a name, wherever it is bound."""
        items, place = self.lookup(name)
        if place is None:
            outer = self.root_reader(name, at, inside=inside)
        elif not inside or name != "partial":

            def outer(frame: Frame) -> Any:
                return frame[place]

        else:
            outer = _copying_reader(place)
        if not items:
            return outer
        return _member_first(items, name, outer)


def _copying_reader(place: int) -> Code:
    """Reads the list that a `for` is still filling: what is kept of it must not grow on."""

    def read(frame: Frame) -> Any:
        value = frame[place]
        if value.__class__ is not list:
            return value
        context = frame[CONTEXT]
        if context is not None:
            context.step(1 + len(value) // 64)
        return value[:]

    return read


def _member_first(items: list[int], name: str, outer: Code) -> Code:
    def read(frame: Frame) -> Any:
        for place in items:
            item = frame[place]
            if item.__class__ is dict and name in item:
                return native(item[name])
        return outer(frame)

    return read
