"""Read model: one row per decision that was evaluated, by a business rule task or by itself. The decisions that an
evaluation required have rows of their own, numbered from 1 in the order of evaluation, the asked one last."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from domain.decision.events import DecisionEvaluatedAlone
from domain.events import encode_json
from domain.process_instance.events import DecisionEvaluated
from projections.rows import Changes, ColumnType, Handlers, Row, Source, Table


class DecisionState(IntEnum):
    """The v2 API's DecisionInstanceStateEnum."""

    EVALUATED = 0
    FAILED = 1
    UNKNOWN = 2
    UNSPECIFIED = 3


TABLE = Table(
    "decision_instances",
    ("evaluation_key", "number"),
    {
        "evaluation_key": ColumnType.BIGINT,
        "instance_key": ColumnType.BIGINT,
        "element_key": ColumnType.BIGINT,
        "root_decision_key": ColumnType.BIGINT,
        "requirements_key": ColumnType.BIGINT,
        "evaluated": ColumnType.BIGINT,
        "version": ColumnType.INTEGER,
        "number": ColumnType.SMALLINT,
        "state": ColumnType.SMALLINT,
        "decision_id": ColumnType.TEXT,
        "decision_name": ColumnType.TEXT,
        "type": ColumnType.TEXT,
        "result": ColumnType.TEXT,
        "failure": ColumnType.TEXT,
        "inputs": ColumnType.TEXT,
        "rules": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
)

_TYPES = {"decisionTable": "DECISION_TABLE", "literalExpression": "LITERAL_EXPRESSION"}


def decisions_of(recorded: Sequence[Row], failure: str, failed_decision: str) -> list[Row]:
    """The decisions of one evaluation in the v2 API's words, in the order of evaluation: their numbers are 1, 2, ….

    recorded: as in `pi.decision_evaluated.1`; a decision that failed before anything of it was recorded is added.
    Values are JSON texts. `failure` is None where a decision has a proper output.
    """
    decisions = list(recorded)
    if failure and all(decision["id"] != failed_decision for decision in decisions):
        decisions.append({"id": failed_decision, "name": failed_decision, "kind": "", "output": None})
    return [
        {
            "decisionDefinitionId": decision["id"],
            "decisionDefinitionName": decision.get("name") or decision["id"],
            "decisionDefinitionType": _TYPES.get(decision.get("kind", ""), "UNKNOWN"),
            "output": _json(decision.get("output")),
            "failure": failure if failure and decision["id"] == failed_decision else None,
            "evaluatedInputs": [_input(value) for value in decision.get("inputs", ())],
            "matchedRules": [_rule(rule) for rule in decision.get("matchedRules", ())],
        }
        for decision in decisions
    ]


def instance_key(evaluation_key: int, number: int) -> str:
    """The v2 API's decisionEvaluationInstanceKey."""
    return f"{evaluation_key}-{number}"


def evaluated(changes: Changes, source: Source, event: DecisionEvaluated) -> None:
    """A business rule task asked for a decision."""
    about = {"instance_key": source.key, "element_key": source.key + event.element}
    _put(changes, source, source.key + event.local, event, about)


def evaluated_alone(changes: Changes, source: Source, event: DecisionEvaluatedAlone) -> None:
    """A caller asked for a decision."""
    _put(changes, source, source.key, event, {"instance_key": None, "element_key": None})


def _put(
    changes: Changes, source: Source, key: int, event: DecisionEvaluated | DecisionEvaluatedAlone, about: Row
) -> None:
    for number, decision in enumerate(decisions_of(event.evaluated, event.failure, event.failed_decision), 1):
        failure = decision["failure"]
        name = decision["decisionDefinitionName"]
        row = {
            "evaluation_key": key,
            **about,
            "root_decision_key": event.decision_key,
            "requirements_key": event.requirements_key,
            "evaluated": source.at,
            "version": event.version,
            "number": number,
            "state": (DecisionState.EVALUATED if failure is None else DecisionState.FAILED).value,
            "decision_id": decision["decisionDefinitionId"],
            "decision_name": name if name != decision["decisionDefinitionId"] else None,
            "type": decision["decisionDefinitionType"],
            "result": decision["output"],
            "failure": failure,
            "inputs": _json(decision["evaluatedInputs"]),
            "rules": _json(decision["matchedRules"]),
            "tenant": source.tenant,
        }
        changes["decision_instances"].insert((key, number), row)


def _json(value: object) -> str:
    return encode_json(value).decode()


def _input(value: dict[str, Any]) -> Row:
    return {"inputId": value["id"], "inputName": value["name"], "inputValue": _json(value["value"])}


def _rule(rule: dict[str, Any]) -> Row:
    about = {"ruleId": rule["id"], "ruleIndex": rule["index"]}
    outputs = [
        {"outputId": output["id"], "outputName": output["name"], "outputValue": _json(output["value"]), **about}
        for output in rule["outputs"]
    ]
    return {**about, "evaluatedOutputs": outputs}


HANDLERS: Handlers = {DecisionEvaluated: evaluated, DecisionEvaluatedAlone: evaluated_alone}
