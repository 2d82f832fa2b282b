"""End events: none (the path ends), terminate (the whole scope ends at once, BPMN 2.0 §13.5.6), error, escalation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.elements.throw_event import throw, throws
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """The token is consumed."""
    node = token.node
    if node.inputs or node.outputs or node.listeners or throws(node):
        enter_and_begin(x, token)
        return
    x.pass_through(token, ())
    if node.terminates:
        x.end_scope(token.scope)


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Throw or complete; a terminate end event takes its scope along when it is left."""
    if throw(x, node, element):
        x.leave(element.local)


BEHAVIOUR = Behaviour(enter, begin, outgoing_flows)
