"""Suspending and resuming an instance over HTTP: what workers get meanwhile, what searches show, how refusals read."""

from __future__ import annotations

import threading
from typing import Any

from infra.postgres.index_rebuild import rebuild_index
from infra.serving import RunningServer
from tests.api.client import Client, model, unique

SOON = {"timeout": 60_000, "maxJobsToActivate": 9, "requestTimeout": -1}


def _started(api: Client) -> tuple[str, str]:
    """A job type that no other test uses, and an instance with a job of it."""
    name = unique("suspended")
    api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name, TYPE=name)))
    return name, api.start(name)["processInstanceKey"]


def _jobs(api: Client, job_type: str) -> list[Any]:
    found: list[Any] = api.ok("POST", "/jobs/activation", {"type": job_type, **SOON})["jobs"]
    return found


def test_workers_get_no_jobs_of_a_suspended_instance(api: Client) -> None:
    job_type, key = _started(api)
    api.ok("POST", f"/process-instances/{key}/suspension", {"reason": "audit"})
    assert _jobs(api, job_type) == []
    api.ok("POST", f"/process-instances/{key}/resumption")
    assert [job["processInstanceKey"] for job in _jobs(api, job_type)] == [key]


def test_a_worker_that_waits_gets_the_job_as_soon_as_the_instance_is_resumed(api: Client) -> None:
    job_type, key = _started(api)
    api.ok("POST", f"/process-instances/{key}/suspension")
    taken: list[Any] = []
    worker = threading.Thread(target=lambda: taken.extend(api.activate(job_type)))
    worker.start()
    api.ok("POST", f"/process-instances/{key}/resumption")
    worker.join(20)
    assert [job["processInstanceKey"] for job in taken] == [key]


def test_completing_a_job_of_a_suspended_instance_is_refused_with_the_reason(api: Client) -> None:
    job_type, key = _started(api)
    (job,) = api.activate(job_type)
    api.ok("POST", f"/process-instances/{key}/suspension", {"reason": "the supplier is checked"})
    refused = api.call("POST", f"/jobs/{job['jobKey']}/completion", {})
    assert refused.status_code == 409
    assert "the supplier is checked" in refused.json()["detail"]
    api.ok("POST", f"/process-instances/{key}/resumption")
    api.ok("POST", f"/jobs/{job['jobKey']}/completion", {})


def test_searches_and_the_history_show_it(api: Client) -> None:
    _, key = _started(api)
    api.ok("POST", f"/process-instances/{key}/suspension", {"reason": "audit"})
    (found,) = api.search("process-instances", processInstanceKey=key, state="SUSPENDED")
    assert found["state"] == "SUSPENDED"
    assert api.ok("GET", f"/process-instances/{key}/state")["suspensionReason"] == "audit"
    *_, last = api.ok("GET", f"/process-instances/{key}/history")["items"]
    assert last["description"] == "Instance suspended: audit"
    api.ok("POST", f"/process-instances/{key}/resumption")
    assert api.search("process-instances", processInstanceKey=key, state="SUSPENDED") == []
    assert api.search("process-instances", processInstanceKey=key, state="ACTIVE")


def test_refusals(api: Client) -> None:
    _, key = _started(api)
    assert api.call("POST", f"/process-instances/{key}/resumption").status_code == 409
    assert api.call("POST", "/process-instances/4711/suspension").status_code == 404
    long = api.call("POST", f"/process-instances/{key}/suspension", {"reason": "x" * 4_001})
    assert long.status_code == 400
    assert "4000 characters" in long.json()["detail"]
    api.ok("POST", f"/process-instances/{key}/suspension")
    assert api.call("POST", f"/process-instances/{key}/suspension").status_code == 409


def test_the_index_is_rebuilt_from_the_log(api: Client, api_server: RunningServer) -> None:
    job_type, key = _started(api)
    api.ok("POST", f"/process-instances/{key}/suspension")
    rebuild_index(api_server._settings.database_url)
    assert _jobs(api, job_type) == []
    api.ok("POST", f"/process-instances/{key}/resumption")
    rebuild_index(api_server._settings.database_url)
    assert [job["processInstanceKey"] for job in _jobs(api, job_type)] == [key]
