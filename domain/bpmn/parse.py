"""XML → model: reads the executable processes of a BPMN 2.0 document with Zeebe extension elements.

Names are matched by namespace URI, whatever the prefix. What the engine does not execute, and every expression that
does not compile, becomes a finding; nothing is dropped silently. Sequence flows without ids get `source--target`
(BPMN 2.0 makes ids optional; incoming/outgoing children are not needed either: the flows say it all).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lxml import etree

from domain.bpmn import model as m
from domain.bpmn.model import ElementType, FlowNode, ProcessModel, SequenceFlow
from domain.errors import Finding
from domain.feel import FeelSyntaxError, compile_expression

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"

FLOW_NODES: dict[str, ElementType] = {
    "startEvent": ElementType.START_EVENT,
    "endEvent": ElementType.END_EVENT,
    "intermediateCatchEvent": ElementType.INTERMEDIATE_CATCH_EVENT,
    "intermediateThrowEvent": ElementType.INTERMEDIATE_THROW_EVENT,
    "boundaryEvent": ElementType.BOUNDARY_EVENT,
    "task": ElementType.TASK,
    "manualTask": ElementType.MANUAL_TASK,
    "userTask": ElementType.USER_TASK,
    "serviceTask": ElementType.SERVICE_TASK,
    "scriptTask": ElementType.SCRIPT_TASK,
    "businessRuleTask": ElementType.BUSINESS_RULE_TASK,
    "exclusiveGateway": ElementType.EXCLUSIVE_GATEWAY,
    "parallelGateway": ElementType.PARALLEL_GATEWAY,
    "subProcess": ElementType.SUB_PROCESS,
}
NOT_EXECUTED = frozenset(
    "documentation extensionElements laneSet dataObject dataObjectReference dataStoreReference association "
    "textAnnotation group ioSpecification property auditing monitoring incoming outgoing category".split()
)
LOOPS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")


@dataclass
class _Draft:
    """A process while it is read."""

    nodes: dict[str, FlowNode] = field(default_factory=dict)
    flows: list[tuple[SequenceFlow, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def find(self, element: etree._Element | str, message: str, rule: str, severity: str = "error") -> None:
        if isinstance(element, str):
            self.findings.append(Finding(element, message, 0, severity, rule))
        else:
            self.findings.append(Finding(_id(element), message, line_of(element), severity, rule))


def _id(element: etree._Element) -> str:
    """The element's id, or that of the nearest parent that has one."""
    current: etree._Element | None = element
    while current is not None:
        if current.get("id"):
            return str(current.get("id"))
        current = current.getparent()
    return ""


