"""POST /expression/evaluation: values, warnings, scopes, and errors that say where."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Client, model, problem, unique

PATH = "/expression/evaluation"


def value(api: Client, expression: str, **variables: Any) -> Any:
    return api.ok("POST", PATH, {"expression": expression, "variables": variables})["result"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("=x + y", 30),
        ("x + y", 30),
        ("x / 8", 1.25),
        ('if x > 5 then "much" else "little"', "much"),
        ('date("2026-11-23") + duration("P1M")', "2026-12-23"),
        ("for i in 1..3 return {square: i * i}", [{"square": 1}, {"square": 4}, {"square": 9}]),
        ("`full name`", "Ada"),
        ("null", None),
    ],
)
def test_an_expression_has_a_json_value(api: Client, expression: str, expected: object) -> None:
    assert value(api, expression, x=10, y=20, **{"full name": "Ada"}) == expected


def test_why_something_is_null_is_told_with_its_place(api: Client) -> None:
    found = api.ok("POST", PATH, {"expression": "=1 + amount"})
    assert (found["expression"], found["result"], found["referencedSecrets"]) == ("=1 + amount", None, [])
    warning = found["warnings"][0]
    assert warning["message"] == "no variable 'amount' is known here"
    assert (warning["line"], warning["column"]) == (1, 6)


def test_the_clock_is_that_of_the_server(api: Client) -> None:
    api.ok("PUT", "/clock", {"timestamp": 1_800_000_000_000})
    try:
        assert value(api, "=today()") == "2027-01-15"
    finally:
        api.ok("POST", "/clock/reset")


def test_a_syntax_error_says_line_column_and_what_was_expected(api: Client) -> None:
    found = problem(api.call("POST", PATH, {"expression": "=x +\n  * 2"}), 400, "INVALID_ARGUMENT")
    assert (found["field"], found["line"], found["column"]) == ("expression", 2, 3)
    assert found["expected"]
    assert "line 2, column 3" in found["detail"]


@pytest.mark.parametrize(
    "expression",
    [
        "count(for a in 1..1000, b in 1..1000, c in 1..1000 return a)",
        'string join(for a in 1..100000 return "0123456789012345678901234567890")',
    ],
)
def test_an_expression_that_needs_too_much_is_stopped(api: Client, expression: str) -> None:
    found = problem(api.call("POST", PATH, {"expression": expression}), 400, "INVALID_ARGUMENT")
    assert found["limit"] in ("steps", "size", "seconds")
    assert "the expression was stopped" in found["detail"] or "exceeds the limit" in found["detail"]


def test_an_assertion_that_is_not_fulfilled_is_refused(api: Client) -> None:
    found = problem(api.call("POST", PATH, {"expression": "assert(x, x != null)"}), 400, "INVALID_ARGUMENT")
    assert found["detail"].startswith("the expression failed:")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "expression"),
        ({"expression": ""}, "expression"),
        ({"expression": 5}, "expression"),
        ({"expression": "1", "tenantId": "other"}, "tenantId"),
        ({"expression": "1", "scopeKey": "x"}, "scopeKey"),
        ({"expression": "1", "context": {}}, "context"),
    ],
)
def test_a_body_that_is_wrong_names_the_field(api: Client, body: Any, field: str) -> None:
    assert problem(api.call("POST", PATH, body), 400, "INVALID_ARGUMENT")["field"] == field


def test_an_expression_sees_the_variables_of_an_instance_and_those_given_come_before_them(api: Client) -> None:
    name = unique("scope")
    api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
    key = api.start(name, {"amount": 7, "limit": 5})["processInstanceKey"]
    (element,) = api.search("element-instances", processInstanceKey=key, elementId="work")
    local = element["elementInstanceKey"]
    api.ok("PUT", f"/element-instances/{local}/variables", {"variables": {"limit": 50}, "local": True})

    def seen(scope: str) -> Any:
        body = {"expression": "[amount, limit, extra]", "scopeKey": scope, "variables": {"extra": 1}}
        return api.ok("POST", PATH, body)["result"]

    assert seen(key) == [7, 5, 1]
    assert seen(local) == [7, 50, 1]
    over = {"expression": "amount", "scopeKey": key, "variables": {"amount": 8}}
    assert api.ok("POST", PATH, over)["result"] == 8


def test_a_scope_that_is_not_there(api: Client) -> None:
    problem(api.call("POST", PATH, {"expression": "1", "scopeKey": "4096"}), 404, "NOT_FOUND")
