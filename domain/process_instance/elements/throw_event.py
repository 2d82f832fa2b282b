"""What throwing end and intermediate events do: errors, escalations, signals, compensation; a worker sends messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import (
    CompensationDefinition,
    ErrorDefinition,
    EscalationDefinition,
    FlowNode,
    JobDefinition,
    SignalDefinition,
)
from domain.process_instance.elements import service_task
from domain.process_instance.evaluation import Blocked, ErrorType, text_of
from domain.process_instance.state import ElementInstance
from domain.process_instance.subscribing import signal_name
from domain.process_instance.throwing import ERROR, throw_to_caller

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


THROWN = (ErrorDefinition, EscalationDefinition, JobDefinition, CompensationDefinition, SignalDefinition)


def throws(node: FlowNode) -> bool:
    """Whether the event does more than let the token pass."""
    return isinstance(node.definition, THROWN)


def throw(x: Execution, node: FlowNode, element: ElementInstance) -> bool:
    """Throw; whether the element instance may go on now: not if a job sends the message first, nor if whoever caught
    it ended the thrower. Raises Blocked for an error that nobody catches."""
    definition = node.definition
    scope = x.state.scope_variables(element.local)
    if isinstance(definition, ErrorDefinition):
        code = text_of(x, definition.code, scope, "error code")
        caught = x.throw_error(element.local, code, {})
        if not caught and throw_to_caller(x, element.local, ERROR, code, {}):
            return False
        if not caught:
            message = f"the error '{code}' was thrown, but no error event in the model catches it"
            raise Blocked(ErrorType.UNHANDLED_ERROR_EVENT, message)
    elif isinstance(definition, CompensationDefinition):
        x.compensate(element, definition.activity)
        return False
    elif isinstance(definition, JobDefinition):
        service_task.begin(x, node, element)
        return False
    elif isinstance(definition, SignalDefinition):
        x.broadcast(element, signal_name(x, definition, element))
    elif isinstance(definition, EscalationDefinition):
        code = text_of(x, definition.code, scope, "escalation code")
        x.throw_escalation(element.local, code)
    return element.local in x.state.elements