def line_of(element: etree._Element) -> int:
    """The 1-based line of the element, 0 where unknown."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname


def _bpmn_children(element: etree._Element) -> Iterator[etree._Element]:
    return (child for child in element if str(child.tag).startswith(BPMN))


def _extension(element: etree._Element, name: str) -> etree._Element | None:
    return element.find(f"{BPMN}extensionElements/{ZEEBE}{name}")


def parse_processes(root: etree._Element) -> list[tuple[ProcessModel, list[Finding]]]:
    """The executable processes of a document, each with what was found wrong while reading."""
    parsed = []
    for process in root.iter(f"{BPMN}process"):
        if process.get("isExecutable") == "true":
            parsed.append(_parse_process(process))
    return parsed


def _parse_process(process: etree._Element) -> tuple[ProcessModel, list[Finding]]:
    draft = _Draft()
    process_id = str(process.get("id", ""))
    if not process_id:
        draft.find(process, "the process has no id; give it one", "id")
    name = str(process.get("name", ""))
    tag = _extension(process, "versionTag")
    _parse_scope(draft, process, FlowNode(process_id, ElementType.PROCESS, name, line=line_of(process)))
    nodes, flows = _connect(draft)
    start = nodes[process_id].start
    form = draft_form(process, start)
    model = ProcessModel(process_id, name, str(tag.get("value", "")) if tag is not None else "", nodes, flows, form)
    return model, draft.findings


def draft_form(process: etree._Element, start: str) -> str:
    """The form id of the none start event, "" where it has none."""
    for event in process.iterchildren(f"{BPMN}startEvent"):
        definition = _extension(event, "formDefinition")
        if event.get("id") == start and definition is not None:
            return str(definition.get("formId", ""))
    return ""


def _parse_scope(draft: _Draft, element: etree._Element, scope: FlowNode) -> None:
    """Read a process or subprocess and all it contains."""
    starts: list[str] = []
    _add(draft, element, scope)
    for child in _bpmn_children(element):
        kind = _local(child)
        if kind == "sequenceFlow":
            _parse_flow(draft, child)
        elif kind in FLOW_NODES:
            node = _parse_node(draft, child, scope.id)
            if node.type is ElementType.START_EVENT:
                starts.append(node.id)
        elif kind not in NOT_EXECUTED and kind not in LOOPS:
            draft.find(child, f"the element <{kind}> is not supported", "unsupported")
    if starts:
        draft.nodes[scope.id] = _replace(draft.nodes[scope.id], start=starts[0])
    for extra in starts[1:]:
        draft.find(extra, "a scope has one none start event; remove this one or the other", "start-event")


def _replace(node: FlowNode, **changes: object) -> FlowNode:
    values = {name: getattr(node, name) for name in node.__struct_fields__}
    return FlowNode(**{**values, **changes})


def _add(draft: _Draft, element: etree._Element, node: FlowNode) -> None:
    if node.id in draft.nodes:
        draft.find(element, f"the id '{node.id}' is used twice; ids are unique in a document", "id")
        return
    draft.nodes[node.id] = node


def _parse_node(draft: _Draft, element: etree._Element, scope: str) -> FlowNode:
    kind = FLOW_NODES[_local(element)]
    node_id = str(element.get("id", ""))
    if not node_id:
        draft.find(element, f"a <{_local(element)}> has no id; give it one", "id")
        node_id = f"line-{element.sourceline}"
    for loop in LOOPS:
        if element.find(BPMN + loop) is not None:
            draft.find(element, f"<{loop}> is not supported", "unsupported")
    inputs, outputs = _mappings(draft, element)
    node = FlowNode(
        node_id,
        kind,
        str(element.get("name", "")),
        scope,
        line_of(element),
        default_flow=str(element.get("default", "")),
        inputs=inputs,
        outputs=outputs,
        properties=_pairs(element, "properties", "property", "name", "value"),
        attached_to=str(element.get("attachedToRef", "")),
        interrupting=element.get("cancelActivity", "true") != "false",
    )
    parse_details = DETAILS.get(kind)
    if parse_details is not None:
        node = parse_details(draft, element, node)
    if kind is ElementType.SUB_PROCESS:
        if element.get("triggeredByEvent") == "true":
            draft.find(element, "event subprocesses (triggeredByEvent) are not supported", "unsupported")
        _parse_scope(draft, element, node)
    else:
        _add(draft, element, node)
    return node


def _parse_flow(draft: _Draft, element: etree._Element) -> None:
    source, target = str(element.get("sourceRef", "")), str(element.get("targetRef", ""))
    flow_id = str(element.get("id") or f"{source}--{target}")
    condition = element.find(f"{BPMN}conditionExpression")
    attribute = None
    if condition is not None:
        text = (condition.text or "").strip()
        if not text.startswith("="):
            draft.find(
                element, f"the condition {text!r} must be a FEEL expression: begin it with '=', as in '={text}'", "feel"
            )
        else:
            attribute = _attribute(draft, element, text, "condition")
    draft.flows.append(
        (SequenceFlow(flow_id, source, target, attribute, str(element.get("name", ""))), line_of(element))
    )


def _connect(draft: _Draft) -> tuple[dict[str, FlowNode], dict[str, SequenceFlow]]:
    """Tie flows and boundary events to their nodes; dangling references are findings."""
    incoming: dict[str, list[str]] = {}
    outgoing: dict[str, list[SequenceFlow]] = {}
    boundary: dict[str, list[str]] = {}
    flows: dict[str, SequenceFlow] = {}
    for flow, line in draft.flows:
        dangling = False
        for end, node_id in (("sourceRef", flow.source), ("targetRef", flow.target)):
            if node_id not in draft.nodes:
                dangling = True
                draft.findings.append(
                    Finding(flow.id, f"{end} '{node_id}' is not an element of this process", line, rule="dangling")
                )
        if flow.id in flows or flow.id in draft.nodes:
            draft.findings.append(Finding(flow.id, f"the id '{flow.id}' is used twice", line, rule="id"))
        elif not dangling:
            flows[flow.id] = flow
            outgoing.setdefault(flow.source, []).append(flow)
            incoming.setdefault(flow.target, []).append(flow.id)
    for node in draft.nodes.values():
        if node.type is ElementType.BOUNDARY_EVENT:
            boundary.setdefault(node.attached_to, []).append(node.id)
    nodes = {
        node.id: _replace(
            node,
            incoming=tuple(incoming.get(node.id, ())),
            outgoing=tuple(outgoing.get(node.id, ())),
            boundary=tuple(boundary.get(node.id, ())),
        )
        for node in draft.nodes.values()
    }
    return nodes, flows


# --- what tasks and events are set up with --------------------------------------------------------------------------


def _attribute(draft: _Draft, element: etree._Element, text: str, what: str) -> m.Attribute:
    """A value from the model; FEEL behind "=" is compiled, and what does not compile is a finding."""
    if not text.startswith("="):
        return m.Attribute(text)
    try:
        return m.Attribute(text, compile_expression(text[1:].strip()), "now" in text or "today" in text)
    except FeelSyntaxError as error:
        draft.find(element, f"the {what} '{text}' is not a valid FEEL expression: {error}", "feel")
        return m.Attribute(text)


def _optional(draft: _Draft, element: etree._Element, extension: str, name: str, what: str) -> m.Attribute | None:
    found = _extension(element, extension)
    text = "" if found is None else str(found.get(name, "")).strip()
    return _attribute(draft, element, text, what) if text else None


def _pairs(element: etree._Element, outer: str, inner: str, key: str, value: str) -> dict[str, str]:
    found = _extension(element, outer)
    if found is None:
        return {}
    return {str(child.get(key, "")): str(child.get(value, "")) for child in found.iterchildren(f"{ZEEBE}{inner}")}


def _mappings(
    draft: _Draft, element: etree._Element
) -> tuple[tuple[m.VariableMapping, ...], tuple[m.VariableMapping, ...]]:
    found = _extension(element, "ioMapping")
    if found is None:
        return (), ()
    sides: dict[str, list[m.VariableMapping]] = {"input": [], "output": []}
    for child in found:
        side = _local(child)
        target = str(child.get("target", "")).strip()
        if side not in sides:
            continue
        if not target:
            draft.find(child, f"an {side} mapping has no target; name the variable it sets", "mapping")
            continue
        source = _attribute(draft, child, str(child.get("source", "")).strip(), f"{side} mapping of '{target}'")
        sides[side].append(m.VariableMapping(source, tuple(target.split("."))))
    return tuple(sides["input"]), tuple(sides["output"])


def _job(draft: _Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    definition = _extension(element, "taskDefinition")
    job_type = "" if definition is None else str(definition.get("type", "")).strip()
    if not job_type:
        draft.find(element, 'the task needs a job type: add <zeebe:taskDefinition type="…" />', "task-definition")
        return node
    assert definition is not None
    headers = _pairs(element, "taskHeaders", "header", "key", "value")
    job = m.JobDefinition(
        _attribute(draft, element, job_type, "job type"),
        _attribute(draft, element, str(definition.get("retries", "3")).strip() or "3", "retries"),
        headers,
    )
    return _replace(node, definition=job)


def _script(draft: _Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    script = _extension(element, "script")
    if script is None:
        return _job(draft, element, node)
    text = str(script.get("expression", "")).strip()
    result = str(script.get("resultVariable", "")).strip()
    if not text.startswith("=") or not result:
        draft.find(
            element, "<zeebe:script> needs an expression that begins with '=' and a resultVariable", "task-definition"
        )
        return node
    return _replace(node, definition=m.ScriptDefinition(_attribute(draft, element, text, "script"), result))


def _business_rule(draft: _Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    called = _extension(element, "calledDecision")
    if called is None:
        return _job(draft, element, node)
    decision_id = str(called.get("decisionId", "")).strip()
    result = str(called.get("resultVariable", "")).strip()
    binding, tag = str(called.get("bindingType", "latest")), str(called.get("versionTag", "")).strip()
    if not decision_id or not result:
        draft.find(element, "<zeebe:calledDecision> needs a decisionId and a resultVariable", "task-definition")
    elif binding not in list(m.Binding):
        allowed = ", ".join(m.Binding)
        draft.find(element, f"the bindingType '{binding}' is unknown; it is one of {allowed}", "task-definition")
    elif binding == m.Binding.VERSION_TAG and not tag:
        draft.find(element, "a decision bound by versionTag needs the attribute versionTag", "task-definition")
    else:
        decision = _attribute(draft, element, decision_id, "decision id")
        return _replace(node, definition=m.CalledDecision(decision, result, m.Binding(binding), tag))
    return node


def _user_task(draft: _Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    if _extension(element, "userTask") is None:
        draft.find(
            element,
            "the user task has no <zeebe:userTask />; it runs as a user task all the same",
            "user-task",
            "warning",
        )
    form = _extension(element, "formDefinition")
    external = None if form is None else form.get("externalReference")
    task = m.UserTaskDefinition(
        _optional(draft, element, "assignmentDefinition", "assignee", "assignee"),
        _optional(draft, element, "assignmentDefinition", "candidateGroups", "candidate groups"),
        _optional(draft, element, "assignmentDefinition", "candidateUsers", "candidate users"),
        _optional(draft, element, "taskSchedule", "dueDate", "due date"),
        _optional(draft, element, "taskSchedule", "followUpDate", "follow-up date"),
        _optional(draft, element, "priorityDefinition", "priority", "priority"),
        _optional(draft, element, "formDefinition", "formId", "form id"),
        None if external is None else _attribute(draft, element, str(external), "external form reference"),
        _pairs(element, "taskHeaders", "header", "key", "value"),
    )
    return _replace(node, definition=task)


def _event(draft: _Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """Start, end, catch, throw and boundary events: none, timer and terminate definitions."""
    for child in _bpmn_children(element):
        kind = _local(child)
        if not kind.endswith("EventDefinition") and kind != "eventDefinitionRef":
            continue
        if kind == "terminateEventDefinition" and node.type is ElementType.END_EVENT:
            node = _replace(node, terminates=True)
        elif kind == "timerEventDefinition" and node.type in WITH_TIMER:
            node = _replace(node, definition=_timer(draft, element, child))
        else:
            draft.find(element, f"a {_event_name(node.type)} with <{kind}> is not supported", "unsupported")
    if node.type in WITH_TIMER and node.definition is None and not _has_definition(element):
        draft.find(
            element, f"a {_event_name(node.type)} needs an event definition, such as a timer", "event-definition"
        )
    return node


WITH_TIMER = (ElementType.INTERMEDIATE_CATCH_EVENT, ElementType.BOUNDARY_EVENT)


def _has_definition(element: etree._Element) -> bool:
    return any(_local(child).endswith("EventDefinition") for child in _bpmn_children(element))


def _event_name(kind: ElementType) -> str:
    return kind.value.replace("_", " ").lower()


def _timer(draft: _Draft, element: etree._Element, definition: etree._Element) -> m.TimerDefinition | None:
    for kind in m.TimerKind:
        found = definition.find(BPMN + kind.value)
        if found is not None and (found.text or "").strip():
            return m.TimerDefinition(kind, _attribute(draft, element, str(found.text).strip(), kind.value))
    draft.find(element, "the timer needs a timeDate, timeDuration or timeCycle with a value", "timer")
    return None


DETAILS: dict[ElementType, Callable[[_Draft, etree._Element, FlowNode], FlowNode]] = {
    ElementType.START_EVENT: _event,
    ElementType.END_EVENT: _event,
    ElementType.INTERMEDIATE_CATCH_EVENT: _event,
    ElementType.INTERMEDIATE_THROW_EVENT: _event,
    ElementType.BOUNDARY_EVENT: _event,
    ElementType.USER_TASK: _user_task,
    ElementType.SERVICE_TASK: _job,
    ElementType.SCRIPT_TASK: _script,
    ElementType.BUSINESS_RULE_TASK: _business_rule,
}
