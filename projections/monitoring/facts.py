"""What monitoring knows of one instance (instance.py), folded from its events. Rows are made of it (rows.py), so a row
is a function of the events up to its version and of nothing else: whoever writes them again, after a crash or
from another feed, writes the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.events import Event, Recorded
from domain.process_instance import events as e
from projections.monitoring import outcome
from projections.monitoring.instance import (
    MAX_TEXT,
    Dimensions,
    Incident,
    Instance,
    Intervention,
    Kind,
    RunState,
    Visit,
    VisitState,
)
from projections.monitoring.outcome import REJECTED, REWORK

MICROSECONDS_PER_MS = 1000
LABELS = ("sample", "trial")
"""Tags that keep an instance out of the official figures."""

Fold = Callable[[Instance, Any, int, str], None]


def apply(instance: Instance, recorded: Recorded, dimensions: Dimensions) -> None:
    """Fold one event. Raises LookupError for an event that no line of FOLDS or IGNORED names, ValueError for a gap."""
    if recorded.version != instance.version + 1:
        raise ValueError(f"version {recorded.version} of the instance follows version {instance.version}")
    event = recorded.event
    instance.version = recorded.version
    at = recorded.envelope.at // MICROSECONDS_PER_MS
    kind = type(event)
    fold = FOLDS.get(kind)
    if fold is not None:
        fold(instance, event, at, recorded.envelope.actor)
    elif isinstance(event, e.InstanceCreated):
        _created(instance, event, recorded, dimensions)
    elif kind not in IGNORED:
        raise LookupError(f"monitoring neither takes {kind.__name__} nor ignores it")


def _created(instance: Instance, event: e.InstanceCreated, recorded: Recorded, dimensions: Dimensions) -> None:
    instance.tenant = recorded.envelope.tenant
    instance.process_id = event.bpmn_process_id
    instance.definition_key, instance.definition_version = event.definition_key, event.version
    instance.business_id = event.business_id
    instance.parent_key, instance.root_key = event.parent_key, event.root_key or instance.key
    instance.created = recorded.envelope.at // MICROSECONDS_PER_MS
    instance.department = _text_at(event.variables, dimensions.department)
    instance.initiator = _text_at(event.variables, dimensions.initiator) or recorded.envelope.actor
    instance.label = next((label for label in LABELS if label in event.tags), "")
    _touch(instance)


def _text_at(variables: Mapping[str, Any], path: str) -> str:
    """The text at a path; of an object its name, code or id."""
    value: Any = variables
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        value = next((value[name] for name in ("name", "code", "id") if isinstance(value.get(name), str)), "")
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _touch(instance: Instance) -> None:
    instance.changed = True
    instance.row_version = instance.version


def _changed(instance: Instance, visit: Visit) -> None:
    visit.version = instance.version
    instance.changed_visits[visit.local] = visit


def _enter(instance: Instance, event: e.ElementActivated | e.ElementPassed, at: int) -> Visit:
    element_id, elements = event.element_id, instance.elements
    number = instance.numbers.get(element_id, 0) + 1
    visit = Visit(event.local, element_id, number, elements.get(event.source, ""), event.flow, at)
    elements[event.local] = element_id
    scope = instance.visits.get(event.scope)
    if scope is not None and scope.kind is not Kind.SCOPE:
        scope.kind = Kind.SCOPE
        _changed(instance, scope)
    return visit


def _activated(instance: Instance, event: e.ElementActivated, at: int, _: str) -> None:
    visit = _enter(instance, event, at)
    if event.body:
        visit.kind = Kind.SCOPE  # its inner instances are the visits that count
    else:
        instance.numbers[event.element_id] = visit.number
    instance.visits[event.local] = visit
    _changed(instance, visit)


def _passed(instance: Instance, event: e.ElementPassed, at: int, _: str) -> None:
    visit = _enter(instance, event, at)
    instance.numbers[event.element_id] = visit.number
    visit.kind, visit.state, visit.ended = Kind.PASSED, VisitState.COMPLETED, at
    _changed(instance, visit)


def _element_completed(instance: Instance, event: e.ElementCompleted, at: int, _: str) -> None:
    _end_visit(instance, event.local, VisitState.COMPLETED, at)


def _element_terminated(instance: Instance, event: e.ElementTerminated, at: int, _: str) -> None:
    _end_visit(instance, event.local, VisitState.TERMINATED, at)


def _end_visit(instance: Instance, local: int, state: VisitState, at: int) -> None:
    visit = instance.visits.pop(local, None)
    if visit is None:
        return
    visit.state, visit.ended = state, at
    instance.parts.pop(visit.part, None)
    if instance.completing == local:
        instance.completing = 0
    if visit.outcome and state is VisitState.COMPLETED:
        _count_outcome(instance, visit)
    _changed(instance, visit)
    if instance.incidents:
        for incident in [open_ for open_ in instance.incidents.values() if open_.element == local]:
            _end_incident(instance, incident, at)


def _count_outcome(instance: Instance, visit: Visit) -> None:
    if visit.outcome == REJECTED:
        instance.rejections += 1
        instance.reason = visit.reason
        _touch(instance)
    elif visit.outcome == REWORK:
        instance.reworks += 1
        _touch(instance)


def _task_created(instance: Instance, event: e.UserTaskCreated, at: int, _: str) -> None:
    visit = instance.visits.get(event.element)
    if visit is None:
        return
    visit.kind = Kind.USER_TASK
    visit.part = event.local
    visit.due = event.due // MICROSECONDS_PER_MS
    visit.assignee = event.assignee
    visit.claimed = at if event.assignee else 0
    instance.parts[event.local] = event.element
    _changed(instance, visit)


def _part(instance: Instance, local: int) -> Visit | None:
    """The open visit that a job or user task belongs to."""
    return instance.visits.get(instance.parts.get(local, 0))


def _task_assigned(instance: Instance, event: e.UserTaskAssigned, at: int, actor: str) -> None:
    visit = _part(instance, event.task)
    if visit is None:
        return
    if not event.assignee:
        visit.claimed = 0
    elif not visit.assignee:
        visit.claimed = at
    elif event.assignee != visit.assignee and actor not in (visit.assignee, event.assignee):
        _intervene(instance, "reassign", at, actor, visit.element_id, event.action)
    visit.assignee = event.assignee
    _changed(instance, visit)


def _task_updated(instance: Instance, event: e.UserTaskUpdated, at: int, _: str) -> None:
    visit = _part(instance, event.task)
    if visit is not None and event.due is not None:
        visit.due = event.due // MICROSECONDS_PER_MS
        _changed(instance, visit)


def _task_completed(instance: Instance, event: e.UserTaskCompleted, at: int, actor: str) -> None:
    visit = _part(instance, event.task)
    if visit is None:
        return
    visit.actor = visit.actor or actor
    visit.outcome = outcome.of_action(event.action)
    visit.claimed = visit.claimed or at
    instance.completing = visit.local
    _changed(instance, visit)


def _variables_set(instance: Instance, event: e.VariablesSet, at: int, _: str) -> None:
    """The variables that a user task was completed with say its outcome; several scopes may each get some."""
    if not instance.completing or event.source != instance.completing:
        return
    visit = instance.visits.get(instance.completing)
    if visit is not None:
        visit.outcome = visit.outcome or outcome.of_variables(event.variables)
        visit.reason = visit.reason or outcome.reason_of(event.variables)
        _changed(instance, visit)


def _transition_started(instance: Instance, event: e.UserTaskTransitionStarted, at: int, actor: str) -> None:
    """Who completes a task whose listeners decide first is who asked, not the worker that agreed."""
    visit = _part(instance, event.task)
    if visit is not None and event.moment == "COMPLETING":
        visit.actor = actor
        _changed(instance, visit)


def _transition_ended(instance: Instance, event: e.UserTaskTransitionEnded, at: int, _: str) -> None:
    visit = _part(instance, event.task)
    if visit is not None and event.denied and visit.actor:
        visit.actor = ""
        _changed(instance, visit)


def _job_created(instance: Instance, event: e.JobCreated, at: int, _: str) -> None:
    """The element's own job; jobs of listeners are no work of the process."""
    visit = instance.visits.get(event.element)
    if visit is None or event.role is not None:
        return
    visit.kind, visit.part = Kind.JOB, event.local
    instance.parts[event.local] = event.element
    _changed(instance, visit)


