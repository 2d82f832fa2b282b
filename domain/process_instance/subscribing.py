"""Waiting for events on behalf of an element instance: timers and conditions (BPMN 2.0 §10.5).

Errors, escalations and the like need no waiting: they are looked for when they are thrown (catching.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from domain.bpmn.model import ConditionalDefinition, FlowNode, TimerDefinition
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, holds
from domain.process_instance.state import ElementInstance
from domain.process_instance.timing import start_timer

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

CONDITION = "condition"


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
        elif isinstance(definition, ConditionalDefinition):
            local = x.next_local()
            x.emit(e.SubscriptionOpened(local, element.local, event.id, CONDITION))
            x.look_at_condition(local)


def is_met(x: Execution, local: int) -> bool:
    """Whether the condition of a conditional subscription holds now; one that is no boolean does not."""
    subscription = x.state.subscriptions[local]
    definition = x.model.nodes[subscription.element_id].definition
    assert isinstance(definition, ConditionalDefinition)
    try:
        return holds(x, definition.condition, x.state.scope_variables(subscription.element))
    except Blocked:
        return False
