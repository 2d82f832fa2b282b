"""Unary tests: what stands in the input cells of decision tables."""

from __future__ import annotations

import pytest

from domain.feel import EvaluationContext, compile_unary_tests

CASES = [
    ("-", 1, True),
    ("-", None, True),
    ("5", 5, True),
    ("5", 5.0, True),
    ("5", "5", None),
    ("< 5", 4, True),
    ("< 5", None, None),
    (">= 5", 5, True),
    ("[1..5]", 5, True),
    ("[1..5)", 5, False),
    ("]1..5[", 1, False),
    ("1, 2, 3", 2, True),
    ("< 1, > 10", 11, True),
    ("< 1, > 10", 5, False),
    ('"a", "b"', "b", True),
    ('not("a", "b")', "c", True),
    ('not("a", "b")', "b", False),
    ("not(< 5)", None, None),
    ("not([1..5])", 7, True),
    ("null", None, True),
    ("null", 1, False),
    ("true", True, True),
    ("false", False, True),
    ("false", True, False),
    ("? > 3 and ? < 9", 5, True),
    ('starts with(?, "ab")', "abc", True),
    ("some x in ? satisfies x > 2", [1, 3], True),
    ("limit", 10, True),
    ("> limit", 11, True),
    ("limits", 3, True),
    ("limits", 4, False),
    ("band", 7, True),
    ("limit > 5", "anything", True),
    ("limit > 50", "anything", False),
    ('@"2021-01-01"', "2021-01-01", None),
    ('[date("2021-01-01")..date("2021-12-31")]', "x", None),
    ("= 5", 5, True),
    ("!= 5", 5, False),
    ("5", [5, 6], None),
]


@pytest.mark.parametrize(("text", "value", "matches"), CASES)
def test_a_cell_matches_as_specified(text: str, value: object, matches: bool | None) -> None:
    scope = {"limit": 10, "limits": [1, 2, 3], "band": compile_unary_tests_range()}
    assert compile_unary_tests(text).matches(value, scope) is matches


def compile_unary_tests_range() -> object:
    """A range value."""
    from domain.feel import compile_expression

    return compile_expression("[5..9]").evaluate({})


def test_a_cell_knows_the_variables_it_reads_beside_the_input() -> None:
    assert compile_unary_tests("> limit, ? < other").variables == {"limit", "other"}


def test_names_with_special_characters_are_known_in_cells_too() -> None:
    tests = compile_unary_tests("> max-rate", ("max-rate",))
    assert tests.matches(6, {"max-rate": 5}) is True


def test_a_cell_that_cannot_be_decided_says_why() -> None:
    context = EvaluationContext()
    assert compile_unary_tests("< 5").matches("x", {}, context) is None
    assert [str(warning.message) for warning in context.warnings] == ["a string cannot be compared with a number by <"]
