"""Business rule tasks on a running server: the value, the decision instance that is read back, the bindings."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Client, unique
from tests.decisions.models import approval, deciding


def names() -> tuple[str, str]:
    """A process id, and the prefix of the graph that it uses."""
    return unique("deciding"), unique("graph")


def level_of(api: Client, process: str, amount: object = 1200) -> Any:
    """Start an instance, and give the value that the decision came to."""
    started = api.start(process, {"amount": amount}, awaitCompletion=True)
    return started["variables"]["level"]


def instance_of(api: Client, process: str, amount: object) -> str:
    key: str = api.start(process, {"amount": amount})["processInstanceKey"]
    return key


def test_the_value_goes_into_the_variable_and_the_evaluation_can_be_read_back(api: Client) -> None:
    process, graph = names()
    deployment = api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", deciding(process, f"{graph}-level")))
    assert level_of(api, process, 50) == "clerk"
    key = instance_of(api, process, 1200)

    risk, level = api.search("decision-instances", processInstanceKey=key)

    (definition,) = (e["processDefinition"] for e in deployment["deployments"] if e["processDefinition"])
    assert level["processDefinitionKey"] == definition["processDefinitionKey"]
    (element,) = api.search("element-instances", processInstanceKey=key, elementId="decide")
    assert {item["elementInstanceKey"] for item in (risk, level)} == {element["elementInstanceKey"]}
    assert (level["result"], level["state"]) == ('"director"', "EVALUATED")
    whole = api.ok("GET", f"/decision-instances/{level['decisionEvaluationInstanceKey']}")
    assert [value["inputValue"] for value in whole["evaluatedInputs"]] == ['"low"', "1200"]
    assert [rule["ruleId"] for rule in whole["matchedRules"]] == ["director"]
    by_element = api.search("decision-instances", elementInstanceKey=element["elementInstanceKey"])
    assert [item["decisionDefinitionId"] for item in by_element] == [f"{graph}-risk", f"{graph}-level"]


def test_the_evaluation_is_part_of_the_history(api: Client) -> None:
    process, graph = names()
    api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", deciding(process, f"{graph}-level")))
    key = instance_of(api, process, 1200)
    items = api.ok("GET", f"/process-instances/{key}/history")["items"]
    (said,) = (item["description"] for item in items if item["type"] == "DecisionEvaluated")
    assert said == f"Decision {graph}-level (version 1) evaluated at Who approves?"


def test_a_decision_that_fails_is_an_incident_and_a_failed_decision_instance(api: Client) -> None:
    process, graph = names()
    model = approval(graph, hit_policy="UNIQUE")
    api.deploy((f"{graph}.dmn", model), (f"{process}.bpmn", deciding(process, f"{graph}-level")))
    key = instance_of(api, process, 20_000)
    (incident,) = api.search("incidents", processInstanceKey=key)
    assert incident["errorType"] == "DECISION_EVALUATION_ERROR"
    (failed,) = api.search("decision-instances", processInstanceKey=key, state="FAILED")
    assert failed["evaluationFailure"] in incident["errorMessage"]

    api.deploy((f"{graph}.dmn", approval(graph)))
    api.ok("POST", f"/incidents/{incident['incidentKey']}/resolution")

    (instance,) = api.search("process-instances", processInstanceKey=key)
    assert instance["state"] == "COMPLETED"
    states = [item["state"] for item in api.search("decision-instances", processInstanceKey=key)]
    assert sorted(states) == ["EVALUATED", "EVALUATED", "EVALUATED", "FAILED"]


class TestBindings:
    def test_latest_is_what_is_in_force_when_the_task_begins(self, api: Client) -> None:
        process, graph = names()
        api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", deciding(process, f"{graph}-level")))
        assert level_of(api, process) == "director"
        api.deploy((f"{graph}.dmn", approval(graph, limit=5000)))
        assert level_of(api, process) == "clerk"

    def test_deployment_keeps_to_what_was_deployed_together(self, api: Client) -> None:
        process, graph = names()
        model = deciding(process, f"{graph}-level", 'bindingType="deployment"')
        api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", model))
        api.deploy((f"{graph}.dmn", approval(graph, limit=5000)))
        assert level_of(api, process) == "director"

    def test_a_deployment_with_one_changed_file_versions_all_of_them(self, api: Client) -> None:
        process, graph = names()
        model = deciding(process, f"{graph}-level", 'bindingType="deployment"')
        table = (f"{graph}.dmn", approval(graph))
        api.deploy(table, (f"{process}.bpmn", model))
        second = api.deploy(table, (f"{process}.bpmn", model + b"<!-- changed -->"))
        found = [next(entry[kind] for kind in entry if entry[kind]) for entry in second["deployments"]]
        assert [each.get("version", each.get("processDefinitionVersion")) for each in found] == [2, 2, 2, 2]
        assert level_of(api, process) == "director"

    def test_a_deployment_in_which_nothing_changed_makes_no_version(self, api: Client) -> None:
        process, graph = names()
        files = (f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", deciding(process, f"{graph}-level"))
        first, second = api.deploy(*files), api.deploy(*files)
        assert first["deployments"] == second["deployments"]

    def test_a_deployment_without_the_decision_that_is_bound_to_it_is_refused(self, api: Client) -> None:
        process, graph = names()
        api.deploy((f"{graph}.dmn", approval(graph)))
        model = deciding(process, f"{graph}-level", 'bindingType="deployment"')
        answer = api.send((f"{process}.bpmn", model))
        assert answer.status_code == 400
        assert "no file of this deployment has it" in answer.json()["findings"][0]["message"]

    @pytest.mark.parametrize(("tag", "level"), [("2026", "director"), ("2027", "clerk")])
    def test_a_version_tag_names_the_newest_version_that_has_it(self, api: Client, tag: str, level: str) -> None:
        process, graph = names()
        for each, limit in (("2026", 1000), ("2027", 5000), ("", 1)):
            api.deploy((f"{graph}.dmn", approval(graph, limit, each)))
        model = deciding(process, f"{graph}-level", f'bindingType="versionTag" versionTag="{tag}"')
        api.deploy((f"{process}.bpmn", model))
        assert level_of(api, process) == level

    def test_each_decision_of_a_file_has_its_own_version_tag(self, api: Client) -> None:
        process, graph = names()
        api.deploy((f"{graph}.dmn", approval(graph, tag="2026")))
        binding = 'bindingType="versionTag" versionTag="2026"'
        api.deploy((f"{process}.bpmn", deciding(process, f"{graph}-risk", binding)))
        key = instance_of(api, process, 1)
        (incident,) = api.search("incidents", processInstanceKey=key)
        assert "the version tag '2026'" in incident["errorMessage"]

    def test_a_decision_id_may_be_an_expression(self, api: Client) -> None:
        process, graph = names()
        model = deciding(process, "=which")
        api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", model))
        started = api.start(process, {"amount": 1, "which": f"{graph}-risk"}, awaitCompletion=True)
        assert started["variables"]["level"] == "low"


def test_a_second_deployment_may_change_the_graph(api: Client) -> None:
    process, graph = names()
    api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", deciding(process, f"{graph}-level")))
    first = instance_of(api, process, 1)
    renamed = approval(graph).replace(f"{graph}-risk".encode(), f"{graph}-danger".encode())
    api.deploy((f"{graph}.dmn", renamed))
    second = instance_of(api, process, 1)

    def seen(key: str) -> dict[str, int]:
        items = api.search("decision-instances", processInstanceKey=key)
        return {item["decisionDefinitionId"]: item["decisionDefinitionVersion"] for item in items}

    assert seen(first) == {f"{graph}-risk": 1, f"{graph}-level": 1}
    assert seen(second) == {f"{graph}-danger": 1, f"{graph}-level": 2}


def test_a_decision_moves_to_another_graph_and_counts_on(api: Client) -> None:
    process, graph = names()
    api.deploy((f"{graph}.dmn", approval(graph)), (f"{process}.bpmn", deciding(process, f"{graph}-level")))
    moved = approval(graph, limit=5000).replace(f'id="{graph}-graph"'.encode(), f'id="{graph}-new"'.encode())
    entries = api.deploy((f"{graph}-new.dmn", moved))["deployments"]
    decisions = [entry["decisionDefinition"] for entry in entries if entry["decisionDefinition"]]
    assert {(d["decisionRequirementsId"], d["version"]) for d in decisions} == {(f"{graph}-new", 2)}
    assert level_of(api, process) == "clerk"
    again = api.deploy((f"{graph}.dmn", approval(graph)))["deployments"]
    assert [entry["decisionDefinition"]["version"] for entry in again if entry["decisionDefinition"]] == [3, 3]
    assert level_of(api, process) == "director"


def test_a_deployment_tells_what_is_odd_about_a_table_and_deploys_it(api: Client) -> None:
    graph = unique("graph")
    found = api.deploy((f"{graph}.dmn", approval(graph, hit_policy="UNIQUE")))
    assert found["warnings"][0].startswith(f'{graph}-level: rules 1 and 2 both match when Risk is "high"')
    assert any("rules 1 and 3 both match" in warning for warning in found["warnings"])
