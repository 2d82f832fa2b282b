"""FEEL text to syntax tree, by lark's LALR(1) parser over the tokens of `lexer`.

The tree's height is capped while it is built, so that nothing behind it can run out of stack.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from decimal import DecimalException
from functools import lru_cache
from typing import Any, TypeVar

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken, v_args
from lark.exceptions import VisitError
from lark.lexer import Lexer

from domain.feel import ast
from domain.feel import lexer as feel_lexer
from domain.feel.ast import Node
from domain.feel.errors import FeelSyntaxError
from domain.feel.grammar import GRAMMAR
from domain.feel.numeric import parse_number

MAX_DEPTH = 150
MAX_OPERANDS = 2_000
MAX_EXPECTED = 8  # behind a whole operand so much is possible that a list would not help

_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
_SPELLED = {
    "NAME": "a name", "NUMBER": "a number", "STRING": "a string", "AT": "a date or duration literal", "$END": "the end",
    "INSTANCE_OF": "instance of", "RANGE_CLOSE": "[", "RANGE_OPEN": "]", "DASH": "-",
}  # fmt: skip
_STARTS_EXPRESSION = {"NAME", "NUMBER", "STRING"}
_N = TypeVar("_N", bound=Node)


def parse(text: str, names: Iterable[str] = ()) -> Node:
    """The tree of an expression; raises FeelSyntaxError."""
    tokens = feel_lexer.tokenize(text, names)
    if not tokens:
        raise FeelSyntaxError("the expression is empty", 1, 1, ("an expression",))
    tree: Node = _run(text, tokens, "start")
    return tree


def parse_unary_tests(text: str, names: Iterable[str] = ()) -> ast.UnaryTestsNode:
    """The tree of a decision table's input cell; raises FeelSyntaxError."""
    tokens = feel_lexer.tokenize(text, names)
    if not tokens:
        raise FeelSyntaxError("the unary test is empty", 1, 1, ("a test", "-"))
    if len(tokens) == 1 and tokens[0].kind == "-":
        tokens[0].kind = "DASH"
    elif _is_negated(tokens):
        tokens[0].kind = "_NOT_TESTS"
    tree: ast.UnaryTestsNode = _run(text, tokens, "start_tests")
    return tree


def _is_negated(tokens: list[feel_lexer.Token]) -> bool:
    """Whether the tokens are not(...) with the last one closing it."""
    if len(tokens) < 3 or tokens[0].value != "not" or tokens[1].kind != "(":
        return False
    level = 0
    for index, token in enumerate(tokens):
        if token.kind in "([{" or token.kind == "RANGE_OPEN":
            level += 1
        elif token.kind in ")]}" or token.kind == "RANGE_CLOSE":
            level -= 1
            if level == 0:
                return index == len(tokens) - 1
    return False


