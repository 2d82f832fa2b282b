"""How timers start on behalf of an element instance (BPMN 2.0 §10.5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.bpmn.model import FlowNode, TimerDefinition
from domain.bpmn.timers import schedule
from domain.errors import InvalidArgument
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, ErrorType, explain, text_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def start_timer(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Start the timer of event `node` on behalf of `element` (itself, or a boundary event's host)."""
    definition = node.definition
    assert isinstance(definition, TimerDefinition)
    scope = x.state.scope_variables(element.local)
    text = text_of(x, definition.value, scope, definition.kind.value)
    if not text:
        reasons = explain(x, definition.value, scope)
        message = f"the {definition.kind.value} '{definition.value.text}' of '{node.id}' has no value{reasons}"
        raise Blocked(ErrorType.EXTRACT_VALUE_ERROR, message)
    try:
        timer = schedule(definition.kind, text, x.now)
    except (InvalidArgument, OverflowError) as error:
        raise Blocked(ErrorType.EXTRACT_VALUE_ERROR, f"the timer of '{node.id}': {error}") from error
    x.emit(e.TimerStarted(x.next_local(), element.local, node.id, timer.due, timer.remaining, timer.cycle))
