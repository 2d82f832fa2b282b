"""Tasks: people, jobs, scripts, decisions and called processes."""

from __future__ import annotations

from lxml import etree

from domain.bpmn.convert.data import parameters, retries, script_value, type_of
from domain.bpmn.convert.juel import Untranslatable, has_expression, to_feel
from domain.bpmn.convert.work import CAMUNDA, Work
from domain.bpmn.draft import BPMN, tag_of

BINDINGS = {"": "latest", "latest": "latest", "deployment": "deployment", "versionTag": "versionTag"}
DECISION_RESULTS = {
    "singleEntry": "",
    "singleResult": "the result is a context with one entry for each output, as in Camunda 7",
    "collectEntries": "a list, if the hit policy of the table collects",
    "resultList": "a list of contexts, if the hit policy of the table is RULE ORDER or OUTPUT ORDER",
}


def user_task(work: Work, element: etree._Element) -> None:
    """Assignment, dates, priority and form."""
    work.extend(element, "userTask")
    for name, extension, target in (
        ("assignee", "assignmentDefinition", "assignee"),
        ("candidateUsers", "assignmentDefinition", "candidateUsers"),
        ("candidateGroups", "assignmentDefinition", "candidateGroups"),
        ("dueDate", "taskSchedule", "dueDate"),
        ("followUpDate", "taskSchedule", "followUpDate"),
        ("priority", "priorityDefinition", "priority"),
    ):
        text = work.take(element, name)
        value = work.value(element, f"camunda:{name}", text) if text else None
        if value:
            work.extend(element, extension, **{target: value})
    form(work, element)
    retries(work, element)


def form(work: Work, element: etree._Element) -> None:
    """formKey, formRef and formData of a user task or start event."""
    key, reference = work.take(element, "formKey"), work.take(element, "formRef")
    binding, version = work.take(element, "formRefBinding"), work.take(element, "formRefVersion")
    if reference:
        value = work.value(element, "camunda:formRef", reference)
        if binding == "version":
            said = f"a form cannot be bound to version {version}"
            work.review(
                element, "camunda:formRefBinding", f"{said}; it is bound as latest", "give the form a version tag"
            )
        bound = {"deployment": "deployment"}.get(binding)
        if value:
            work.extend(element, "formDefinition", formId=value, bindingType=bound)
        work.info(element, "camunda:formRef", f"deploy the form '{reference}' with the model")
    elif key.startswith("camunda-forms:"):
        name = key.rpartition(":")[2].rpartition("/")[2].removesuffix(".form")
        work.extend(element, "formDefinition", formId=name)
        why = f"'{key}' became the form id '{name}', taken from the file's name"
        work.review(element, "camunda:formKey", why, "see that the id in the form file is the same")
    elif key:
        value = work.value(element, "camunda:formKey", key)
        if value and tag_of(element) == "userTask":
            work.extend(element, "formDefinition", externalReference=value)
        why = f"'{key}' is a form of a Java or HTML application"
        work.manual(element, "camunda:formKey", why, "draw it as a form, or let your own task application show it")
    for found in work.take_elements(element, "formData"):
        fields = [f"{field.get('id')} ({field.get('type', 'string')})" for field in found.iter() if field.get("id")]
        work.manual(
            element,
            "camunda:formData",
            f"fields that stand in the model are not supported: {', '.join(fields)}",
            "draw a form with these fields and name it by zeebe:formDefinition",
        )


def job(work: Work, element: etree._Element, carrier: etree._Element | None = None) -> None:
    """A service task, or anything else that runs code: zeebe:taskDefinition. carrier: where the attributes stand
    (a message event definition)."""
    carrier = element if carrier is None else carrier
    kind, topic = work.take(carrier, "type"), work.take(carrier, "topic")
    java, delegate = work.take(carrier, "class"), work.take(carrier, "delegateExpression")
    expression, result = work.take(carrier, "expression"), work.take(carrier, "resultVariable")
    connector = work.take_elements(element, "connector") or work.take_elements(carrier, "connector")
    tries = retries(work, element)
    if kind == "external" and topic:
        job_type = work.value(element, "camunda:topic", topic)
        if job_type:
            work.extend(element, "taskDefinition", type=job_type, retries=tries)
            work.info(element, "camunda:topic", f"the external task '{topic}' became jobs of this type")
    elif java or delegate or kind:
        code = java or delegate or kind
        _job_of_code(
            work, element, f"camunda:{'class' if java else 'delegateExpression' if delegate else 'type'}", code
        )
        work.extend(element, "taskDefinition", retries=tries)
    elif expression:
        _expression(work, element, expression, result, tries)
    elif connector:
        _connector(work, element, connector[0], tries)
    elif tag_of(element) in ("serviceTask", "sendTask", "businessRuleTask") or carrier is not element:
        why = "nothing says what it does"
        work.manual(element, tag_of(element), why, "give it a job type: zeebe:taskDefinition")
    if result and not expression:
        why = f"the result went to '{result}'"
        work.review(
            element, "camunda:resultVariable", why, f"let the worker complete the job with a variable '{result}'"
        )
    _fields(work, element, carrier)
    for found in work.take_elements(element, "errorEventDefinition"):
        why = f"errors by expression ('{found.get('expression', '')}') are not thrown by the engine"
        work.manual(element, "camunda:errorEventDefinition", why, "let the worker throw the BPMN error itself")


