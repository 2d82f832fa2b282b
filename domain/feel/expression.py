"""Compiled expressions and unary tests, and the bounded cache that keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import DecimalException
from functools import lru_cache

from domain.feel.ast import Node, UnaryTestsNode
from domain.feel.builtins import BUILTINS
from domain.feel.compiler import FIRST_LOCAL, Code, Compiler, any_of, compile_test
from domain.feel.context import EvaluationContext
from domain.feel.errors import FeelAssertion, FeelBudgetExceeded
from domain.feel.native import native
from domain.feel.parser import parse, parse_unary_tests

CACHE_SIZE = 4096
INPUT = "?"


class Expression:
    """A compiled FEEL expression: immutable, to be evaluated as often as wanted, by any thread.

    text: the source; tree: its syntax tree; variables: the names it reads from the scope.
    """

    __slots__ = ("_code", "_locals", "needs_context", "text", "tree", "variables")

    def __init__(self, text: str, tree: Node) -> None:
        self.text = text
        self.tree = tree
        compiler = Compiler(BUILTINS)
        self._code: Code = compiler.compile(tree)
        self._locals = [None] * (compiler.frame_size - FIRST_LOCAL)
        self.needs_context = compiler.needs_context
        self.variables = frozenset(compiler.free)

    def evaluate(self, scope: Mapping[str, object], context: EvaluationContext | None = None) -> object:
        """The value for these variables; null with warnings in `context` where parts have no meaning.

        Raises FeelBudgetExceeded only.
        """
        if context is None and self.needs_context:
            context = EvaluationContext()
        try:
            return self._code([scope, context, *self._locals])
        except FeelAssertion as error:
            _failed(error, context)
            return None
        except RecursionError:
            raise _too_deep(context) from None
        except DecimalException as error:
            _out_of_range(error, context)
            return None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


class UnaryTests:
    """The compiled content of a decision table's input cell.

    text: the source; tree: its syntax tree; variables: the names it reads from the scope beside the input value.
    """

    __slots__ = ("_code", "_locals", "_needs_context", "text", "tree", "variables")

    def __init__(self, text: str, tree: UnaryTestsNode) -> None:
        self.text = text
        self.tree = tree
        compiler = Compiler(BUILTINS)
        with compiler.names(INPUT) as places:
            tests = [compile_test(compiler, test, places[INPUT], in_cell=True) for test in tree.tests]
        self._code = _cell(tests, tree.negated)
        self._locals = [None] * (compiler.frame_size - FIRST_LOCAL - 1)
        self._needs_context = compiler.needs_context
        self.variables = frozenset(compiler.free)

    def matches(
        self, value: object, scope: Mapping[str, object], context: EvaluationContext | None = None
    ) -> bool | None:
        """Whether the input value passes; None where that cannot be said. Raises FeelBudgetExceeded only."""
        if context is None and self._needs_context:
            context = EvaluationContext()
        try:
            return self._code([scope, context, native(value), *self._locals])  # type: ignore[no-any-return]
        except FeelAssertion as error:
            _failed(error, context)
            return None
        except RecursionError:
            raise _too_deep(context) from None
        except DecimalException as error:
            _out_of_range(error, context)
            return None

    def __repr__(self) -> str:
        return f"UnaryTests({self.text!r})"


def _cell(tests: list[Code], negated: bool) -> Code:
    if not tests:
        return lambda _frame: True
    check = any_of(tests)
    if not negated:
        return check

    def refute(frame: list[object]) -> bool | None:
        found = check(frame)
        return None if found is None else not found

    return refute


def _too_deep(context: EvaluationContext | None) -> FeelBudgetExceeded:
    allowed = context.max_depth if context is not None else 0
    return FeelBudgetExceeded("depth", allowed, "the expression was stopped: its calls or values are nested too deeply")


def _failed(error: FeelAssertion, context: EvaluationContext | None) -> None:
    if context is not None:
        context.failure = str(error)
        context.warn(str(error))


def _out_of_range(error: DecimalException, context: EvaluationContext | None) -> None:
    if context is not None:
        context.warn(f"a number left the range of numbers ({type(error).__name__})")


def compile_expression(text: str, names: Iterable[str] = ()) -> Expression:
    """Compile an expression; `names` are the known variable and member names (needed for special characters in them).

    Cached by text and names. Raises FeelSyntaxError with line, column and what was expected.
    """
    return _expression(text, tuple(names))


def compile_unary_tests(text: str, names: Iterable[str] = ()) -> UnaryTests:
    """Compile the content of a decision table's input cell (`< 5, [10..20]`, `not("a")`, `-`, `? > x`).

    Cached by text and names. Raises FeelSyntaxError.
    """
    return _unary_tests(text, tuple(names))


@lru_cache(maxsize=CACHE_SIZE)
def _expression(text: str, names: tuple[str, ...]) -> Expression:
    return Expression(text, parse(text, names))


@lru_cache(maxsize=CACHE_SIZE)
def _unary_tests(text: str, names: tuple[str, ...]) -> UnaryTests:
    return UnaryTests(text, parse_unary_tests(text, names))
