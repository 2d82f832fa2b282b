"""Read-your-writes: every write tells its log position, any read may demand one, every read tells what it reflects."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from infra.serving import RunningServer
from tests.api.client import Client, model, problem, unique

POSITION = "flowledger-position"


@pytest.fixture
def one_task(api: Client) -> str:
    name = unique("one-task")
    api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
    return name


def test_every_write_tells_its_position_and_they_ascend(api: Client, one_task: str) -> None:
    started = api.call("POST", "/process-instances", {"processDefinitionId": one_task})
    taken = api.call("POST", "/jobs/activation", {"type": one_task, "timeout": 60_000, "maxJobsToActivate": 1})
    job = taken.json()["jobs"][0]["jobKey"]
    changed = api.call("PATCH", f"/jobs/{job}", {"changeset": {"retries": 4}})
    completed = api.call("POST", f"/jobs/{job}/completion")
    positions = [int(response.headers[POSITION]) for response in (started, taken, changed, completed)]
    assert positions == sorted(set(positions))


def test_a_search_that_demands_a_position_shows_what_was_written(api: Client, one_task: str) -> None:
    for _ in range(10):
        started = api.call("POST", "/process-instances", {"processDefinitionId": one_task})
        key, position = started.json()["processInstanceKey"], started.headers[POSITION]
        body = {"filter": {"processInstanceKey": key}}
        found = api.call("POST", "/process-instances/search", body, Flowledger_Min_Position=position)
        assert [item["processInstanceKey"] for item in found.json()["items"]] == [key]
        assert int(found.headers[POSITION]) >= int(position)


def test_a_read_by_key_shows_this_servers_own_writes_unasked(api: Client, one_task: str) -> None:
    for _ in range(10):
        key = api.start(one_task)["processInstanceKey"]
        assert api.ok("GET", f"/process-instances/{key}")["state"] == "ACTIVE"
        api.ok("POST", f"/process-instances/{key}/cancellation")
        assert api.ok("GET", f"/process-instances/{key}")["state"] == "TERMINATED"


@pytest.mark.parametrize("text", ["abc", "-1", "1.5", "9" * 30])
def test_a_position_is_a_whole_number(api: Client, text: str) -> None:
    refused = api.call("GET", "/process-instances/4096", Flowledger_Min_Position=text)
    assert problem(refused, 400, "INVALID_ARGUMENT")["field"] == "Flowledger-Min-Position"


def test_freshness_says_how_far_the_read_models_are(api: Client, one_task: str) -> None:
    position = int(api.call("POST", "/process-instances", {"processDefinitionId": one_task}).headers[POSITION])
    api.search("process-instances", str(position), processDefinitionId=one_task)
    fresh: dict[str, Any] = api.ok("GET", "/system/freshness")
    assert fresh["position"] >= position
    assert fresh["reflectsAt"] > 1_700_000_000_000
    assert fresh["lag"] >= 0


def test_a_position_that_is_never_reached_ends_in_504(api_server: RunningServer) -> None:
    """The server's patience is 10 s; the test shortens it."""
    services = api_server.platform.services
    patient = services.settings
    services.settings = type(patient)(**{**_fields(patient), "min_position_wait": 0.05})
    try:
        path = api_server.address + "/v2/process-instances/search"
        late = httpx.post(path, json={}, headers={"Flowledger-Min-Position": "999999999"}, timeout=30)
        found = problem(late, 504, "DEADLINE_EXCEEDED")
        assert "not yet 999999999 as Flowledger-Min-Position demands" in found["detail"]
    finally:
        services.settings = patient


def _fields(settings: Any) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__slots__}
