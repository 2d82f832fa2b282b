"""Receive task: waits for a message (BPMN 2.0 §13.3.3), as an intermediate catch event does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode
from domain.process_instance import subscribing
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Begin to wait; the message leads on."""
    subscribing.subscribe(x, (node,), element)


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
