"""An instance's history, read from its events: who did what and when, what it changed, and how the instance stood.

It is folded with the aggregate's own `evolve`, so what is shown is what the engine knew at that moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from domain.events import Event, Recorded
from domain.process_instance import events as e
from domain.process_instance.evolve import evolve
from domain.process_instance.state import ProcessInstance
from projections.history_words import describe
from projections.queries import DEFAULT_TENANT, Item
from projections.rows import MICROSECONDS_PER_MS
from projections.time import iso

ElementNames = Mapping[str, str]

_ABSENT: Any = object()


def history_page(events: Sequence[Recorded], after: int, limit: int, names: ElementNames) -> Item:
    """The entries of versions after+1 … after+limit of an instance's complete stream, oldest first.

    {"items": [entry…], "page": {"totalItems", "hasMoreTotalItems", "startCursor", "endCursor"}}; a cursor is a version.
    """
    state = ProcessInstance(_key(events))
    items: list[Item] = []
    for recorded in events:
        if recorded.version > after + limit:
            break
        if recorded.version > after:
            items.append(_entry(state, recorded, names))
        else:
            evolve(state, recorded.event, recorded.envelope.at)
    page = {
        "totalItems": len(events),
        "hasMoreTotalItems": False,
        "startCursor": str(items[0]["version"]) if items else None,
        "endCursor": str(items[-1]["version"]) if items else None,
    }
    return {"items": items, "page": page}


def _key(events: Sequence[Recorded]) -> int:
    return events[0].stream.int


def _entry(state: ProcessInstance, recorded: Recorded, names: ElementNames) -> Item:
    """One event as an entry; `state` is that before it, and moves past it."""
    event, envelope = recorded.event, recorded.envelope
    local, element_id = element_of(state, event)
    before = _variables_before(state, event)
    words = describe(state, event, names.get(element_id) or element_id)
    evolve(state, event, envelope.at)
    return {
        "version": recorded.version,
        "position": recorded.position,
        "timestamp": iso(envelope.at // MICROSECONDS_PER_MS),
        "timestampMicros": envelope.at,
        "actor": envelope.actor or None,
        "tenantId": envelope.tenant or DEFAULT_TENANT,
        "commandId": envelope.command_id or None,
        "traceId": envelope.trace_id or None,
        "topic": event.topic,
        "type": type(event).__name__,
        "elementId": element_id or None,
        "elementName": names.get(element_id) or None,
        "elementInstanceKey": str(state.key + local) if local else None,
        "description": words,
        "variables": _variable_changes(state.key, event, before),
    }


def _scope_and_values(event: Event) -> tuple[int, Mapping[str, Any]]:
    match event:
        case e.InstanceCreated():
            return 0, event.variables
        case e.VariablesSet():
            return event.scope, event.variables
        case _:
            return 0, {}


def _variables_before(state: ProcessInstance, event: Event) -> dict[str, Any]:
    scope, values = _scope_and_values(event)
    element = state.elements.get(scope)
    held = (element.variables or {}) if element else {}
    return {name: held.get(name, _ABSENT) for name in values}


def _variable_changes(key: int, event: Event, before: Mapping[str, Any]) -> list[Item]:
    """Each variable that the event wrote: its scope, and its value before (absent if there was none) and after."""
    scope, values = _scope_and_values(event)
    changes: list[Item] = []
    for name, value in values.items():
        change: Item = {"name": name, "scopeKey": str(key + scope)}
        if before[name] is not _ABSENT:
            change["before"] = before[name]
        changes.append(change | {"after": value})
    return changes


def element_of(state: ProcessInstance, event: Event) -> tuple[int, str]:
    """The element instance (local, 0: none) and the element id that an event is about; `state` is that before it."""
    match event:
        case e.ElementActivated() | e.ElementPassed():
            return event.local, event.element_id
        case e.TokenArrived():
            return 0, event.element_id
        case e.InstanceCreated():
            return 0, event.bpmn_process_id
        case e.ReturnOwed():
            return 0, state.bpmn_process_id
        case _ if hasattr(event, "element_id"):
            return getattr(event, "element", 0), event.element_id
        case _:
            return _element_of_part(state, event)


# The attribute of an event that names a part of the instance, and where the state keeps such parts.
_PARTS: tuple[tuple[str, Callable[[ProcessInstance], Mapping[int, Any]]], ...] = (
    ("job", lambda state: state.jobs),
    ("task", lambda state: state.tasks),
    ("timer", lambda state: state.timers),
    ("subscription", lambda state: state.subscriptions),
    ("incident", lambda state: state.incidents),
    ("delivery", lambda state: state.deliveries),
)


def _element_of_part(state: ProcessInstance, event: Event) -> tuple[int, str]:
    for attribute, parts in _PARTS:
        part = parts(state).get(getattr(event, attribute, 0))
        if part is not None:
            local = part.element
            break
    else:
        local = next((n for n in (getattr(event, name, 0) for name in ("local", "element", "scope")) if n), 0)
    element = state.elements.get(local)
    return (local, element.element_id) if element else (local, "")


def state_as_of(events: Sequence[Recorded], names: ElementNames) -> Item:
    """The instance after these events (a stream's first n): status, active elements with phase and variables, and what
    waits. Keys are decimal strings, times ISO 8601."""
    state = ProcessInstance(_key(events))
    for recorded in events:
        evolve(state, recorded.event, recorded.envelope.at)
    last = events[-1]
    key = state.key
    return {
        "processInstanceKey": str(key),
        "version": last.version,
        "position": last.position,
        "timestamp": iso(last.envelope.at // MICROSECONDS_PER_MS),
        "state": "SUSPENDED" if state.suspended else state.status.name,
        "suspensionReason": state.suspension_reason or None,
        "processDefinitionKey": str(state.definition_key),
        "processDefinitionId": state.bpmn_process_id,
        "processDefinitionVersion": state.version,
        "businessId": state.business_id or None,
        "startDate": iso(state.created_at // MICROSECONDS_PER_MS),
        "elements": [_element(key, element, names) for element in state.elements.values()],
        "jobs": [_job(key, job) for job in state.jobs.values()],
        "userTasks": [_task(key, task) for task in state.tasks.values()],
        "timers": [_timer(key, timer) for timer in state.timers.values()],
        "subscriptions": [_subscription(key, waiting) for waiting in state.subscriptions.values()],
        "deliveries": [
            {
                "elementInstanceKey": str(key + owed.element),
                "kind": owed.kind,
                "processInstanceKey": str(owed.peer) if owed.peer else None,
            }
            for owed in state.deliveries.values()
        ],
        "incidents": [
            {"incidentKey": str(key + i.local), "elementInstanceKey": str(key + i.element), "errorType": i.type}
            for i in state.incidents.values()
        ],
    }


def _element(key: int, element: Any, names: ElementNames) -> Item:
    return {
        "elementInstanceKey": str(key + element.local),
        "elementId": element.element_id,
        "elementName": names.get(element.element_id) or None,
        "scopeKey": str(key + element.scope),
        "phase": element.phase.name,
        "variables": dict(element.variables or {}),
        "tokensArrived": dict(element.arrived or {}),
        "calledInstanceKey": str(element.child) if element.child else None,
    }


def _time(micros: int) -> str | None:
    return iso(micros // MICROSECONDS_PER_MS) if 0 < micros < e.NEVER else None


def _job(key: int, job: Any) -> Item:
    return {
        "jobKey": str(key + job.local),
        "elementInstanceKey": str(key + job.element),
        "type": job.type,
        "retries": job.retries,
        "worker": job.worker or None,
        "deadline": _time(job.deadline),
        "availableAt": _time(job.available_at),
        "errorCode": job.error_code or None,
        "kind": job.role.kind if job.role is not None else "BPMN_ELEMENT",
        "listenerEventType": job.role.moment if job.role is not None else "UNSPECIFIED",
    }


def _task(key: int, task: Any) -> Item:
    return {
        "userTaskKey": str(key + task.local),
        "elementInstanceKey": str(key + task.element),
        "assignee": task.assignee or None,
        "candidateGroups": list(task.candidate_groups),
        "candidateUsers": list(task.candidate_users),
        "dueDate": _time(task.due),
        "followUpDate": _time(task.follow_up),
        "priority": task.priority,
        "formKey": str(task.form_key) if task.form_key else None,
        "state": task.moment or "CREATED",
    }


def _subscription(key: int, subscription: Any) -> Item:
    return {
        "elementInstanceKey": str(key + subscription.element),
        "elementId": subscription.element_id,
        "kind": subscription.kind,
    }


def _timer(key: int, timer: Any) -> Item:
    return {
        "timerKey": str(key + timer.local),
        "elementInstanceKey": str(key + timer.element),
        "elementId": timer.element_id,
        "dueDate": _time(timer.due),
        "repetitionsLeft": timer.remaining,
        "cycle": timer.cycle or None,
    }
