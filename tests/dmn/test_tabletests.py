"""Example rows for decisions, from JSON and CSV."""

from __future__ import annotations

import pytest

from domain.dmn import Decisions, compile_decisions, parse_dmn, read_csv_tests, read_json_tests, run_table_tests
from domain.errors import InvalidArgument
from tests.dmn.models import decision, definitions, input_data, item, table


@pytest.fixture(scope="module")
def decisions() -> Decisions:
    person = item("person", '<itemComponent name="born"><typeRef>date</typeRef></itemComponent>')
    rules = [['< date("2000-01-01")', "> 10", '"old"', "1"], ["-", "<= 10", '"small"', "0.1 + 0.2"]]
    rules.append(['< date("1900-01-01")', "-", '"ancient"', "9"])
    logic = table(["p.born", "amount"], rules, outputs=["kind", "rate"])
    body = person + input_data("p", "person") + input_data("amount", "number")
    return compile_decisions(parse_dmn(definitions(body + decision("d", logic, ["in:p", "in:amount"]))))


def test_json_examples_pass_and_fail_with_what_came_instead(decisions: Decisions) -> None:
    file = read_json_tests(
        """{"model": "m.dmn", "decision": "d", "tests": [
        {"name": "old", "inputs": {"p": {"born": "1980-01-01"}, "amount": 11}, "expected": {"kind": "old", "rate": 1}},
        {"inputs": {"p": {"born": "2010-01-01"}, "amount": 1}, "expected": {"kind": "small", "rate": 0.3}},
        {"inputs": {"p": {"born": "2010-01-01"}, "amount": 1}, "expected": {"kind": "large", "rate": 0.3}},
        {"inputs": {"p": {"born": "1890-01-01"}, "amount": 1}, "failure": "UNIQUE"},
        {"inputs": {"p": {"born": "1890-01-01"}, "amount": 1}, "expected": null}
        ]}"""
    )
    assert (file.model, file.decision) == ("m.dmn", "d")
    results = run_table_tests(decisions, file.decision, file.rows)
    assert [(each.index, each.name, each.passed, each.rules) for each in results] == [
        (1, "old", True, (1,)),
        (2, "row 2", True, (2,)),
        (3, "row 3", False, (2,)),
        (4, "row 4", True, (2, 3)),
        (5, "row 5", False, (2, 3)),
    ]
    assert '"large"' in results[2].message
    assert '"small"' in results[2].message
    assert "the decision failed: rules 2, 3 match at once" in results[4].message


def test_csv_examples_have_a_column_per_input_and_output(decisions: Decisions) -> None:
    rows = read_csv_tests(
        "name,p.born,amount,expected.kind,expected.rate\n"
        "first,1980-01-01,11,old,1\n"
        "second,2010-01-01,1,small,0.3\n"
        "third,2010-01-01,100,,\n"
    ).rows
    assert rows[0].inputs == {"p": {"born": "1980-01-01"}, "amount": 11}
    results = run_table_tests(decisions, "d", rows)
    assert [each.passed for each in results] == [True, True, False]


def test_an_empty_csv_cell_is_null() -> None:
    (row,) = read_csv_tests("a,b,expected\n,true,\n").rows
    assert (row.inputs, row.expected) == ({"a": None, "b": True}, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "line 1: the file is not JSON"),
        ("{}", "expected a list"),
        ('{"decision": 5, "tests": []}', "'decision' is no text"),
        ("[{}]", 'example 1 has no "inputs"'),
        ('[{"inputs": {}}]', 'example 1 needs either "expected" or "failure"'),
        ('[{"inputs": {}, "expected": 1, "surplus": 2}]', "unknown member 'surplus'"),
    ],
)
def test_broken_json_examples_are_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        read_json_tests(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,b\n1,2\n", "no column 'expected'"), ("a,expected\n1\n", "line 2 has 1 cells for 2"), ("", "line 1")],
)
def test_broken_csv_examples_are_refused_with_the_line(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        read_csv_tests(text)
