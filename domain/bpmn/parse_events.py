"""What events are set up with: which definitions stand where, and what each says (BPMN 2.0 §10.5, table 10.93)."""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from domain.bpmn import model as m
from domain.bpmn.draft import BPMN, Draft, bpmn_children, extension, replace, tag_of
from domain.bpmn.model import ElementType, FlowNode
from domain.bpmn.parse_tasks import parse_job

START, END = ElementType.START_EVENT, ElementType.END_EVENT
CATCH, THROW = ElementType.INTERMEDIATE_CATCH_EVENT, ElementType.INTERMEDIATE_THROW_EVENT
BOUNDARY = ElementType.BOUNDARY_EVENT

ALLOWED: dict[str, tuple[ElementType, ...]] = {
    "timerEventDefinition": (START, CATCH, BOUNDARY),
    "messageEventDefinition": (START, CATCH, BOUNDARY, THROW, END),  # thrown: a job that sends it
    "signalEventDefinition": (START, CATCH, BOUNDARY, THROW, END),
    "conditionalEventDefinition": (START, CATCH, BOUNDARY),
    "errorEventDefinition": (START, END, BOUNDARY),
    "escalationEventDefinition": (START, END, THROW, BOUNDARY),
    "compensateEventDefinition": (THROW, END, BOUNDARY),
    "linkEventDefinition": (CATCH, THROW),
    "terminateEventDefinition": (END,),
}
NEEDS_DEFINITION = (CATCH, BOUNDARY)


def event_name(kind: ElementType) -> str:
    """The kind in words."""
    return kind.value.replace("_", " ").lower()


def parse_event(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """Start, end, catch, throw and boundary events with their definition."""
    definitions = [
        child for child in bpmn_children(element) if tag_of(child).endswith(("EventDefinition", "DefinitionRef"))
    ]
    article = "an" if node.type in (END, CATCH, THROW) else "a"
    for child in definitions:
        kind = tag_of(child)
        if node.type not in ALLOWED.get(kind, ()):
            draft.find(element, f"{article} {event_name(node.type)} with <{kind}> is not supported", "unsupported")
        elif kind == "terminateEventDefinition":
            node = replace(node, terminates=True)
        elif kind == "messageEventDefinition" and node.type in (THROW, END):
            node = parse_job(draft, element, node)
        else:
            node = replace(node, definition=PARSERS[kind](draft, element, child))
    if len(definitions) > 1:
        draft.find(element, "an event has one event definition; keep one", "event-definition")
    if node.type in NEEDS_DEFINITION and not definitions:
        draft.find(
            element, f"{article} {event_name(node.type)} needs an event definition, such as a timer", "event-definition"
        )
    if node.type is START:
        node = replace(node, interrupting=element.get("isInterrupting", "true") != "false")
    return node


def parse_receive_task(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """A receive task waits for a message, as a catch event does."""
    return replace(node, definition=_message(draft, element, element))


def _message(draft: Draft, element: etree._Element, definition: etree._Element) -> m.MessageDefinition | None:
    """messageRef → bpmn:message with its name and zeebe:subscription. Whether a key is needed is checked later."""
    declared = draft.referenced(definition, "messageRef", "message")
    name = "" if declared is None else str(declared.get("name", "")).strip()
    if declared is None or not name:
        if declared is not None:
            draft.find(element, f"the <message> '{declared.get('id')}' has no name; give it one", "message")
        elif not definition.get("messageRef"):
            draft.find(element, "it waits for a message, but names none; add a messageRef", "message")
        return None
    subscription = extension(declared, "subscription")
    key = "" if subscription is None else str(subscription.get("correlationKey", "")).strip()
    correlation_key = draft.attribute(element, key, "correlation key") if key else None
    return m.MessageDefinition(draft.attribute(element, name, "message name"), correlation_key)


def _signal(draft: Draft, element: etree._Element, definition: etree._Element) -> m.SignalDefinition | None:
    declared = draft.referenced(definition, "signalRef", "signal")
    name = "" if declared is None else str(declared.get("name", "")).strip()
    if name:
        return m.SignalDefinition(draft.attribute(element, name, "signal name"))
    if declared is not None:
        draft.find(element, f"the <signal> '{declared.get('id')}' has no name; give it one", "signal")
    elif not definition.get("signalRef"):
        draft.find(element, "the signal event names no signal; add a signalRef", "signal")
    return None


def _timer(draft: Draft, element: etree._Element, definition: etree._Element) -> m.TimerDefinition | None:
    for kind in m.TimerKind:
        found = definition.find(BPMN + kind.value)
        if found is not None and (found.text or "").strip():
            return m.TimerDefinition(kind, draft.attribute(element, str(found.text).strip(), kind.value))
    draft.find(element, "the timer needs a timeDate, timeDuration or timeCycle with a value", "timer")
    return None


def _conditional(draft: Draft, element: etree._Element, definition: etree._Element) -> m.ConditionalDefinition | None:
    condition = definition.find(BPMN + "condition")
    text = "" if condition is None else (condition.text or "").strip()
    if not text.startswith("="):
        draft.find(element, f"the condition {text!r} must be a FEEL expression that begins with '='", "feel")
        return None
    return m.ConditionalDefinition(draft.attribute(element, text, "condition"))


def _error(draft: Draft, element: etree._Element, definition: etree._Element) -> m.ErrorDefinition:
    return m.ErrorDefinition(_code(draft, element, definition, "errorRef", "error", "errorCode"))


def _escalation(draft: Draft, element: etree._Element, definition: etree._Element) -> m.EscalationDefinition:
    return m.EscalationDefinition(_code(draft, element, definition, "escalationRef", "escalation", "escalationCode"))


def _code(
    draft: Draft, element: etree._Element, definition: etree._Element, reference: str, tag: str, attribute: str
) -> m.Attribute | None:
    declared = draft.referenced(definition, reference, tag)
    text = "" if declared is None else str(declared.get(attribute, "")).strip()
    return draft.attribute(element, text, f"{tag} code") if text else None


def _compensation(draft: Draft, element: etree._Element, definition: etree._Element) -> m.CompensationDefinition:
    if definition.get("waitForCompletion") == "false":
        message = "it waits for its compensation handlers, although waitForCompletion says false"
        draft.find(element, message, "compensation", "warning")
    return m.CompensationDefinition(str(definition.get("activityRef", "")))


def _link(draft: Draft, element: etree._Element, definition: etree._Element) -> m.LinkDefinition:
    name = str(definition.get("name", "")).strip()
    if not name:
        draft.find(element, "the link event needs a name: throw and catch events of one name belong together", "link")
    return m.LinkDefinition(name)


PARSERS: dict[str, Callable[[Draft, etree._Element, etree._Element], m.EventDefinition | None]] = {
    "timerEventDefinition": _timer,
    "messageEventDefinition": _message,
    "signalEventDefinition": _signal,
    "conditionalEventDefinition": _conditional,
    "errorEventDefinition": _error,
    "escalationEventDefinition": _escalation,
    "compensateEventDefinition": _compensation,
    "linkEventDefinition": _link,
}