def _job_of_code(work: Work, element: etree._Element, what: str, code: str) -> None:
    job_type = type_of(code)
    work.extend(element, "taskDefinition", type=job_type)
    said = f"'{code}' became a job of type '{job_type}'"
    work.review(element, what, said, f"write a job worker for '{job_type}' that does what the Java code did")


def _expression(work: Work, element: etree._Element, text: str, result: str, tries: str | None) -> None:
    """An expression that reads values becomes a script task; one that calls a method needs a worker."""
    try:
        feel = to_feel(text)
    except Untranslatable:
        _job_of_code(work, element, "camunda:expression", text)
        work.extend(element, "taskDefinition", retries=tries)
        return
    if not result or tag_of(element) != "serviceTask":
        why = f"'{text}' is evaluated and its value kept nowhere"
        work.manual(element, "camunda:expression", why, "remove the task, or let a job worker do it")
        work.extend(element, "taskDefinition", type=type_of(text), retries=tries)
        return
    element.tag = f"{BPMN}scriptTask"
    work.extend(element, "script", expression=f"={feel}", resultVariable=result)
    work.review(element, "camunda:expression", f"'{text}' became the FEEL script '={feel}' of a script task")


def _fields(work: Work, element: etree._Element, carrier: etree._Element) -> None:
    """Injected fields become headers if they are fixed, else inputs."""
    for field in [*work.take_elements(element, "field"), *(work.take_elements(carrier, "field"))]:
        name = str(field.get("name", ""))
        nested = next(iter(field), None)
        text = str(field.get("stringValue") or field.get("expression") or (nested.text if nested is not None else ""))
        if has_expression(text):
            value = work.value(element, f"camunda:field '{name}'", text)
            if value:
                work.extend_each(element, "ioMapping", "input", {"source": value, "target": name})
        else:
            work.extend_each(element, "taskHeaders", "header", {"key": name, "value": text})
        work.info(element, f"camunda:field '{name}'", "injected into the class: the worker finds it in the job")


def _connector(work: Work, element: etree._Element, connector: etree._Element, tries: str | None) -> None:
    found = connector.find(f"{CAMUNDA}connectorId")
    name = (found.text or "").strip() if found is not None else "connector"
    work.extend(element, "taskDefinition", type=name, retries=tries)
    for mapping in connector.findall(f"{CAMUNDA}inputOutput"):
        parameters(work, element, mapping)
    why = f"the connector '{name}' became a job of this type with its inputs and outputs"
    work.manual(element, "camunda:connector", why, f"write a job worker for '{name}', or use a connector of Camunda 8")


def script_task(work: Work, element: etree._Element) -> None:
    """FEEL and JUEL scripts stay scripts; others become jobs that carry their text."""
    result, resource = work.take(element, "resultVariable"), work.take(element, "resource")
    language = str(element.attrib.pop("scriptFormat", "")).lower()
    script = element.find(f"{BPMN}script")
    text = (script.text or "").strip() if script is not None else ""
    if resource:
        work.manual(element, "camunda:resource", f"the script is in '{resource}'", "write it as FEEL into the model")
    probe = etree.Element("script", {"scriptFormat": language})
    probe.text = text
    feel = script_value(work, element, probe, "script") if language in ("juel", "feel") and text else None
    if feel and result:
        work.extend(element, "script", expression=feel, resultVariable=result)
    else:
        work.extend(element, "taskDefinition", type=f"script-{language or 'unknown'}", retries=retries(work, element))
        work.extend_each(element, "taskHeaders", "header", {"key": "language", "value": language})
        work.extend_each(element, "taskHeaders", "header", {"key": "script", "value": text})
        work.manual(
            element,
            f"script in {language or 'no language'}",
            "scripts run in the engine only as FEEL with a result variable; it became a job that carries its text",
            f"write it in FEEL, or a job worker for 'script-{language or 'unknown'}'",
        )
        if result:
            work.extend_each(element, "taskHeaders", "header", {"key": "resultVariable", "value": result})
    if script is not None:
        element.remove(script)


