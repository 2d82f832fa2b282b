"""Listeners: zeebe:executionListeners of all elements and zeebe:taskListeners of user tasks, and where each may stand
(Camunda 8, "Execution listeners: limitations" and "User task listeners")."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from domain.bpmn.draft import ZEEBE, Draft, extension
from domain.bpmn.model import (
    CompensationDefinition,
    ElementType,
    ErrorDefinition,
    FlowNode,
    Listener,
    Moment,
    MultiInstance,
)

EXECUTION_MOMENTS: dict[str, Moment] = {"start": Moment.START, "end": Moment.END, "beforeAll": Moment.BEFORE_ALL}
TASK_MOMENTS: dict[str, Moment] = {
    "creating": Moment.CREATING,
    "assigning": Moment.ASSIGNING,
    "updating": Moment.UPDATING,
    "completing": Moment.COMPLETING,
    "canceling": Moment.CANCELING,
}
GATEWAYS = (
    ElementType.EXCLUSIVE_GATEWAY,
    ElementType.PARALLEL_GATEWAY,
    ElementType.INCLUSIVE_GATEWAY,
    ElementType.EVENT_BASED_GATEWAY,
)


def execution_listeners(draft: Draft, element: etree._Element, node: FlowNode) -> tuple[Listener, ...]:
    """The execution listeners of an element (or process), in the order of the model; what cannot be is a finding."""
    listeners = tuple(_listeners(draft, element, "execution", EXECUTION_MOMENTS))
    for moment in {listener.moment for listener in listeners}:
        reason = _misplaced(node, moment)
        if reason:
            word = next(word for word, known in EXECUTION_MOMENTS.items() if known is moment)
            draft.find(element, f"it cannot have '{word}' listeners: {reason}", "listener")
    return listeners


def _misplaced(node: FlowNode, moment: Moment) -> str:
    """Why an element cannot have listeners of a moment, and where they would be right; "" if it can."""
    kind, definition = node.type, node.definition
    if kind is ElementType.BOUNDARY_EVENT and isinstance(definition, CompensationDefinition):
        return "a compensation boundary event is not executed; put them on its handler"
    match moment:
        case Moment.START if kind is ElementType.START_EVENT:
            return "put them on the process or subprocess that it starts"
        case Moment.START if kind is ElementType.BOUNDARY_EVENT:
            return "put them on the activity that it is attached to"
        case Moment.END if kind in GATEWAYS:
            return "put them, as 'start' listeners, on the elements behind the gateway"
        case Moment.END if kind is ElementType.END_EVENT and isinstance(definition, ErrorDefinition):
            return "an error end event is not left; put them on the event that catches the error"
        case Moment.BEFORE_ALL if not isinstance(node.loop, MultiInstance):
            return "only a multi-instance activity has a moment before all its instances; use 'start'"
        case _:
            return ""


def task_listeners(draft: Draft, element: etree._Element) -> tuple[Listener, ...]:
    """The task listeners of a user task, in the order of the model."""
    listeners = tuple(_listeners(draft, element, "task", TASK_MOMENTS))
    if any(listener.moment is Moment.CANCELING for listener in listeners):
        message = "'canceling' listeners are not supported: here a cancelled task ends at once; remove them"
        draft.find(element, message, "listener")
    return listeners


def _listeners(draft: Draft, element: etree._Element, what: str, moments: dict[str, Moment]) -> Iterator[Listener]:
    found = extension(element, f"{what}Listeners")
    seen: set[tuple[Moment, str]] = set()
    for child in () if found is None else found.iterchildren(f"{ZEEBE}{what}Listener"):
        moment = moments.get(str(child.get("eventType", "")))
        job_type = str(child.get("type", "")).strip()
        if moment is None:
            allowed = ", ".join(moments)
            wrong = child.get("eventType", "")
            draft.find(
                child, f"the eventType '{wrong}' of a {what} listener is unknown; it is one of {allowed}", "listener"
            )
        elif not job_type:
            draft.find(child, f"a {what} listener needs a job type: give it the attribute 'type'", "listener")
        elif what == "execution" and (moment, job_type) in seen:
            message = (
                f"two '{child.get('eventType')}' listeners have the type '{job_type}'; types are unique for an event"
            )
            draft.find(child, message, "listener")
        else:
            seen.add((moment, job_type))
            yield _listener(draft, child, moment, job_type)


def _listener(draft: Draft, child: etree._Element, moment: Moment, job_type: str) -> Listener:
    retries = str(child.get("retries", "3")).strip() or "3"
    if not retries.startswith("=") and not retries.isdigit():
        draft.find(child, f"retries must be a whole number, not '{retries}'", "listener")
        retries = "3"
    headers = {
        str(header.get("key", "")): str(header.get("value", ""))
        for header in child.iterfind(f"{ZEEBE}taskHeaders/{ZEEBE}header")
    }
    return Listener(
        moment,
        draft.attribute(child, job_type, "job type of a listener"),
        draft.attribute(child, retries, "retries of a listener"),
        headers,
    )
