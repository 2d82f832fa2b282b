"""Jobs over HTTP: workers take, complete, fail and refuse them, and wait for them."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from infra.serving import RunningServer
from tests.api.client import Client, model, problem, unique


@pytest.fixture
def one_task(api: Client) -> str:
    """The id, and job type, of a freshly deployed process with one service task."""
    name = unique("one-task")
    api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
    return name


def job_state(api: Client, key: str) -> str:
    (job,) = api.search("jobs", jobKey=key)
    return str(job["state"])


def test_a_worker_takes_a_job_and_completes_its_instance(api: Client, one_task: str) -> None:
    started = api.start(one_task, {"amount": 12.5}, tags=["urgent"], businessId="order-1")

    (job,) = api.activate(one_task, worker="tester")

    assert job["processInstanceKey"] == started["processInstanceKey"]
    assert job["variables"] == {"amount": 12.5}
    assert job["customHeaders"] == {"kind": "test"}
    assert (job["elementId"], job["retries"], job["worker"]) == ("work", 3, "tester")
    assert (job["tags"], job["businessId"], job["tenantId"]) == (["urgent"], "order-1", "<default>")
    api.ok("POST", f"/jobs/{job['jobKey']}/completion", {"variables": {"done": True}})
    instance = api.ok("GET", f"/process-instances/{started['processInstanceKey']}")
    assert instance["state"] == "COMPLETED"
    assert job_state(api, job["jobKey"]) == "COMPLETED"


def test_a_worker_gets_only_the_variables_it_fetches(api: Client, one_task: str) -> None:
    api.start(one_task, {"a": 1, "b": 2})
    (job,) = api.activate(one_task, fetchVariable=["b", "absent"])
    assert job["variables"] == {"b": 2}


def test_a_job_is_given_to_one_worker_at_a_time(api: Client, one_task: str) -> None:
    api.start(one_task)
    assert len(api.activate(one_task)) == 1
    assert api.activate(one_task, requestTimeout=-1) == []


def test_a_job_that_timed_out_is_given_to_the_next_worker(api: Client, one_task: str) -> None:
    api.start(one_task)
    (first,) = api.activate(one_task, timeout=1)
    (second,) = api.activate(one_task)
    assert second["jobKey"] == first["jobKey"]


def test_a_request_without_long_polling_answers_at_once(api: Client, one_task: str) -> None:
    assert api.activate(one_task, requestTimeout=-1) == []


def test_an_activation_ends_empty_after_its_request_timeout(api: Client, one_task: str) -> None:
    assert api.activate(one_task, requestTimeout=50) == []


def test_a_waiting_worker_gets_a_job_as_soon_as_it_is_there(
    api: Client, api_server: RunningServer, one_task: str
) -> None:
    found: list[Any] = []

    def wait() -> None:
        with httpx.Client(base_url=api_server.address + "/v2", timeout=30) as http:
            found.extend(Client(http).activate(one_task, requestTimeout=20_000))

    worker = threading.Thread(target=wait)
    worker.start()
    started = api.start(one_task)
    worker.join(15)
    assert [job["processInstanceKey"] for job in found] == [started["processInstanceKey"]]


def test_waiting_workers_share_the_jobs_and_none_is_given_twice(
    api: Client, api_server: RunningServer, one_task: str
) -> None:
    taken: list[str] = []

    def work() -> None:
        with httpx.Client(base_url=api_server.address + "/v2", timeout=30) as http:
            for _ in range(5):
                taken.extend(job["jobKey"] for job in Client(http).activate(one_task, 2, requestTimeout=500))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(20):
        api.start(one_task)
    for worker in workers:
        worker.join(30)
    assert len(taken) == 20
    assert len(set(taken)) == 20


def test_a_job_of_a_worker_that_went_away_is_free_for_others(
    api: Client, api_server: RunningServer, one_task: str
) -> None:
    body = {"type": one_task, "timeout": 3_600_000, "maxJobsToActivate": 1, "requestTimeout": 60_000}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(api_server.address + "/v2/jobs/activation", json=body, timeout=0.3)
    started = api.start(one_task)
    (job,) = api.activate(one_task)
    assert job["processInstanceKey"] == started["processInstanceKey"]


def test_a_failed_job_is_tried_again_while_retries_are_left(api: Client, one_task: str) -> None:
    started = api.start(one_task)
    (job,) = api.activate(one_task)
    api.ok(
        "POST", f"/jobs/{job['jobKey']}/failure", {"retries": 2, "errorMessage": "no paper", "variables": {"tried": 1}}
    )
    (again,) = api.activate(one_task)
    assert (again["jobKey"], again["retries"], again["variables"]) == (job["jobKey"], 2, {"tried": 1})
    assert api.search("incidents", processInstanceKey=started["processInstanceKey"]) == []


def test_a_failed_job_waits_for_its_back_off(api: Client, one_task: str) -> None:
    api.start(one_task)
    (job,) = api.activate(one_task)
    api.ok("POST", f"/jobs/{job['jobKey']}/failure", {"retries": 1, "retryBackOff": 3_600_000})
    assert api.activate(one_task, requestTimeout=-1) == []


def test_a_job_without_retries_raises_an_incident_that_can_be_resolved(api: Client, one_task: str) -> None:
    started = api.start(one_task)
    (job,) = api.activate(one_task)
    api.ok("POST", f"/jobs/{job['jobKey']}/failure", {"retries": 0, "errorMessage": "out of paper"})

    (incident,) = api.search("incidents", processInstanceKey=started["processInstanceKey"], state="ACTIVE")
    assert (incident["errorType"], incident["errorMessage"]) == ("JOB_NO_RETRIES", "out of paper")
    assert (incident["jobKey"], incident["elementId"]) == (job["jobKey"], "work")
    assert api.ok("GET", f"/process-instances/{started['processInstanceKey']}")["hasIncident"] is True

    api.ok("PATCH", f"/jobs/{job['jobKey']}", {"changeset": {"retries": 5}})
    api.ok("POST", f"/incidents/{incident['incidentKey']}/resolution")
    (again,) = api.activate(one_task)
    assert again["retries"] == 5
    assert api.ok("GET", f"/incidents/{incident['incidentKey']}")["state"] == "RESOLVED"


def test_an_error_that_nothing_catches_is_an_incident(api: Client, one_task: str) -> None:
    started = api.start(one_task)
    (job,) = api.activate(one_task)
    api.ok("POST", f"/jobs/{job['jobKey']}/error", {"errorCode": "NO_STOCK", "errorMessage": "sold out"})
    (incident,) = api.search("incidents", processInstanceKey=started["processInstanceKey"])
    assert incident["errorType"] == "UNHANDLED_ERROR_EVENT"
    assert "NO_STOCK" in incident["errorMessage"]


def test_a_worker_may_extend_the_time_it_holds_a_job(api: Client, one_task: str) -> None:
    api.start(one_task)
    (job,) = api.activate(one_task, timeout=60_000)
    api.ok("PATCH", f"/jobs/{job['jobKey']}", {"changeset": {"timeout": 1}})
    (again,) = api.activate(one_task)
    assert again["jobKey"] == job["jobKey"]


def test_a_completed_job_cannot_be_completed_again(api: Client, one_task: str) -> None:
    api.start(one_task)
    (job,) = api.activate(one_task)
    path = f"/jobs/{job['jobKey']}/completion"
    api.ok("POST", path)
    found = problem(api.call("POST", path), 404, "NOT_FOUND")
    assert found["detail"] == f"no job with key '{job['jobKey']}' is open; it may be completed or cancelled already"


def test_a_free_job_has_no_timeout_to_change(api: Client, one_task: str) -> None:
    started = api.start(one_task)
    (job,) = api.search("jobs", processInstanceKey=started["processInstanceKey"])
    refused = api.call("PATCH", f"/jobs/{job['jobKey']}", {"changeset": {"timeout": 1000}})
    assert "is not held by a worker" in problem(refused, 409, "INVALID_STATE")["detail"]


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        ({"timeout": 1, "maxJobsToActivate": 1}, "type", "'type' is required, but missing"),
        ({"type": "t", "maxJobsToActivate": 1}, "timeout", "'timeout' is required, but missing"),
        ({"type": "t", "timeout": 0, "maxJobsToActivate": 1}, "timeout", "'timeout' must be a whole number >= 1"),
        (
            {"type": "t", "timeout": 1, "maxJobsToActivate": 0},
            "maxJobsToActivate",
            "'maxJobsToActivate' must be a whole number >= 1",
        ),
        (
            {"type": "t", "timeout": "soon", "maxJobsToActivate": 1},
            "timeout",
            "'timeout' must be a whole number, not text",
        ),
        (
            {"type": "t", "timeout": 1, "maxJobsToActivates": 1},
            "maxJobsToActivates",
            "'maxJobsToActivates' is not a property of this request; did you mean 'maxJobsToActivate'?",
        ),
        (
            {"type": "t", "timeout": 1, "maxJobsToActivate": 1, "tenantIds": ["other"]},
            "tenantId",
            "the tenant 'other' is not known; there is only '<default>'",
        ),
        (
            {"type": "t", "timeout": 1, "maxJobsToActivate": 1, "withLease": True},
            "withLease",
            "'withLease' is not supported by this server yet; leave it out",
        ),
    ],
)
def test_a_wrong_activation_is_refused_by_name(api: Client, body: dict[str, Any], field: str, detail: str) -> None:
    found = problem(api.call("POST", "/jobs/activation", body), 400, "INVALID_ARGUMENT")
    assert (found["field"], found["detail"]) == (field, detail)


@pytest.mark.parametrize(
    ("method", "path", "body", "detail"),
    [
        (
            "POST",
            "/jobs/77/completion",
            {"jobLeaseToken": "x"},
            "'jobLeaseToken' is not supported by this server yet; leave it out",
        ),
        ("POST", "/jobs/77/error", {}, "'errorCode' is required, but missing"),
        ("POST", "/jobs/77/failure", {"retries": -1}, "'retries' must be a whole number >= 0"),
        ("POST", "/jobs/77/failure", {"retryBackOff": -1}, "'retryBackOff' must be a whole number >= 0"),
        ("PATCH", "/jobs/77", {"changeset": {}}, "'changeset' must have 'retries' or 'timeout'"),
        (
            "PATCH",
            "/jobs/77",
            {"changeset": {"retry": 1}},
            "'changeset.retry' is not a property of this request; did you mean 'retries'?",
        ),
        (
            "PATCH",
            "/jobs/77",
            {"changeset": {"priority": 1}},
            "'changeset.priority' is not supported by this server yet; jobs are taken in the order they arose",
        ),
        ("POST", "/jobs/x/completion", {}, "'jobKey' must be a key: a decimal string of up to 19 digits, not 'x'"),
        ("POST", "/jobs/77/completion", {"variables": [1]}, "'variables' must be an object or null, not a list"),
    ],
)
def test_a_wrong_job_command_is_refused_by_name(api: Client, method: str, path: str, body: Any, detail: str) -> None:
    assert problem(api.call(method, path, body), 400, "INVALID_ARGUMENT")["detail"] == detail


@pytest.mark.parametrize("command", ["completion", "failure", "error"])
def test_an_unknown_job_is_not_found(api: Client, command: str) -> None:
    refused = api.call("POST", f"/jobs/4096/{command}", {"errorCode": "E"} if command == "error" else {})
    assert problem(refused, 404, "NOT_FOUND")["detail"] == "no job with key '4096' exists"
