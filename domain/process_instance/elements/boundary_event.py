"""Boundary events: they wait while their host is active; interrupting ones end it (BPMN 2.0 §13.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.bpmn.model import FlowNode
from domain.process_instance import subscribing
from domain.process_instance.state import ElementInstance
from domain.process_instance.variables import merge_result

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def subscribe(x: Execution, host: FlowNode, element: ElementInstance) -> None:
    """Begin to wait for the events on a host that was just entered."""
    subscribing.subscribe(x, (x.model.nodes[event] for event in host.boundary), element)


def trigger(x: Execution, node: FlowNode, host: int, variables: dict[str, Any]) -> None:
    """The event happened, with these variables: a token leaves it; an interrupting event ends its host first."""
    scope = x.state.elements[host].scope
    if node.interrupting:
        x.terminate(host)
    if not variables:
        x.send(node, scope, source=host)
        return
    local = x.activate_at(node, scope, source=host)
    merge_result(x, x.state.elements[local], variables, has_outputs=bool(node.outputs))
    x.leave(local)
