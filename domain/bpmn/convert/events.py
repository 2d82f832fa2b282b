"""Events, conditions of sequence flows, and the messages, signals, errors and escalations of the document."""

from __future__ import annotations

from lxml import etree

from domain.bpmn.convert.juel import has_expression
from domain.bpmn.convert.tasks import form, job
from domain.bpmn.convert.work import Work
from domain.bpmn.draft import BPMN, tag_of
from domain.bpmn.model import TimerKind
from domain.bpmn.timers import parse_timer_text
from domain.errors import DomainError

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def event(work: Work, element: etree._Element) -> None:
    """Start, end, catch, throw and boundary events."""
    if tag_of(element) == "startEvent":
        initiator = work.take(element, "initiator")
        if initiator:
            why = f"the user who starts an instance is not put into '{initiator}'"
            work.manual(element, "camunda:initiator", why, f"let the client start with a variable '{initiator}'")
        form(work, element)
    for definition in element:
        if not isinstance(definition.tag, str):
            continue
        match tag_of(definition):
            case "timerEventDefinition":
                _timer(work, element, definition)
            case "conditionalEventDefinition":
                _conditional(work, element, definition)
            case "messageEventDefinition":
                if tag_of(element) in ("endEvent", "intermediateThrowEvent"):
                    job(work, element, definition)
            case "errorEventDefinition":
                for name in ("errorCodeVariable", "errorMessageVariable"):
                    _lost_variable(work, element, definition, name, "the worker throws the error with variables")
            case "escalationEventDefinition":
                _lost_variable(work, element, definition, "escalationCodeVariable", "one event for each code")
            case "signalEventDefinition":
                for found in work.take_elements(definition, "in"):
                    why = f"a signal carries variables by its mappings ('{found.get('source') or 'all'}')"
                    work.manual(element, "camunda:in", why, "map what it carries with zeebe:ioMapping")
            case _:
                pass


def _lost_variable(work: Work, element: etree._Element, definition: etree._Element, name: str, instead: str) -> None:
    variable = work.take(definition, name)
    if variable:
        why = f"the variable '{variable}' is not set by the engine"
        work.manual(element, f"camunda:{name}", why, f"where it is needed: {instead}")


def _timer(work: Work, element: etree._Element, definition: etree._Element) -> None:
    for kind in TimerKind:
        found = definition.find(BPMN + kind.value)
        text = "" if found is None else (found.text or "").strip()
        if found is None or not text:
            continue
        value = work.value(element, kind.value, text)
        if value is None:
            continue
        found.text = value
        if value.startswith("="):
            why = f"'{text}' became '{value}'; a variable with a Java date becomes a text or a date of FEEL"
            work.review(element, kind.value, why)
            continue
        try:
            parse_timer_text(kind, value)
        except DomainError as error:
            work.manual(element, kind.value, str(error), "write it as ISO 8601, or a cron expression of six fields")


def _conditional(work: Work, element: etree._Element, definition: etree._Element) -> None:
    for name in ("variableName", "variableEvents"):
        text = work.take(definition, name)
        if text:
            why = f"left out ('{text}'): the condition is looked at whenever one of its variables changes"
            work.info(element, f"camunda:{name}", why)
    condition = definition.find(f"{BPMN}condition")
    if condition is not None:
        _condition(work, element, condition, "condition")


def sequence_flow(work: Work, element: etree._Element) -> None:
    """The condition of a flow."""
    condition = element.find(f"{BPMN}conditionExpression")
    if condition is not None:
        _condition(work, element, condition, "conditionExpression")


def _condition(work: Work, element: etree._Element, condition: etree._Element, what: str) -> None:
    language = str(condition.attrib.pop("language", "")).lower()
    resource = work.take(condition, "resource")
    text = (condition.text or "").strip()
    if resource or language not in ("", "juel", "feel"):
        why = f"a condition in {language or resource} does not run in the engine"
        work.manual(element, what, why, "write it in FEEL, beginning with '='")
        return
    if language == "feel":
        condition.text = f"={text.removeprefix('=')}"
        return
    if text and not has_expression(text) and text in ("true", "false"):
        condition.text = f"={text}"
        return
    value = work.value(element, what, text)
    if value is not None:
        condition.text = value


def roots(work: Work, root: etree._Element) -> None:
    """Names and codes that are expressions; correlation keys that are missing."""
    for tag, name in (
        ("message", "name"),
        ("signal", "name"),
        ("error", "errorCode"),
        ("escalation", "escalationCode"),
    ):
        for declared in root.iterchildren(BPMN + tag):
            text = str(declared.get(name, ""))
            if has_expression(text):
                value = work.value(declared, f"{tag} {name}", text)
                if value:
                    declared.set(name, value)
            said = work.take(declared, "errorMessage")
            if said:
                why = f"the message '{said}' is said by who throws the error"
                work.info(declared, "camunda:errorMessage", why)
    waited_for = {str(reference.get("messageRef")) for reference in _waiting(root)}
    for message in root.iterchildren(f"{BPMN}message"):
        if message.get("id") in waited_for:
            why = "Camunda 7 correlates by business key or variables that the caller names; here by one key"
            suggestion = 'give it <zeebe:subscription correlationKey="=…" />, a variable that both sides know'
            work.manual(message, "correlationKey", why, suggestion)


def _waiting(root: etree._Element) -> list[etree._Element]:
    """The definitions and receive tasks that wait for a message inside an instance."""
    found = [task for task in root.iter(f"{BPMN}receiveTask") if task.get("messageRef")]
    for definition in root.iter(f"{BPMN}messageEventDefinition"):
        parent = definition.getparent()
        assert parent is not None
        scope = parent.getparent()
        inside = scope is not None and (tag_of(scope) != "process" or tag_of(parent) != "startEvent")
        if tag_of(parent) in ("intermediateCatchEvent", "boundaryEvent", "startEvent") and inside:
            found.append(definition)
    return found
