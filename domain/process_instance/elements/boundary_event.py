"""Boundary timer events: they wait while their host is active; interrupting ones end it (BPMN 2.0 §13.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode
from domain.process_instance.elements.timer_catch_event import start_timer
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def subscribe(x: Execution, host: FlowNode, element: ElementInstance) -> None:
    """Start the timers of the events on a host that was just entered; those that run already (a retry) stay."""
    running = {x.state.timers[local].element_id for local in element.timers or ()}
    for event_id in host.boundary:
        if event_id not in running:
            start_timer(x, x.model.nodes[event_id], element)


def trigger(x: Execution, node: FlowNode, host: int) -> None:
    """The event happened: a token leaves it; an interrupting event ends its host first."""
    scope = x.state.elements[host].scope
    if node.interrupting:
        x.terminate(host)
    x.send(node, scope, source=host)
