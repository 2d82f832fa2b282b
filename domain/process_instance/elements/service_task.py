"""Service task: a job for an external worker, with a type and retries (zeebe:taskDefinition)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, JobDefinition
from domain.process_instance import events as e
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.evaluation import job_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Create the job; its completion leads on."""
    definition = node.definition
    assert isinstance(definition, JobDefinition)
    kind, count = job_of(x, definition.type, definition.retries, element.local)
    x.emit(e.JobCreated(x.next_local(), element.local, node.id, kind, count))


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
