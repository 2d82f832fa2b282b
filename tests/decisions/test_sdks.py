"""Camunda's own clients, unmodified: they evaluate decisions and expressions, and read what was recorded."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import camunda_orchestration_sdk as camunda
import pytest
from camunda_orchestration_sdk.models import EvaluateDecisionResult

from infra.serving import RunningServer
from tests.api.client import unique
from tests.api.test_npm_sdk import run_node
from tests.api.test_python_sdk import SOON, client_of
from tests.decisions.models import approval


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    """A DMN file; its stem is the prefix of its ids."""
    prefix = unique("sdk")
    file = tmp_path / f"{prefix}.dmn"
    file.write_bytes(approval(prefix))
    return file


async def with_the_python_sdk(server: RunningServer, graph: Path) -> None:
    async with client_of(server) as client:
        deployment = await client.deploy_resources_from_files([graph])
        keys = {decision.decision_definition_id: decision.decision_definition_key for decision in deployment.decisions}
        level = f"{graph.stem}-level"
        by_id = camunda.DecisionEvaluationByID.from_dict({"decisionDefinitionId": level, "variables": {"amount": 1200}})
        found = await client.evaluate_decision(data=by_id)
        assert isinstance(found, EvaluateDecisionResult)
        assert (found.output, found.decision_definition_key) == ('"director"', keys[level])
        by_key = camunda.DecisionEvaluationByKey.from_dict(
            {"decisionDefinitionKey": keys[f"{graph.stem}-risk"], "variables": {"amount": 90_000}}
        )
        assert (await client.evaluate_decision(data=by_key)).output == '"high"'

        query = camunda.DecisionInstanceSearchQuery.from_dict(
            {"filter": {"decisionEvaluationKey": found.decision_evaluation_key, "decisionDefinitionId": level}}
        )
        (item,) = (await client.search_decision_instances(data=query, consistency=SOON)).items
        key = item.decision_evaluation_instance_key
        instance = await client.get_decision_instance(key, consistency=SOON)
        assert [value.input_value for value in instance.evaluated_inputs] == ['"low"', "1200"]
        assert [rule.rule_index for rule in instance.matched_rules] == [3]

        variables = camunda.ExpressionEvaluationRequestVariables.from_dict({"x": 1, "y": 2})
        request = camunda.ExpressionEvaluationRequest(expression="=x + y", variables=variables)
        result = await client.evaluate_expression(data=request)
        assert (result.result, result.warnings) == (3, [])


def test_the_python_sdk_evaluates_and_reads_decisions(server: RunningServer, graph: Path) -> None:
    asyncio.run(with_the_python_sdk(server, graph))


# The older client knows no expressions, and its schemas refuse the ids that Camunda itself gives (KEY-1) and nulls.
@pytest.mark.parametrize(
    ("library", "validation", "expression"),
    [("camunda-8.8", "req:none,res:none", (None, None)), ("camunda-9.1", "req:strict,res:strict", (30, True))],
)
def test_the_typescript_sdk_evaluates_and_reads_decisions(
    server: RunningServer,
    node_folder: Path,
    graph: Path,
    library: str,
    validation: str,
    expression: tuple[int | None, bool | None],
) -> None:
    script = Path(__file__).with_name("decisions.mjs")
    shutil.copy(script, node_folder / script.name)  # its imports are resolved from where it lies

    seen = run_node(node_folder, script.name, server.address, validation, library, f"{graph.stem}-level", str(graph))

    assert seen == {
        "outputs": ['"director"', '"clerk"'],
        "evaluated": ["LITERAL_EXPRESSION", "DECISION_TABLE"],
        "instances": ["EVALUATED", "EVALUATED"],
        "inputs": ['"low"', "1200"],
        "rules": ["director"],
        "xml": True,
        "expression": expression[0],
        "warned": expression[1],
    }