class _Source:
    """A text with its tokens, as lark's custom input."""

    def __init__(self, text: str, tokens: list[feel_lexer.Token]) -> None:
        self.tokens = tokens
        self.lines = [0, *(i + 1 for i, character in enumerate(text) if character == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """1-based line and column."""
        line = bisect_right(self.lines, offset)
        return line, offset - self.lines[line - 1] + 1


class _TokenLexer(Lexer):
    """Hands the tokens of `lexer` to lark, named as the grammar names them."""

    def __init__(self, conf: Any) -> None:
        self.names = {t.pattern.value: t.name for t in conf.terminals if t.pattern is not None}

    def lex(self, source: _Source) -> Iterator[Token]:  # type: ignore[override]
        """lark's tokens, with their places."""
        for token in source.tokens:
            line, column = source.place(token.start)
            yield Token(self.names.get(token.kind, token.kind), token.value, token.start, line, column)


def _run(text: str, tokens: list[feel_lexer.Token], start: str) -> Any:
    try:
        return _lark().parse(_Source(text, tokens), start)
    except UnexpectedToken as error:
        raise _explain(text, error) from None
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise FeelSyntaxError(str(error)) from None


def _explain(text: str, error: UnexpectedToken) -> FeelSyntaxError:
    token = error.token
    names = set(error.accepts or error.expected)
    if names >= _STARTS_EXPRESSION:
        expected: tuple[str, ...] = ("an expression",)
    else:
        patterns = {t.name: t.pattern.value for t in _lark().terminals if t.pattern is not None}
        spelled = (_SPELLED.get(n) or patterns.get(n) or n.strip("_").lower() for n in names)
        expected = tuple(sorted(spelled)) if len(names) <= MAX_EXPECTED else ("an operator",)
    if token.type == "$END":
        return FeelSyntaxError("the expression ends too early", *feel_lexer.position(text, len(text)), expected)
    if token.type == "NAME" and names.isdisjoint(_STARTS_EXPRESSION):
        message = f"the name '{token}' stands where an operator should be"
    else:
        message = f"'{token}' is not possible here"
    return FeelSyntaxError(message, token.line or 1, token.column or 1, expected)


@lru_cache(maxsize=1)
def _lark() -> Lark:
    return Lark(
        GRAMMAR,
        parser="lalr",
        lexer=_TokenLexer,
        start=["start", "start_tests"],
        maybe_placeholders=True,
        transformer=_Builder(),
    )


def _height(parts: Iterable[object]) -> int:
    tallest = 0
    for part in parts:
        if isinstance(part, Node):
            tallest = max(tallest, part.depth)
        elif isinstance(part, tuple):
            tallest = max(tallest, _height(part))
    return tallest


def _at(mark: Token | Node) -> tuple[int, int]:
    return mark.at if isinstance(mark, Node) else (mark.line or 0, mark.column or 0)


def _make(kind: type[_N], mark: Token | Node, *fields: object) -> _N:
    """A node at the place of `mark`, its height checked."""
    depth = _height(fields) + 1
    line, column = _at(mark)
    if depth > MAX_DEPTH:
        raise FeelSyntaxError(f"the expression is nested more than {MAX_DEPTH} levels deep", line, column)
    return kind(*fields, at=(line, column), depth=depth)


def _present(parts: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(part for part in parts if part is not None)


@v_args(inline=True)
class _Builder(Transformer[Any, Any]):
    """Makes a tree node whenever lark reduces a rule; the methods are named after the grammar's rules."""

    def start(self, node: Node) -> Node:
        return node

    def tests(self, *tests: Node) -> tuple[Node, ...]:
        return tests

    def any_tests(self, dash: Token) -> Node:
        return _make(ast.UnaryTestsNode, dash, ())

    def plain_tests(self, tests: tuple[Node, ...]) -> Node:
        return _make(ast.UnaryTestsNode, tests[0], tests)

    def negated_tests(self, tests: tuple[Node, ...]) -> Node:
        return _make(ast.UnaryTestsNode, tests[0], tests, True)

    def test_operator(self, token: Token) -> Token:
        return token

    add_operator = multiply_operator = test_operator

    def unary_test(self, operator: Token, endpoint: Node) -> Node:
        return _make(ast.UnaryTest, operator, str(operator), endpoint)

    def if_then_else(self, condition: Node, yes: Node, no: Node) -> Node:
        return _make(ast.If, condition, condition, yes, no)

    def for_loop(self, iterators: tuple[ast.Iterator, ...], body: Node) -> Node:
        return _make(ast.For, iterators[0], iterators, body)

    def quantified(self, quantifier: Token, iterators: tuple[ast.Iterator, ...], condition: Node) -> Node:
        return _make(ast.Quantified, quantifier, str(quantifier), iterators, condition)

    def iterators(self, *iterators: ast.Iterator) -> tuple[ast.Iterator, ...]:
        return iterators

    def iterator(self, name: Token, _in: Token, domain: Node, end: Node | None) -> Node:
        return _make(ast.Iterator, name, str(name), domain, end)

    def function(self, word: Token, parameters: tuple[ast.Parameter, ...] | None, external: Any, body: Node) -> Node:
        return _make(ast.FunctionNode, word, parameters or (), body, external is not None)

    def parameters(self, *parameters: ast.Parameter) -> tuple[ast.Parameter, ...]:
        return parameters

    def parameter(self, name: Token, type_node: ast.TypeNode | None) -> Node:
        return _make(ast.Parameter, name, str(name), type_node)

    def logical(self, left: Node, operator: Token, right: Node) -> Node:
        word = str(operator)
        operands = left.operands if isinstance(left, ast.Logical) and left.operator == word else (left,)
        if len(operands) >= MAX_OPERANDS:
            raise FeelSyntaxError(f"more than {MAX_OPERANDS} operands of '{word}'", *_at(operator))
        return _make(ast.Logical, operator, word, (*operands, right))

    def comparison(self, left: Node, operator: Token, right: Node) -> Node:
        return _make(ast.Comparison, operator, str(operator), left, right)

    def arithmetic(self, left: Node, operator: Token, right: Node) -> Node:
        return _make(ast.Arithmetic, operator, str(operator), left, right)

    def between(self, operand: Node, word: Token, low: Node, _and: Token, high: Node) -> Node:
        return _make(ast.Between, word, operand, low, high)

    def in_tests(self, operand: Node, word: Token, tests: tuple[Node, ...]) -> Node:
        return _make(ast.In, word, operand, tests)

    def in_operand(self, first: Node, rest: tuple[Node, ...] = ()) -> tuple[Node, ...]:
        return (first, *rest)

    def instance_of(self, operand: Node, word: Token, type_node: ast.TypeNode) -> Node:
        return _make(ast.InstanceOf, word, operand, type_node)

    def negation(self, minus: Token, operand: Node) -> Node:
        return _make(ast.Negation, minus, operand)

    def path(self, base: Node, member: Token) -> Node:
        return _make(ast.Path, member, base, str(member))

    def filter(self, base: Node, bracket: Token, condition: Node) -> Node:
        return _make(ast.Filter, bracket, base, condition)

    def call(self, function: Node, bracket: Token, arguments: Any) -> Node:
        values, names = arguments or ((), None)
        return _make(ast.Call, function if isinstance(function, ast.Name) else bracket, function, values, names)

    def positional(self, *values: Node) -> tuple[tuple[Node, ...], None]:
        return values, None

    def named(self, *arguments: tuple[str, Node]) -> tuple[tuple[Node, ...], tuple[str, ...]]:
        return tuple(value for _, value in arguments), tuple(name for name, _ in arguments)

    def named_argument(self, name: Token, value: Node) -> tuple[str, Node]:
        return str(name), value

    def name(self, name: Token) -> Node:
        return _make(ast.Name, name, str(name))

    def literal(self, token: Token) -> Node:
        if token.type == "NUMBER":
            try:
                return _make(ast.Literal, token, parse_number(str(token)))
            except DecimalException:
                raise FeelSyntaxError(f"the number {token} is out of range", *_at(token)) from None
        return _make(ast.Literal, token, _CONSTANTS.get(token.type, str(token)))

    def at_literal(self, token: Token) -> Node:
        return _make(ast.AtLiteral, token, str(token))

    def list(self, bracket: Token, *items: Node | None) -> Node:
        return _make(ast.ListNode, bracket, _present(items))

    def context(self, bracket: Token, *entries: tuple[str, Node] | None) -> Node:
        return _make(ast.ContextNode, bracket, _present(entries))

    def entry(self, key: Token, value: Node) -> tuple[str, Node]:
        return str(key), value

    def interval(self, opening: Token, low: Node, high: Node, closing: Token) -> Node:
        return _make(ast.Interval, opening, opening.type == "LBRACKET", low, high, closing.type == "RBRACKET")

    def simple_type(self, name: Token, *members: Token) -> Node:
        return _make(ast.TypeNode, name, ".".join((name, *members)))

    def generic_type(self, name: Token, argument: ast.TypeNode) -> Node:
        return _make(ast.TypeNode, name, str(name), (argument,))

    def context_type(self, name: Token, *members: tuple[str, ast.TypeNode]) -> Node:
        types = tuple(member for _, member in members)
        return _make(ast.TypeNode, name, str(name), types, tuple(key for key, _ in members))

    def member(self, name: Token, type_node: ast.TypeNode) -> tuple[str, ast.TypeNode]:
        return str(name), type_node

    def function_type(self, word: Token, *types: ast.TypeNode | None) -> Node:
        return _make(ast.TypeNode, word, "function", _present(types[:-1]), (), types[-1])
