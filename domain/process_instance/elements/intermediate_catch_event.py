"""Intermediate catch events: what is waited for, or the far end of a link (BPMN 2.0 §10.5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, LinkDefinition
from domain.process_instance import subscribing
from domain.process_instance.elements import plain
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """A link waits for nothing."""
    if isinstance(token.node.definition, LinkDefinition):
        plain.enter(x, token)
    else:
        enter_and_begin(x, token)


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Begin to wait."""
    if isinstance(node.definition, LinkDefinition):
        x.leave(element.local)
    else:
        subscribing.subscribe(x, (node,), element)


BEHAVIOUR = Behaviour(enter, begin, outgoing_flows)
