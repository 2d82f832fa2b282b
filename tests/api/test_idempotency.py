"""The Idempotency-Key header: a request is carried out once, however often it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from infra.serving import RunningServer
from tests.api.client import Client, model, problem, unique


@pytest.fixture
def one_task(api: Client) -> str:
    name = unique("one-task")
    api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
    return name


def test_fifty_parallel_requests_with_one_key_start_one_instance(
    api: Client, api_server: RunningServer, one_task: str
) -> None:
    key = unique("order")

    def start(_: int) -> httpx.Response:
        return httpx.post(
            api_server.address + "/v2/process-instances",
            json={"processDefinitionId": one_task, "variables": {"n": 1}},
            headers={"Idempotency-Key": key},
            timeout=30,
        )

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(start, range(50)))

    assert [answer.status_code for answer in answers] == [200] * 50
    keys = {answer.json()["processInstanceKey"] for answer in answers}
    assert len(keys) == 1
    found = api.search("process-instances", processDefinitionId=one_task)
    assert [instance["processInstanceKey"] for instance in found] == list(keys)


def test_a_completion_can_be_repeated(api: Client, one_task: str) -> None:
    api.start(one_task)
    (job,) = api.activate(one_task)
    path, key = f"/jobs/{job['jobKey']}/completion", unique("done")
    api.ok("POST", path, {"variables": {"a": 1}}, Idempotency_Key=key)
    api.ok("POST", path, {"variables": {"a": 1}}, Idempotency_Key=key)
    problem(api.call("POST", path, {"variables": {"a": 1}}, Idempotency_Key=unique("done")), 404, "NOT_FOUND")


def test_a_deployment_can_be_repeated(api: Client) -> None:
    name, key = unique("one-task"), unique("deployment")
    file = (f"{name}.bpmn", model("one_task.bpmn", ID=name))
    first, second = (api.send(file, Idempotency_Key=key).json() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("body", [{"variables": {"n": 2}}, {"tags": ["x"]}])
def test_the_same_key_with_another_body_is_refused(api: Client, one_task: str, body: dict[str, Any]) -> None:
    key = unique("order")
    api.ok("POST", "/process-instances", {"processDefinitionId": one_task}, Idempotency_Key=key)
    refused = api.call("POST", "/process-instances", {"processDefinitionId": one_task, **body}, Idempotency_Key=key)
    found = problem(refused, 422, "IDEMPOTENCY_MISMATCH")
    assert found["field"] == "Idempotency-Key"
    assert key in found["detail"]


def test_a_refused_request_may_be_mended_under_the_same_key(api: Client, one_task: str) -> None:
    key = unique("order")
    problem(
        api.call("POST", "/process-instances", {"processDefinitionId": "no"}, Idempotency_Key=key), 404, "NOT_FOUND"
    )
    api.ok("POST", "/process-instances", {"processDefinitionId": one_task}, Idempotency_Key=key)


def test_a_key_that_is_too_long_is_refused(api: Client, one_task: str) -> None:
    refused = api.call("POST", "/process-instances", {"processDefinitionId": one_task}, Idempotency_Key="x" * 201)
    assert problem(refused, 400, "INVALID_ARGUMENT")["field"] == "Idempotency-Key"
