"""Conditions of decision tables: every kind of cell gives what FEEL's unary tests give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.dmn.cells import line_of_cells, understand
from domain.feel import compile_unary_tests, to_json
from domain.feel.values import Date
from tests.dmn.models import table_decision

CELLS = [
    "5", "-1.5", "< 5", "<= 5", "> 2.5", ">= 2", "[1..5]", "(1..5)", "]1..5[", "[1..5)", "1, 3, 5", "< 1, > 4",
    "not(3)", "not(1, [3..4])", "!= 5", "= 5", '"a"', '"a", "b"', 'not("a")', '["a".."c"]', "true", "false",
    "not(true)", 'date("2024-02-29")', '[date("2024-01-01")..date("2024-12-31")]', '< @"2024-06-01"',
    'duration("P1D")', '> duration("PT12H")', "-", "[5..1]", "5, 5, [4..6]",
]  # fmt: skip
VALUES: list[Any] = [
    0, 1, Decimal("1.0"), 2, Decimal("2.5"), 3, Decimal("3.5"), 4, 5, 6, "a", "b", "c", "abc", True, False, None,
    Date(2024, 2, 29), Date(2024, 6, 1), Date(2025, 1, 1),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_a_column_matches_where_the_unary_tests_of_its_cell_do(cell: str) -> None:
    for value in VALUES:
        expected = True if cell == "-" else compile_unary_tests(cell).matches(value, {}) is True
        result = table_decision({"x": value}, inputs=["x"], rules=[[cell, "1"]])
        assert (result.output == 1) is expected, f"{value!r} against {cell}"


@given(
    st.lists(st.sampled_from([cell for cell in CELLS if understand(cell) is not None]), min_size=1, max_size=8),
    st.one_of(st.integers(-3, 8), st.decimals(-3, 8, places=1)),
)
@settings(max_examples=150, deadline=None)
def test_the_lookup_of_a_column_agrees_with_its_cells_one_by_one(cells: list[str], number: Any) -> None:
    line = line_of_cells([understand(cell) for cell in cells], "number")
    expected = sum(
        1 << row
        for row, cell in enumerate(cells)
        if cell == "-" or compile_unary_tests(cell).matches(number, {}) is True
    )
    assert line.rows(number) == expected


def test_cells_may_be_expressions_over_other_inputs() -> None:
    rules = [["> limit", '"above"'], ["limit", '"equal"'], ["< limit / 2", '"far below"'], ["? * 2 > limit", '"near"']]
    columns: dict[str, Any] = {"inputs": ["x"], "rules": rules, "policy": "FIRST"}
    found = [to_json(table_decision({"x": x, "limit": 10}, **columns).output) for x in (11, 10, 4, 7)]
    assert found == ["above", "equal", "far below", "near"]


def test_a_cell_that_is_a_list_matches_its_elements() -> None:
    assert table_decision({"x": "b", "l": ["a", "b"]}, inputs=["x"], rules=[["l", "1"]]).output == 1


def test_input_columns_may_be_expressions() -> None:
    rules = [["> 10", '"big"'], ["<= 10", '"small"']]
    assert table_decision({"a": 4, "b": 3}, inputs=["a * b"], rules=rules).output == "big"


def test_output_cells_may_be_expressions() -> None:
    assert table_decision({"a": 4}, inputs=["a"], rules=[["-", "a * 2 + 1"]]).output == 9


def test_a_null_input_matches_only_cells_that_ask_for_it() -> None:
    columns: dict[str, Any] = {"inputs": ["a"], "policy": "COLLECT"}
    rules = [["5", "1"], ["-", "2"], ["null", "3"], ["< 5", "4"]]
    assert table_decision({"a": None}, rules=rules, **columns).output == [2, 3]


def test_a_table_without_inputs_always_matches() -> None:
    assert table_decision({}, inputs=[], rules=[["1"]]).output == 1


def test_the_record_of_a_table_holds_inputs_and_matched_rules() -> None:
    result = table_decision({"a": 4}, inputs=["a"], rules=[["> 1", "a"], ["> 9", "0"], ["> 3", "5"]], policy="COLLECT")
    assert result.to_json()["evaluated"] == [
        {
            "id": "d",
            "name": "d",
            "kind": "decisionTable",
            "inputs": [{"id": "in_a", "name": "a", "value": 4}],
            "matchedRules": [
                {"id": "rule_1", "index": 1, "outputs": [{"id": "out_result", "name": "result", "value": 4}]},
                {"id": "rule_3", "index": 3, "outputs": [{"id": "out_result", "name": "result", "value": 5}]},
            ],
            "output": [4, 5],
        }
    ]


def test_a_first_hit_table_records_the_one_rule_it_took() -> None:
    result = table_decision({"a": 4}, inputs=["a"], rules=[["> 1", "1"], ["> 2", "2"]], policy="FIRST")
    assert [rule.index for rule in result.evaluated[0].matched_rules] == [1]


def test_a_value_of_another_type_than_the_column_is_kept_and_warned_about() -> None:
    result = table_decision({"a": "x"}, inputs=["a"], rules=[['"x"', "1"]], types={"a": "number"})
    assert result.output == 1
    assert any("'a'" in warning and "number" in warning for warning in result.warnings)
