"""What the API answers when what it stands on is overloaded, away, or broken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from commands.bus_batch import Outcome
from commands.complete_job import CompleteJob
from commands.create_instance import CreateInstance, InstanceStarted
from commands.handling import Meta
from domain.errors import LogCorrupt, Overloaded, StorageUnavailable
from tests.api.client import problem
from tests.api.fakes import FakeServer

START = {"processDefinitionId": "p"}


def call(server: FakeServer, *arguments: Any, **more: Any) -> httpx.Response:
    return asyncio.run(server.call(*arguments, **more))


def failing(error: Exception) -> Callable[..., Outcome]:
    def decide(*_: Any) -> Outcome:
        raise error

    return decide


def test_overload_is_503_with_retry_after_and_the_title_that_clients_back_off_for() -> None:
    server = FakeServer()
    server.bus.decide = failing(Overloaded("10000 commands wait already", retry_after=3))
    response = call(server, "POST", "/v2/process-instances", START)
    assert problem(response, 503, "RESOURCE_EXHAUSTED")["detail"] == "10000 commands wait already"
    assert response.headers["retry-after"] == "3"


def test_a_log_that_is_away_is_503_for_writes_and_reads() -> None:
    server = FakeServer()
    error = StorageUnavailable("the database cannot be reached", retry_after=2)
    server.bus.decide, server.queries.error, server.log.error = failing(error), error, error
    activation = {"type": "t", "timeout": 1, "maxJobsToActivate": 1}
    for path, body in (("process-instances", START), ("user-tasks/search", {}), ("jobs/activation", activation)):
        response = call(server, "POST", f"/v2/{path}", body)
        problem(response, 503, "STORAGE_UNAVAILABLE")
        assert response.headers["retry-after"] == "2"


@pytest.mark.parametrize("error", [ZeroDivisionError("secret detail"), LogCorrupt("secret detail")])
def test_an_unexpected_error_is_500_without_internals_and_is_logged(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    server = FakeServer()
    server.bus.decide = failing(error)
    with caplog.at_level(logging.ERROR, "flowledger.api"):
        response = call(server, "POST", "/v2/process-instances", START)
    found = problem(response, 500, "INTERNAL")
    assert "secret" not in response.text
    assert "secret detail" in caplog.text
    if isinstance(error, ZeroDivisionError):
        assert found["traceId"] in caplog.text


def test_an_unexpected_error_is_logged_under_the_callers_trace_id(caplog: pytest.LogCaptureFixture) -> None:
    server = FakeServer()
    server.bus.decide = failing(RuntimeError("broken"))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    response = call(server, "POST", "/v2/process-instances", START, headers)
    assert response.json()["traceId"] == trace
    assert trace in caplog.text


def test_a_server_that_is_not_ready_says_so() -> None:
    server = FakeServer()
    server.is_ready = False
    assert call(server, "GET", "/v2/status").status_code == 503
    assert call(server, "GET", "/readyz").status_code == 503
    assert call(server, "GET", "/livez").status_code == 200
    partition = call(server, "GET", "/v2/topology").json()["brokers"][0]["partitions"][0]
    assert partition["health"] == "unhealthy"


def test_who_asks_and_under_which_ids_goes_with_the_command() -> None:
    server = FakeServer()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"Idempotency-Key": "order-7", "traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    call(server, "POST", "/v2/jobs/4097/completion", {"variables": {"a": 1}}, headers, auth=("ada", "pw"))
    ((command, meta),) = server.bus.seen
    assert command == CompleteJob(job_key=4097, variables={"a": 1})
    assert meta == Meta("ada", "", "order-7", trace)


@pytest.mark.parametrize("traceparent", ["", "rubbish", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-xyz-1-01"])
def test_a_malformed_trace_is_ignored(traceparent: str) -> None:
    server = FakeServer()
    call(server, "POST", "/v2/jobs/4097/completion", {}, {"traceparent": traceparent})
    assert server.bus.seen[0][1].trace_id == ""


def test_malformed_credentials_are_refused() -> None:
    response = call(FakeServer(), "POST", "/v2/jobs/4097/completion", {}, {"Authorization": "Basic ###"})
    assert problem(response, 400, "INVALID_ARGUMENT")["field"] == "Authorization"


def test_an_awaited_instance_whose_end_another_server_committed_is_found() -> None:
    """This server's bus never tells of the end; the read models do."""
    server = FakeServer()
    server.bus.decide = lambda _command, _meta: Outcome(InstanceStarted(4096, 8192, "p", 1), 5)

    async def get(*_: Any, **__: Any) -> dict[str, str]:
        return {"state": "COMPLETED"}

    async def reached(*_: Any) -> bool:
        return True

    server.queries.get = get
    server.queries.wait_for = reached
    body = {**START, "awaitCompletion": True, "requestTimeout": 10_000}
    response = call(server, "POST", "/v2/process-instances", body)
    assert response.status_code == 200, response.text
    assert response.json()["processInstanceKey"] == "4096"
    assert isinstance(server.bus.seen[0][0], CreateInstance)


def test_a_server_that_stops_sends_home_who_awaits_an_instance() -> None:
    server = FakeServer()
    server.bus.decide = lambda _command, _meta: Outcome(InstanceStarted(4096, 8192, "p", 1), 5)

    async def get(*_: Any, **__: Any) -> dict[str, str]:
        return {"state": "ACTIVE"}

    server.queries.get = get

    async def scenario() -> httpx.Response:
        server.services.commits.bind(asyncio.get_running_loop(), lambda _: None)
        body = {**START, "awaitCompletion": True, "requestTimeout": 60_000}
        waiting = asyncio.ensure_future(server.call("POST", "/v2/process-instances", body))
        while not server.bus.seen:
            await asyncio.sleep(0.001)
        await asyncio.to_thread(server.services.drain)
        return await asyncio.wait_for(waiting, 10)

    found = problem(asyncio.run(scenario()), 504, "DEADLINE_EXCEEDED")
    assert "the process instance '4096' goes on" in found["detail"]
