"""The language itself: literals, names, operators, logic, ranges, contexts, lists, paths and filters."""

from __future__ import annotations

import pytest

from domain.feel import compile_expression
from tests.feel.tables import evaluated

SCOPE = {
    "a": 1, "b": 2, "x": None, "text": "hello", "flag": True, "Full Name": "Ada Lovelace", "a-b": 10, "date of birth": 7,
    "order": {"id": "A1", "total amount": 120, "lines": [{"sku": "x", "qty": 2}, {"sku": "y", "qty": 5}]},
    "rate in %": 3, "numbers": [1, 2, 3, 4],
}  # fmt: skip

LITERALS = [
    ("null", "null"),
    ("true", "true"),
    ("1.50", "1.5"),
    (".5", "0.5"),
    ("1.5e3", "1500"),
    ("007", "7"),
    ('"a\\"b\\n\\u0041\\U01F40E"', '"a\\"b\\nA🐎"'),
    ('"\\d+"', '"\\\\d+"'),
    ('"\\uD83D\\uDE00"', '"😀"'),
    ('@"2021-02-28"', "2021-02-28"),
    ('@"P1DT2H"', "P1DT2H"),
    ('@"nonsense"', "null"),
    ("1 // one\n + /* two */ 2", "3"),
]

NAMES = [
    ("Full Name", '"Ada Lovelace"'),
    ("Full   Name", '"Ada Lovelace"'),
    ("`Full Name`", '"Ada Lovelace"'),
    ("a-b", "10"),
    ("a - b", "-1"),
    ("a-b - a", "9"),
    ("rate in % + 1", "4"),
    ("date of birth * 2", "14"),
    ("order.total amount + 1", "121"),
    ("for my item in [1, 2] return my item + 1", "[2, 3]"),
    ("for i-th in [1, 2] return i-th * 2", "[2, 4]"),
    ("{net-sum: 3, tax: net-sum * 2}.tax", "6"),
    ('{"with space": 1}.with space', "1"),
    ("(function(first value, second) first value - second)(5, 3)", "2"),
    ("unknown thing", "null"),
    ("{if: 1, then: 2}.if", "1"),
]

ARITHMETIC = [
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("7 - 2 - 1", "4"),
    ("2 ** 3 ** 2", "64"),
    ("-3 ** 2", "9"),
    ("--3", "3"),
    ("10 / 4", "2.5"),
    ("1 / 3", "0.3333333333333333333333333333333333"),
    ("0.1 + 0.2", "0.3"),
    ("9999999999999999999999999999999999 + 1", "10000000000000000000000000000000000"),
    ("12345678901234567890123456789012345678 * 1", "12345678901234567890123456789012350000"),
    ("1 / 0", "null"),
    ('"a" + "b"', '"ab"'),
    ('"a" + 1', "null"),
    ("true + 1", "null"),
    ("null + 1", "null"),
    ("10 ** 7000", "null"),
]

COMPARISONS = [
    ("1 = 1.0", "true"),
    ('1 = "1"', "null"),
    ("null = null", "true"),
    ("1 != null", "true"),
    ("true = 1", "null"),
    ('"a" < "b"', "true"),
    ("1 < true", "null"),
    ("[1, [2]] = [1.0, [2]]", "true"),
    ("{a: 1, b: 2} = {b: 2, a: 1}", "true"),
    ("[1..3] = [1..3]", "true"),
    ("(1..3] = [1..3]", "false"),
    ("(< 5) = (< 5)", "true"),
    ("3 between 1 and 3", "true"),
    ("3 between 4 and 5 or true", "true"),
    ("5 in [1..10]", "true"),
    ("5 in ]5..10]", "false"),
    ("10 in [5..10[", "false"),
    ("5 in (1, 5, 9)", "true"),
    ("5 in (< 3, >= 5)", "true"),
    ("5 in < 3", "false"),
    ("5 in [1, 2, [4..6]]", "true"),
    ("5 in (? > 3)", "true"),
    ("5 in [null..10]", "null"),
    ('"b" in ["a".."c"]', "true"),
]

LOGIC = [
    ("true and null", "null"),
    ("false and null", "false"),
    ("null or true", "true"),
    ("null or false", "null"),
    ('true and "x"', "null"),
    ("true and true and false", "false"),
    ("false or false or true", "true"),
    ("if true then 1 else 2", "1"),
    ("if null then 1 else 2", "2"),
    ("1 + if a > 0 then 1 else 5 + 5", "2"),
    ("not(true)", "false"),
]

COLLECTIONS = [
    ("[1, 2, 3][1]", "1"),
    ("[1, 2, 3][-1]", "3"),
    ("[1, 2, 3][4]", "null"),
    ("[1, 2, 3][item > 1]", "[2, 3]"),
    ("[1, 2, 3][a + 1]", "2"),
    ("5[1]", "5"),
    ("5[item > 1]", "[5]"),
    ("order.lines[qty > 2].sku", '["y"]'),
    ('order.lines[sku = "x"][1].qty', "2"),
    ("order.lines.qty", "[2, 5]"),
    ("order.lines[item.qty > a].sku", '["x", "y"]'),
    ("[{item: 1}, {item: 2}][item >= 2]", "[{item: 2}]"),
    ("[{a: 5}, {b: 6}][a = 5]", "[{a: 5}]"),
    ("[].a", "[]"),
    ("order.missing", "null"),
    ("{a: 1, b: a + 1, c: {d: a + b}}", "{a: 1, b: 2, c: {d: 3}}"),
    ("{a: 1, a: 2}", "null"),
    ("[1..5].end", "5"),
    ("(1..5].start included", "false"),
    ("(> 7).start", "7"),
]

