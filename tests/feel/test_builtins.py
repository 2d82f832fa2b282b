"""The built-in functions, DMN's and Camunda's."""

from __future__ import annotations

import pytest

from domain.feel import EvaluationContext, compile_expression
from domain.feel.builtins import BUILTINS
from tests.feel.tables import evaluated, shown

NUMBERS = [
    ("decimal(1/3, 2)", "0.33"),
    ("decimal(2.5, 0)", "2"),
    ('decimal(2.5, 0, "half_up")', "3"),
    ("decimal(1234, -2)", "1200"),
    ("floor(-1.56, 1)", "-1.6"),
    ("ceiling(-1.5)", "-1"),
    ("round up(5.5, 0)", "6"),
    ("round down(-5.5, 0)", "-5"),
    ("round half up(-5.5, 0)", "-6"),
    ("round half down(5.5, 0)", "5"),
    ("round up(5.5, 6177)", "null"),
    ('abs(@"-PT5H")', "PT5H"),
    ("modulo(-12, 5)", "3"),
    ("modulo(10.1, -4.5)", "-3.4"),
    ("modulo(1, 0)", "null"),
    ("sqrt(16)", "4"),
    ("sqrt(-1)", "null"),
    ("log(1)", "0"),
    ("exp(0)", "1"),
    ("odd(5)", "true"),
    ("even(2.5)", "false"),
]

STRINGS = [
    ('substring("foobar", 3)', '"obar"'),
    ('substring("foobar", -2, 1)', '"a"'),
    ('substring("foobar", 0)', "null"),
    ('string length("🐎ab")', "3"),
    ('upper case("aBc4")', '"ABC4"'),
    ('substring before("foobar", "bar")', '"foo"'),
    ('substring after("foobar", "ob")', '"ar"'),
    ('substring after("foobar", "x")', '""'),
    ('contains("foobar", "of")', "false"),
    ('starts with("foobar", "fo")', "true"),
    ('ends with("foobar", "r")', "true"),
    ('split("a;b;c;;", ";")', '["a", "b", "c", "", ""]'),
    ('string join(["a", null, "c"], "-")', '"a-c"'),
    ('string join(["a", "b"], ", ", "[", "]")', '"[a, b]"'),
    ('string join(["a", 1])', "null"),
    ('extract("1234, 1256, 1378", "12[0-9]*")', '["1234", "1256"]'),
    ('trim("  a b  ")', '"a b"'),
    ('is blank(" \t")', "true"),
    ('to base64("FEEL")', '"RkVFTA=="'),
]

LISTS = [
    ("list contains([1, null], null)", "true"),
    ("count([1, 2])", "2"),
    ("count(null)", "null"),
    ('min("b", "a")', '"a"'),
    ("max([1, 3, 2])", "3"),
    ('max(1, "a")', "null"),
    ("min([])", "null"),
    ("sum(1, 2.5)", "3.5"),
    ('sum([@"PT1H", @"PT30M"])', "PT1H30M"),
    ("sum([])", "null"),
    ("mean([1, 2, 4, 5])", "3"),
    ("product(2, 3, 4)", "24"),
    ("median(8, 2, 5, 3, 4)", "4"),
    ("median([6, 1, 2, 3])", "2.5"),
    ("mode([6, 1, 9, 6, 1])", "[1, 6]"),
    ("stddev([2, 4, 4, 4, 5, 5, 7, 9]) > 2.1", "true"),
    ("stddev([1])", "null"),
    ("all([true, null])", "null"),
    ("all([false, null])", "false"),
    ("any(false, null, true)", "true"),
    ("all([])", "true"),
    ("sublist([1, 2, 3], -2)", "[2, 3]"),
    ("sublist([1, 2, 3], 1, 2)", "[1, 2]"),
    ("sublist([1, 2, 3], 4)", "null"),
    ("append([1], 2, 3)", "[1, 2, 3]"),
    ("concatenate([1, 2], [3], 4)", "[1, 2, 3, 4]"),
    ("insert before([1, 3], 1, 2)", "[2, 1, 3]"),
    ("insert before([], 1, 2)", "[2]"),
    ("remove([1, 2, 3], -1)", "[1, 2]"),
    ("list replace([1, 2, 3], 2, 9)", "[1, 9, 3]"),
    ("list replace([1, 2, 3], function(x, new) x > new, 1)", "[1, 1, 1]"),
    ("reverse([1, 2])", "[2, 1]"),
    ("index of([1, 2, 3, 2], 2)", "[2, 4]"),
    ("union([1, 2], [2, 3])", "[1, 2, 3]"),
    ("distinct values([1, 1.0, true, null, null, {a: 1}, {a: 1}])", "[1, true, null, {a: 1}]"),
    ("duplicate values([1, 2, 3, 2, 1])", "[1, 2]"),
    ("flatten([[1, 2], [[3]], 4])", "[1, 2, 3, 4]"),
    ("partition([1, 2, 3, 4, 5], 2)", "[[1, 2], [3, 4], [5]]"),
    ("partition([1, 2], 0)", "null"),
    ("is empty([])", "true"),
    ("sort([3, 1, 2], function(x, y) x > y)", "[3, 2, 1]"),
    ("sort([3, 1, 2])", "[1, 2, 3]"),
    ('sort([3, "a"])', "null"),
]

