"""Event subprocess: waits while its scope is active; an interrupting one ends all else there (BPMN 2.0 §13.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.bpmn.model import FlowNode, TimerDefinition
from domain.process_instance import events as e
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.state import ElementInstance
from domain.process_instance.timing import start_timer
from domain.process_instance.variables import set_in

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def subscribe(x: Execution, scope: FlowNode, element: ElementInstance) -> None:
    """Start the timers of a scope's event subprocesses; those that run already (a retry) stay."""
    running = {x.state.timers[local].element_id for local in element.timers or ()}
    for handler_id in scope.event_subprocesses:
        start = x.model.nodes[x.model.nodes[handler_id].start]
        if isinstance(start.definition, TimerDefinition) and start.id not in running:
            start_timer(x, start, element)


def trigger(x: Execution, start: FlowNode, scope: int, variables: dict[str, Any]) -> None:
    """The start event happened in a scope: run the event subprocess there."""
    if start.interrupting:
        x.terminate_children(scope)
        x.discard_tokens(scope)
        if x.state.elements[scope].timers:
            x.emit(e.SubscriptionsClosed(scope))
    local = x.activate_at(x.model.nodes[start.scope], scope, source=scope)
    if variables:
        set_in(x, local, variables, local)
    x.begin(local)


def enter(x: Execution, token: Token) -> None:
    """Never by a sequence flow; the parser refuses such models."""
    enter_and_begin(x, token)


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Send a token to its start event; event subprocesses inside it begin to wait."""
    subscribe(x, node, element)
    x.start_scope(node, element.local)


BEHAVIOUR = Behaviour(enter, begin, outgoing_flows)
