"""Intermediate throw events: none and link (the token passes; a link leads to its catch event) and escalation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode
from domain.process_instance.elements import plain
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.elements.throw_event import throw, throws
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """What throws needs an element instance to throw from."""
    if throws(token.node):
        enter_and_begin(x, token)
    else:
        plain.enter(x, token)


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Throw, then go on, unless an interrupting event caught it."""
    if throw(x, node, element):
        x.leave(element.local)


BEHAVIOUR = Behaviour(enter, begin, outgoing_flows)