CONTEXTS = [
    ('get value({foo: 123}, "foo")', "123"),
    ('get value({x: {y: {z: 0}}}, ["x", "y"])', "{z: 0}"),
    ("get entries({foo: 123})", '[{key: "foo", value: 123}]'),
    ('context([{key: "a", value: 1}])', "{a: 1}"),
    ('context put({x: 1}, "y", 2)', "{x: 1, y: 2}"),
    ('context put({x: 1}, ["y", "z"], 2)', "{x: 1, y: {z: 2}}"),
    ("context merge([{x: 1, y: 0}, {y: 2}])", "{x: 1, y: 2}"),
]

CONVERSIONS = [
    ('number("1 500.5", " ", ".")', "1500.5"),
    ('number("1,5", null, ",")', "1.5"),
    ('number("abc")', "null"),
    ("string(1.10)", '"1.1"'),
    ("string(null)", "null"),
    ('string([1, "a", {b: @"2020-01-01"}])', '"[1, \\"a\\", {b: 2020-01-01}]"'),
    ('from json("{\\"a\\": [1, 0.5, null]}")', "{a: [1, 0.5, null]}"),
    ('from json("{")', "null"),
    ('to json({a: [1, 0.5], b: @"P3Y"})', '"{\\"a\\":[1,0.5],\\"b\\":\\"P3Y\\"}"'),
    ('range("[1..10)") = [1..10)', "true"),
    ('range("[1..)").start', "1"),
    ('range("[3..1]")', "null"),
    ('range("[x..1]")', "null"),
]

RANGES = [
    ("before(1, 10)", "true"),
    ("before([1..5), [5..10])", "true"),
    ("after([5..10], [1..5))", "true"),
    ("meets([1..5], [5..10])", "true"),
    ("met by([5..10], [1..5))", "false"),
    ("overlaps([5..10], [1..6])", "true"),
    ("overlaps((5..8], [1..5))", "false"),
    ("overlaps before([1..5), (3..8])", "true"),
    ("overlaps before([1..5), [5..10])", "false"),
    ("overlaps after([4..10], [1..5])", "true"),
    ("finishes(5, [1..5])", "true"),
    ("finished by([5..10], (1..10))", "false"),
    ("includes([1..10], [1..5))", "true"),
    ("during(1, (1..10])", "false"),
    ("starts((1..5), (1..10))", "true"),
    ("started by([1..10], [1..10))", "true"),
    ("coincides([1..5], [1..5])", "true"),
    ("coincides(3, 4)", "false"),
]

CAMUNDA = [
    ("is defined(null)", "false"),
    ("is defined({a: 1}.a)", "true"),
    ('get or else(null, "d")', '"d"'),
    ('assert(4, true, "no")', "4"),
    ('fromAi(5, "description")', "5"),
    ("uuid()", "null"),
    ("random number()", "null"),
]

ALL = [*NUMBERS, *STRINGS, *LISTS, *CONTEXTS, *CONVERSIONS, *RANGES, *CAMUNDA]


@pytest.mark.parametrize(("text", "value"), ALL)
def test_a_built_in_function_gives_what_its_documentation_says(text: str, value: str) -> None:
    assert evaluated(text) == value


def test_every_built_in_function_is_called_by_some_test() -> None:
    from tests.feel import test_language, test_regex, test_temporal

    tables = [ALL, test_language.LOGIC, test_temporal.READING, test_temporal.PROPERTIES, test_temporal.COMPARISON]
    texts = " ".join(text for table in tables for text, _ in table) + test_regex.CALLED
    assert [name for name in BUILTINS if f"{name}(" not in texts] == ["lower case"]
    assert evaluated('lower case("ABC")') == '"abc"'


def test_random_numbers_and_uuids_come_from_the_sources_handed_in() -> None:
    context = EvaluationContext(random=lambda: 0.25, uuid=lambda: "7793aab1-d761-4d38-916b-b7270e309894")
    value = compile_expression("[random number(), uuid()]").evaluate({}, context)
    assert shown(value) == '[0.25, "7793aab1-d761-4d38-916b-b7270e309894"]'


def test_an_assertion_that_fails_ends_the_whole_evaluation_with_its_cause() -> None:
    context = EvaluationContext()
    assert compile_expression('{a: 1, b: assert(a, a > 1, "a is too small")}').evaluate({}, context) is None
    assert context.failure == "a is too small"
