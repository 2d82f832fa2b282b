"""Whatever a request holds, the answer is what was asked for or a problem that names the fault: never an internal error."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.operations import Operation
from api.routes import OPERATIONS
from projections.queries import Entity
from tests.api.client import Client
from tests.api.fakes import FakeServer

WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]
RELAXED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def bodies(operation: Operation) -> st.SearchStrategy[Any]:
    """Objects with the operation's property names and odd values; and other JSON."""
    assert operation.body is not None
    names = [field.encode_name for field in msgspec.structs.fields(operation.body)]
    nested = st.dictionaries(st.sampled_from([*names, "retries", "limit", "after", "field", "priority"]), ANYTHING)
    return st.dictionaries(st.sampled_from(names), ANYTHING | nested, max_size=4) | ANYTHING


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
def test_an_odd_body_is_carried_out_or_refused(operation: Operation) -> None:
    server = FakeServer(default_request_timeout=0.01, max_request_timeout=0.01, clock_control=True)
    path = operation.prefix + operation.path.replace("{", "").replace("}", "")
    for name in (
        "jobKey",
        "userTaskKey",
        "processInstanceKey",
        "elementInstanceKey",
        "incidentKey",
        "processDefinitionKey",
    ):
        path = path.replace(name, "4097")

    @RELAXED
    @given(bodies(operation))
    def check(body: Any) -> None:
        content = msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        response = asyncio.run(server.call(operation.method, path, content=content, headers=headers))
        carried_out = bool(server.bus.seen)
        server.bus.seen.clear()
        assert response.status_code < 500 or carried_out, (body, response.text)
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"

    check()


FIELDS = ["state", "priority", "assignee", "creationDate", "startDate", "processInstanceKey", "name", "value", "tags"]
OPERATORS = ["$eq", "$neq", "$exists", "$gt", "$lte", "$like", "$in", "$notIn", "$or"]
CONDITIONS = SCALARS | st.dictionaries(st.sampled_from(OPERATORS), SCALARS | st.lists(SCALARS, max_size=3), max_size=2)


SEARCHABLE = [entity for entity in Entity if f"/{entity}/search" in {operation.path for operation in OPERATIONS}]


@pytest.mark.parametrize("entity", SEARCHABLE)
def test_an_odd_search_is_answered_or_refused(api: Client, entity: Entity) -> None:
    @RELAXED
    @given(
        st.dictionaries(st.sampled_from(FIELDS), CONDITIONS, max_size=2),
        st.lists(st.dictionaries(st.sampled_from(["field", "order"]), SCALARS), max_size=1),
        st.dictionaries(st.sampled_from(["limit", "from", "after", "before"]), SCALARS, max_size=2),
    )
    def check(criteria: Any, sort: Any, page: Any) -> None:
        body = {"filter": criteria, "sort": sort, "page": page}
        response = api.call("POST", f"/{entity}/search", body)
        assert response.status_code in (200, 400), (body, response.text)

    check()
