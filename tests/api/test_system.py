"""The server about itself, as clients of the v2 API ask."""

from __future__ import annotations

import asyncio
import re

import httpx
import pytest

from api.routes import OPERATIONS
from infra.serving import RunningServer
from tests.api.client import Client, model, problem, unique
from tests.api.fakes import FakeServer


def test_topology_status_and_license(api: Client) -> None:
    topology = api.ok("GET", "/topology")
    assert (topology["clusterSize"], topology["partitionsCount"]) == (1, 1)
    assert topology["brokers"][0]["partitions"][0]["health"] == "healthy"
    assert api.call("GET", "/status").status_code == 204
    assert api.ok("GET", "/license")["validLicense"] is True


def test_who_asks_is_who_the_request_says(api: Client) -> None:
    assert api.ok("GET", "/authentication/me")["username"] == "anonymous"
    named = api.http.get("/authentication/me", auth=("ada", "anything")).json()
    assert (named["username"], named["displayName"]) == ("ada", "ada")


def test_liveness_and_readiness(api_server: RunningServer) -> None:
    assert httpx.get(f"{api_server.address}/livez").json() == {"status": "alive"}
    assert httpx.get(f"{api_server.address}/readyz").json() == {"status": "ready"}


def test_a_pinned_clock_makes_timers_due(api: Client) -> None:
    name = unique("timer")
    api.deploy((f"{name}.bpmn", model("wait_a_day.bpmn", ID=name)))
    try:
        api.ok("PUT", "/clock", {"timestamp": 1_900_000_000_000})
        key = api.start(name)["processInstanceKey"]
        assert api.ok("GET", f"/process-instances/{key}")["startDate"] == "2030-03-17T17:46:40.000Z"
        api.ok("PUT", "/clock", {"timestamp": 1_900_000_000_000 + 86_400_000})
        (job,) = api.activate(name)
        assert job["processInstanceKey"] == key
    finally:
        api.ok("POST", "/clock/reset")


def test_the_clock_is_not_for_everyone() -> None:
    server = FakeServer(clock_control=False)
    for method, path, body in (("PUT", "/v2/clock", {"timestamp": 0}), ("POST", "/v2/clock/reset", None)):
        problem(asyncio.run(server.call(method, path, body)), 403, "FORBIDDEN")


@pytest.mark.parametrize("body", [{}, {"timestamp": -1}, {"timestamp": "noon"}, {"timestamp": 10**18}])
def test_the_clock_is_pinned_to_milliseconds(api: Client, body: dict[str, object]) -> None:
    assert problem(api.call("PUT", "/clock", body), 400, "INVALID_ARGUMENT")["field"] == "timestamp"


class TestDocumentation:
    def test_every_operation_is_described(self, api_server: RunningServer) -> None:
        spec = httpx.get(f"{api_server.address}/openapi.json").json()
        assert spec["openapi"] == "3.1.0"
        described = {(method.upper(), path) for path, methods in spec["paths"].items() for method in methods}
        assert described == {(operation.method, operation.prefix + operation.path) for operation in OPERATIONS}
        names = [methods["operationId"] for path in spec["paths"].values() for methods in path.values()]
        assert len(names) == len(set(names))

    def test_bodies_are_described_and_all_references_lead_somewhere(self, api_server: RunningServer) -> None:
        response = httpx.get(f"{api_server.address}/openapi.json")
        schemas = response.json()["components"]["schemas"]
        creation = schemas["ProcessInstanceCreation"]["properties"]
        assert {"processDefinitionKey", "awaitCompletion", "fetchVariables", "businessId"} <= set(creation)
        references = set(re.findall(r'"#/components/schemas/(\w+)"', response.text))
        assert references <= set(schemas)

    def test_the_page_shows_all_and_loads_nothing_from_elsewhere(self, api_server: RunningServer) -> None:
        page = httpx.get(f"{api_server.address}/docs")
        assert page.headers["content-type"].startswith("text/html")
        for operation in OPERATIONS:
            assert operation.path in page.text
        assert "<script" not in page.text
        assert re.findall(r'(?:src|href)="([^"]+)"', page.text) == ["/openapi.json"]

    def test_every_operation_says_what_it_does(self) -> None:
        assert [operation.name for operation in OPERATIONS if not operation.handler.__doc__] == []