def business_rule_task(work: Work, element: etree._Element) -> None:
    """decisionRef to zeebe:calledDecision; anything else is a job."""
    decision = work.take(element, "decisionRef")
    if not decision:
        job(work, element)
        return
    binding, version = work.take(element, "decisionRefBinding"), work.take(element, "decisionRefVersion")
    tag, mapped = work.take(element, "decisionRefVersionTag"), work.take(element, "mapDecisionResult")
    result, tenant = work.take(element, "resultVariable"), work.take(element, "decisionRefTenantId")
    value = work.value(element, "camunda:decisionRef", decision)
    if binding not in BINDINGS:
        why = f"a decision cannot be bound to version {version}; it is bound as latest"
        work.manual(element, "camunda:decisionRefBinding", why, "give the decision a version tag and bind to that")
    if tenant:
        work.info(element, "camunda:decisionRefTenantId", "left out: decisions are found in the instance's tenant")
    if not result:
        result = "decisionResult"
        why = "no result variable: the result goes to 'decisionResult'"
        work.review(element, "camunda:decisionRef", why, "name the variable that the next elements read")
    bound = BINDINGS.get(binding, "latest")
    if value:
        work.extend(
            element,
            "calledDecision",
            decisionId=value,
            resultVariable=result,
            bindingType=None if bound == "latest" else bound,
            versionTag=tag or None,
        )
    said = DECISION_RESULTS.get(mapped or "resultList", "")
    if said:
        work.review(element, f"camunda:mapDecisionResult {mapped or '(none)'}", f"the hit policy decides: {said}")
    retries(work, element)


def call_activity(work: Work, element: etree._Element) -> None:
    """calledElement with its binding, and in and out mappings."""
    called = str(element.attrib.pop("calledElement", ""))
    binding, version = work.take(element, "calledElementBinding"), work.take(element, "calledElementVersion")
    tag = work.take(element, "calledElementVersionTag")
    for name in ("variableMappingClass", "variableMappingDelegateExpression"):
        code = work.take(element, name)
        if code:
            work.manual(element, f"camunda:{name}", f"'{code}' is Java", "map variables with zeebe:ioMapping")
    if work.take(element, "calledElementTenantId"):
        work.info(element, "camunda:calledElementTenantId", "left out: processes are found in the instance's tenant")
    if binding not in BINDINGS:
        why = f"a process cannot be bound to version {version}; it is bound as latest"
        work.manual(element, "camunda:calledElementBinding", why, "give the process a version tag and bind to that")
    bound = BINDINGS.get(binding, "latest")
    value = work.value(element, "calledElement", called) if called else None
    everything = {side: _mapped(work, element, side) for side in ("in", "out")}
    work.extend(
        element,
        "calledElement",
        processId=value,
        bindingType=None if bound == "latest" else bound,
        versionTag=tag or None,
        propagateAllParentVariables=str(everything["in"]).lower(),
        propagateAllChildVariables=str(everything["out"]).lower(),
    )
    if not value:
        work.manual(element, "calledElement", "nothing says which process is called", "name it: zeebe:calledElement")
    retries(work, element)


def _mapped(work: Work, element: etree._Element, side: str) -> bool:
    """The in or out mappings of a call activity; whether all variables go."""
    everything = False
    for found in work.take_elements(element, side):
        what = f"camunda:{side}"
        if found.get("variables") == "all":
            everything = True
        elif found.get("businessKey"):
            why = "there is no business key below the instance"
            work.review(element, f"{what} businessKey", why, "hand it down in a variable")
        else:
            source, text = str(found.get("source", "")), str(found.get("sourceExpression", ""))
            feel = f"={source}" if source else work.value(element, what, text)
            if feel:
                target = str(found.get("target", "")) or source
                mapping = {"source": feel, "target": target}
                work.extend_each(element, "ioMapping", "input" if side == "in" else "output", mapping)
        if found.get("local") == "true":
            work.info(element, f"{what} local", "left out: variables are read from the scope of the call")
    return everything
