"""The instance as a whole, and its variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.events import Event
from domain.keys import BLOCK_SIZE
from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, set_variables
from domain.process_instance.state import ROOT, ElementInstance, InstanceStatus, ProcessInstance, Trigger


def _created(state: ProcessInstance, event: e.InstanceCreated, at: int) -> None:
    state.status = InstanceStatus.ACTIVE
    state.definition_key = event.definition_key
    state.bpmn_process_id = event.bpmn_process_id
    state.version = event.version
    state.tenant = event.tenant
    state.business_id, state.tags = event.business_id, list(event.tags)
    state.parent_key, state.parent_element = event.parent_key, event.parent_element
    state.root_key = event.root_key or state.key
    state.depth = event.depth
    state.created_at = at
    root = ElementInstance(ROOT, event.bpmn_process_id, ROOT)
    state.elements[ROOT] = root
    if event.variables:
        set_variables(state, root, dict(event.variables), event.variable_locals)


def _triggered(state: ProcessInstance, event: e.InstanceTriggered, _: int) -> None:
    state.trigger = Trigger(event.element_id, event.variables)


def _key_block_reserved(state: ProcessInstance, event: e.KeyBlockReserved, _: int) -> None:
    state.next_local, state.local_end = event.offset, event.offset + BLOCK_SIZE


def _variables_set(state: ProcessInstance, event: e.VariablesSet, _: int) -> None:
    set_variables(state, state.elements[event.scope], event.variables, event.locals)


def _finished(status: InstanceStatus) -> Callable[[ProcessInstance, Any, int], None]:
    def apply(state: ProcessInstance, _event: Event, _at: int) -> None:
        state.status = status
        state.suspended, state.suspension_reason = False, ""
        if state.parent_key and status is InstanceStatus.COMPLETED:
            state.result = state.elements[ROOT].variables or {}
        for held in (state.elements, state.jobs, state.tasks, state.timers, state.subscriptions, state.incidents):
            held.clear()

    return apply


APPLIERS: Appliers = {
    e.InstanceCreated: _created,
    e.InstanceTriggered: _triggered,
    e.KeyBlockReserved: _key_block_reserved,
    e.VariablesSet: _variables_set,
    e.InstanceCompleted: _finished(InstanceStatus.COMPLETED),
    e.InstanceTerminated: _finished(InstanceStatus.TERMINATED),
}
