"""Properties: FEEL's arithmetic is decimal's, its calendar is datetime's, and printed text means the same again."""

from __future__ import annotations

import datetime as dt
import decimal
import operator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.feel import ast, compile_expression, unparse
from domain.feel.formatting import format_value
from domain.feel.parser import parse, parse_unary_tests
from domain.feel.values import Date, civil_of_days, days_of_civil
from tests.feel import test_builtins, test_language, test_temporal, test_unary_tests

EXACT = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN, Emin=-6143, Emax=6144)
NUMBERS = st.one_of(
    st.integers(-(10**36), 10**36),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20),
)
ARITHMETIC = {"+": EXACT.add, "-": EXACT.subtract, "*": EXACT.multiply, "/": EXACT.divide}
COMPARISON = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq}


@settings(deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from("+-*/"))
def test_arithmetic_is_that_of_34_digit_decimals(left: Any, right: Any, symbol: str) -> None:
    value = compile_expression(f"a {symbol} b").evaluate({"a": left, "b": right})
    if symbol == "/" and right == 0:
        assert value is None
    else:
        one, other = EXACT.create_decimal(left), EXACT.create_decimal(right)
        assert value == ARITHMETIC[symbol](one, other)
        assert Decimal(str(value)) == value


@settings(deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from(sorted(COMPARISON)))
def test_comparison_is_that_of_34_digit_decimals(left: Any, right: Any, symbol: str) -> None:
    value = compile_expression(f"a {symbol} b").evaluate({"a": left, "b": right})
    assert value is COMPARISON[symbol](EXACT.create_decimal(left), EXACT.create_decimal(right))
    constant = format_value(right)
    if right >= 0:
        assert compile_expression(f"a {symbol} {constant}").evaluate({"a": left}) is value


@settings(deadline=None)
@given(NUMBERS)
def test_a_number_written_as_text_is_read_as_the_same_number(number: Any) -> None:
    text = format_value(number)
    assert compile_expression(f"({text})").evaluate({}) == EXACT.create_decimal(number)
    assert compile_expression("number(string(x)) = x").evaluate({"x": number}) is True


@settings(deadline=None)
@given(st.dates(), st.dates())
def test_dates_compare_and_subtract_like_pythons(left: dt.date, right: dt.date) -> None:
    scope = {"a": left, "b": right}
    assert compile_expression("a < b").evaluate(scope) is (left < right)
    assert compile_expression("(a - b).days").evaluate(scope) == (left - right).days
    assert compile_expression("b + (a - b) = a").evaluate(scope) is True
    assert compile_expression("week of year(a)").evaluate(scope) == left.isocalendar().week
    assert compile_expression("a.weekday").evaluate(scope) == left.isoweekday()


@settings(deadline=None)
@given(
    st.datetimes(timezones=st.timezones()), st.timedeltas(min_value=dt.timedelta(-9999), max_value=dt.timedelta(9999))
)
def test_moments_move_like_pythons_in_utc(moment: dt.datetime, delta: dt.timedelta) -> None:
    try:
        later = moment.astimezone(dt.UTC) + delta
    except OverflowError:
        return
    if not 3 <= moment.year <= 9990 or not 3 <= later.year <= 9990 or moment.fold:
        return
    scope = {"a": moment.astimezone(dt.UTC), "d": delta, "b": later}
    assert compile_expression("a + d = b").evaluate(scope) is True
    assert compile_expression("b - a = d").evaluate(scope) is True


@settings(deadline=None)
@given(st.integers(-(10**11), 10**11))
def test_the_calendar_of_any_year_counts_days_without_gaps(days: int) -> None:
    year, month, day = civil_of_days(days)
    assert days_of_civil(year, month, day) == days
    following = civil_of_days(days + 1)
    assert following > (year, month, day)
    if 1 <= year <= 9999:
        assert dt.date(year, month, day).toordinal() == days + 719_163


@settings(deadline=None)
@given(st.dates(), st.integers(-2000, 2000))
def test_adding_months_keeps_the_day_or_cuts_it_to_the_months_last(day: dt.date, months: int) -> None:
    moved = compile_expression('d + m * @"P1M"').evaluate({"d": day, "m": months})
    assert isinstance(moved, Date)
    assert moved.year * 12 + moved.month == day.year * 12 + day.month + months
    assert moved.day == day.day or (moved.day < day.day and moved.month != civil_of_days(moved.days() + 1)[1])


