"""Business rule task: evaluates a deployed decision (zeebe:calledDecision), or is a job (zeebe:taskDefinition)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import CalledDecision, FlowNode
from domain.bpmn.timers import to_datetime
from domain.process_instance import events as e
from domain.process_instance.elements import service_task
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.evaluation import EXPRESSION_STEPS, Blocked, ErrorType, text_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Evaluate, record how it was decided, and complete; a failed evaluation is recorded too, and blocks."""
    called = node.definition
    if not isinstance(called, CalledDecision):
        service_task.begin(x, node, element)
        return
    scope = x.state.scope_variables(element.local)
    decision_id = text_of(x, called.decision_id, scope, "decision id")
    found = x.surroundings.deployed.find_decision(decision_id, called.binding, called.version_tag)
    if found is None:
        tag = f" and the version tag '{called.version_tag}'" if called.version_tag else ""
        where = " in the deployment of this process" if called.binding == "deployment" else ""
        message = (
            f"no decision with the id '{decision_id}'{tag} is deployed{where}; deploy it, then resolve this incident"
        )
        raise Blocked(ErrorType.CALLED_DECISION_ERROR, message)
    result = found.decisions.evaluate(
        decision_id, scope, to_datetime(x.now), json_inputs=True, max_steps=EXPRESSION_STEPS
    )
    record = result.to_json()
    failure = result.failure
    x.emit(
        e.DecisionEvaluated(
            x.next_local(),
            element.local,
            node.id,
            decision_id,
            found.decision_key,
            found.requirements_key,
            found.version,
            record["output"],
            record["evaluated"],
            failure.reason if failure else "",
            failure.decision_id if failure else "",
        )
    )
    if failure is not None:
        raise Blocked(
            ErrorType.DECISION_EVALUATION_ERROR, f"the decision '{failure.decision_id}' failed: {failure.reason}"
        )
    x.complete_with(element.local, {called.result_variable: record["output"]})


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
