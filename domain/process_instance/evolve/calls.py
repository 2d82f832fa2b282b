"""Calls of other processes, and deliveries to other instances."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim, move
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import Delivery, ProcessInstance, Thrown


def _child_called(state: ProcessInstance, event: e.ChildCalled, _: int) -> None:
    element = state.elements[event.element]
    element.called = event.local
    move(element, Phase.WAITING)
    _owe(state, Delivery(event.local, "call", event.element, definition_key=event.definition_key))


def _child_started(state: ProcessInstance, event: e.ChildStarted, _: int) -> None:
    element = state.elements[state.deliveries.pop(event.delivery).element]
    element.called, element.child = 0, event.child_key


def _child_completed(state: ProcessInstance, event: e.ChildCompleted, _: int) -> None:
    element = state.elements[event.element]
    element.child = 0
    move(element, Phase.LEAVING)


def _child_abandoned(state: ProcessInstance, event: e.ChildAbandoned, _: int) -> None:
    state.elements[event.element].child = 0
    _owe(state, Delivery(event.local, "cancel", event.element, event.child_key))


def _return_owed(state: ProcessInstance, event: e.ReturnOwed, _: int) -> None:
    _owe(state, Delivery(event.local, "return", 0, event.parent_key, event.parent_element))


def _thrown_to_caller(state: ProcessInstance, event: e.ThrownToCaller, _: int) -> None:
    thrown = Thrown(event.kind, event.code, event.message, event.variables, event.job)
    caller = (event.caller_key, event.caller_element)
    _owe(state, Delivery(event.local, "throw", event.element, *caller, event.element_id, thrown=thrown))


def _settled(state: ProcessInstance, event: e.DeliverySettled, _: int) -> None:
    delivery = state.deliveries.pop(event.delivery)
    if delivery.kind == "return":
        state.result = None
    element = state.elements.get(delivery.element)
    if element is not None and element.called == delivery.local:
        element.called = 0


def _owe(state: ProcessInstance, delivery: Delivery) -> None:
    state.deliveries[delivery.local] = delivery
    claim(state, delivery.local)


APPLIERS: Appliers = {
    e.ChildCalled: _child_called,
    e.ChildStarted: _child_started,
    e.ChildCompleted: _child_completed,
    e.ChildAbandoned: _child_abandoned,
    e.ReturnOwed: _return_owed,
    e.ThrownToCaller: _thrown_to_caller,
    e.DeliverySettled: _settled,
}