LOOPS = [
    ("for i in 1..3 return i * i", "[1, 4, 9]"),
    ("for i in 3..1 return i", "[3, 2, 1]"),
    ("for i in [1..3) return i", "[1, 2]"),
    ("for i in numbers, j in 1..i return j", "[1, 1, 2, 1, 2, 3, 1, 2, 3, 4]"),
    ("for i in 1..5 return if i <= 2 then 1 else partial[-1] + partial[-2]", "[1, 1, 2, 3, 5]"),
    ("for i in 1..3 return partial", "[[], [[]], [[], [[]]]]"),
    ('for d in @"2024-02-28"..@"2024-03-01" return d.day', "[28, 29, 1]"),
    ("for i in null return i", "null"),
    ("for i in 7 return i", "[7]"),
    ("some i in numbers satisfies i > 3", "true"),
    ("every i in numbers satisfies i > 3", "false"),
    ("some i in [] satisfies true", "false"),
    ("every i in [] satisfies false", "true"),
    ("some i in [1, null] satisfies i > 5", "null"),
    ("some i in [1, 2], j in [2, 3] satisfies i = j", "true"),
]

FUNCTIONS = [
    ("(function(x, y) x + y)(1, 2)", "3"),
    ("(function(x, y) x - y)(y: 1, x: 5)", "4"),
    ("{f: function(n) if n < 2 then 1 else n * f(n - 1), r: f(10)}.r", "3628800"),
    ("{double: function(n) n * 2, r: for i in 1..3 return double(i)}.r", "[2, 4, 6]"),
    ("{fs: for i in 1..3 return function() i, r: for f in fs return f()}.r", "[1, 2, 3]"),
    ("{twice: function(f, v) f(f(v)), r: twice(function(n) n + 1, 5)}.r", "7"),
    ("{f: abs, r: f(-2)}.r", "2"),
    ("(function(x: number) x)([5])", "5"),
    ('(function(x: number) x)("5")', "null"),
    ("(function(x: list<number>) x)(5)", "[5]"),
    ("(function(x) x)(1, 2)", "null"),
    ("(function(x) x)(z: 1)", "null"),
    ("5(1)", "null"),
    ("no such function(1)", "null"),
    ('(function(x) external {java: {class: "java.lang.Math"}})(1)', "null"),
    ("abs(n: -1)", "1"),
    ("abs(m: -1)", "null"),
    ("abs(1, 2)", "null"),
]

TYPES = [
    ("1 instance of number", "true"),
    ("-1 instance of number", "true"),
    ("null instance of Any", "false"),
    ('"x" instance of string and true', "true"),
    ("[1, 2] instance of list<number>", "true"),
    ('[1, "2"] instance of list<number>', "false"),
    ('{a: 1, b: "x"} instance of context<a: number, b: string>', "true"),
    ("{a: 1} instance of context<a: string>", "false"),
    ("[1..2] instance of range<number>", "true"),
    ('@"2021-01-01T00:00:00" instance of date and time', "true"),
    ('@"P1Y" instance of years and months duration', "true"),
    ("(function(x: number) x) instance of function<number> -> Any", "true"),
    ("(function(x) x) instance of function<number, number> -> Any", "false"),
    ("1 instance of unheard", "null"),
]


@pytest.mark.parametrize(
    ("text", "value"),
    [*LITERALS, *NAMES, *ARITHMETIC, *COMPARISONS, *LOGIC, *COLLECTIONS, *LOOPS, *FUNCTIONS, *TYPES],
)
def test_an_expression_has_the_value_that_the_specification_gives_it(text: str, value: str) -> None:
    assert evaluated(text, SCOPE) == value


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a + b.c", {"a", "b"}),
        ("for x in items return x + y", {"items", "y"}),
        ("{a: 1, b: a + c}", {"c"}),
        ("list[price > limit]", {"list", "price", "limit"}),
        ("sum(values)", {"values"}),
        ("1 + 2", set()),
    ],
)
def test_an_expression_knows_the_variables_it_reads(text: str, names: set[str]) -> None:
    assert compile_expression(text).variables == names


def test_the_same_text_with_the_same_names_is_compiled_once() -> None:
    assert compile_expression("a + 1", ("a",)) is compile_expression("a + 1", ["a"])
    assert compile_expression("a-b", ("a-b",)).variables == {"a-b"}
    assert compile_expression("a-b").variables == {"a", "b"}


def test_a_function_among_the_variables_goes_before_a_built_in_of_its_name() -> None:
    own = compile_expression("function(x) 42").evaluate({})
    assert evaluated("abs(-1)", {"abs": own}) == "42"
    assert evaluated("abs(-1)", {"abs": 7}) == "1"
