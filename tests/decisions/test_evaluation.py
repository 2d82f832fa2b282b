"""Decisions evaluated over HTTP: the answer, the record that is kept of it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Client, problem, unique
from tests.decisions.models import approval

EVALUATION = "/decision-definitions/evaluation"


def deployed(api: Client, **options: Any) -> tuple[str, dict[str, str]]:
    """A deployed graph: its prefix, and decision id → key."""
    prefix = unique("approval")
    entries = api.deploy((f"{prefix}.dmn", approval(prefix, **options)))["deployments"]
    decisions = [entry["decisionDefinition"] for entry in entries if entry["decisionDefinition"]]
    return prefix, {decision["decisionDefinitionId"]: decision["decisionDefinitionKey"] for decision in decisions}


def evaluate(api: Client, decision_id: str, **variables: Any) -> Any:
    return api.ok("POST", EVALUATION, {"decisionDefinitionId": decision_id, "variables": variables})


class TestAnswer:
    def test_the_decision_and_all_that_it_required_are_told(self, api: Client) -> None:
        prefix, keys = deployed(api)
        found = evaluate(api, f"{prefix}-level", amount=1200)
        assert found["output"] == '"director"'
        assert (found["decisionDefinitionName"], found["decisionDefinitionVersion"]) == ("Level", 1)
        assert found["decisionDefinitionKey"] == keys[f"{prefix}-level"]
        assert found["decisionRequirementsId"] == f"{prefix}-graph"
        assert (found["failureMessage"], found["failedDecisionDefinitionId"]) == (None, None)
        risk, level = found["evaluatedDecisions"]
        assert (risk["decisionDefinitionType"], risk["output"]) == ("LITERAL_EXPRESSION", '"low"')
        assert risk["decisionDefinitionKey"] == keys[f"{prefix}-risk"]
        assert risk["decisionEvaluationInstanceKey"] == found["decisionEvaluationKey"] + "-1"
        assert level["decisionDefinitionType"] == "DECISION_TABLE"
        assert level["evaluatedInputs"] == [
            {"inputId": "in-risk", "inputName": "Risk", "inputValue": '"low"'},
            {"inputId": "in-amount", "inputName": "Amount", "inputValue": "1200"},
        ]
        (rule,) = level["matchedRules"]
        assert (rule["ruleId"], rule["ruleIndex"]) == ("director", 3)
        assert [output["outputValue"] for output in rule["evaluatedOutputs"]] == ['"director"']

    def test_a_key_names_one_version_and_an_id_the_latest(self, api: Client) -> None:
        prefix, keys = deployed(api)
        api.deploy((f"{prefix}.dmn", approval(prefix, limit=5000)))
        first = {"decisionDefinitionKey": keys[f"{prefix}-level"], "variables": {"amount": 1200}}
        assert api.ok("POST", EVALUATION, first)["output"] == '"director"'
        latest = evaluate(api, f"{prefix}-level", amount=1200)
        assert (latest["output"], latest["decisionDefinitionVersion"]) == ('"clerk"', 2)

    def test_a_failed_decision_is_an_answer_that_says_why(self, api: Client) -> None:
        prefix, _ = deployed(api, hit_policy="UNIQUE")
        found = evaluate(api, f"{prefix}-level", amount=20_000)
        assert found["output"] == "null"
        assert found["failedDecisionDefinitionId"] == f"{prefix}-level"
        assert found["failureMessage"].startswith("rules 1, 3 match at once, but hit policy UNIQUE allows one")

    def test_a_repeat_under_the_same_idempotency_key_is_the_same_evaluation(self, api: Client) -> None:
        prefix, _ = deployed(api)
        body = {"decisionDefinitionId": f"{prefix}-level", "variables": {"amount": 1.5}}
        first, second = (api.ok("POST", EVALUATION, body, Idempotency_Key=prefix) for _ in range(2))
        assert first == second
        assert len(api.search("decision-instances", decisionEvaluationKey=first["decisionEvaluationKey"])) == 2


class TestRecord:
    def test_each_evaluated_decision_is_a_decision_instance(self, api: Client) -> None:
        prefix, keys = deployed(api)
        answered = evaluate(api, f"{prefix}-level", amount=1200)
        evaluation = answered["decisionEvaluationKey"]
        risk, level = api.search("decision-instances", decisionEvaluationKey=evaluation)
        assert [item["decisionDefinitionId"] for item in (risk, level)] == [f"{prefix}-risk", f"{prefix}-level"]
        assert {item["rootDecisionDefinitionKey"] for item in (risk, level)} == {keys[f"{prefix}-level"]}
        assert (level["state"], level["result"], level["evaluationFailure"]) == ("EVALUATED", '"director"', None)
        assert (level["processInstanceKey"], level["elementInstanceKey"]) == (None, None)
        whole = api.ok("GET", f"/decision-instances/{evaluation}-2")
        expected = answered["evaluatedDecisions"][1]
        assert whole["evaluatedInputs"] == expected["evaluatedInputs"]
        assert whole["matchedRules"] == expected["matchedRules"]

    def test_a_required_decision_keeps_its_own_version(self, api: Client) -> None:
        prefix, _ = deployed(api)
        other = approval(prefix).replace(f"{prefix}-level".encode(), f"{prefix}-other".encode())
        api.deploy((f"{prefix}.dmn", other))
        evaluation = evaluate(api, f"{prefix}-other", amount=1)["decisionEvaluationKey"]
        found = api.search("decision-instances", decisionEvaluationKey=evaluation)
        versions = {item["decisionDefinitionId"]: item["decisionDefinitionVersion"] for item in found}
        assert versions == {f"{prefix}-risk": 2, f"{prefix}-other": 1}

    def test_failures_are_found_by_their_state(self, api: Client) -> None:
        prefix, _ = deployed(api, hit_policy="UNIQUE")
        evaluate(api, f"{prefix}-level", amount=20_000)
        evaluate(api, f"{prefix}-level", amount=1)
        (failed,) = api.search("decision-instances", decisionDefinitionId=f"{prefix}-level", state="FAILED")
        assert failed["evaluationFailure"]


class TestRefused:
    def test_a_decision_that_is_not_deployed(self, api: Client) -> None:
        found = problem(api.call("POST", EVALUATION, {"decisionDefinitionId": "nobody"}), 404, "NOT_FOUND")
        assert found["detail"] == "no decision with the id 'nobody' is deployed"
        problem(api.call("POST", EVALUATION, {"decisionDefinitionKey": "4097"}), 404, "NOT_FOUND")

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "decisionDefinitionId"),
            ({"decisionDefinitionId": "a", "decisionDefinitionKey": "1"}, "decisionDefinitionKey"),
            ({"decisionDefinitionKey": "x"}, "decisionDefinitionKey"),
            ({"decisionDefinitionId": "a", "variables": []}, "variables"),
            ({"decisionDefinitionId": "a", "input": {}}, "input"),
            ({"decisionDefinitionId": "a", "tenantId": "other"}, "tenantId"),
        ],
    )
    def test_a_body_that_is_wrong_names_the_field(self, api: Client, body: Any, field: str) -> None:
        assert problem(api.call("POST", EVALUATION, body), 400, "INVALID_ARGUMENT")["field"] == field

    @pytest.mark.parametrize("id", ["4097", "4097-", "4097-x", "x-1"])
    def test_an_id_of_a_decision_instance_that_is_none(self, api: Client, id: str) -> None:
        found = problem(api.call("GET", f"/decision-instances/{id}"), 400, "INVALID_ARGUMENT")
        assert found["field"] == "decisionEvaluationInstanceKey"

    def test_a_decision_instance_that_is_not_there(self, api: Client) -> None:
        problem(api.call("GET", "/decision-instances/4096-1"), 404, "NOT_FOUND")

    def test_a_search_by_an_unknown_field_names_the_nearest(self, api: Client) -> None:
        refused = api.call("POST", "/decision-instances/search", {"filter": {"decisionDefinitonId": "x"}})
        assert "decisionDefinitionId" in problem(refused, 400, "INVALID_ARGUMENT")["detail"]
