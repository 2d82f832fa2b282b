"""EvaluateDecision: evaluate a deployed decision with given inputs; the evaluation is recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import EVALUATION, Command, Context, Handler, Route, Stream, StreamRef
from commands.instances import check_variables
from domain.bpmn.model import Binding
from domain.bpmn.timers import to_datetime
from domain.decision.events import DecisionEvaluatedAlone
from domain.errors import NotFound
from domain.keys import stream_id
from domain.process_instance.evaluation import EXPRESSION_STEPS


class EvaluateDecision(Command, frozen=True, kw_only=True):
    """decision_key, or decision_id for its latest version."""

    decision_key: int = 0
    decision_id: str = ""
    variables: dict[str, Any] = {}


class DecisionOutcome(msgspec.Struct, frozen=True):
    """How it was decided; `evaluated` as in the event. failure: "" where the output is proper.

    keys, versions: of the evaluated decisions, by id."""

    evaluation_key: int
    decision_id: str
    decision_key: int
    requirements_key: int
    requirements_id: str
    version: int
    output: Any
    evaluated: list[dict[str, Any]]
    failure: str = ""
    failed_decision: str = ""
    tenant: str = ""
    name: str = ""
    keys: dict[str, int] = {}
    versions: dict[str, int] = {}


def streams(_command: EvaluateDecision, context: Context, _route: Route) -> Sequence[StreamRef]:
    """A fresh stream under a new key."""
    key = context.new_key()
    return (StreamRef(EVALUATION, stream_id(key), key, fresh=True),)


def decide(command: EvaluateDecision, context: Context, streams: Sequence[Stream]) -> DecisionOutcome:
    """Evaluate and record, the failure too."""
    (stream,) = streams
    tenant = context.meta.tenant
    if command.decision_key:
        found = context.definitions.decision(command.decision_key)
    else:
        latest = context.definitions.find_decision(tenant, command.decision_id, Binding.LATEST)
        if latest is None:
            raise NotFound(f"no decision with the id '{command.decision_id}' is deployed")
        found = latest
    variables = check_variables(command.variables)
    result = found.decisions.evaluate(
        found.decision_id, variables, to_datetime(context.now), json_inputs=True, max_steps=EXPRESSION_STEPS
    )
    record = result.to_json()
    failure = result.failure.reason if result.failure else ""
    failed = result.failure.decision_id if result.failure else ""
    keys = (found.decision_id, found.decision_key, found.requirements_key, found.version)
    stream.emit(DecisionEvaluatedAlone(*keys, variables, record["output"], record["evaluated"], failure, failed))
    concerned = {found.decision_id, failed, *(decision["id"] for decision in record["evaluated"])} & found.graph.keys()
    model = found.decisions.model
    return DecisionOutcome(
        stream.ref.key,
        found.decision_id,
        found.decision_key,
        found.requirements_key,
        model.id,
        found.version,
        record["output"],
        record["evaluated"],
        failure,
        failed,
        tenant,
        next((decision.name for decision in model.decisions if decision.id == found.decision_id), ""),
        {id: found.graph[id].key for id in sorted(concerned)},
        {id: found.graph[id].version for id in sorted(concerned)},
    )


HANDLER = Handler(streams, decide, DecisionOutcome, sheds=True)
