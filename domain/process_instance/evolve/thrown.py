"""What is thrown and caught inside an instance: errors, escalations, compensation."""

from __future__ import annotations

from domain.events import Event
from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim, move
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import Compensable, ProcessInstance


def _compensation_registered(state: ProcessInstance, event: e.CompensationRegistered, _: int) -> None:
    element = state.elements[event.element]
    inside = [] if event.handler else element.compensable or []
    scope = state.elements[element.scope]
    scope.compensable = [*(scope.compensable or ()), Compensable(element.element_id, event.handler, inside)]


def _compensation_triggered(state: ProcessInstance, event: e.CompensationTriggered, _: int) -> None:
    scope = state.elements[event.scope]
    kept = [part for part in scope.compensable or () if event.activity and part.element_id != event.activity]
    scope.compensable = kept or None
    element = state.elements[event.element]
    element.handlers = list(event.handlers)
    move(element, Phase.WAITING)


def _thrown(_state: ProcessInstance, _event: Event, _: int) -> None:
    """What follows from it has events of its own."""


def _signal_thrown(state: ProcessInstance, event: e.SignalThrown, _: int) -> None:
    state.signals.append(event.local)
    claim(state, event.local)


def _signal_heard(state: ProcessInstance, event: e.SignalHeard, _: int) -> None:
    state.signals.remove(event.signal)


APPLIERS: Appliers = {
    e.CompensationRegistered: _compensation_registered,
    e.CompensationTriggered: _compensation_triggered,
    e.SignalThrown: _signal_thrown,
    e.SignalHeard: _signal_heard,
    e.ErrorThrown: _thrown,
    e.EscalationThrown: _thrown,
}
