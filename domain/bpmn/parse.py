"""XML → model: reads the executable processes of a BPMN 2.0 document with Zeebe extension elements.

Names are matched by namespace URI, whatever the prefix. What the engine does not execute, and every expression that
does not compile, becomes a finding; nothing is dropped silently. Sequence flows without ids get `source--target`
(BPMN 2.0 makes ids optional; incoming/outgoing children are not needed either: the flows say it all).
"""

from __future__ import annotations

from collections.abc import Callable

from lxml import etree

from domain.bpmn.draft import BPMN, Draft, bpmn_children, extension, line_of, replace, tag_of
from domain.bpmn.joins import inclusive_joins
from domain.bpmn.model import (
    CompensationDefinition,
    ConditionalDefinition,
    ElementType,
    FlowNode,
    LinkDefinition,
    MessageDefinition,
    ProcessModel,
    SequenceFlow,
    SignalDefinition,
    TimerDefinition,
)
from domain.bpmn.parse_events import parse_event, parse_receive_task
from domain.bpmn.parse_listeners import execution_listeners
from domain.bpmn.parse_loops import LOOPS, parse_loop
from domain.bpmn.parse_tasks import (
    parse_business_rule,
    parse_call,
    parse_job,
    parse_mappings,
    parse_script,
    parse_user_task,
)
from domain.errors import Finding

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
    "sendTask": ElementType.SEND_TASK,
    "receiveTask": ElementType.RECEIVE_TASK,
    "exclusiveGateway": ElementType.EXCLUSIVE_GATEWAY,
    "parallelGateway": ElementType.PARALLEL_GATEWAY,
    "inclusiveGateway": ElementType.INCLUSIVE_GATEWAY,
    "eventBasedGateway": ElementType.EVENT_BASED_GATEWAY,
    "callActivity": ElementType.CALL_ACTIVITY,
    "subProcess": ElementType.SUB_PROCESS,
}
STARTS_PROCESS = (MessageDefinition, SignalDefinition, TimerDefinition, ConditionalDefinition)
NOT_EXECUTED = frozenset(
    "documentation extensionElements laneSet dataObject dataObjectReference dataStoreReference "
    "textAnnotation group ioSpecification property auditing monitoring incoming outgoing category".split()
)

REASONS = {
    "complexGateway": ": its activation rule is not defined well enough to execute; use inclusive or parallel gateways",
}

DETAILS: dict[ElementType, Callable[[Draft, etree._Element, FlowNode], FlowNode]] = {
    ElementType.START_EVENT: parse_event,
    ElementType.END_EVENT: parse_event,
    ElementType.INTERMEDIATE_CATCH_EVENT: parse_event,
    ElementType.INTERMEDIATE_THROW_EVENT: parse_event,
    ElementType.BOUNDARY_EVENT: parse_event,
    ElementType.USER_TASK: parse_user_task,
    ElementType.SERVICE_TASK: parse_job,
    ElementType.SCRIPT_TASK: parse_script,
    ElementType.BUSINESS_RULE_TASK: parse_business_rule,
    ElementType.SEND_TASK: parse_job,
    ElementType.RECEIVE_TASK: parse_receive_task,
    ElementType.CALL_ACTIVITY: parse_call,
}


def parse_processes(root: etree._Element) -> list[tuple[ProcessModel, list[Finding]]]:
    """The executable processes of a document, each with what was found wrong while reading."""
    return [
        _parse_process(root, process)
        for process in root.iter(f"{BPMN}process")
        if process.get("isExecutable") == "true"
    ]