NAMES = st.sampled_from(
    ["a", "Full Name", "a-b", "date of birth", "x and y", "if", "rate %", "ä", "item", "instance of"]
)
LITERALS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 10**40).map(EXACT.create_decimal),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=0, max_value=10**9),
    st.text(st.characters(codec="utf-8"), max_size=8),
).map(ast.Literal)
TYPES = st.recursive(
    st.sampled_from(["number", "string", "date and time", "Any", "tPerson", "my.type"]).map(ast.TypeNode),
    lambda inner: st.one_of(
        inner.map(lambda t: ast.TypeNode("list", (t,))),
        st.tuples(inner, inner).map(lambda ts: ast.TypeNode("context", ts, ("a", "b c"))),
        st.tuples(inner, inner).map(lambda ts: ast.TypeNode("function", (ts[0],), (), ts[1])),
    ),
    max_leaves=4,
)


def _flat(word: str, parts: tuple[ast.Node, ast.Node]) -> ast.Node:
    first, second = parts
    if isinstance(first, ast.Logical) and first.operator == word:
        return ast.Logical(word, (*first.operands, second))
    return ast.Logical(word, parts)


def _compound(inner: st.SearchStrategy[ast.Node]) -> st.SearchStrategy[ast.Node]:
    two = st.tuples(inner, inner)
    iterators = st.lists(st.builds(ast.Iterator, NAMES, inner, st.none() | inner), min_size=1, max_size=2).map(tuple)
    parameters = st.lists(st.builds(ast.Parameter, NAMES, st.none() | TYPES), max_size=2).map(tuple)
    return st.one_of(
        st.builds(ast.Arithmetic, st.sampled_from(["+", "-", "*", "/", "**"]), inner, inner),
        st.builds(ast.Comparison, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), inner, inner),
        st.builds(_flat, st.sampled_from(["and", "or"]), two),
        st.builds(ast.Between, inner, inner, inner),
        st.builds(ast.In, inner, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(ast.UnaryTest, st.sampled_from(["<", "<=", ">", ">=", "=", "!="]), inner),
        st.builds(ast.Interval, st.booleans(), inner, inner, st.booleans()),
        st.builds(ast.ListNode, st.lists(inner, max_size=3).map(tuple)),
        st.builds(ast.ContextNode, st.lists(st.tuples(NAMES, inner), max_size=3).map(tuple)),
        st.builds(ast.If, inner, inner, inner),
        st.builds(ast.For, iterators, inner),
        st.builds(ast.Quantified, st.sampled_from(["some", "every"]), iterators, inner),
        st.builds(ast.InstanceOf, inner, TYPES),
        st.builds(ast.Negation, inner),
        st.builds(ast.Path, inner, NAMES),
        st.builds(ast.Filter, inner, inner),
        st.builds(ast.Call, inner, st.lists(inner, max_size=2).map(tuple)),
        st.builds(lambda f, n, a: ast.Call(f, (a,), (n,)), inner, NAMES, inner),
        st.builds(ast.FunctionNode, parameters, inner),
    )


TREES = st.recursive(st.one_of(LITERALS, NAMES.map(ast.Name)), _compound, max_leaves=12)


@settings(deadline=None, max_examples=300)
@given(TREES)
def test_any_tree_is_printed_as_text_that_parses_to_it_again(tree: ast.Node) -> None:
    assert parse(unparse(tree)) == tree


TABLES = [*test_language.LITERALS, *test_language.COMPARISONS, *test_language.COLLECTIONS, *test_language.LOOPS,
          *test_language.FUNCTIONS, *test_language.TYPES, *test_temporal.READING, *test_builtins.ALL]  # fmt: skip


@pytest.mark.parametrize("text", [text for text, _ in TABLES])
def test_printing_a_parsed_text_changes_nothing_but_blanks(text: str) -> None:
    assert parse(unparse(parse(text))) == parse(text)


@pytest.mark.parametrize("text", [text for text, _, _ in test_unary_tests.CASES])
def test_printing_unary_tests_changes_nothing_but_blanks(text: str) -> None:
    assert parse_unary_tests(unparse(parse_unary_tests(text))) == parse_unary_tests(text)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=40) | st.text(st.sampled_from("ab1 .,()[]{}<>=!+-*/\"'?:@`\n ifornd"), max_size=40))
def test_any_text_is_either_refused_or_compiled_and_evaluated(text: str) -> None:
    from domain.feel import EvaluationContext, FeelSyntaxError

    try:
        expression = compile_expression(text)
    except FeelSyntaxError:
        return
    expression.evaluate({"a": 1}, EvaluationContext(max_steps=1_000))
