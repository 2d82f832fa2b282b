"""One line for people about each event, as the history shows it. An event without words is a programming error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.errors import LogCorrupt
from domain.events import Event
from domain.process_instance import events as e
from domain.process_instance.state import ProcessInstance
from projections.rows import MICROSECONDS_PER_MS
from projections.time import iso

Words = Callable[[ProcessInstance, Any, str], str]

_MANY = 5


def _names(values: Mapping[str, Any]) -> str:
    names = list(values)
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more


def _time(micros: int) -> str:
    return iso(micros // MICROSECONDS_PER_MS) if 0 < micros < e.NEVER else "never"


def _created(_: ProcessInstance, event: e.InstanceCreated, name: str) -> str:
    variables = f" with {_names(event.variables)}" if event.variables else ""
    return f"Instance of {name} (version {event.version}) started{variables}"


def _job_created(_: ProcessInstance, event: e.JobCreated, name: str) -> str:
    role = event.role
    what = "Job" if role is None or role.moment == "UNSPECIFIED" else f"Listener job ({role.moment})"
    return f"{what} of type {event.type} created for {name}"


def _job_completed(_: ProcessInstance, event: e.JobCompleted, name: str) -> str:
    if event.denial is None:
        return f"Job of {name} completed"
    return f"Listener of {name} denied what was asked for: {event.denial or 'no reason given'}"


def _job_failed(_: ProcessInstance, event: e.JobFailed, name: str) -> str:
    why = f": {event.message}" if event.message else ""
    return f"Job of {name} failed, {event.retries} retries left{why}"


def _assigned(_: ProcessInstance, event: e.UserTaskAssigned, name: str) -> str:
    return f"Task {name} assigned to {event.assignee}" if event.assignee else f"Task {name} released"


def _task_updated(_: ProcessInstance, event: e.UserTaskUpdated, name: str) -> str:
    attributes = ("candidate_groups", "candidate_users", "due", "follow_up", "priority")
    changed = [attribute.replace("_", " ") for attribute in attributes if getattr(event, attribute) is not None]
    return f"Task {name} changed: {', '.join(changed) or 'nothing'}"


def _corrected(_: ProcessInstance, event: e.UserTaskCorrected, name: str) -> str:
    attributes = ("assignee", "candidate_groups", "candidate_users", "due", "follow_up", "priority")
    changed = [attribute.replace("_", " ") for attribute in attributes if getattr(event, attribute) is not None]
    return f"A listener of task {name} corrected {', '.join(changed)}"


def _transition_ended(_: ProcessInstance, event: e.UserTaskTransitionEnded, name: str) -> str:
    if event.denied:
        return f"{event.moment} of task {name} denied: {event.reason or 'no reason given'}"
    return f"Listeners of task {name} agreed: {event.moment}"


def _task_created(_: ProcessInstance, event: e.UserTaskCreated, name: str) -> str:
    whom = event.assignee or ", ".join([*event.candidate_groups, *event.candidate_users])
    return f"Task {name} for {whom or 'anyone'}"


def _variables(state: ProcessInstance, event: e.VariablesSet, name: str) -> str:
    where = f" in {name}" if event.scope and name else ""
    return f"Variables set{where}: {_names(event.variables)}" if event.variables else f"No variables set{where}"


def _resolved(state: ProcessInstance, event: e.IncidentResolved, name: str) -> str:
    incident = state.incidents.get(event.incident)
    kind = f" {incident.type}" if incident else ""
    return f"Incident{kind} at {name} resolved"


def _triggered(_: ProcessInstance, event: e.TimerTriggered, name: str) -> str:
    again = f", next at {_time(event.next_due)}" if event.next_due else ""
    return f"Timer at {name} fired{again}"


def _decided(_: ProcessInstance, event: e.DecisionEvaluated, name: str) -> str:
    if event.failure:
        return f"Decision {event.decision_id} failed at {name}: {event.failure}"
    return f"Decision {event.decision_id} (version {event.version}) evaluated at {name}"


def _started_by(_: ProcessInstance, event: e.InstanceTriggered, name: str) -> str:
    match event.kind:
        case "message":
            key = f" with key {event.key}" if event.key else ""
            return f"Started at {name} by message {event.name}{key}"
        case "signal":
            return f"Started at {name} by signal {event.name}"
        case "timer":
            return f"Started at {name} by its timer, due {_time(event.due)}"
        case _:
            return f"Started at {name}: its condition held"


def _subscribed(_: ProcessInstance, event: e.SubscriptionOpened, name: str) -> str:
    match event.kind:
        case "message":
            return f"{name} waits for message {event.name} with key {event.key}"
        case "signal":
            return f"{name} waits for signal {event.name}"
        case "start":
            return f"No other message {event.name} with key {event.key} starts an instance until this one ends"
        case kind:
            return f"{name} waits for a {kind}"


def _met(state: ProcessInstance, event: e.SubscriptionMet, name: str) -> str:
    waited = state.subscriptions.get(event.subscription)
    what = f"{waited.kind.capitalize()} {waited.name} reached {name}" if waited and waited.name else ""
    return what or f"What {name} waited for happened"


def _loop_started(_: ProcessInstance, event: e.LoopStarted, name: str) -> str:
    return f"Loop {name} began" + ("" if event.items is None else f" over {len(event.items)} items")


def _thrown(what: str, event: e.ErrorThrown | e.EscalationThrown, name: str) -> str:
    caught = f", caught by {event.caught_by}" if event.caught_by else ", caught by nothing"
    return f"{what} {event.code} thrown at {name}{caught}"


_SETTLED = {
    "call": "The call is withdrawn",
    "return": "The calling instance {peer} went on",
    "cancel": "The called instance {peer} has ended",
    "throw": "The calling instance {peer} was asked",
}


def _delivered(state: ProcessInstance, event: e.DeliverySettled, _name: str) -> str:
    delivery = state.deliveries.get(event.delivery)
    words = _SETTLED.get(delivery.kind) if delivery else None
    return words.format(peer=delivery.peer) if words and delivery else "Delivery settled"


def _terminated(_: ProcessInstance, event: e.InstanceTerminated, name: str) -> str:
    return f"Instance cancelled: {event.reason}" if event.reason else "Instance cancelled"


def _because(what: str, reason: str) -> str:
    return f"{what}: {reason}" if reason else what


WORDS: Mapping[type[Event], Words] = {
    e.InstanceCreated: _created,
    e.KeyBlockReserved: lambda _, event, name: "Further 4096 keys reserved",
    e.ElementActivated: lambda _, event, name: f"{name} entered",
    e.ElementPassed: lambda _, event, name: f"{name} passed",
    e.TokenArrived: lambda _, event, name: f"Token arrived at {name} by {event.flow}",
    e.TokensDiscarded: lambda _, event, name: "Waiting tokens discarded",
    e.InstanceTriggered: _started_by,
    e.SignalThrown: lambda _, event, name: f"Signal {event.name} thrown at {name}",
    e.SignalHeard: lambda _, event, name: "Everybody who waited for the signal has heard it",
    e.SubscriptionOpened: _subscribed,
    e.SubscriptionMet: _met,
    e.SubscriptionClosed: lambda _, event, name: f"{name} is waited for no more",
    e.CompensationRegistered: lambda _, event, name: f"{name} can be undone from now on",
    e.CompensationTriggered: lambda _, event, name: (
        f"{name} undoes what was done: {', '.join(event.handlers) or 'nothing'}"
    ),
    e.TimerCanceled: lambda _, event, name: f"Timer at {name} cancelled",
    e.LoopStarted: _loop_started,
    e.LoopInnerEnded: lambda _, event, name: f"Round {event.index + 1} of {name} done",
    e.ListenersStarted: lambda _, event, name: f"Listeners of {name} are asked: {event.moment}",
    e.ErrorThrown: lambda _, event, name: _thrown("Error", event, name),
    e.EscalationThrown: lambda _, event, name: _thrown("Escalation", event, name),
    e.ElementCompleted: lambda _, event, name: f"{name} completed",
    e.ElementTerminated: lambda _, event, name: f"{name} terminated",
    e.VariablesSet: _variables,
    e.JobCreated: _job_created,
    e.JobActivated: lambda _, event, name: f"Job of {name} taken by {event.worker or 'a worker'}",
    e.JobCompleted: _job_completed,
    e.JobFailed: _job_failed,
    e.JobErrorThrown: lambda _, event, name: f"Job of {name} threw error {event.code}: {event.message}",
    e.JobUpdated: lambda _, event, name: f"Job of {name} changed: {event.retries} retries",
    e.UserTaskCreated: _task_created,
    e.UserTaskAssigned: _assigned,
    e.UserTaskUpdated: _task_updated,
    e.UserTaskCompleted: lambda _, event, name: f"Task {name} completed",
    e.UserTaskTransitionStarted: lambda _, event, name: f"Listeners of task {name} are asked: {event.moment}",
    e.UserTaskCorrected: _corrected,
    e.UserTaskTransitionEnded: _transition_ended,
    e.DecisionEvaluated: _decided,
    e.ChildCalled: lambda _, event, name: f"{name} calls process definition {event.definition_key}",
    e.ChildStarted: lambda _, event, name: f"{name} is carried out by instance {event.child_key}",
    e.ChildCompleted: lambda _, event, name: f"Instance {event.child_key} came back to {name}",
    e.ChildAbandoned: lambda _, event, name: f"Instance {event.child_key}, called by {name}, is to be cancelled",
    e.ReturnOwed: lambda _, event, name: f"The calling instance {event.parent_key} is to go on",
    e.ThrownToCaller: lambda _, event, name: (
        f"{event.kind.capitalize()} {event.code} of {name} goes to the calling instance {event.caller_key}"
    ),
    e.DeliverySettled: _delivered,
    e.TimerStarted: lambda _, event, name: f"Timer at {name} due {_time(event.due)}",
    e.TimerTriggered: _triggered,
    e.IncidentRaised: lambda _, event, name: f"Incident {event.type} at {name}: {event.message}",
    e.IncidentResolved: _resolved,
    e.InstanceCompleted: lambda _, event, name: "Instance completed",
    e.InstanceTerminated: _terminated,
    e.InstanceSuspended: lambda _, event, name: _because("Instance suspended", event.reason),
    e.InstanceResumed: lambda _, event, name: _because("Instance resumed", event.reason),
}


def describe(state: ProcessInstance, event: Event, name: str) -> str:
    """One line about an event at element `name`; `state` is that before the event. Raises LogCorrupt for a stranger."""
    words = WORDS.get(type(event))
    if words is None:
        raise LogCorrupt(f"{type(event).__name__} is not an event of a process instance")
    return words(state, event, name)
