"""Errors: refused texts name line, column and what would be right; everything else is null with a reason."""

from __future__ import annotations

import pytest

from domain.errors import DomainError, ExpressionError
from domain.feel import EvaluationContext, FeelSyntaxError, compile_expression, compile_unary_tests
from tests.feel.tables import evaluated, reasons

REFUSED = [
    ("", 1, 1, "the expression is empty"),
    ("1 +", 1, 4, "the expression ends too early"),
    ("1 +\n  * 2", 2, 3, "'*' is not possible here"),
    ("[1, 2", 1, 6, "the expression ends too early"),
    ("(1, 2)", 1, 3, "',' is not possible here"),
    ('"abc', 1, 1, "the string is not closed"),
    ("`abc", 1, 1, "the quoted name is not closed"),
    ("1 /* x", 1, 3, "the comment is not closed"),
    ("a # b", 1, 3, "the character '#' means nothing here"),
    ("if 1 then 2", 1, 12, "the expression ends too early"),
    ("for x in 1..3", 1, 14, "the expression ends too early"),
    ("1 2", 1, 3, "'2' is not possible here"),
    ('"a" b', 1, 5, "the name 'b' stands where an operator should be"),
    ("1e999999", 1, 1, "the number 1e999999 is out of range"),
    ("a.", 1, 3, "the expression ends too early"),
    ("a..b[", 1, 2, "'..' is not possible here"),
    ("{a 1}", 1, 4, "'1' is not possible here"),
]

EXPECTED = [("[1, 2", (",", "]")), ("1 +", ("an expression",)), ("if a then b", ("else",)), ("1 2", ("an operator",))]

REASONS = [
    ("a + 1", "no variable 'a' is known here"),
    ('1 + "x"', "number + string has no meaning"),
    ("1 / 0", "division by zero"),
    ("{a: 1}.b", "the context has no entry 'b'"),
    ("5.b", "a number has no property 'b'"),
    ("[1][2]", "there is no element 2 in a list of 1"),
    ('1 < "x"', "a number cannot be compared with a string by <"),
    ("abs(true)", "abs(): 'n' must be a number or duration, but is a boolean"),
    ("sqrt(null)", "sqrt(): 'number' must be a number, but is null"),
    ("abs()", "abs() takes (n)"),
    ('substring("a", 1, size: 2)', ""),
    ("substring(text: 1)", "substring() takes (string, start position, length), not (text)"),
    ("5()", "a number cannot be called"),
    ("(function(a, b) 1)(1)", "the function has 2 parameters, but 1 arguments are given"),
    ("(function() external {java: 1})()", "external functions (Java, PMML) are not run here"),
    ("now(1)", "now() takes ()"),
    ('@"2021-13-01"', '@"2021-13-01" is no date, time, date and time or duration'),
    ("if 1 then 2 else 3", "the condition of 'if' is a number, not a boolean: taken as false"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), REFUSED)
def test_a_text_that_is_not_feel_is_refused_with_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert message in str(caught.value)


@pytest.mark.parametrize(("text", "expected"), EXPECTED)
def test_a_refusal_says_what_would_be_right(text: str, expected: tuple[str, ...]) -> None:
    with pytest.raises(FeelSyntaxError) as caught:
        compile_expression(text)
    assert caught.value.expected == expected


def test_syntax_errors_are_expression_errors_of_the_domain() -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_unary_tests("1 +")
    assert isinstance(caught.value, DomainError)
    assert caught.value.code == "EXPRESSION_ERROR"


@pytest.mark.parametrize(("text", "reason"), [(text, reason) for text, reason in REASONS if reason])
def test_what_has_no_meaning_is_null_with_a_reason(text: str, reason: str) -> None:
    assert reason in reasons(text)


def test_a_reason_names_its_place() -> None:
    context = EvaluationContext()
    compile_expression("1 +\n  missing").evaluate({}, context)
    assert (context.warnings[0].line, context.warnings[0].column) == (2, 3)


def test_without_a_clock_now_is_null_and_says_so() -> None:
    context = EvaluationContext()
    assert compile_expression("now()").evaluate({}, context) is None
    assert [warning.message for warning in context.warnings] == ["now(): this evaluation has no clock"]


def test_the_number_of_reasons_is_bounded() -> None:
    context = EvaluationContext()
    compile_expression("for i in 1..1000 return missing").evaluate({}, context)
    assert len(context.warnings) == 100
    assert evaluated("for i in 1..2 return missing") == "[null, null]"
