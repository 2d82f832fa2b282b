"""What throwing end and intermediate events do: errors and escalations (BPMN 2.0 §10.5.1, §10.5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import ErrorDefinition, EscalationDefinition, FlowNode
from domain.process_instance.evaluation import Blocked, ErrorType, text_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def throws(node: FlowNode) -> bool:
    """Whether the event throws something that others may catch."""
    return isinstance(node.definition, ErrorDefinition | EscalationDefinition)


def throw(x: Execution, node: FlowNode, element: ElementInstance) -> bool:
    """Throw; False if the element instance was ended by whoever caught it. Raises Blocked for an uncaught error."""
    definition = node.definition
    scope = x.state.scope_variables(element.local)
    if isinstance(definition, ErrorDefinition):
        code = text_of(x, definition.code, scope, "error code")
        caught = x.throw_error(element.local, code, {})
        if not caught:
            message = f"the error '{code}' was thrown, but no error event in the model catches it"
            raise Blocked(ErrorType.UNHANDLED_ERROR_EVENT, message)
    elif isinstance(definition, EscalationDefinition):
        code = text_of(x, definition.code, scope, "escalation code")
        x.throw_escalation(element.local, code)
    return element.local in x.state.elements
