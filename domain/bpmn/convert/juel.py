"""JUEL, Camunda 7's expression language, to FEEL: properties, comparison, logic, arithmetic, ternary, `empty`.

    to_feel("${amount > 1000 && customer.vip}")     'amount > 1000 and customer.vip'
    to_feel("Order ${order.id}")                    '"Order " + string(order.id)'

Method calls run Java and are refused, with the FEEL function that does the same where there is one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.feel import FeelSyntaxError, compile_expression

MAX_LENGTH = 4_000
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?P<name>[A-Za-z_$][\w$]*)|(?P<mark>==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,()\[\]]))"""
)
_PART = re.compile(r"[$#]\{((?:[^{}'\"]|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")*)\}")
WORDS = {
    "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=", "ge": ">=", "and": "&&", "or": "||", "not": "!",
    "div": "/", "mod": "%",
}  # fmt: skip
COMPARISONS = {"==": "=", "!=": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
RENAMED = {
    "nrOfInstances": "numberOfInstances",
    "nrOfActiveInstances": "numberOfActiveInstances",
    "nrOfCompletedInstances": "numberOfCompletedInstances",
}
"""Variables of multi-instance activities that have another name in Camunda 8."""
JAVA_OBJECTS = {
    "execution": "there is no execution object: variables are read by their name, the business key by a variable",
    "task": "there is no task object: set what is needed by an input mapping",
    "authenticatedUserId": "the user is not a variable: let the client that starts the instance set one",
    "caseExecution": "CMMN is not supported",
    "connector": "there is no connector object: use the variables of the job",
}
METHODS = {
    "size": "count(list)", "length": "string length(text)", "isEmpty": "list = []",
    "contains": "list contains(list, x)",
    "equals": "a = b", "equalsIgnoreCase": "lower case(a) = lower case(b)", "startsWith": "starts with(text, x)",
    "endsWith": "ends with(text, x)", "toString": "string(x)", "toLowerCase": "lower case(text)",
    "toUpperCase": "upper case(text)", "substring": "substring(text, from)", "get": "list[n] or context.key",
    "getVariable": "the variable's name", "hasVariable": "name != null", "getTime": "a date and time of FEEL",
    "prop": "a path: object.key", "value": "the value itself", "stringValue": "the value itself",
    "numberValue": "the value itself", "boolValue": "the value itself", "trim": "trim(text)", "now": "now()",
    "dateTime": "now()", "currentUser": "a variable that the client sets", "intValue": "the value itself",
}  # fmt: skip
RESERVED = frozenset("if then else for in return some every satisfies instance of function between external".split())


class Untranslatable(Exception):
    """The expression cannot become FEEL; `suggestion` says what a person can write instead."""

    def __init__(self, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.suggestion = suggestion


class _Term(NamedTuple):
    """FEEL text and how tightly it binds (the numbers of `_LEVELS`; 9: never needs brackets)."""

    text: str
    level: int


TERNARY, OR, AND, COMPARISON, SUM, PRODUCT, UNARY, ATOM = 0, 1, 2, 3, 4, 5, 6, 9


def has_expression(text: str) -> bool:
    """Whether a text has `${…}` or `#{…}` in it."""
    return _PART.search(text) is not None or "${" in text or "#{" in text


def to_feel(text: str) -> str:
    """The FEEL expression (without a leading "=") for a text with `${…}` in it. Raises Untranslatable."""
    if len(text) > MAX_LENGTH:
        raise Untranslatable(f"the expression is longer than {MAX_LENGTH} characters")
    pieces: list[str] = []
    end = 0
    found = list(_PART.finditer(text))
    for match in found:
        if match.start() > end:
            pieces.append(_quoted(text[end : match.start()]))
        translated = _Parser(match[1]).whole()
        alone = len(found) == 1 and match.span() == (0, len(text))
        pieces.append(translated if alone else f"string({translated})")
        end = match.end()
    rest = text[end:]
    if "${" in rest or "#{" in rest:
        raise Untranslatable("the brackets of an expression do not match", "mend the expression in the model")
    if rest:
        pieces.append(_quoted(rest))
    feel = " + ".join(pieces)
    try:
        compile_expression(feel)
    except FeelSyntaxError as error:
        raise Untranslatable(f"its translation '{feel}' is not FEEL: {error}") from error
    return feel


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


class _Parser:
    """A parser by descent over the tokens of one `${…}`; each method gives the FEEL of what it read."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def whole(self) -> str:
        if not self.tokens:
            raise Untranslatable("the expression is empty")
        term = self.ternary()
        if self.at < len(self.tokens):
            raise Untranslatable(f"'{self.tokens[self.at][1]}' is not understood here")
        return term.text

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        return WORDS.get(text, text) if kind == "name" else text if kind == "mark" else ""

    def take(self, *marks: str) -> str:
        found = self.peek()
        if found and found in marks:
            self.at += 1
            return found
        return ""

    def need(self, mark: str) -> None:
        if not self.take(mark):
            raise Untranslatable(f"'{mark}' is missing")

    def ternary(self) -> _Term:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Untranslatable(f"the expression is nested more than {MAX_DEPTH} deep")
        condition = self.logical("||", "or", OR)
        if self.take("?"):
            yes = self.ternary()
            self.need(":")
            no = self.ternary()
            condition = _Term(f"if {condition.text} then {yes.text} else {no.text}", TERNARY)
        self.depth -= 1
        return condition

    def logical(self, mark: str, word: str, level: int) -> _Term:
        def operand() -> _Term:
            return self.logical("&&", "and", AND) if level == OR else self.comparison()

        left = operand()
        while self.take(mark):
            left = _Term(f"{_in(left, level)} {word} {_in(operand(), level + 1)}", level)
        return left

    def comparison(self) -> _Term:
        left = self.sum()
        while operator := self.take(*COMPARISONS):
            right = self.sum()
            left = _Term(f"{_in(left, SUM)} {COMPARISONS[operator]} {_in(right, SUM)}", COMPARISON)
        return left

    def sum(self) -> _Term:
        left = self.product()
        while operator := self.take("+", "-"):
            left = _Term(f"{_in(left, SUM)} {operator} {_in(self.product(), PRODUCT)}", SUM)
        return left

    def product(self) -> _Term:
        left = self.unary()
        while operator := self.take("*", "/", "%"):
            right = self.unary()
            if operator == "%":
                left = _Term(f"modulo({left.text}, {right.text})", ATOM)
            else:
                left = _Term(f"{_in(left, PRODUCT)} {operator} {_in(right, UNARY)}", PRODUCT)
        return left

    def unary(self) -> _Term:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Untranslatable(f"the expression is nested more than {MAX_DEPTH} deep")
        try:
            if self.take("!"):
                return _Term(f"not({self.unary().text})", ATOM)
            if self.take("-"):
                return _Term(f"-{_in(self.unary(), ATOM)}", UNARY)
            if self.at < len(self.tokens) and self.tokens[self.at] == ("name", "empty"):
                self.at += 1
                value = _in(self.unary(), ATOM)
                text, items = f'{value} instance of string and {value} = ""', f"{value} instance of list<Any>"
                return _Term(f"({value} = null or {text} or {items} and count({value}) = 0)", ATOM)
            return self.path()
        finally:
            self.depth -= 1

    def path(self) -> _Term:
        term = self.atom()
        while True:
            if self.take("."):
                name = self.name()
                if self.peek() == "(":
                    raise _method(name)
                term = _Term(f"{_in(term, ATOM)}.{name}", ATOM)
            elif self.take("["):
                term = self.index(term)
            elif self.peek() == "(":
                raise _method(term.text)
            else:
                return term

    def index(self, term: _Term) -> _Term:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "text":
            self.at += 1
            self.need("]")
            key = _unquoted(text)
            if not key.isidentifier():
                return _Term(f"get value({term.text}, {_quoted(key)})", ATOM)
            return _Term(f"{_in(term, ATOM)}.{key}", ATOM)
        inner = self.ternary()
        self.need("]")
        place = str(int(inner.text) + 1) if inner.text.isdigit() else f"{_in(inner, SUM)} + 1"  # FEEL counts from 1
        return _Term(f"{_in(term, ATOM)}[{place}]", ATOM)

    def name(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind != "name":
            raise Untranslatable("a name is missing behind '.'")
        self.at += 1
        return text

    def atom(self) -> _Term:
        if self.take("("):
            inner = self.ternary()
            self.need(")")
            return _Term(f"({inner.text})", ATOM)
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "number":
            return _Term(text, ATOM)
        if kind == "text":
            return _Term(_quoted(_unquoted(text)), ATOM)
        if kind != "name":
            raise Untranslatable(f"'{text}' is not understood here" if text else "the expression ends too early")
        if text in JAVA_OBJECTS:
            raise Untranslatable(f"'{text}' is a Java object of Camunda 7", JAVA_OBJECTS[text])
        if text in RESERVED or "$" in text:
            raise Untranslatable(f"'{text}' is no name in FEEL", "give the variable another name")
        return _Term(RENAMED.get(text, text), ATOM)


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise Untranslatable(f"'{text[at : at + 10].strip()}' is not understood")
        kind = str(match.lastgroup)
        found.append((kind, match[kind]))
        at = match.end()
    return found


def _in(term: _Term, level: int) -> str:
    """The term's text, in brackets where it binds less tightly than its place needs."""
    return term.text if term.level >= level else f"({term.text})"


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _method(name: str) -> Untranslatable:
    simple = name.rpartition(".")[2]
    instead = METHODS.get(simple, "")
    advice = f"in FEEL: {instead}" if instead else "let a job worker do it, and hand the result over in a variable"
    return Untranslatable(f"the method '{simple}()' runs Java", advice)
