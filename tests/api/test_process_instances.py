"""Process instances over HTTP: started, awaited, followed, cancelled, and their history."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from infra.serving import RunningServer
from tests.api.client import Client, model, problem, unique


@pytest.fixture
def one_task(api: Client) -> Any:
    """A freshly deployed process with one service task (v2 DeploymentProcessResult)."""
    name = unique("one-task")
    deployment = api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
    return deployment["deployments"][0]["processDefinition"]


def complete(api: Client, job_type: str, **variables: Any) -> None:
    (job,) = api.activate(job_type)
    api.ok("POST", f"/jobs/{job['jobKey']}/completion", {"variables": variables})


class TestStarting:
    def test_by_key(self, api: Client, one_task: Any) -> None:
        started = api.ok("POST", "/process-instances", {"processDefinitionKey": one_task["processDefinitionKey"]})
        assert started["processDefinitionId"] == one_task["processDefinitionId"]
        assert (started["processDefinitionVersion"], started["tenantId"], started["variables"]) == (1, "<default>", {})

    def test_by_id_and_version(self, api: Client, one_task: Any) -> None:
        name = one_task["processDefinitionId"]
        api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name) + b"<!-- changed -->"))
        assert api.start(name)["processDefinitionVersion"] == 2
        assert api.start(name, processDefinitionVersion=1)["processDefinitionVersion"] == 1
        assert api.start(name, processDefinitionVersion=-1)["processDefinitionVersion"] == 2
        refused = api.call("POST", "/process-instances", {"processDefinitionId": name, "processDefinitionVersion": 7})
        assert "version 7" in problem(refused, 404, "NOT_FOUND")["detail"]

    def test_numbers_stay_exact(self, api: Client, one_task: Any) -> None:
        content = (
            '{"processDefinitionId":"%s","variables":{"sum":0.10,"big":123456789012345678901234567890,"small":1e-30}}'
        )
        response = api.http.post(
            "/process-instances",
            content=content % one_task["processDefinitionId"],
            headers={"Content-Type": "application/json"},
        )
        found = api.search("variables", processInstanceKey=response.json()["processInstanceKey"])
        assert {variable["name"]: variable["value"] for variable in found} == {
            "sum": "0.10",
            "big": "123456789012345678901234567890",
            "small": "1E-30",
        }

    def test_a_definition_is_named_one_way(self, api: Client, one_task: Any) -> None:
        both = {name: one_task[name] for name in ("processDefinitionKey", "processDefinitionId")}
        for body in ({}, both):
            found = problem(api.call("POST", "/process-instances", body), 400, "INVALID_ARGUMENT")
            assert "either by 'processDefinitionKey' or by 'processDefinitionId'" in found["detail"]

    def test_an_unknown_definition_is_not_found(self, api: Client, one_task: Any) -> None:
        by_id = api.call("POST", "/process-instances", {"processDefinitionId": "nobody"})
        assert "no process 'nobody' is deployed" in problem(by_id, 404, "NOT_FOUND")["detail"]
        problem(api.call("POST", "/process-instances", {"processDefinitionKey": "4096"}), 404, "NOT_FOUND")

    @pytest.mark.parametrize(
        ("more", "field", "detail"),
        [
            ({"startInstructions": [{"elementId": "x"}]}, "startInstructions", "is not supported by this server yet"),
            ({"runtimeInstructions": [{}]}, "runtimeInstructions", "is not supported by this server yet"),
            ({"tenantId": "acme"}, "tenantId", "the tenant 'acme' is not known"),
            ({"tags": ["a"] * 11}, "tags", "'tags' must be a list of length <= 10"),
            ({"businessId": "x" * 300}, "businessId", "at most 256 characters"),
            ({"variables": {"": 1}}, "variables", "a variable's name has 1 to"),
            ({"processDefinitionVersion": "two"}, "processDefinitionVersion", "must be a whole number, not text"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(
        self, api: Client, one_task: Any, more: dict[str, Any], field: str, detail: str
    ) -> None:
        body = {"processDefinitionId": one_task["processDefinitionId"], **more}
        found = problem(api.call("POST", "/process-instances", body), 400, "INVALID_ARGUMENT")
        assert found["field"] == field
        assert detail in found["detail"]


class TestAwaitingCompletion:
    def start_awaiting(self, server: RunningServer, process: str, **more: Any) -> httpx.Response:
        body = {"processDefinitionId": process, "variables": {"a": 1}, "awaitCompletion": True, **more}
        return httpx.post(server.address + "/v2/process-instances", json=body, timeout=30)

    def answers_of(self, server: RunningServer, process: str, **more: Any) -> tuple[threading.Thread, list[Any]]:
        answers: list[Any] = []
        waiting = threading.Thread(target=lambda: answers.append(self.start_awaiting(server, process, **more)))
        waiting.start()
        return waiting, answers

    def test_the_answer_has_the_variables_at_the_end(
        self, api: Client, api_server: RunningServer, one_task: Any
    ) -> None:
        name = one_task["processDefinitionId"]
        waiting, answers = self.answers_of(api_server, name, requestTimeout=20_000)
        complete(api, name, total=0.5)
        waiting.join(20)
        (answer,) = answers
        assert answer.status_code == 200, answer.text
        assert answer.json()["variables"] == {"a": 1, "total": 0.5}

    def test_only_the_variables_that_were_asked_for(
        self, api: Client, api_server: RunningServer, one_task: Any
    ) -> None:
        name = one_task["processDefinitionId"]
        waiting, answers = self.answers_of(api_server, name, fetchVariables=["total"], requestTimeout=20_000)
        complete(api, name, total=2)
        waiting.join(20)
        assert answers[0].json()["variables"] == {"total": 2}

    def test_it_ends_with_504_and_the_instance_goes_on(
        self, api: Client, api_server: RunningServer, one_task: Any
    ) -> None:
        name = one_task["processDefinitionId"]
        found = problem(self.start_awaiting(api_server, name, requestTimeout=100), 504, "DEADLINE_EXCEEDED")
        assert "has not completed within 0.1 s; it goes on" in found["detail"]
        complete(api, name)

    def test_a_cancelled_instance_is_a_conflict(self, api: Client, api_server: RunningServer, one_task: Any) -> None:
        name = one_task["processDefinitionId"]
        waiting, answers = self.answers_of(api_server, name, requestTimeout=20_000)
        (job,) = api.activate(name)
        api.ok("POST", f"/process-instances/{job['processInstanceKey']}/cancellation")
        waiting.join(20)
        assert "was cancelled before it completed" in problem(answers[0], 409, "INVALID_STATE")["detail"]

    def test_an_instance_that_ends_at_once(self, api: Client, api_server: RunningServer) -> None:
        name = unique("straight")
        api.deploy((f"{name}.bpmn", model("straight.bpmn", ID=name)))
        assert self.start_awaiting(api_server, name).json()["variables"] == {"a": 1}


class TestFollowing:
    @pytest.fixture
    def key(self, api: Client, one_task: Any) -> str:
        return str(api.start(one_task["processDefinitionId"], {"a": 1})["processInstanceKey"])

    def test_it_is_found_by_key_right_after_its_start(self, api: Client, key: str) -> None:
        instance = api.ok("GET", f"/process-instances/{key}")
        assert (instance["state"], instance["processDefinitionName"]) == ("ACTIVE", "One task")
        assert (instance["endDate"], instance["hasIncident"], instance["tags"]) == (None, False, [])

    def test_its_elements_flows_and_statistics(self, api: Client, key: str) -> None:
        elements = api.search("element-instances", processInstanceKey=key)
        assert {(item["elementId"], item["type"], item["state"]) for item in elements} >= {
            ("start", "START_EVENT", "COMPLETED"),
            ("work", "SERVICE_TASK", "ACTIVE"),
        }
        flows = api.ok("GET", f"/process-instances/{key}/sequence-flows")["items"]
        assert [flow["elementId"] for flow in flows] == ["to_work"]
        statistics = api.ok("GET", f"/process-instances/{key}/statistics/element-instances")["items"]
        assert {"elementId": "work", "active": 1, "completed": 0, "canceled": 0, "incidents": 0} in statistics

    def test_an_element_instance_by_key_and_its_incidents(self, api: Client, key: str) -> None:
        (work,) = api.search("element-instances", processInstanceKey=key, elementId="work")
        got = api.ok("GET", f"/element-instances/{work['elementInstanceKey']}")
        assert (got["elementName"], got["state"]) == ("Do the work", "ACTIVE")
        found = api.ok("POST", f"/element-instances/{work['elementInstanceKey']}/incidents/search", {})
        assert found["items"] == []
        problem(api.call("POST", "/element-instances/4099/incidents/search", {}), 404, "NOT_FOUND")

    def test_it_has_no_callers(self, api: Client, key: str) -> None:
        hierarchy = api.ok("GET", f"/process-instances/{key}/call-hierarchy")
        assert [item["processInstanceKey"] for item in hierarchy] == [key]

    def test_its_incidents_are_searched_in_it(self, api: Client, key: str, one_task: Any) -> None:
        (job,) = api.activate(one_task["processDefinitionId"])
        api.ok("POST", f"/jobs/{job['jobKey']}/failure", {"retries": 0})
        found = api.ok("POST", f"/process-instances/{key}/incidents/search")
        assert [item["jobKey"] for item in found["items"]] == [job["jobKey"]]
        problem(api.call("POST", "/process-instances/4099/incidents/search"), 404, "NOT_FOUND")

    def test_its_variables_change(self, api: Client, key: str) -> None:
        api.ok("PUT", f"/element-instances/{key}/variables", {"variables": {"a": 2, "b": [1, None, {"c": True}]}})
        found = {item["name"]: item for item in api.search("variables", processInstanceKey=key)}
        assert {name: item["value"] for name, item in found.items()} == {"a": "2", "b": '[1,null,{"c":true}]'}
        variable = api.ok("GET", f"/variables/{found['b']['variableKey']}")
        assert (variable["name"], variable["scopeKey"]) == ("b", key)

    def test_a_local_variable_stays_in_its_scope(self, api: Client, key: str) -> None:
        (work,) = api.search("element-instances", processInstanceKey=key, elementId="work")
        scope = work["elementInstanceKey"]
        api.ok("PUT", f"/element-instances/{scope}/variables", {"variables": {"a": 9}, "local": True})
        found = api.search("variables", processInstanceKey=key, name="a")
        assert {(item["scopeKey"], item["value"]) for item in found} == {(key, "1"), (scope, "9")}

    def test_long_values_are_cut_in_searches_unless_wanted(self, api: Client, key: str) -> None:
        api.ok("PUT", f"/element-instances/{key}/variables", {"variables": {"long": "x" * 10_000}})
        (cut,) = api.search("variables", processInstanceKey=key, name="long")
        assert (cut["isTruncated"], len(cut["value"]) < 10_000) == (True, True)
        whole = api.ok(
            "POST", "/variables/search?truncateValues=false", {"filter": {"processInstanceKey": key, "name": "long"}}
        )
        assert (whole["items"][0]["isTruncated"], len(whole["items"][0]["value"])) == (False, 10_002)

    def test_instances_are_searched_by_their_variables(self, api: Client, key: str, one_task: Any) -> None:
        api.start(one_task["processDefinitionId"], {"a": 2})
        name = one_task["processDefinitionId"]
        found = api.search("process-instances", processDefinitionId=name, variables=[{"name": "a", "value": "1"}])
        assert [item["processInstanceKey"] for item in found] == [key]

    def test_pages_follow_one_another(self, api: Client, one_task: Any) -> None:
        name = one_task["processDefinitionId"]
        keys = [api.start(name)["processInstanceKey"] for _ in range(5)]
        minimum = str(api.position())
        seen: list[str] = []
        page: dict[str, Any] = {"limit": 2}
        for _ in range(3):
            body = {"filter": {"processDefinitionId": name}, "sort": [{"field": "startDate"}], "page": page}
            found = api.ok("POST", "/process-instances/search", body, Flowledger_Min_Position=minimum)
            assert found["page"]["totalItems"] == 5
            seen += [item["processInstanceKey"] for item in found["items"]]
            page = {"limit": 2, "after": found["page"]["endCursor"]}
        assert seen == keys


class TestCancelling:
    def test_all_that_is_active_ends(self, api: Client, one_task: Any) -> None:
        started = api.start(one_task["processDefinitionId"])
        key = started["processInstanceKey"]
        api.ok("POST", f"/process-instances/{key}/cancellation")
        assert api.ok("GET", f"/process-instances/{key}")["state"] == "TERMINATED"
        assert [job["state"] for job in api.search("jobs", processInstanceKey=key)] == ["CANCELED"]
        assert api.activate(one_task["processDefinitionId"], requestTimeout=-1) == []

    def test_it_can_be_done_once(self, api: Client, one_task: Any) -> None:
        key = api.start(one_task["processDefinitionId"])["processInstanceKey"]
        api.ok("POST", f"/process-instances/{key}/cancellation", {"operationReference": 7})
        refused = api.call("POST", f"/process-instances/{key}/cancellation")
        assert "is cancelled" in problem(refused, 409, "INVALID_STATE")["detail"]
        late = api.call("PUT", f"/element-instances/{key}/variables", {"variables": {"a": 1}})
        problem(late, 409, "INVALID_STATE")

    def test_an_unknown_instance_is_not_found(self, api: Client) -> None:
        problem(api.call("POST", "/process-instances/4096/cancellation"), 404, "NOT_FOUND")
        problem(api.call("PUT", "/element-instances/4096/variables", {"variables": {"a": 1}}), 404, "NOT_FOUND")


class TestHistory:
    def test_every_event_says_when_who_what_and_what_it_changed(self, api: Client, one_task: Any) -> None:
        name = one_task["processDefinitionId"]
        started = api.http.post(
            "/process-instances", json={"processDefinitionId": name, "variables": {"a": 1}}, auth=("ada", "")
        ).json()
        key = started["processInstanceKey"]
        complete(api, name, a=2)

        history = api.ok("GET", f"/process-instances/{key}/history")

        entries = history["items"]
        assert [entry["version"] for entry in entries] == list(range(1, len(entries) + 1))
        first, last = entries[0], entries[-1]
        assert (first["type"], first["actor"], last["type"]) == ("InstanceCreated", "ada", "InstanceCompleted")
        changed = [change for entry in entries for change in entry["variables"] if change["name"] == "a"]
        assert [(change.get("before"), change["after"]) for change in changed] == [(None, 1), (1, 2)]
        assert {entry["elementId"] for entry in entries} >= {"work"}
        assert all(entry["description"] and entry["timestamp"].endswith("Z") for entry in entries)

    def test_it_comes_in_pages(self, api: Client, one_task: Any) -> None:
        key = api.start(one_task["processDefinitionId"])["processInstanceKey"]
        page = api.ok("GET", f"/process-instances/{key}/history?after=1&limit=2")
        assert [entry["version"] for entry in page["items"]] == [2, 3]

    def test_the_state_of_any_moment_can_be_seen(self, api: Client, one_task: Any) -> None:
        name = one_task["processDefinitionId"]
        key = api.start(name, {"a": 1})["processInstanceKey"]
        complete(api, name, a=2)
        before = api.ok("GET", f"/process-instances/{key}/state?version=1")
        now = api.ok("GET", f"/process-instances/{key}/state")
        assert (before["version"], before["state"], now["state"]) == (1, "ACTIVE", "COMPLETED")

    @pytest.mark.parametrize(
        ("query", "field", "detail"),
        [
            ("history?limit=0", "limit", "the query parameter 'limit' must be a whole number from 1 to 1000, not '0'"),
            (
                "history?after=x",
                "after",
                "the query parameter 'after' must be a whole number from 0 to 2147483647, not 'x'",
            ),
            (
                "state?version=-1",
                "version",
                "the query parameter 'version' must be a whole number from 1 to 2147483647, not '-1'",
            ),
        ],
    )
    def test_wrong_parameters_are_named(self, api: Client, query: str, field: str, detail: str) -> None:
        found = problem(api.call("GET", f"/process-instances/4096/{query}"), 400, "INVALID_ARGUMENT")
        assert (found["field"], found["detail"]) == (field, detail)
