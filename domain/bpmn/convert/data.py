"""Data of elements: input and output parameters, properties, listeners, multi-instance, and what all elements share."""

from __future__ import annotations

import re

from lxml import etree

from domain.bpmn.convert.juel import has_expression
from domain.bpmn.convert.work import CAMUNDA, Work, remove
from domain.bpmn.draft import BPMN, tag_of
from domain.feel import FeelSyntaxError, compile_expression

_RETRIES = re.compile(r"R(\d+)/")
NOT_NEEDED = {
    "asyncBefore": "each step is stored before the next begins: no transaction has to be cut here",
    "asyncAfter": "each step is stored before the next begins: no transaction has to be cut here",
    "async": "each step is stored before the next begins: no transaction has to be cut here",
    "exclusive": "one instance is worked on by one command at a time, always",
    "historyTimeToLive": "how long finished instances are kept is a matter of the server, not of the model",
    "isStartableInTasklist": "every process may be started by whom the server lets",
    "jobPriority": "jobs are handed out in the order in which they arose",
    "taskPriority": "jobs are handed out in the order in which they arose",
    "modelerTemplate": "an element template of Camunda 7's modeler",
    "modelerTemplateVersion": "an element template of Camunda 7's modeler",
}
"""Attributes that have no counterpart and need none → why."""
LISTENER_EVENTS = {"create": "creating", "assignment": "assigning", "update": "updating", "complete": "completing",
                   "delete": "canceling"}  # fmt: skip
FEEL_FORMATS = ("feel", "")
JUEL_FORMATS = ("juel", "expression")


def common(work: Work, element: etree._Element) -> None:
    """What any element may have."""
    for name, why in NOT_NEEDED.items():
        if work.take(element, name):
            work.info(element, f"camunda:{name}", f"left out: {why}")
    for properties in work.take_elements(element, "properties"):
        for child in properties:
            pair = {"name": str(child.get("name", "")), "value": str(child.get("value", ""))}
            work.extend_each(element, "properties", "property", pair)
    for found in work.take_elements(element, "inputOutput"):
        parameters(work, element, found)
    _listeners(work, element)


def retries(work: Work, element: etree._Element) -> str | None:
    """The retries of a job, from failedJobRetryTimeCycle."""
    found = work.take_elements(element, "failedJobRetryTimeCycle")
    text = str(found[0].text or "").strip() if found else ""
    if not text:
        return None
    match = _RETRIES.match(text)
    if match is None:
        return_to = "set the retries of the job, and let the worker give the back-off"
        work.manual(element, "camunda:failedJobRetryTimeCycle", f"'{text}' is not of the form R3/PT5M", return_to)
        return None
    work.info(
        element,
        "camunda:failedJobRetryTimeCycle",
        f"'{text}' became {match[1]} retries; how long to wait is said by the worker when it fails the job",
    )
    return match[1]


def parameters(work: Work, element: etree._Element, found: etree._Element) -> None:
    """camunda:inputOutput to zeebe:ioMapping."""
    for child in found:
        side = "input" if tag_of(child) == "inputParameter" else "output"
        name = str(child.get("name", ""))
        value = _parameter(work, element, child, f"camunda:{tag_of(child)} '{name}'")
        if value is not None:
            work.extend_each(element, "ioMapping", side, {"source": value, "target": name})


def _parameter(work: Work, element: etree._Element, child: etree._Element, what: str) -> str | None:
    """The FEEL (with "=") of a parameter: text, expression, list, map or script."""
    nested = next(iter(child), None)
    if nested is None:
        return work.value(element, what, (child.text or "").strip(), feel=True)
    kind = tag_of(nested)
    if kind == "list":
        items = [_entry(work, element, item, what) for item in nested]
        return None if None in items else f"=[{', '.join(filter(None, items))}]"
    if kind == "map":
        pairs = [(str(entry.get("key", "")), _entry(work, element, entry, what)) for entry in nested]
        if any(value is None for _, value in pairs):
            return None
        return "={" + ", ".join(f'"{key}": {value}' for key, value in pairs) + "}"
    if kind == "script":
        return script_value(work, element, nested, what)
    work.manual(element, what, f"<camunda:{kind}> is not known", "write the mapping in FEEL")
    return None


def _entry(work: Work, element: etree._Element, item: etree._Element, what: str) -> str | None:
    value = _parameter(work, element, item, what) if len(item) else None
    if not len(item):
        if tag_of(item) == "script":
            value = script_value(work, element, item, what)
        else:
            value = work.value(element, what, (item.text or "").strip(), feel=True)
    return value[1:] if value else None


