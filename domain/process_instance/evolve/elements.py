"""Element instances, the tokens between them, and loops."""

from __future__ import annotations

from domain.bpmn.model import Moment
from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim, move
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import ElementInstance, Loop, ProcessInstance


def _element_activated(state: ProcessInstance, event: e.ElementActivated, _: int) -> None:
    state.elements[event.local] = ElementInstance(event.local, event.element_id, event.scope, body=event.body)
    scope = state.elements[event.scope]
    scope.children += 1
    if scope.loop is not None:
        scope.loop.started += 1
    if scope.handlers:
        scope.handlers.pop(0)
    _entered(scope, event.element_id)
    claim(state, event.local)


def _element_passed(state: ProcessInstance, event: e.ElementPassed, _: int) -> None:
    _entered(state.elements[event.scope], event.element_id)
    claim(state, event.local)


def _entered(scope: ElementInstance, element_id: str) -> None:
    """A scope waits as soon as something in it was entered; a joining gateway takes its tokens."""
    phase = scope.phase
    if phase is not Phase.WAITING and (phase is Phase.ENTERED or phase is Phase.STARTING):
        move(scope, Phase.WAITING)
    if scope.arrived is not None:
        _consume_arrived(scope, element_id)


def _consume_arrived(scope: ElementInstance, gateway: str) -> None:
    """Entering a joining gateway takes one token from each of its incoming flows."""
    if not scope.arrived or gateway not in scope.arrived:
        return
    left = {flow: count - 1 for flow, count in scope.arrived[gateway].items() if count > 1}
    if left:
        scope.arrived[gateway] = left
    else:
        del scope.arrived[gateway]
        if not scope.arrived:
            scope.arrived = None


def _token_arrived(state: ProcessInstance, event: e.TokenArrived, _: int) -> None:
    scope = state.elements[event.scope]
    if scope.arrived is None:
        scope.arrived = {}
    flows = scope.arrived.setdefault(event.element_id, {})
    flows[event.flow] = flows.get(event.flow, 0) + 1


def _tokens_discarded(state: ProcessInstance, event: e.TokensDiscarded, _: int) -> None:
    state.elements[event.scope].arrived = None


def _loop_started(state: ProcessInstance, event: e.LoopStarted, _: int) -> None:
    body = state.elements[event.element]
    body.loop = Loop(event.items)
    move(body, Phase.WAITING)


def _loop_inner_ended(state: ProcessInstance, event: e.LoopInnerEnded, _: int) -> None:
    loop = state.elements[event.element].loop
    assert loop is not None
    loop.ended += 1
    if event.output is not None:
        loop.outputs[event.index] = event.output


def _listeners_started(state: ProcessInstance, event: e.ListenersStarted, _: int) -> None:
    element = state.elements[event.element]
    element.listened = 0
    move(element, Phase.ENDING if event.moment == Moment.END else Phase.STARTING)


def _forget_waits(state: ProcessInstance, element: ElementInstance) -> None:
    for timer in element.timers or ():
        state.timers.pop(timer, None)
    for subscription in element.subscriptions or ():
        state.subscriptions.pop(subscription, None)


def _element_ended(state: ProcessInstance, event: e.ElementCompleted | e.ElementTerminated, _: int) -> None:
    element = state.elements.pop(event.local)
    state.elements[element.scope].children -= 1
    if element.job:
        state.jobs.pop(element.job, None)
    if element.task:
        state.tasks.pop(element.task, None)
    _forget_waits(state, element)
    for incident in element.incidents or ():
        state.incidents.pop(incident, None)


APPLIERS: Appliers = {
    e.ElementActivated: _element_activated,
    e.ElementPassed: _element_passed,
    e.TokenArrived: _token_arrived,
    e.TokensDiscarded: _tokens_discarded,
    e.LoopStarted: _loop_started,
    e.LoopInnerEnded: _loop_inner_ended,
    e.ListenersStarted: _listeners_started,
    e.ElementCompleted: _element_ended,
    e.ElementTerminated: _element_ended,
}
