"""Embedded subprocess: a scope of its own that completes when nothing inside is left (BPMN 2.0 §13.3.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Send a token to the none start event inside."""
    x.start_scope(node, element.local)


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