def _parse_process(root: etree._Element, process: etree._Element) -> tuple[ProcessModel, list[Finding]]:
    draft = Draft(root)
    process_id = str(process.get("id", ""))
    if not process_id:
        draft.find(process, "the process has no id; give it one", "id")
    name = str(process.get("name", ""))
    tag = extension(process, "versionTag")
    root_node = FlowNode(process_id, ElementType.PROCESS, name, line=line_of(process))
    _parse_scope(draft, process, replace(root_node, listeners=execution_listeners(draft, process, root_node)))
    nodes, flows = _connect(draft)
    form = _start_form(process, nodes[process_id].start)
    version_tag = str(tag.get("value", "")) if tag is not None else ""
    joins = inclusive_joins(nodes, flows)
    return ProcessModel(process_id, name, version_tag, nodes, flows, form, joins), draft.findings


def _start_form(process: etree._Element, start: str) -> str:
    """The form id of the none start event, "" where it has none."""
    for event in process.iterchildren(f"{BPMN}startEvent"):
        definition = extension(event, "formDefinition")
        if event.get("id") == start and definition is not None:
            return str(definition.get("formId", ""))
    return ""


def _parse_scope(draft: Draft, element: etree._Element, scope: FlowNode) -> None:
    """Read a process or subprocess and all it contains."""
    starts: list[FlowNode] = []
    handlers: list[str] = []
    draft.add(element, scope)
    for child in bpmn_children(element):
        kind = tag_of(child)
        if kind == "sequenceFlow":
            _parse_flow(draft, child)
        elif kind == "association":
            draft.associations[str(child.get("sourceRef", ""))] = str(child.get("targetRef", ""))
        elif kind in FLOW_NODES:
            node = _parse_node(draft, child, scope.id)
            if node.type is ElementType.START_EVENT:
                starts.append(node)
            elif node.type is ElementType.EVENT_SUB_PROCESS:
                handlers.append(node.id)
        elif kind not in NOT_EXECUTED and kind not in LOOPS:
            reason = REASONS.get(kind, "")
            draft.find(child, f"the element <{kind}> is not supported{reason}", "unsupported")
    start = _choose_start(draft, scope, starts)
    waiting = tuple(event.id for event in starts if event.definition is not None and scope.type is ElementType.PROCESS)
    draft.nodes[scope.id] = replace(
        draft.nodes[scope.id], start=start, starts=waiting, event_subprocesses=tuple(handlers)
    )


def _choose_start(draft: Draft, scope: FlowNode, starts: list[FlowNode]) -> str:
    """The id of the event that a scope starts with: a none event, or an event subprocess's own event. A process may
    have start events with definitions beside it."""
    is_handler = scope.type is ElementType.EVENT_SUB_PROCESS
    fitting = [start for start in starts if (start.definition is not None) == is_handler]
    for start in starts:
        if start in fitting:
            continue
        if scope.type is not ElementType.PROCESS:
            wrong = "a none start event" if is_handler else "a start event with an event definition"
            where = "an event subprocess" if is_handler else "a subprocess that is entered by flows"
            draft.find(start.id, f"{wrong} cannot start {where}", "start-event")
        elif not isinstance(start.definition, STARTS_PROCESS):
            message = "a process starts with a none, message, signal, timer or conditional event"
            draft.find(start.id, message, "start-event")
    for extra in fitting[1:]:
        draft.find(extra.id, "a scope has one start event of this kind; remove this one or the other", "start-event")
    return fitting[0].id if fitting else ""