def _job_activated(instance: Instance, event: e.JobActivated, at: int, _: str) -> None:
    visit = _part(instance, event.job)
    if visit is not None:
        visit.claimed = visit.claimed or at
        visit.assignee = event.worker
        _changed(instance, visit)


def _job_completed(instance: Instance, event: e.JobCompleted, at: int, actor: str) -> None:
    visit = _part(instance, event.job)
    if visit is not None:
        visit.actor = visit.assignee or actor
        visit.claimed = visit.claimed or at
        _changed(instance, visit)


def _job_failed(instance: Instance, event: e.JobFailed, at: int, _: str) -> None:
    visit = _part(instance, event.job)
    if visit is not None:
        visit.failures += 1
        visit.claimed = 0
        _changed(instance, visit)


def _job_error(instance: Instance, event: e.JobErrorThrown, at: int, _: str) -> None:
    visit = _part(instance, event.job)
    if visit is not None:
        visit.outcome, visit.reason = "error", event.code[: outcome.MAX_REASON]
        _changed(instance, visit)


def _incident_raised(instance: Instance, event: e.IncidentRaised, at: int, _: str) -> None:
    incident = Incident(event, at)
    incident.version = instance.version
    instance.incidents[event.local] = instance.changed_incidents[event.local] = incident
    instance.incident_count += 1
    _touch(instance)


