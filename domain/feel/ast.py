"""The syntax tree of FEEL: what the parser builds, the compiler turns into closures and the printer writes.

Nodes are equal when they mean the same text: `at` (1-based line and column) and `depth` do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.feel.numeric import Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression; `depth` is the height of its tree, bounded by the parser."""

    at: tuple[int, int] = field(default=(0, 0), compare=False, repr=False)
    depth: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """null, true, false, a number or a string."""

    value: bool | Number | str | None


@dataclass(frozen=True, slots=True)
class AtLiteral(Node):
    """@"2021-01-01" and the like."""

    text: str


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable, single spaces between its words; "?" is the input value of unary tests."""

    name: str


@dataclass(frozen=True, slots=True)
class Path(Node):
    """base.member."""

    base: Node
    member: str


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """base[condition]."""

    base: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """function(a, b), or with `names` function(x: a, y: b)."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Negation(Node):
    """-operand."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """left operator right, the operator one of + - * / **."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """left operator right, the operator one of = != < <= > >=."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logical(Node):
    """Two or more operands joined by the same operator, "and" or "or"."""

    operator: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Between(Node):
    """operand between low and high."""

    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In(Node):
    """operand in test, or operand in (test, test)."""

    operand: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class UnaryTest(Node):
    """< endpoint and the like: a test, or as a value a range open at one side."""

    operator: str
    endpoint: Node


@dataclass(frozen=True, slots=True)
class Interval(Node):
    """[low..high], with round or outward brackets where an end is not included."""

    low_included: bool
    low: Node
    high: Node
    high_included: bool


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """[a, b]."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextNode(Node):
    """{a: 1, "b c": 2}."""

    entries: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    """if condition then yes else no."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Iterator(Node):
    """name in domain, or name in domain..end."""

    name: str
    domain: Node
    end: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    """for iterators return body."""

    iterators: tuple[Iterator, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """some or every (`quantifier`) iterators satisfies condition."""

    quantifier: str
    iterators: tuple[Iterator, ...]
    condition: Node


@dataclass(frozen=True, slots=True)
class TypeNode(Node):
    """A type: number, list<number>, context<a: number>, range<date>, function<number> -> string, or a named one.

    `name` is the word before the angle brackets; `members` names a context's entries; `result` is a function's.
    """

    name: str
    arguments: tuple[TypeNode, ...] | None = None
    members: tuple[str, ...] = ()
    result: TypeNode | None = None


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """operand instance of type."""

    operand: Node
    type: TypeNode


@dataclass(frozen=True, slots=True)
class Parameter(Node):
    """A parameter of a function definition."""

    name: str
    type: TypeNode | None = None


@dataclass(frozen=True, slots=True)
class FunctionNode(Node):
    """function(parameters) body; external bodies name Java or PMML code, which is refused when called."""

    parameters: tuple[Parameter, ...]
    body: Node
    external: bool = False


@dataclass(frozen=True, slots=True)
class UnaryTestsNode(Node):
    """The content of a decision table's input cell: tests, not(tests) or "-" (no tests: anything goes)."""

    tests: tuple[Node, ...]
    negated: bool = False
