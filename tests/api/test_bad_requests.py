"""Requests that cannot be understood: each answer says where the fault is and what would be right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra.serving import RunningServer
from tests.api.client import Client, problem

JSON = {"Content-Type": "application/json"}
START = "/process-instances"


def post(api: Client, content: Any, path: str = START, headers: dict[str, str] | None = None) -> httpx.Response:
    return api.http.post(path, content=content, headers=JSON if headers is None else headers)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the body is not valid JSON: it is empty"),
        (b'{"tags": [],}', "the body is not valid JSON: trailing comma in object at line 1, column 13"),
        (b'{\n  "tags": [],\n  b: 2}', "the body is not valid JSON: object keys must be strings at line 3, column 3"),
        (b'{"processDefinitionId": "x"', "the body is not valid JSON: input data was truncated (after 27 bytes)"),
        (b'{"processDefinitionId": "\xff"}', "the body is not valid JSON: it is not encoded in UTF-8"),
        (b'{"variables": {"x": NaN}}', "the body is not valid JSON: invalid character at line 1, column 21"),
        (b"[]", "the body must be an object, not a list"),
        (b"7", "the body must be an object, not a whole number"),
    ],
)
def test_a_body_that_is_no_json_object(api: Client, content: bytes, detail: str) -> None:
    assert problem(post(api, content), 400, "INVALID_ARGUMENT")["detail"] == detail


@pytest.mark.parametrize("depth", [101, 3_000, 200_000])
def test_json_that_nests_too_deeply(api: Client, depth: int) -> None:
    content = b'{"processDefinitionId": "x", "variables": {"a": ' + b"[" * depth + b"]" * depth + b"}}"
    found = problem(post(api, content), 400, "INVALID_ARGUMENT")
    assert found["detail"] == "the JSON nests more than 100 levels deep"


def test_json_that_is_deep_but_not_too_deep(api: Client) -> None:
    content = b'{"processDefinitionId": "nobody", "variables": {"a": ' + b"[" * 90 + b"]" * 90 + b"}}"
    problem(post(api, content), 404, "NOT_FOUND")


def test_long_flat_json_is_not_deep(api: Client) -> None:
    body = {"processDefinitionId": "nobody", "variables": {"a": [{"b": [number]} for number in range(500)]}}
    problem(api.call("POST", START, body), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("number", "detail"),
    [
        ("1e99999", "a number must have an exponent between -6144 and 6144"),
        ("1e-99999999999999999999", "a number must have an exponent between -6144 and 6144"),
        ("0." + "1" * 1_000_000, "a number has at most 1000 digits"),
        ("1" * 1_000_000, "a whole number has at most 4,300 digits"),
    ],
)
def test_numbers_that_nothing_can_reckon_with(api: Client, number: str, detail: str) -> None:
    content = b'{"processDefinitionId": "x", "variables": {"a": [1, %s]}}' % number.encode()
    found = problem(post(api, content), 400, "INVALID_ARGUMENT")
    assert found["detail"] == f"'variables[...][1]': {detail}"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"variables": {"a": {"b": ["x\0y"]}}}, "variables.a.b"),
        ({"businessId": "a\0b"}, "businessId"),
        ({"tags": ["\0"]}, "tags"),
    ],
)
def test_text_with_nul_is_refused(api: Client, body: dict[str, Any], field: str) -> None:
    found = problem(api.call("POST", START, {"processDefinitionId": "x", **body}), 400, "INVALID_ARGUMENT")
    assert (found["field"], found["detail"]) == (field, "text must not contain the character U+0000")


@pytest.mark.parametrize(
    "headers",
    [{"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": ""}],
)
def test_a_body_of_another_kind(api: Client, headers: dict[str, str]) -> None:
    found = problem(post(api, b"{}", headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert found["detail"].startswith("the body must be application/json, not ")


def test_json_with_a_charset_or_of_a_vendor_is_json(api: Client) -> None:
    content = b'{"processDefinitionId": "nobody"}'
    for kind in ("application/json; charset=utf-8", "application/vnd.acme+json"):
        problem(post(api, content, headers={"Content-Type": kind}), 404, "NOT_FOUND")


def test_a_body_that_is_announced_as_too_large(api: Client) -> None:
    found = problem(api.call("POST", START, {"variables": {"a": "x" * 5_000_000}}), 413, "BODY_TOO_LARGE")
    assert "at most 4,194,304 are allowed" in found["detail"]


def test_a_body_that_becomes_too_large_on_its_way(api: Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(60):
            yield b"x" * 100_000

    found = problem(post(api, chunks()), 413, "BODY_TOO_LARGE")
    assert "more than 4,194,304 bytes" in found["detail"]


def test_the_connection_is_good_for_more_after_a_refused_body(api_server: RunningServer) -> None:
    with httpx.Client(base_url=api_server.address, limits=httpx.Limits(max_connections=1)) as http:
        for _ in range(3):
            assert http.post("/v2/process-instances", json={"a": "x" * 5_000_000}).status_code == 413
            assert http.get("/v2/topology").status_code == 200


def test_unknown_paths_answer_in_json(api: Client) -> None:
    found = problem(api.call("GET", "/nowhere"), 404, "NOT_FOUND")
    assert found["detail"] == "there is nothing at '/v2/nowhere'; /openapi.json lists all operations"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/jobs/activation", "PATCH, POST"),
        ("PUT", "/user-tasks/1", "GET, PATCH"),
        ("DELETE", "/process-instances/search", "GET, POST"),
        ("POST", "/topology", "GET"),
    ],
)
def test_a_wrong_method_says_the_right_ones(api: Client, method: str, path: str, allowed: str) -> None:
    response = api.call(method, path)
    found = problem(response, 405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == allowed
    assert found["detail"] == f"'/v2{path}' does not take {method}; it takes {allowed}"


@pytest.mark.parametrize("key", ["abc", "-1", "0", "1.5", "99999999999999999999", "９"])
def test_what_is_no_key(api: Client, key: str) -> None:
    found = problem(api.call("GET", f"/process-instances/{key}"), 400, "INVALID_ARGUMENT")
    assert found["field"] == "processInstanceKey"


@pytest.mark.parametrize(
    ("search", "field", "detail"),
    [
        ({"filter": {"assigne": "x"}}, "filter.assigne", "did you mean 'assignee'?"),
        ({"filter": {"priority": {"$above": 1}}}, "filter.priority", "is not an operator of this field"),
        ({"filter": {"priority": "high"}}, "filter.priority", "must be"),
        ({"filter": {"state": "OPEN"}}, "filter.state", "must be one of"),
        ({"filter": {"creationDate": {"$gt": "yesterday"}}}, "filter.creationDate.$gt", "must be"),
        ({"filter": {"userTaskKey": "x"}}, "filter.userTaskKey", "must be"),
        ({"filter": []}, "filter", "'filter' must be an object, not list"),
        ({"sort": [{"field": "colour"}]}, "sort[0].field", "is not a sort field"),
        ({"sort": [{"field": "priority", "order": "UP"}]}, "sort[0].order", "UP"),
        ({"page": {"limit": 20_000}}, "page.limit", "must be a number from 0 to 10000"),
        ({"page": {"after": "zzz"}}, "page.after", "is not a cursor that this search gave out"),
        ({"pages": {}}, "pages", "is not a member of a search request"),
    ],
)
def test_a_wrong_search_is_refused_by_name(api: Client, search: Any, field: str, detail: str) -> None:
    found = problem(api.call("POST", "/user-tasks/search", search), 400, "INVALID_ARGUMENT")
    assert found["field"] == field
    assert detail in found["detail"]


def test_sql_in_a_search_is_only_text(api: Client) -> None:
    for text in ("'; DROP TABLE user_tasks; --", "%", "\\", '"'):
        assert api.search("user-tasks", assignee=text) == []
        assert api.search("user-tasks", assignee={"$like": text}) == []


def test_a_query_parameter_that_is_neither_true_nor_false(api: Client) -> None:
    found = problem(api.call("POST", "/variables/search?truncateValues=maybe", {}), 400, "INVALID_ARGUMENT")
    assert found["detail"] == "the query parameter 'truncateValues' must be true or false, not 'maybe'"


def test_whole_numbers_may_come_as_text(api: Client) -> None:
    """JavaScript clients write 64-bit numbers so."""
    body = {"type": "nothing", "timeout": "1000", "maxJobsToActivate": 1, "requestTimeout": "-1"}
    assert api.ok("POST", "/jobs/activation", body) == {"jobs": []}


def test_a_problem_is_never_html_and_tells_no_internals(api: Client) -> None:
    text = post(api, b"{").text
    assert json.loads(text)["type"] == "urn:flowledger:problem:invalid-argument"
    assert "Traceback" not in text