def script_value(work: Work, element: etree._Element, script: etree._Element, what: str) -> str | None:
    """A script as FEEL: only what is FEEL or JUEL already."""
    language = str(script.get("scriptFormat", "")).lower()
    text = (script.text or "").strip()
    if language in JUEL_FORMATS:
        return work.value(element, what, text if has_expression(text) else f"${{{text}}}")
    if language in FEEL_FORMATS and text:
        try:
            compile_expression(text)
            return f"={text}"
        except FeelSyntaxError:
            pass
    said = f"a script in {language or 'no language'} does not run in the engine"
    work.manual(element, what, said, "write it in FEEL, or let a job worker compute it")
    return None


# --- listeners ---


def _listeners(work: Work, element: etree._Element) -> None:
    for found in work.take_elements(element, "executionListener"):
        event = str(found.get("event", "start"))
        what = f"camunda:executionListener on {event}"
        if tag_of(element) == "sequenceFlow" or event not in ("start", "end"):
            where = "put what it does into an element before or behind the flow"
            work.manual(element, what, "sequence flows have no listeners", where)
            continue
        job_type = listener_type(work, element, found, what)
        work.extend_each(element, "executionListeners", "executionListener", {"eventType": event, "type": job_type})
    for found in work.take_elements(element, "taskListener"):
        event = str(found.get("event", ""))
        what = f"camunda:taskListener on {event}"
        if event not in LISTENER_EVENTS:
            work.manual(element, what, "there is no such task listener", "use a timer boundary event for a timeout")
            continue
        job_type = listener_type(work, element, found, what)
        new = {"eventType": LISTENER_EVENTS[event], "type": job_type}
        work.extend_each(element, "taskListeners", "taskListener", new)


def listener_type(work: Work, element: etree._Element, found: etree._Element, what: str) -> str:
    """The job type of a listener, from the code it ran."""
    code = str(found.get("class") or found.get("delegateExpression") or found.get("expression") or "script")
    job_type = type_of(code)
    work.review(
        element, what, f"'{code}' became a job of type '{job_type}'", f"write a job worker for type '{job_type}'"
    )
    return job_type


def type_of(code: str) -> str:
    """A job type from a class name, a delegate or an expression: its last name, in words joined by hyphens."""
    names = re.findall(r"[A-Za-z_]\w*", code.partition("(")[0]) or ["work"]
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", names[-1]).lower()


# --- multi-instance ---


def multi_instance(work: Work, element: etree._Element) -> None:
    """camunda:collection and elementVariable, or a loopCardinality, to zeebe:loopCharacteristics."""
    found = element.find(f"{BPMN}multiInstanceLoopCharacteristics")
    if found is None:
        return
    common(work, found)
    collection, variable = work.take(found, "collection"), work.take(found, "elementVariable")
    reference = found.find(f"{BPMN}loopDataInputRef")
    cardinality = found.find(f"{BPMN}loopCardinality")
    source: str | None = None
    if reference is not None:
        collection = collection or (reference.text or "").strip()
        found.remove(reference)
    if collection:
        source = (
            f"={collection}" if collection.isidentifier() else work.value(element, "camunda:collection", collection)
        )
    elif cardinality is not None:
        text = (cardinality.text or "").strip()
        count = text if text.isdigit() else (work.value(element, "loopCardinality", text) or "")[1:]
        source = f"=for i in 1..{count} return i" if count else None
    if cardinality is not None:
        found.remove(cardinality)
    item = found.find(f"{BPMN}inputDataItem")
    if item is not None:
        variable = variable or str(item.get("name", ""))
        found.remove(item)
    if source is not None:
        work.extend(found, "loopCharacteristics", inputCollection=source, inputElement=variable or None)
    _completion(work, element, found)
    if "loopCounter" in etree.tostring(element, encoding="unicode"):
        why = "loopCounter begins at 0 in Camunda 7 and at 1 here"
        work.review(element, "loopCounter", why, "take 1 away where it is used")


def _completion(work: Work, element: etree._Element, found: etree._Element) -> None:
    condition = found.find(f"{BPMN}completionCondition")
    if condition is not None and condition.text:
        feel = work.value(element, "completionCondition", condition.text.strip())
        if feel is not None:
            condition.text = feel


def leftovers(work: Work, root: etree._Element) -> None:
    """What no rule dealt with is noted and taken out."""
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            continue
        for name in [str(key) for key in element.attrib if str(key).startswith(CAMUNDA)]:
            value = element.get(name)
            del element.attrib[name]
            what = f"camunda:{name.removeprefix(CAMUNDA)}"
            work.manual(element, what, f"'{value}' has no counterpart and was left out", "see whether it is needed")
        if element.tag.startswith(CAMUNDA):
            what = f"camunda:{tag_of(element)}"
            work.manual(element, what, "it has no counterpart and was left out", "see whether it is needed")
            remove(element)
    for extensions in list(root.iter(f"{BPMN}extensionElements")):
        if not len(extensions):
            remove(extensions)