def _parse_node(draft: Draft, element: etree._Element, scope: str) -> FlowNode:
    kind = FLOW_NODES[tag_of(element)]
    if kind is ElementType.SUB_PROCESS and element.get("triggeredByEvent") == "true":
        kind = ElementType.EVENT_SUB_PROCESS
    node_id = str(element.get("id", ""))
    if not node_id:
        draft.find(element, f"a <{tag_of(element)}> has no id; give it one", "id")
        node_id = f"line-{line_of(element)}"
    inputs, outputs = parse_mappings(draft, element)
    node = FlowNode(
        node_id,
        kind,
        str(element.get("name", "")),
        scope,
        line_of(element),
        default_flow=str(element.get("default", "")),
        inputs=inputs,
        outputs=outputs,
        loop=parse_loop(draft, element, kind),
        attached_to=str(element.get("attachedToRef", "")),
        interrupting=element.get("cancelActivity", "true") != "false",
        for_compensation=element.get("isForCompensation") == "true",
    )
    if element.get("instantiate") == "true" or element.get("eventGatewayType") == "Parallel":
        what = "a receive task" if kind is ElementType.RECEIVE_TASK else "an event-based gateway"
        message = f"{what} that starts instances is not supported; use message start events"
        draft.find(element, message, "unsupported")
    parse_details = DETAILS.get(kind)
    if parse_details is not None:
        node = parse_details(draft, element, node)
    node = replace(node, listeners=execution_listeners(draft, element, node))
    if kind in (ElementType.SUB_PROCESS, ElementType.EVENT_SUB_PROCESS):
        _parse_scope(draft, element, node)
    else:
        draft.add(element, node)
    return node


def _parse_flow(draft: Draft, element: etree._Element) -> None:
    source, target = str(element.get("sourceRef", "")), str(element.get("targetRef", ""))
    flow_id = str(element.get("id") or f"{source}--{target}")
    condition = element.find(f"{BPMN}conditionExpression")
    attribute = None
    if condition is not None:
        text = (condition.text or "").strip()
        if text.startswith("="):
            attribute = draft.attribute(element, text, "condition")
        else:
            message = f"the condition {text!r} must be a FEEL expression: begin it with '=', as in '={text}'"
            draft.find(element, message, "feel")
    flow = SequenceFlow(flow_id, source, target, attribute, str(element.get("name", "")), line_of(element))
    draft.flows.append((flow, line_of(element)))


def _connect(draft: Draft) -> tuple[dict[str, FlowNode], dict[str, SequenceFlow]]:
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
    for flow in _links(draft):
        outgoing.setdefault(flow.source, []).append(flow)
    for node in draft.nodes.values():
        if node.type is ElementType.BOUNDARY_EVENT:
            boundary.setdefault(node.attached_to, []).append(node.id)
    handlers = _compensations(draft)
    nodes = {
        node.id: replace(
            node,
            incoming=tuple(incoming.get(node.id, ())),
            outgoing=tuple(outgoing.get(node.id, ())),
            boundary=tuple(boundary.get(node.id, ())),
            compensation=handlers.get(node.id, ""),
        )
        for node in draft.nodes.values()
    }
    return nodes, flows


def _compensations(draft: Draft) -> dict[str, str]:
    """Activity → the activity that undoes it: a compensation boundary event's association leads to it."""
    handlers: dict[str, str] = {}
    for node in draft.nodes.values():
        if node.type is not ElementType.BOUNDARY_EVENT or not isinstance(node.definition, CompensationDefinition):
            continue
        handler = draft.nodes.get(draft.associations.get(node.id, ""))
        if handler is None or not handler.for_compensation:
            message = 'an association leads from it to the activity that undoes (isForCompensation="true"); draw it'
            draft.find(node.id, message, "compensation")
        else:
            handlers[node.attached_to] = handler.id
    return handlers


def _links(draft: Draft) -> list[SequenceFlow]:
    """Link events as flows: from each throw event to the catch event with its name in the same scope."""
    ends = {
        (node.scope, node.definition.name): node.id
        for node in draft.nodes.values()
        if isinstance(node.definition, LinkDefinition) and node.type is ElementType.INTERMEDIATE_CATCH_EVENT
    }
    flows = []
    for node in draft.nodes.values():
        if isinstance(node.definition, LinkDefinition) and node.type is ElementType.INTERMEDIATE_THROW_EVENT:
            target = ends.get((node.scope, node.definition.name))
            if target is None:
                draft.find(node.id, f"no link catch event named '{node.definition.name}' is in its scope", "link")
            else:
                flows.append(SequenceFlow(f"{node.id}~{target}", node.id, target))
    return flows
