"""Script task: a FEEL expression whose value becomes a variable (zeebe:script), or a job (zeebe:taskDefinition)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, JobDefinition, ScriptDefinition
from domain.process_instance.elements import service_task
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.evaluation import ErrorType, evaluate
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Evaluate and complete."""
    definition = node.definition
    if isinstance(definition, JobDefinition):
        service_task.begin(x, node, element)
        return
    assert isinstance(definition, ScriptDefinition)
    scope = x.state.scope_variables(element.local)
    value = evaluate(x, definition.expression, scope, ErrorType.EXTRACT_VALUE_ERROR)
    x.complete_with(element.local, {definition.result_variable: value})


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
