"""Call activities over HTTP: the hierarchy in searches and in the call-hierarchy resource, bindings, and refusals."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.client import Client, model, problem, unique

PATIENCE = 30


@pytest.fixture
def name(api: Client) -> str:
    """Three processes `<name>-parent` → `<name>-middle` → `<name>`, the last with a job of the type `<name>`."""
    name = unique("called")
    api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
    for caller, called in ((f"{name}-middle", name), (f"{name}-parent", f"{name}-middle")):
        api.deploy((f"{caller}.bpmn", model("call.bpmn", ID=caller, CALLED=called)))
    return name


def eventually(look: Callable[[], Any]) -> Any:
    """What `look` gives as soon as it gives something: deliveries take some milliseconds."""
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing came within {PATIENCE} s"
        time.sleep(0.02)
    return found


def instances(api: Client, name: str) -> list[Any]:
    """The three instances, the outermost first, as soon as there are three."""
    ids = [f"{name}-parent", f"{name}-middle", name]

    def all_three() -> list[Any]:
        found = {item["processDefinitionId"]: item for id in ids for item in _of(api, id)}
        return [found[id] for id in ids] if len(found) == len(ids) else []

    found: list[Any] = eventually(all_three)
    return found


def _of(api: Client, process_id: str) -> list[Any]:
    return api.search("process-instances", processDefinitionId=process_id)


def test_searches_name_the_caller_and_the_root(api: Client, name: str) -> None:
    root = api.start(f"{name}-parent")["processInstanceKey"]
    parent, middle, child = instances(api, name)
    assert [item["processInstanceKey"] for item in (parent,)] == [root]
    assert [item["parentProcessInstanceKey"] for item in (parent, middle, child)] == [
        None,
        root,
        middle["processInstanceKey"],
    ]
    assert {item["rootProcessInstanceKey"] for item in (parent, middle, child)} == {root}
    (call,) = api.search("element-instances", processInstanceKey=root, type="CALL_ACTIVITY")
    assert middle["parentElementInstanceKey"] == call["elementInstanceKey"]
    assert (call["elementId"], call["state"]) == ("call", "ACTIVE")
    (found,) = api.search("process-instances", parentProcessInstanceKey=root)
    assert found == middle
    (found,) = api.search("process-instances", parentElementInstanceKey=call["elementInstanceKey"])
    assert found == middle
    (job,) = api.activate(name)
    assert (job["processInstanceKey"], job["rootProcessInstanceKey"]) == (child["processInstanceKey"], root)


def test_the_call_hierarchy_of_an_instance_is_its_callers_and_itself(api: Client, name: str) -> None:
    api.start(f"{name}-parent")
    keys = [item["processInstanceKey"] for item in instances(api, name)]
    for depth, key in enumerate(keys, 1):
        found = api.ok("GET", f"/process-instances/{key}/call-hierarchy")
        assert [item["processInstanceKey"] for item in found] == keys[:depth]
        assert all(item["processDefinitionKey"] and item["processDefinitionName"] for item in found)
    problem(api.call("GET", "/process-instances/4711/call-hierarchy"), 404, "NOT_FOUND")


def test_results_come_back_through_the_hierarchy(api: Client, name: str) -> None:
    root = api.start(f"{name}-parent", {"x": 1})["processInstanceKey"]
    (job,) = api.activate(name)
    assert job["variables"] == {"x": 1}
    api.ok("POST", f"/jobs/{job['jobKey']}/completion", {"variables": {"y": 2}})
    eventually(lambda: api.search("process-instances", processInstanceKey=root, state="COMPLETED"))
    found = api.search("variables", processInstanceKey=root, scopeKey=root)
    assert {item["name"]: item["value"] for item in found} == {"x": "1", "y": "2"}


def test_only_the_root_can_be_cancelled_and_takes_all_with_it(api: Client, name: str) -> None:
    root = api.start(f"{name}-parent")["processInstanceKey"]
    _, middle, _ = instances(api, name)
    refused = api.call("POST", f"/process-instances/{middle['processInstanceKey']}/cancellation")
    assert f"cancel the root instance '{root}'" in problem(refused, 409, "INVALID_STATE")["detail"]
    api.ok("POST", f"/process-instances/{root}/cancellation")
    eventually(lambda: {item["state"] for item in instances(api, name)} == {"TERMINATED"})
    (job,) = api.search("jobs", type=name)
    assert job["state"] == "CANCELED"


def test_the_history_tells_of_the_call_and_the_state_of_what_is_owed(api: Client, name: str) -> None:
    root = api.start(f"{name}-middle")["processInstanceKey"]
    child = eventually(lambda: _of(api, name))[0]["processInstanceKey"]
    told = [item["description"] for item in api.ok("GET", f"/process-instances/{root}/history")["items"]]
    assert any(child in line for line in told), told
    assert api.ok("GET", f"/process-instances/{root}/state")["deliveries"] == []


def test_an_instance_that_was_called_shows_where_the_call_failed(api: Client) -> None:
    name = unique("called")
    api.deploy((f"{name}.bpmn", model("call.bpmn", ID=name, CALLED=f"{name}-missing")))
    root = api.start(name)["processInstanceKey"]
    (incident,) = api.search("incidents", processInstanceKey=root)
    assert (incident["errorType"], incident["elementId"]) == ("CALLED_ELEMENT_ERROR", "call")
    assert f"'{name}-missing'" in incident["errorMessage"]
    assert api.ok("GET", f"/process-instances/{root}")["hasIncident"] is True
