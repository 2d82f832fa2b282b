"""Hostile input: refused by caps or stopped by the budget, never a crash, never a way into Python."""

from __future__ import annotations

import pytest

from domain.feel import (
    EvaluationContext,
    FeelBudgetExceeded,
    FeelSyntaxError,
    compile_expression,
    compile_unary_tests,
    format_value,
    to_json,
)
from tests.feel.tables import evaluated

DEEP = [
    "(" * 5_000 + "1" + ")" * 5_000,
    "[" * 5_000,
    "{a:" * 5_000,
    "-" * 20_000 + "1",
    "if a then " * 5_000,
    "for a in " * 5_000,
    "1" + "+1" * 20_000,
    "a" + ".b" * 20_000,
    "a" + "[1]" * 20_000,
    "f" + "()" * 20_000,
    "a or " * 10_000 + "b",
    "x instance of " + "list<" * 10_000,
    "function(a) " * 5_000 + "1",
    "1 in " * 10_000 + "2",
    "x" * 1_000_000,
    '"' + "x" * 1_000_000 + '"',
    "/*" * 40_000,
    '"' * 99_999,
    "]" * 50_000,
]

TOO_MUCH = [
    ("for i in 1..100000000 return i", "steps"),
    ("for i in 1..10000, j in 1..10000 return i * j", "steps"),
    ("some i in 1..100000000 satisfies i < 0", "steps"),
    ("{f: function(n) f(n + 1), r: f(0)}.r", "depth"),
    ("{f: function(n) 1 + (if n > 0 then [f(n + 1)][1] else 0), r: f(1)}.r", "depth"),
    ("{f: function(s, n) if n = 0 then s else f(s + s, n - 1), r: f(\"0123456789\", 60)}.r", "size"),
    ('{s: "aaaaaaaaaa", t: s+s+s+s+s+s+s+s+s+s, u: t+t+t+t+t+t+t+t+t+t, r: replace(u, "a", u+u+u+u)}.r', "size"),
    ("{a: [1,1,1,1,1,1,1,1,1,1], b: [a,a,a,a,a,a,a,a,a,a], c: [b,b,b,b,b,b,b,b,b,b], d: [c,c,c,c,c,c,c,c,c,c], "
     "e: [d,d,d,d,d,d,d,d,d,d], f: [e,e,e,e,e,e,e,e,e,e], r: flatten(f)}.r", "steps"),
    ("{a: [1,1,1,1,1,1,1,1,1,1], b: [a,a,a,a,a,a,a,a,a,a], c: [b,b,b,b,b,b,b,b,b,b], d: [c,c,c,c,c,c,c,c,c,c], "
     "e: [d,d,d,d,d,d,d,d,d,d], f: [e,e,e,e,e,e,e,e,e,e], r: [f] = [[e,e,e,e,e,e,e,e,e,e]]}.r", "steps"),
    ("{f: function(l, n) if n = 0 then l else f(concatenate(l, l), n - 1), r: f([1], 40)}.r", "steps"),
]  # fmt: skip


@pytest.mark.parametrize("text", DEEP, ids=lambda text: f"{text[:12]}... of {len(text)}")
def test_deep_or_long_texts_are_refused(text: str) -> None:
    with pytest.raises(FeelSyntaxError):
        compile_expression(text)
    with pytest.raises(FeelSyntaxError):
        compile_unary_tests(text)


@pytest.mark.parametrize(("text", "limit"), TOO_MUCH, ids=lambda value: value[:40])
def test_an_expression_that_needs_too_much_is_stopped(text: str, limit: str) -> None:
    with pytest.raises(FeelBudgetExceeded) as caught:
        compile_expression(text).evaluate({})
    assert caught.value.limit == limit


def test_time_is_bounded_by_the_clock_that_is_handed_in() -> None:
    ticks = iter(range(1_000_000))
    context = EvaluationContext(max_seconds=5, clock=lambda: next(ticks))
    with pytest.raises(FeelBudgetExceeded) as caught:
        compile_expression("for i in 1..900000 return i").evaluate({}, context)
    assert caught.value.limit == "seconds"
    assert context.steps < 20_000


def test_a_budget_is_shared_by_all_evaluations_of_one_context() -> None:
    context = EvaluationContext(max_steps=1_000)
    expression = compile_expression("for i in 1..600 return i")
    expression.evaluate({}, context)
    with pytest.raises(FeelBudgetExceeded):
        expression.evaluate({}, context)


def test_values_nested_without_end_are_stopped() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(FeelBudgetExceeded):
        compile_expression("x").evaluate({"x": endless})


def test_values_that_explode_when_written_are_refused() -> None:
    value: list[object] = [1]
    for _ in range(40):
        value = [value, value]
    with pytest.raises(FeelBudgetExceeded):
        to_json(value)
    with pytest.raises(FeelBudgetExceeded):
        format_value(value)


@pytest.mark.parametrize(
    "text",
    [
        "x.__class__",
        '"".__class__.__mro__',
        'get value({}, "__class__")',
        '__import__("os")',
        'eval("1")',
        "open",
        "(function(a) a).call",
        "abs.call",
        "[1..2].__dict__",
        '@"2021-01-01".days',
    ],
)
def test_no_expression_reaches_python(text: str) -> None:
    assert evaluated(text, {"x": 1}) == "null"


def test_a_pattern_that_hangs_other_engines_is_answered_at_once() -> None:
    text = 'matches("' + "a" * 5_000 + '!", "^(a+)+$")'
    assert evaluated(text) == "false"


def test_hundreds_of_names_with_special_characters_do_not_stop_the_lexer() -> None:
    names = [f"name-{index}" for index in range(300)]
    text = "[" + ", ".join(names) + "]"
    assert len(compile_expression(text, names).variables) == 300
