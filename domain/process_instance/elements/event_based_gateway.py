"""Event-based gateway: waits for the first of several events (BPMN 2.0 §10.6.6); the others are given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from domain.bpmn.model import FlowNode, SequenceFlow
from domain.process_instance import subscribing
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Wait for each of the events behind it, on the gateway's behalf."""
    subscribing.subscribe(x, (x.model.nodes[flow.target] for flow in node.outgoing), element)


def trigger(x: Execution, event: FlowNode, gateway: int, variables: dict[str, Any]) -> None:
    """One event happened: the gateway completes, and the event has passed."""
    element = x.state.elements[gateway]
    flow = next(flow for flow in x.model.nodes[element.element_id].outgoing if flow.target == event.id)
    x.complete(gateway)
    x.arrive(event, element.scope, flow.id, gateway, variables)


def choose(_x: Execution, _node: FlowNode, _at: int) -> Sequence[SequenceFlow]:
    """The event that happened decides, not the gateway."""
    return ()


BEHAVIOUR = Behaviour(enter_and_begin, begin, choose)
