"""How each event changes the state of a process instance. Evolving decides nothing: live execution and replay share it.

One applier per event, tied together by one table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.errors import LogCorrupt
from domain.events import Event
from domain.keys import BLOCK_SIZE
from domain.process_instance import events as e
from domain.process_instance.lifecycle import NEXT, Phase
from domain.process_instance.state import (
    ROOT,
    Compensable,
    ElementInstance,
    Incident,
    InstanceStatus,
    Job,
    Loop,
    ProcessInstance,
    Subscription,
    Timer,
    UserTask,
)


def _move(element: ElementInstance, phase: Phase) -> None:
    """Put an element instance into a phase that the lifecycle allows after its present one."""
    if phase is not element.phase:
        if phase not in NEXT[element.phase]:
            raise LogCorrupt(
                f"element instance {element.local} of {element.element_id} cannot go from "
                f"{element.phase.name} to {phase.name}"
            )
        element.phase = phase


def _claim(state: ProcessInstance, local: int) -> None:
    if local >= state.next_local:
        state.next_local = local + 1


def _set_variables(state: ProcessInstance, scope: ElementInstance, values: dict[str, Any], locals_: list[int]) -> None:
    if scope.variables is None or scope.variable_locals is None:
        scope.variables, scope.variable_locals = {}, {}
    scope.variables.update(values)
    scope.variable_locals.update(zip(values, locals_, strict=True))
    if locals_:
        _claim(state, max(locals_))


def _created(state: ProcessInstance, event: e.InstanceCreated, at: int) -> None:
    state.status = InstanceStatus.ACTIVE
    state.definition_key = event.definition_key
    state.bpmn_process_id = event.bpmn_process_id
    state.version = event.version
    state.tenant = event.tenant
    state.business_id, state.tags = event.business_id, list(event.tags)
    state.parent_key, state.parent_element = event.parent_key, event.parent_element
    state.root_key = event.root_key or state.key
    state.created_at = at
    root = ElementInstance(ROOT, event.bpmn_process_id, ROOT)
    state.elements[ROOT] = root
    if event.variables:
        _set_variables(state, root, dict(event.variables), event.variable_locals)


def _key_block_reserved(state: ProcessInstance, event: e.KeyBlockReserved, _: int) -> None:
    state.next_local, state.local_end = event.offset, event.offset + BLOCK_SIZE


def _element_activated(state: ProcessInstance, event: e.ElementActivated, _: int) -> None:
    state.elements[event.local] = ElementInstance(event.local, event.element_id, event.scope, body=event.body)
    scope = state.elements[event.scope]
    scope.children += 1
    if scope.loop is not None:
        scope.loop.started += 1
    if scope.handlers:
        scope.handlers.pop(0)
    _entered(scope, event.element_id)
    _claim(state, event.local)


def _element_passed(state: ProcessInstance, event: e.ElementPassed, _: int) -> None:
    _entered(state.elements[event.scope], event.element_id)
    _claim(state, event.local)


def _entered(scope: ElementInstance, element_id: str) -> None:
    """A scope waits as soon as something in it was entered; a joining gateway takes its tokens."""
    if scope.phase is Phase.ENTERED:
        _move(scope, Phase.WAITING)
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


def _subscription_closed(state: ProcessInstance, event: e.SubscriptionClosed, _: int) -> None:
    element = state.elements[state.subscriptions.pop(event.subscription).element]
    element.subscriptions = [local for local in element.subscriptions or () if local != event.subscription] or None


def _timer_canceled(state: ProcessInstance, event: e.TimerCanceled, _: int) -> None:
    element = state.elements[state.timers.pop(event.timer).element]
    element.timers = [local for local in element.timers or () if local != event.timer] or None


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
    _move(element, Phase.WAITING)


def _loop_started(state: ProcessInstance, event: e.LoopStarted, _: int) -> None:
    body = state.elements[event.element]
    body.loop = Loop(event.items)
    _move(body, Phase.WAITING)


def _loop_inner_ended(state: ProcessInstance, event: e.LoopInnerEnded, _: int) -> None:
    loop = state.elements[event.element].loop
    assert loop is not None
    loop.ended += 1
    if event.output is not None:
        loop.outputs[event.index] = event.output


def _thrown(_state: ProcessInstance, _event: Event, _: int) -> None:
    """What follows from it has events of its own."""


def _forget_waits(state: ProcessInstance, element: ElementInstance) -> None:
    for timer in element.timers or ():
        state.timers.pop(timer, None)
    for subscription in element.subscriptions or ():
        state.subscriptions.pop(subscription, None)


def _subscription_opened(state: ProcessInstance, event: e.SubscriptionOpened, _: int) -> None:
    state.subscriptions[event.local] = Subscription(event.local, event.element, event.element_id, event.kind)
    element = state.elements[event.element]
    element.subscriptions = [*(element.subscriptions or ()), event.local]
    if element.element_id == event.element_id:
        _move(element, Phase.WAITING)
    _claim(state, event.local)


def _subscription_met(state: ProcessInstance, event: e.SubscriptionMet, _: int) -> None:
    subscription = state.subscriptions[event.subscription]
    if not event.closes:
        return
    del state.subscriptions[event.subscription]
    element = state.elements[subscription.element]
    element.subscriptions = [local for local in element.subscriptions or () if local != event.subscription] or None
    if element.element_id == subscription.element_id:
        _move(element, Phase.LEAVING)


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


def _variables_set(state: ProcessInstance, event: e.VariablesSet, _: int) -> None:
    _set_variables(state, state.elements[event.scope], event.variables, event.locals)


def _job_created(state: ProcessInstance, event: e.JobCreated, _: int) -> None:
    state.jobs[event.local] = Job(event.local, event.element, event.type, event.retries)
    element = state.elements[event.element]
    element.job = event.local
    _move(element, Phase.WAITING)
    _claim(state, event.local)


def _job_activated(state: ProcessInstance, event: e.JobActivated, _: int) -> None:
    job = state.jobs[event.job]
    job.worker, job.deadline = event.worker, event.deadline


def _job_completed(state: ProcessInstance, event: e.JobCompleted, _: int) -> None:
    element = state.elements[state.jobs.pop(event.job).element]
    element.job = 0
    _move(element, Phase.LEAVING)


def _job_failed(state: ProcessInstance, event: e.JobFailed, _: int) -> None:
    job = state.jobs[event.job]
    job.retries, job.available_at, job.worker, job.deadline = event.retries, event.retry_at, "", 0


def _job_error_thrown(state: ProcessInstance, event: e.JobErrorThrown, _: int) -> None:
    job = state.jobs[event.job]
    job.error_code, job.worker, job.deadline = event.code, "", 0


def _job_updated(state: ProcessInstance, event: e.JobUpdated, _: int) -> None:
    job = state.jobs[event.job]
    job.retries, job.available_at = event.retries, event.available_at
    if event.deadline:
        job.deadline = event.deadline


def _user_task_created(state: ProcessInstance, event: e.UserTaskCreated, _: int) -> None:
    state.tasks[event.local] = UserTask(
        event.local,
        event.element,
        event.assignee,
        list(event.candidate_groups),
        list(event.candidate_users),
        event.due,
        event.follow_up,
        event.priority,
        event.form_key,
    )
    element = state.elements[event.element]
    element.task = event.local
    _move(element, Phase.WAITING)
    _claim(state, event.local)


def _user_task_assigned(state: ProcessInstance, event: e.UserTaskAssigned, _: int) -> None:
    state.tasks[event.task].assignee = event.assignee


def _user_task_updated(state: ProcessInstance, event: e.UserTaskUpdated, _: int) -> None:
    task = state.tasks[event.task]
    for name in ("candidate_groups", "candidate_users", "due", "follow_up", "priority"):
        value = getattr(event, name)
        if value is not None:
            setattr(task, name, value)


def _user_task_completed(state: ProcessInstance, event: e.UserTaskCompleted, _: int) -> None:
    element = state.elements[state.tasks.pop(event.task).element]
    element.task = 0
    _move(element, Phase.LEAVING)


def _decision_evaluated(state: ProcessInstance, event: e.DecisionEvaluated, _: int) -> None:
    _claim(state, event.local)


def _timer_started(state: ProcessInstance, event: e.TimerStarted, _: int) -> None:
    state.timers[event.local] = Timer(
        event.local, event.element, event.element_id, event.due, event.remaining, event.cycle
    )
    element = state.elements[event.element]
    element.timers = [*(element.timers or ()), event.local]
    if element.element_id == event.element_id:
        _move(element, Phase.WAITING)
    _claim(state, event.local)


def _timer_triggered(state: ProcessInstance, event: e.TimerTriggered, _: int) -> None:
    timer = state.timers[event.timer]
    if event.next_due:
        timer.due, timer.remaining = event.next_due, event.remaining
        return
    del state.timers[event.timer]
    element = state.elements[timer.element]
    element.timers = [local for local in element.timers or () if local != event.timer] or None
    if element.element_id == timer.element_id and not element.body:
        _move(element, Phase.LEAVING)


def _incident_raised(state: ProcessInstance, event: e.IncidentRaised, _: int) -> None:
    state.incidents[event.local] = Incident(event.local, event.element, event.type, event.job)
    element = state.elements[event.element]
    element.incidents = [*(element.incidents or ()), event.local]
    if event.job and event.job in state.jobs:
        state.jobs[event.job].incident = event.local
    _claim(state, event.local)


def _incident_resolved(state: ProcessInstance, event: e.IncidentResolved, _: int) -> None:
    incident = state.incidents.pop(event.incident)
    element = state.elements[incident.element]
    element.incidents = [local for local in element.incidents or () if local != event.incident] or None
    job = state.jobs.get(incident.job)
    if job is not None:
        job.incident, job.error_code = 0, ""


def _finished(status: InstanceStatus) -> Callable[[ProcessInstance, Any, int], None]:
    def apply(state: ProcessInstance, _event: Event, _at: int) -> None:
        state.status = status
        for held in (state.elements, state.jobs, state.tasks, state.timers, state.subscriptions, state.incidents):
            held.clear()

    return apply


APPLIERS: dict[type[Event], Callable[[ProcessInstance, Any, int], None]] = {
    e.InstanceCreated: _created,
    e.KeyBlockReserved: _key_block_reserved,
    e.ElementActivated: _element_activated,
    e.ElementPassed: _element_passed,
    e.TokenArrived: _token_arrived,
    e.TokensDiscarded: _tokens_discarded,
    e.SubscriptionClosed: _subscription_closed,
    e.TimerCanceled: _timer_canceled,
    e.SubscriptionOpened: _subscription_opened,
    e.SubscriptionMet: _subscription_met,
    e.CompensationRegistered: _compensation_registered,
    e.CompensationTriggered: _compensation_triggered,
    e.LoopStarted: _loop_started,
    e.LoopInnerEnded: _loop_inner_ended,
    e.ErrorThrown: _thrown,
    e.EscalationThrown: _thrown,
    e.ElementCompleted: _element_ended,
    e.ElementTerminated: _element_ended,
    e.VariablesSet: _variables_set,
    e.JobCreated: _job_created,
    e.JobActivated: _job_activated,
    e.JobCompleted: _job_completed,
    e.JobFailed: _job_failed,
    e.JobErrorThrown: _job_error_thrown,
    e.JobUpdated: _job_updated,
    e.UserTaskCreated: _user_task_created,
    e.UserTaskAssigned: _user_task_assigned,
    e.UserTaskUpdated: _user_task_updated,
    e.UserTaskCompleted: _user_task_completed,
    e.DecisionEvaluated: _decision_evaluated,
    e.TimerStarted: _timer_started,
    e.TimerTriggered: _timer_triggered,
    e.IncidentRaised: _incident_raised,
    e.IncidentResolved: _incident_resolved,
    e.InstanceCompleted: _finished(InstanceStatus.COMPLETED),
    e.InstanceTerminated: _finished(InstanceStatus.TERMINATED),
}


def evolve(state: ProcessInstance, event: Event, at: int = 0) -> None:
    """Apply one event (recorded at `at`, µs). Raises LogCorrupt for an event that is not an instance's."""
    applier = APPLIERS.get(type(event))
    if applier is None:
        raise LogCorrupt(f"{type(event).__name__} is not an event of a process instance")
    applier(state, event, at)
