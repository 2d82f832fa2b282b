"""Every hit policy: what comes out when no rule, one rule, several rules match."""

from __future__ import annotations

from typing import Any

import pytest

from domain.feel import to_json
from tests.dmn.models import table_decision

AGES = [[">= 18", '"adult"'], [">= 65", '"senior"'], ["< 18", '"minor"']]
PRIORITY = {"result": '"senior", "adult", "minor"'}


def output(age: int, **columns: Any) -> Any:
    return to_json(table_decision({"age": age}, inputs=["age"], **{"rules": AGES, **columns}).output)


def test_unique_gives_the_output_of_the_one_rule_that_matches() -> None:
    assert output(20) == "adult"


def test_unique_fails_and_names_the_rules_when_two_match() -> None:
    result = table_decision({"age": 70}, inputs=["age"], rules=AGES)
    assert result.output is None
    assert result.failure is not None
    assert result.failure.decision_id == "d"
    assert "rules 1, 2 match at once, but hit policy UNIQUE allows one" in result.failure.reason


def test_first_gives_the_output_of_the_first_rule_that_matches() -> None:
    assert output(70, policy="FIRST") == "adult"


def test_any_accepts_several_rules_with_the_same_output() -> None:
    assert output(70, policy="ANY", rules=[["> 1", "1.0"], ["> 2", "1"]]) == 1


def test_any_fails_when_the_outputs_differ() -> None:
    result = table_decision({"age": 70}, inputs=["age"], rules=[["> 1", "1"], ["> 2", "true"]], policy="ANY")
    assert result.output is None
    assert result.failure is not None
    assert "hit policy ANY" in result.failure.reason


def test_priority_gives_the_output_that_stands_first_among_the_output_values() -> None:
    assert output(70, policy="PRIORITY", output_values=PRIORITY) == "senior"
    assert output(20, policy="PRIORITY", output_values=PRIORITY) == "adult"


def test_priority_compares_output_columns_from_left_to_right() -> None:
    rules = [["-", '"low"', '"a"'], ["-", '"high"', '"b"'], ["-", '"high"', '"a"']]
    found = output(
        1,
        rules=rules,
        outputs=["risk", "class"],
        policy="PRIORITY",
        output_values={"risk": '"high", "low"', "class": '"a", "b"'},
    )
    assert found == {"risk": "high", "class": "a"}


def test_output_order_lists_outputs_by_falling_priority() -> None:
    assert output(70, policy="OUTPUT ORDER", output_values=PRIORITY) == ["senior", "adult"]


def test_rule_order_lists_outputs_in_the_order_of_the_rules() -> None:
    assert output(70, policy="RULE ORDER") == ["adult", "senior"]


def test_collect_lists_all_outputs() -> None:
    assert output(70, policy="COLLECT") == ["adult", "senior"]


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", 35), ("MIN", 5), ("MAX", 30), ("COUNT", 2)])
def test_collect_aggregates_the_outputs(aggregation: str, expected: int) -> None:
    rules = [["> 1", "5"], ["> 2", "30"], ["> 100", "7"]]
    assert output(70, policy="COLLECT", aggregation=aggregation, rules=rules) == expected


def test_several_output_columns_give_a_context_by_column_name() -> None:
    rules = [["> 1", '"yes"', "0.5"]]
    assert output(2, rules=rules, outputs=["approved", "rate"]) == {"approved": "yes", "rate": 0.5}


@pytest.mark.parametrize("policy", ["UNIQUE", "ANY", "FIRST", "RULE ORDER", "COLLECT"])
def test_without_a_matching_rule_the_result_is_null(policy: str) -> None:
    assert output(1, policy=policy, rules=[["> 5", "1"]]) is None


@pytest.mark.parametrize("policy", ["UNIQUE", "PRIORITY", "COLLECT"])
def test_without_a_matching_rule_the_default_output_counts(policy: str) -> None:
    values = {"result": '"none", "x"'}
    found = output(1, policy=policy, rules=[["> 5", '"x"']], defaults={"result": '"none"'}, output_values=values)
    assert found == "none"


def test_an_empty_output_cell_is_null() -> None:
    assert output(9, rules=[["> 5", ""]]) is None


def test_an_output_outside_of_the_output_values_is_a_failure() -> None:
    result = table_decision({"a": 1}, inputs=["a"], rules=[["-", '"z"']], output_values={"result": '"x", "y"'})
    assert result.output is None
    assert result.failure is not None
    assert 'rule 1: output \'result\' is "z"; allowed are "x", "y"' in result.failure.reason


def test_an_input_outside_of_the_input_values_is_a_failure() -> None:
    result = table_decision({"a": "z"}, inputs=["a"], rules=[["-", "1"]], input_values={"a": '"x", "y"'})
    assert result.output is None
    assert result.failure is not None
    assert "the input 'a' is \"z\"; allowed are" in result.failure.reason
