"""What an element instance waits for: timers and subscriptions."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim, move
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import ProcessInstance, Subscription, Timer


def _subscription_closed(state: ProcessInstance, event: e.SubscriptionClosed, _: int) -> None:
    element = state.elements[state.subscriptions.pop(event.subscription).element]
    element.subscriptions = [local for local in element.subscriptions or () if local != event.subscription] or None


def _timer_canceled(state: ProcessInstance, event: e.TimerCanceled, _: int) -> None:
    element = state.elements[state.timers.pop(event.timer).element]
    element.timers = [local for local in element.timers or () if local != event.timer] or None


def _subscription_opened(state: ProcessInstance, event: e.SubscriptionOpened, _: int) -> None:
    state.subscriptions[event.local] = Subscription(
        event.local, event.element, event.element_id, event.kind, event.name, event.key
    )
    element = state.elements[event.element]
    element.subscriptions = [*(element.subscriptions or ()), event.local]
    if element.element_id == event.element_id:
        move(element, Phase.WAITING)
    claim(state, event.local)


def _subscription_met(state: ProcessInstance, event: e.SubscriptionMet, _: int) -> None:
    subscription = state.subscriptions[event.subscription]
    if not event.closes:
        subscription.heard = event.position or subscription.heard
        return
    del state.subscriptions[event.subscription]
    element = state.elements[subscription.element]
    element.subscriptions = [local for local in element.subscriptions or () if local != event.subscription] or None
    if element.element_id == subscription.element_id:
        move(element, Phase.LEAVING)


def _timer_started(state: ProcessInstance, event: e.TimerStarted, _: int) -> None:
    state.timers[event.local] = Timer(
        event.local, event.element, event.element_id, event.due, event.remaining, event.cycle
    )
    element = state.elements[event.element]
    element.timers = [*(element.timers or ()), event.local]
    if element.element_id == event.element_id:
        move(element, Phase.WAITING)
    claim(state, event.local)


def _timer_triggered(state: ProcessInstance, event: e.TimerTriggered, _: int) -> None:
    timer = state.timers[event.timer]
    if event.next_due:
        timer.due, timer.remaining = event.next_due, event.remaining
        return
    del state.timers[event.timer]
    element = state.elements[timer.element]
    element.timers = [local for local in element.timers or () if local != event.timer] or None
    if element.element_id == timer.element_id and not element.body:
        move(element, Phase.LEAVING)


APPLIERS: Appliers = {
    e.SubscriptionClosed: _subscription_closed,
    e.TimerCanceled: _timer_canceled,
    e.SubscriptionOpened: _subscription_opened,
    e.SubscriptionMet: _subscription_met,
    e.TimerStarted: _timer_started,
    e.TimerTriggered: _timer_triggered,
}