def _incident_resolved(instance: Instance, event: e.IncidentResolved, at: int, actor: str) -> None:
    incident = instance.incidents.get(event.incident)
    if incident is not None:
        _end_incident(instance, incident, at)
        _intervene(instance, "resolve_incident", at, actor, incident.element_id, incident.type)


def _end_incident(instance: Instance, incident: Incident, at: int) -> None:
    del instance.incidents[incident.local]
    incident.ended, incident.version = at, instance.version
    instance.changed_incidents[incident.local] = incident


def _intervene(instance: Instance, kind: str, at: int, actor: str, element_id: str = "", reason: str = "") -> None:
    found = Intervention(instance.version, at, kind, actor, element_id, reason[:MAX_TEXT])
    instance.interventions.append(found)
    instance.intervention_count += 1
    _touch(instance)


def _suspended(instance: Instance, event: e.InstanceSuspended, at: int, actor: str) -> None:
    _intervene(instance, "suspend", at, actor, "", event.reason)


def _resumed(instance: Instance, event: e.InstanceResumed, at: int, actor: str) -> None:
    _intervene(instance, "resume", at, actor, "", event.reason)


def _completed(instance: Instance, event: e.InstanceCompleted, at: int, _: str) -> None:
    _end(instance, RunState.COMPLETED, at)


def _terminated(instance: Instance, event: e.InstanceTerminated, at: int, actor: str) -> None:
    _intervene(instance, "cancel", at, actor, "", event.reason)
    _end(instance, RunState.TERMINATED, at)


def _end(instance: Instance, state: RunState, at: int) -> None:
    for local in list(instance.visits):
        _end_visit(instance, local, VisitState.TERMINATED, at)
    for incident in list(instance.incidents.values()):
        _end_incident(instance, incident, at)
    instance.state, instance.ended = state, at
    _touch(instance)


FOLDS: Mapping[type[Event], Fold] = {
    e.ElementActivated: _activated,
    e.ElementPassed: _passed,
    e.ElementCompleted: _element_completed,
    e.ElementTerminated: _element_terminated,
    e.UserTaskCreated: _task_created,
    e.UserTaskAssigned: _task_assigned,
    e.UserTaskUpdated: _task_updated,
    e.UserTaskCompleted: _task_completed,
    e.VariablesSet: _variables_set,
    e.UserTaskTransitionStarted: _transition_started,
    e.UserTaskTransitionEnded: _transition_ended,
    e.JobCreated: _job_created,
    e.JobActivated: _job_activated,
    e.JobCompleted: _job_completed,
    e.JobFailed: _job_failed,
    e.JobErrorThrown: _job_error,
    e.IncidentRaised: _incident_raised,
    e.IncidentResolved: _incident_resolved,
    e.InstanceSuspended: _suspended,
    e.InstanceResumed: _resumed,
    e.InstanceCompleted: _completed,
    e.InstanceTerminated: _terminated,
}

# Events of an instance that change no figure; their rows stand in the event table all the same.
IGNORED: frozenset[type[Event]] = frozenset(
    {
        e.KeyBlockReserved,
        e.TokenArrived,
        e.TokensDiscarded,
        e.SubscriptionOpened,
        e.SubscriptionMet,
        e.SubscriptionClosed,
        e.TimerCanceled,
        e.CompensationRegistered,
        e.CompensationTriggered,
        e.LoopStarted,
        e.LoopInnerEnded,
        e.ErrorThrown,
        e.EscalationThrown,
        e.DecisionEvaluated,
        e.JobUpdated,
        e.TimerStarted,
        e.TimerTriggered,
        e.ListenersStarted,
        e.InstanceTriggered,
        e.SignalThrown,
        e.SignalHeard,
        e.UserTaskCorrected,
        e.ChildCalled,
        e.ChildStarted,
        e.ChildCompleted,
        e.ChildAbandoned,
        e.ReturnOwed,
        e.ThrownToCaller,
        e.DeliverySettled,
    }
)
