"""Parallel gateway: waits for a token on each incoming flow, then sends one over each outgoing (BPMN 2.0 §13.4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, SequenceFlow
from domain.process_instance import events as e
from domain.process_instance.elements.behaviour import Behaviour, complete_at_once, enter_and_begin

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """The last missing token opens the gateway; each token before it is recorded as arrived."""
    node = token.node
    if len(node.incoming) > 1:
        arrived = (x.state.elements[token.scope].arrived or {}).get(node.id, {})
        if any(flow not in arrived and flow != token.flow for flow in node.incoming):
            x.emit(e.TokenArrived(node.id, token.scope, token.flow, token.source))
            x.path_ended(token.scope)
            return
    if node.listeners:
        enter_and_begin(x, token)
        return
    x.pass_through(token, node.outgoing)


def choose(_x: Execution, node: FlowNode, _at: int) -> Sequence[SequenceFlow]:
    """All of them; conditions have no say here."""
    return node.outgoing


BEHAVIOUR = Behaviour(enter, complete_at_once, choose)
