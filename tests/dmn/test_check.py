"""The table check: what it finds, what it leaves alone, what it says it did not look at."""

from __future__ import annotations

from typing import Any

import pytest

from domain.dmn import TableFinding, check_model, check_table, parse_dmn
from domain.dmn.check import MAX_PAIRS
from tests.dmn.models import bkm, decision, definitions, input_data, item, parsed_table, table


def check(inputs: list[str], rules: list[list[str]], **columns: Any) -> tuple[TableFinding, ...]:
    return check_table(parsed_table(table(inputs, rules, **columns)))


def found(inputs: list[str], rules: list[list[str]], **columns: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(finding.kind, finding.rules) for finding in check(inputs, rules, **columns)]


COMPLETE = [["< 10", "1"], ["[10..20]", "2"], ["> 20", "3"]]


def test_a_complete_table_without_overlaps_has_no_findings() -> None:
    assert check(["x"], COMPLETE) == ()


def test_an_overlap_of_a_unique_table_is_an_error_that_says_where() -> None:
    (finding,) = check(["x"], [["< 10", "1"], ["[5..20]", "2"], ["> 20", "3"]])
    assert (finding.kind, finding.rules, finding.severity) == ("conflict", (1, 2), "error")
    assert finding.message.startswith("rules 1 and 2 both match when x in [5..10); hit policy UNIQUE allows one")


def test_an_overlap_is_one_only_where_all_columns_overlap() -> None:
    rules = [["< 10", "true", "1"], ["< 20", "false", "2"], ["[10..20)", "true", "3"], [">= 20", "-", "4"]]
    assert check(["x", "y"], rules) == ()


def test_a_gap_is_named_by_the_inputs_that_fall_into_it() -> None:
    rules = [["< 10", '"a"', "1"], [">= 10", '"a", "b"', "2"]]
    messages = [finding.message for finding in check(["x", "y"], rules)]
    assert sorted(messages) == [
        'no rule matches when x < 10 and y is none of "a"; add a rule or a default output',
        'no rule matches when x >= 10 and y is none of "a", "b"; add a rule or a default output',
    ]


def test_a_missing_bound_is_a_gap_of_one_value() -> None:
    (finding,) = check(["x"], [["< 10", "1"], ["> 10", "2"]])
    assert finding.message == "no rule matches when x is 10; add a rule or a default output"


def test_allowed_values_close_the_world() -> None:
    assert check(["x"], [['"a"', "1"], ['"b"', "2"]], input_values={"x": '"a", "b"'}) == ()
    assert found(["x"], [['"a"', "1"]], input_values={"x": '"a", "b"'}) == [("gap", ())]
    assert check(["x"], [["< 5", "1"], [">= 5", "2"]], input_values={"x": "[0..10]"}) == ()


def test_allowed_values_may_come_from_the_types_of_the_model() -> None:
    values = "<typeRef>string</typeRef><allowedValues><text>&quot;a&quot;, &quot;b&quot;</text></allowedValues>"
    body = item("level", values) + item("alias", "<typeRef>level</typeRef>") + input_data("x", "alias")
    body += decision("d", table(["x"], [['"a"', "1"], ['"b"', "2"]]), ["in:x"])
    body += decision("e", table(["x"], [['"a"', "1"]]), ["in:x"])
    body += bkm("f", {"p": "level"}, table(["p"], [['"a"', "1"], ['"z"', "2"]]))
    found = check_model(parse_dmn(definitions(body)))
    assert found["d"] == ()
    assert [finding.message for finding in found["e"]] == [
        'no rule matches when x is "b"; add a rule or a default output'
    ]
    assert [finding.kind for finding in found["f"]] == ["empty", "gap"]


def test_a_condition_outside_of_the_allowed_values_never_matches() -> None:
    (finding,) = check(["x"], [['"a"', "1"], ['"z"', "2"]], input_values={"x": '"a"'})
    assert (finding.kind, finding.rules) == ("empty", (2,))


