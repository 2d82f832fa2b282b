"""Who catches what was thrown: errors and escalations travel outwards to the nearest fitting event (BPMN 2.0 §10.5.7).

At each scope on the way out, its event subprocesses come before the boundary events around it; an event with the
code comes before one that catches all. A scope that an interrupting event subprocess has taken over catches no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from domain.bpmn.model import ElementType, ErrorDefinition, EscalationDefinition, FlowNode
from domain.process_instance.elements import boundary_event, event_based_gateway, event_sub_process
from domain.process_instance.state import ROOT

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

Thrown = type[ErrorDefinition] | type[EscalationDefinition]


class Catcher(NamedTuple):
    """The catching event, and the element instance it waits on (a boundary event's host, or a scope)."""

    event: FlowNode
    owner: int


def find_catcher(x: Execution, thrown: Thrown, code: str, origin: int) -> Catcher | None:
    """The event that catches an error or escalation thrown at element instance `origin`, None if there is none."""
    at, taken_over = origin, False
    while True:
        element = x.state.elements[at]
        node = x.model.nodes[element.element_id]
        candidates: list[FlowNode] = []
        if not taken_over:
            candidates += _event_subprocesses(x, node)
        attached = () if x.is_inner(element) else node.boundary
        found = _best(candidates, thrown, code) or _best((x.model.nodes[id] for id in attached), thrown, code)
        if found is not None:
            return Catcher(found, at)
        if at == ROOT:
            return None
        taken_over = node.type is ElementType.EVENT_SUB_PROCESS and x.model.nodes[node.start].interrupting
        at = element.scope


def _event_subprocesses(x: Execution, scope: FlowNode) -> Iterator[FlowNode]:
    return (x.model.nodes[x.model.nodes[id].start] for id in scope.event_subprocesses)


def _best(events: Iterator[FlowNode] | list[FlowNode], thrown: Thrown, code: str) -> FlowNode | None:
    catches_all = None
    for event in events:
        definition = event.definition
        if isinstance(definition, thrown):
            if definition.code is None:
                catches_all = catches_all or event
            elif definition.code.text == code:
                return event
    return catches_all


def trigger(x: Execution, event: FlowNode, owner: int, variables: dict[str, Any] | None = None) -> None:
    """A catching event happened: a boundary event, the start of an event subprocess, or an intermediate event."""
    element = x.state.elements[owner]
    if element.body and event.id == element.element_id:
        x.continue_loop(owner)
    elif event.type is ElementType.BOUNDARY_EVENT:
        boundary_event.trigger(x, event, owner, variables or {})
    elif event.type is ElementType.START_EVENT:
        event_sub_process.trigger(x, event, owner, variables or {})
    elif event.id != element.element_id:
        event_based_gateway.trigger(x, event, owner, variables or {})
    else:
        x.complete_with(owner, variables or {})
