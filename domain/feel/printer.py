"""Syntax trees back to text: parse(unparse(tree)) == tree.

Parentheses stand only where the grammar needs them; names that the lexer would not read as one are in backticks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from domain.feel import ast
from domain.feel.ast import Node
from domain.feel.errors import FeelSyntaxError
from domain.feel.formatting import format_value, quote
from domain.feel.lexer import BUILTIN_NAMES, tokenize

ANY, OR, AND, COMPARE, ADD, MULTIPLY, POWER, INSTANCE, UNARY, POSTFIX = range(10)
_LEVELS: Final = {"+": ADD, "-": ADD, "*": MULTIPLY, "/": MULTIPLY, "**": POWER}


def unparse(node: Node) -> str:
    """FEEL text that parses to an equal tree."""
    return _text(node, ANY)


def _text(node: Node, level: int) -> str:
    """The text of a node where only this level or a tighter one may stand bare."""
    own, writer = _WRITERS[type(node)]
    if isinstance(node, ast.Arithmetic):
        own = _LEVELS[node.operator]
    elif isinstance(node, ast.Logical):
        own = OR if node.operator == "or" else AND
    elif isinstance(node, ast.InstanceOf) and level < COMPARE:
        own = INSTANCE  # bare, but never where "<" could follow the type
    text = writer(node)
    return text if own >= level else f"({text})"


def name_text(name: str) -> str:
    """A name as it is, or in backticks where the lexer would not read it as one name."""
    try:
        tokens = tokenize(name)
    except FeelSyntaxError:
        return f"`{name}`"
    plain = len(tokens) == 1 and tokens[0].kind == "NAME" and tokens[0].value == name
    return name if plain else f"`{name}`"


def _name(node: ast.Name) -> str:
    return name_text(node.name)


def _at_literal(node: ast.AtLiteral) -> str:
    return "@" + quote(node.text)


def _literal(node: ast.Literal) -> str:
    return quote(node.value) if isinstance(node.value, str) else format_value(node.value)


def _path(node: ast.Path) -> str:
    base = _text(node.base, POSTFIX)
    return f"{base} .{name_text(node.member)}" if isinstance(node.base, ast.Literal) else f"{base}.{_member(node)}"


def _member(node: ast.Path) -> str:
    return name_text(node.member)


def _filter(node: ast.Filter) -> str:
    return f"{_text(node.base, POSTFIX)}[{_text(node.condition, ANY)}]"


def _call(node: ast.Call) -> str:
    function = node.function
    if isinstance(function, ast.Name) and function.name in BUILTIN_NAMES:
        called = function.name
    else:
        called = _text(function, POSTFIX)
    values = [_text(argument, ANY) for argument in node.arguments]
    if node.names is not None:
        values = [f"{name_text(name)}: {value}" for name, value in zip(node.names, values, strict=True)]
    return f"{called}({', '.join(values)})"


def _negation(node: ast.Negation) -> str:
    return f"-{_text(node.operand, UNARY)}"


def _arithmetic(node: ast.Arithmetic) -> str:
    level = _LEVELS[node.operator]
    return f"{_text(node.left, level)} {node.operator} {_text(node.right, level + 1)}"


def _comparison(node: ast.Comparison) -> str:
    return f"{_text(node.left, COMPARE)} {node.operator} {_text(node.right, ADD)}"


def _logical(node: ast.Logical) -> str:
    level = OR if node.operator == "or" else AND
    first, *rest = node.operands
    return f" {node.operator} ".join([_text(first, level), *(_text(operand, level + 1) for operand in rest)])


def _between(node: ast.Between) -> str:
    return f"{_text(node.operand, COMPARE)} between {_text(node.low, ADD)} and {_text(node.high, ADD)}"


def _in(node: ast.In) -> str:
    operand = _text(node.operand, COMPARE)
    if len(node.tests) > 1:
        return f"{operand} in ({', '.join(_text(test, ANY) for test in node.tests)})"
    test = node.tests[0]
    return f"{operand} in {_text(test, ANY if isinstance(test, ast.UnaryTest) else ADD)}"


def _unary_test(node: ast.UnaryTest) -> str:
    return f"{node.operator} {_text(node.endpoint, ADD)}"


def _interval(node: ast.Interval) -> str:
    ends = f"{_text(node.low, ANY)} .. {_text(node.high, ANY)}"
    return f"{'[' if node.low_included else '('}{ends}{']' if node.high_included else ')'}"


def _list(node: ast.ListNode) -> str:
    return f"[{', '.join(_text(item, ANY) for item in node.items)}]"


def _context(node: ast.ContextNode) -> str:
    return "{" + ", ".join(f"{quote(key)}: {_text(value, ANY)}" for key, value in node.entries) + "}"


def _if(node: ast.If) -> str:
    return f"if {_text(node.condition, ANY)} then {_text(node.yes, ANY)} else {_text(node.no, ANY)}"


def _iterator(node: ast.Iterator) -> str:
    end = f" .. {_text(node.end, OR)}" if node.end is not None else ""
    return f"{name_text(node.name)} in {_text(node.domain, OR)}{end}"


def _for(node: ast.For) -> str:
    return f"for {', '.join(map(_iterator, node.iterators))} return {_text(node.body, ANY)}"


def _quantified(node: ast.Quantified) -> str:
    iterators = ", ".join(map(_iterator, node.iterators))
    return f"{node.quantifier} {iterators} satisfies {_text(node.condition, ANY)}"


def _instance_of(node: ast.InstanceOf) -> str:
    return f"{_text(node.operand, UNARY)} instance of {type_text(node.type)}"


def type_text(node: ast.TypeNode) -> str:
    """A type as FEEL writes it."""
    if node.name == "function":
        if node.arguments is None:
            return "function"
        result = f" -> {type_text(node.result)}" if node.result is not None else ""
        return f"function<{', '.join(map(type_text, node.arguments))}>{result}"
    name = node.name
    if name not in BUILTIN_NAMES and name != "null":
        name = ".".join(name_text(part) for part in name.split("."))
    if node.members:
        pairs = zip(node.members, node.arguments or (), strict=True)
        return f"{name}<{', '.join(f'{name_text(member)}: {type_text(kind)}' for member, kind in pairs)}>"
    return f"{name}<{type_text(node.arguments[0])}>" if node.arguments else name


def _function(node: ast.FunctionNode) -> str:
    parameters = [
        name_text(p.name) if p.type is None else f"{name_text(p.name)}: {type_text(p.type)}" for p in node.parameters
    ]
    return f"function({', '.join(parameters)}) {'external ' if node.external else ''}{_text(node.body, ANY)}"


def _unary_tests(node: ast.UnaryTestsNode) -> str:
    if not node.tests:
        return "-"
    texts = ", ".join(_text(test, ANY) for test in node.tests)
    if node.negated:
        return f"not({texts})"
    only = node.tests[0]
    negation = isinstance(only, ast.Call) and only.function == ast.Name("not") and len(node.tests) == 1
    return f"({texts})" if negation else texts


_WRITERS: dict[type[Node], tuple[int, Callable[[Any], str]]] = {
    ast.Literal: (POSTFIX, _literal),
    ast.AtLiteral: (POSTFIX, _at_literal),
    ast.Name: (POSTFIX, _name),
    ast.Path: (POSTFIX, _path),
    ast.Filter: (POSTFIX, _filter),
    ast.Call: (POSTFIX, _call),
    ast.ListNode: (POSTFIX, _list),
    ast.ContextNode: (POSTFIX, _context),
    ast.Interval: (POSTFIX, _interval),
    ast.Negation: (UNARY, _negation),
    ast.InstanceOf: (ANY, _instance_of),
    ast.Arithmetic: (ADD, _arithmetic),
    ast.Comparison: (COMPARE, _comparison),
    ast.Between: (COMPARE, _between),
    ast.In: (COMPARE, _in),
    ast.Logical: (AND, _logical),
    ast.UnaryTest: (ANY, _unary_test),
    ast.If: (ANY, _if),
    ast.For: (ANY, _for),
    ast.Quantified: (ANY, _quantified),
    ast.FunctionNode: (ANY, _function),
    ast.UnaryTestsNode: (ANY, _unary_tests),
}
