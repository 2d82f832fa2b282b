"""Exclusive gateway: the first flow, in document order, whose condition holds (BPMN 2.0 §13.4.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, SequenceFlow
from domain.process_instance.elements.behaviour import Behaviour, complete_at_once, enter_and_begin, no_flow
from domain.process_instance.evaluation import holds

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """Each token passes on its own: merging needs no waiting."""
    if token.node.listeners:
        enter_and_begin(x, token)
        return
    x.pass_through(token, choose(x, token.node, token.scope))


def choose(x: Execution, node: FlowNode, at: int) -> Sequence[SequenceFlow]:
    """The one flow to take; none at all if the gateway has none. Raises Blocked(CONDITION_ERROR)."""
    flows = node.outgoing
    if len(flows) <= 1 and (not flows or flows[0].condition is None):
        return flows
    scope = x.state.scope_variables(at)
    default = None
    for flow in flows:
        if flow.id == node.default_flow:
            default = flow
        elif flow.condition is None or holds(x, flow.condition, scope):
            return (flow,)
    if default is None:
        raise no_flow(node)
    return (default,)


BEHAVIOUR = Behaviour(enter, complete_at_once, choose)
