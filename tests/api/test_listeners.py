"""Listeners over HTTP: their jobs, the decision that the caller waits for, and Camunda's own worker that takes it."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import camunda_orchestration_sdk as camunda
import pytest
from camunda_orchestration_sdk import CamundaAsyncClient, WorkerConfig
from camunda_orchestration_sdk.errors import ConflictError

from infra.serving import RunningServer
from tests.api.client import Client, problem, unique
from tests.scenarios.bpmn_xml import to_xml
from tests.scenarios.notation import read_model

MODEL = """
start -> review -> end
review: user task
  header team = law
  listener start {0}-start
  listener completing {0}
"""


@pytest.fixture
def name(api: Client) -> str:
    """A fresh process whose user task has a start listener and one that decides about its completion."""
    name = unique("listened")
    api.deploy((f"{name}.bpmn", to_xml([read_model(MODEL.format(name), name)]).encode()))
    return name


@pytest.fixture
def task(api: Client, name: str) -> Any:
    """The open user task of a new instance, past its start listener."""
    started = api.start(name)
    (job,) = api.activate(f"{name}-start")
    assert (job["kind"], job["listenerEventType"], job["userTask"]) == ("EXECUTION_LISTENER", "START", None)
    api.ok("POST", f"/jobs/{job['jobKey']}/completion", {"variables": {"seen": True}})
    (found,) = api.search("user-tasks", processInstanceKey=started["processInstanceKey"])
    return found


def completing(api: Client, task: Any, variables: dict[str, Any]) -> Any:
    """Complete the task in another thread; the answer is there when its listeners have decided."""
    pool = ThreadPoolExecutor(1)
    path = f"/user-tasks/{task['userTaskKey']}/completion"
    try:
        return pool.submit(api.call, "POST", path, {"variables": variables, "action": "approve"})
    finally:
        pool.shutdown(wait=False)


def test_the_caller_waits_until_the_listener_agrees(api: Client, name: str, task: Any) -> None:
    answer = completing(api, task, {"ok": True})
    (job,) = api.activate(name)

    assert (job["kind"], job["listenerEventType"]) == ("TASK_LISTENER", "COMPLETING")
    assert job["customHeaders"]["team"] == "law"
    assert job["customHeaders"]["io.camunda.zeebe:action"] == "approve"
    assert job["userTask"] == {
        "action": "approve",
        "assignee": None,
        "candidateGroups": [],
        "candidateUsers": [],
        "changedAttributes": ["variables"],
        "dueDate": None,
        "followUpDate": None,
        "formKey": None,
        "priority": 50,
        "userTaskKey": task["userTaskKey"],
    }
    assert not answer.done()
    (shown,) = api.search("user-tasks", userTaskKey=task["userTaskKey"])
    assert shown["state"] == "COMPLETING"
    api.ok(
        "POST", f"/jobs/{job['jobKey']}/completion", {"result": {"type": "userTask", "corrections": {"priority": 9}}}
    )

    assert answer.result(20).status_code == 204
    (shown,) = api.search("user-tasks", userTaskKey=task["userTaskKey"])
    assert (shown["state"], shown["priority"]) == ("COMPLETED", 9)


def test_the_caller_is_told_why_it_was_denied(api: Client, name: str, task: Any) -> None:
    answer = completing(api, task, {})
    (job,) = api.activate(name)
    result = {"type": "userTask", "denied": True, "deniedReason": "four eyes, please"}
    api.ok("POST", f"/jobs/{job['jobKey']}/completion", {"result": result})

    detail = problem(answer.result(20), 409, "INVALID_STATE")["detail"]
    assert "COMPLETING" in detail
    assert "denied by a task listener; the reason: four eyes, please" in detail
    (shown,) = api.search("jobs", jobKey=job["jobKey"])
    assert (shown["isDenied"], shown["deniedReason"]) == (True, "four eyes, please")
    assert api.ok("GET", f"/user-tasks/{task['userTaskKey']}")["state"] == "CREATED"


def test_who_does_not_want_to_wait_is_told_that_it_was_accepted(api: Client, name: str, task: Any) -> None:
    path = f"/user-tasks/{task['userTaskKey']}/completion"
    assert api.call("POST", path, {}, Prefer="respond-async").status_code == 202
    refused = problem(api.call("POST", path, {}), 409, "INVALID_STATE")
    assert "its listeners have not decided yet" in refused["detail"]


def test_a_waiting_caller_is_told_that_the_instance_was_cancelled(api: Client, name: str, task: Any) -> None:
    answer = completing(api, task, {})
    assert api.activate(name)
    api.ok("POST", f"/process-instances/{task['processInstanceKey']}/cancellation")
    assert "was cancelled meanwhile" in problem(answer.result(20), 409, "INVALID_STATE")["detail"]


def test_jobs_are_found_by_what_they_are_for(api: Client, name: str, task: Any) -> None:
    key = task["processInstanceKey"]
    path = f"/user-tasks/{task['userTaskKey']}/completion"
    assert api.call("POST", path, {}, Prefer="respond-async").status_code == 202

    (first,) = api.search("jobs", processInstanceKey=key, kind="EXECUTION_LISTENER")
    assert (first["type"], first["state"], first["isDenied"]) == (f"{name}-start", "COMPLETED", None)
    (second,) = api.search("jobs", processInstanceKey=key, listenerEventType={"$in": ["COMPLETING", "UPDATING"]})
    assert (second["kind"], second["state"], second["customHeaders"]) == ("TASK_LISTENER", "CREATED", {"team": "law"})
    assert api.search("jobs", processInstanceKey=key, kind="BPMN_ELEMENT") == []


@pytest.mark.parametrize(
    ("result", "field"),
    [
        ({"type": "nonsense"}, "result.type"),
        ({"type": "userTask", "corrections": {"dueDate": "soon"}}, "result.corrections.dueDate"),
        ({"type": "userTask", "denied": True, "corrections": {"priority": 1}}, "result.corrections"),
    ],
)
def test_results_that_make_no_sense_are_refused(api: Client, name: str, task: Any, result: Any, field: str) -> None:
    path = f"/user-tasks/{task['userTaskKey']}/completion"
    api.call("POST", path, {}, Prefer="respond-async")
    (job,) = api.activate(name)
    refused = api.call("POST", f"/jobs/{job['jobKey']}/completion", {"result": result})
    assert problem(refused, 400, "INVALID_ARGUMENT")["field"] == field


async def deny_by_worker(server: RunningServer, name: str, task_key: str) -> str:
    """Camunda's Python worker denies; what its client hears who asked."""
    configuration = {"CAMUNDA_REST_ADDRESS": server.address, "CAMUNDA_AUTH_STRATEGY": "NONE"}
    async with CamundaAsyncClient(configuration=configuration) as client:

        async def handle(job: Any) -> camunda.JobCompletionRequest:
            assert job.user_task.action == "approve"
            decision = {"type": "userTask", "denied": True, "deniedReason": "not by the clerk"}
            return camunda.JobCompletionRequest.from_dict({"result": decision})

        config = WorkerConfig(job_type=name, job_timeout_milliseconds=30_000, worker_name="decides")
        client.create_job_worker(config, handle)
        running = asyncio.create_task(client.run_workers())  # type: ignore[no-untyped-call]
        try:
            completion = camunda.UserTaskCompletionRequest.from_dict({"action": "approve"})
            with pytest.raises(ConflictError) as refused:
                await asyncio.wait_for(client.complete_user_task(task_key, data=completion), 20)
            return str(refused.value)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def test_camundas_worker_denies_a_completion(api: Client, api_server: RunningServer, name: str, task: Any) -> None:
    assert "not by the clerk" in asyncio.run(deny_by_worker(api_server, name, task["userTaskKey"]))
    assert api.ok("GET", f"/user-tasks/{task['userTaskKey']}")["state"] == "CREATED"
