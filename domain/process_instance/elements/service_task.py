"""Service task: a job for an external worker, with a type and retries (zeebe:taskDefinition)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, JobDefinition
from domain.process_instance import events as e
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.evaluation import Blocked, ErrorType, text_of, whole_number_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

MAX_RETRIES = 1_000_000


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Create the job; its completion leads on."""
    definition = node.definition
    assert isinstance(definition, JobDefinition)
    job_type, retries = definition.type, definition.retries
    if job_type.expression is None and retries.expression is None:
        kind, count = job_type.text, int(retries.text)
    else:
        scope = x.state.scope_variables(element.local)
        kind = text_of(x, job_type, scope, "job type")
        count = whole_number_of(x, retries, scope, "number of retries", 3, MAX_RETRIES)
        if not kind:
            raise Blocked(
                ErrorType.EXTRACT_VALUE_ERROR, f"the job type '{job_type.text}' must be a string, but was empty"
            )
    x.emit(e.JobCreated(x.next_local(), element.local, node.id, kind, count))


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
