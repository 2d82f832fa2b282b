"""Event subprocess: waits while its scope is active; an interrupting one ends all else there (BPMN 2.0 §13.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.bpmn.model import ElementType, FlowNode
from domain.process_instance import events as e
from domain.process_instance import subscribing
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.state import ElementInstance
from domain.process_instance.variables import set_in

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def subscribe(x: Execution, scope: FlowNode, element: ElementInstance) -> None:
    """Begin to wait for what starts a scope's event subprocesses."""
    nodes = x.model.nodes
    subscribing.subscribe(x, (nodes[nodes[handler].start] for handler in scope.event_subprocesses), element)


def trigger(x: Execution, start: FlowNode, scope: int, variables: dict[str, Any]) -> None:
    """The start event happened in a scope: run the event subprocess there."""
    if start.interrupting:
        x.terminate_children(scope)
        x.discard_tokens(scope)
        _wait_no_more(x, scope)
    local = x.activate_at(x.model.nodes[start.scope], scope, source=scope)
    if variables:
        set_in(x, local, variables, local)
    x.begin(local)


def _wait_no_more(x: Execution, scope: int) -> None:
    """The scope's other event subprocesses happen no more; boundary events around it still do."""
    state, element = x.state, x.state.elements[scope]
    for timer in list(element.timers or ()):
        if x.model.nodes[state.timers[timer].element_id].type is ElementType.START_EVENT:
            x.emit(e.TimerCanceled(timer))
    for subscription in list(element.subscriptions or ()):
        if x.model.nodes[state.subscriptions[subscription].element_id].type is ElementType.START_EVENT:
            x.emit(e.SubscriptionClosed(subscription))


def enter(x: Execution, token: Token) -> None:
    """Never by a sequence flow; the parser refuses such models."""
    enter_and_begin(x, token)


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Send a token to its start event; event subprocesses inside it begin to wait."""
    subscribe(x, node, element)
    x.start_scope(node, element.local)


BEHAVIOUR = Behaviour(enter, begin, outgoing_flows)
