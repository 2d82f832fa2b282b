"""Waiting for events on behalf of an element instance: timers, messages, signals and conditions (BPMN 2.0 §10.5).

Errors, escalations and the like need no waiting: they are looked for when they are thrown (catching.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.bpmn.check_messages import MAX_NAME
from domain.bpmn.model import (
    Attribute,
    ConditionalDefinition,
    FlowNode,
    MessageDefinition,
    SignalDefinition,
    TimerDefinition,
)
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, ErrorType, evaluate, explain, holds
from domain.process_instance.state import ElementInstance
from domain.process_instance.timing import start_timer

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

CONDITION, MESSAGE, SIGNAL, START = "condition", "message", "signal", "start"


def subscribe(x: Execution, events: Iterable[FlowNode], element: ElementInstance) -> None:
    """Begin to wait for these events; what is waited for already (a retry) stays. Raises Blocked."""
    state = x.state
    waiting = {state.timers[local].element_id for local in element.timers or ()}
    waiting |= {state.subscriptions[local].element_id for local in element.subscriptions or ()}
    for event in events:
        if event.id in waiting:
            continue
        definition = event.definition
        if isinstance(definition, TimerDefinition):
            start_timer(x, event, element)
        elif isinstance(definition, MessageDefinition):
            name, key = _name(x, definition.name, element, "message name"), _key(x, definition, element)
            x.emit(
                e.SubscriptionOpened(
                    x.next_local(), element.local, event.id, MESSAGE, name, key, x.state.bpmn_process_id
                )
            )
        elif isinstance(definition, SignalDefinition):
            name = _name(x, definition.name, element, "signal name")
            x.emit(e.SubscriptionOpened(x.next_local(), element.local, event.id, SIGNAL, name))
        elif isinstance(definition, ConditionalDefinition):
            local = x.next_local()
            x.emit(e.SubscriptionOpened(local, element.local, event.id, CONDITION))
            x.look_at_condition(local)


def _name(x: Execution, attribute: Attribute, element: ElementInstance, what: str) -> str:
    """The name of a message or signal. Raises Blocked(EXTRACT_VALUE_ERROR)."""
    if attribute.expression is None:
        return attribute.text
    scope = x.state.scope_variables(element.local)
    value = evaluate(x, attribute, scope, ErrorType.EXTRACT_VALUE_ERROR)
    if isinstance(value, str) and 0 < len(value) <= MAX_NAME:
        return value
    shown = "null" if value is None else "empty" if value == "" else f"{value!r}"[:100]
    reasons = explain(x, attribute, scope) if value is None else ""
    wanted = f"a string of 1 to {MAX_NAME} characters"
    raise Blocked(
        ErrorType.EXTRACT_VALUE_ERROR, f"the {what} '{attribute.text}' must be {wanted}, but was {shown}{reasons}"
    )


def signal_name(x: Execution, definition: SignalDefinition, element: ElementInstance) -> str:
    """The name of the signal that is thrown. Raises Blocked(EXTRACT_VALUE_ERROR)."""
    return _name(x, definition.name, element, "signal name")


def _key(x: Execution, definition: MessageDefinition, element: ElementInstance) -> str:
    """The correlation key: a string, or a number as its text. Raises Blocked(EXTRACT_VALUE_ERROR)."""
    attribute = definition.correlation_key
    assert attribute is not None  # the model was checked
    scope = x.state.scope_variables(element.local)
    value = evaluate(x, attribute, scope, ErrorType.EXTRACT_VALUE_ERROR)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value:
        return value
    shown = "null" if value is None else "empty" if value == "" else f"{value!r}"[:100]
    reasons = explain(x, attribute, scope) if value is None else ""
    raise Blocked(
        ErrorType.EXTRACT_VALUE_ERROR,
        f"the correlation key '{attribute.text}' must be a string or a number, but was {shown}{reasons}",
    )


def is_met(x: Execution, local: int) -> bool:
    """Whether the condition of a conditional subscription holds now; one that is no boolean does not."""
    subscription = x.state.subscriptions[local]
    definition = x.model.nodes[subscription.element_id].definition
    assert isinstance(definition, ConditionalDefinition)
    try:
        return holds(x, definition.condition, x.state.scope_variables(subscription.element))
    except Blocked:
        return False