def test_both_booleans_cover_all() -> None:
    assert check(["x"], [["true", "1"], ["false", "2"]]) == ()
    assert found(["x"], [["true", "1"]]) == [("gap", ())]
    assert check(["x"], [["true", "1"], ["not(true)", "2"]]) == ()


def test_between_two_days_there_is_no_gap() -> None:
    january, february = '[date("2024-01-01")..date("2024-01-31")]', '[date("2024-02-01")..date("2024-02-29")]'
    rest = [['< date("2024-01-01")', "0"], ['> date("2024-02-29")', "3"]]
    assert check(["x"], [[january, "1"], [february, "2"], *rest]) == ()


def test_numbers_are_dense() -> None:
    assert found(["x"], [["<= 1", "1"], [">= 2", "2"]]) == [("gap", ())]


def test_durations_are_understood() -> None:
    assert check(["x"], [['< duration("P1D")', "1"], ['>= duration("PT24H")', "2"]]) == ()


def test_a_default_output_closes_gaps() -> None:
    assert check(["x"], [["< 10", "1"]], defaults={"result": "0"}) == ()


def test_a_rule_behind_a_wider_one_never_fires_in_a_first_hit_table() -> None:
    (finding,) = check(["x"], [["< 20", "1"], ["< 10", "2"], ["-", "3"]], policy="FIRST")
    assert (finding.kind, finding.rules) == ("unreachable", (2, 1))
    assert finding.message == "rule 2 never fires: rule 1 covers all of its cases; move it up or remove it"


def test_a_rule_behind_several_that_cover_it_together_never_fires() -> None:
    rules = [["< 10", "1"], [">= 10", "2"], ["[5..15]", "3"]]
    assert ("unreachable", (3,)) in found(["x"], rules, policy="FIRST")


def test_an_exception_before_the_general_rule_is_no_finding() -> None:
    assert found(["x"], [["[5..6]", "1"], ["-", "2"]], policy="FIRST") == []


def test_a_subsumed_rule_of_a_unique_table_is_named_beside_the_conflict() -> None:
    assert found(["x"], [["-", "1"], ["< 5", "2"]]) == [("conflict", (1, 2)), ("subsumed", (2, 1))]


def test_any_tables_may_overlap_with_equal_outputs_only() -> None:
    assert found(["x"], [["< 10", "1"], ["-", "1.0"]], policy="ANY") == [("subsumed", (1, 2))]
    assert ("conflict", (1, 2)) in found(["x"], [["< 10", "1"], ["> 5", "2"]], policy="ANY")


@pytest.mark.parametrize("policy", ["COLLECT", "RULE ORDER", "OUTPUT ORDER"])
def test_overlaps_are_meant_in_tables_with_several_results(policy: str) -> None:
    assert check(["x"], [["-", "1"], ["< 5", "2"]], policy=policy, output_values={"result": "1, 2"}) == ()


def test_rules_with_expressions_are_left_out_and_said_to_be() -> None:
    findings = check(["x"], [["< 10", "1"], ["> limit", "2"]])
    assert [(finding.kind, finding.rules, finding.severity) for finding in findings] == [
        ("skipped", (2,), "note"),
        ("skipped", (2,), "note"),
    ]
    assert "rule 2 was not analysed: its condition on x is an expression" in findings[0].message
    assert "gaps were not searched" in findings[1].message


def test_an_inverted_interval_never_matches() -> None:
    assert ("empty", (1,)) in found(["x"], [["[9..1]", "1"], ["-", "2"]])


def test_the_work_is_bounded_and_the_bound_is_told() -> None:
    count = int((2 * MAX_PAIRS) ** 0.5) + 2
    findings = check(["x"], [[str(number), "1"] for number in range(count)])
    assert any("overlaps were not searched" in finding.message for finding in findings)
    crossing = [[*("-" if column != row else "1" for column in range(14)), "1"] for row in range(14)]
    many = check([f"x{column}" for column in range(14)], crossing, policy="FIRST")
    assert len(many) < 100
