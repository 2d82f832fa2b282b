"""What tasks are set up with: jobs, scripts, decisions, people, and variable mappings (Zeebe extension elements)."""

from __future__ import annotations

from lxml import etree

from domain.bpmn import model as m
from domain.bpmn.draft import Draft, extension, replace, tag_of, text_pairs
from domain.bpmn.model import FlowNode
from domain.bpmn.parse_listeners import task_listeners


def parse_mappings(
    draft: Draft, element: etree._Element
) -> tuple[tuple[m.VariableMapping, ...], tuple[m.VariableMapping, ...]]:
    """zeebe:ioMapping: inputs and outputs."""
    found = extension(element, "ioMapping")
    if found is None:
        return (), ()
    sides: dict[str, list[m.VariableMapping]] = {"input": [], "output": []}
    for child in found:
        side = tag_of(child)
        target = str(child.get("target", "")).strip()
        if side not in sides:
            continue
        if not target:
            draft.find(child, f"an {side} mapping has no target; name the variable it sets", "mapping")
            continue
        source = draft.attribute(child, str(child.get("source", "")).strip(), f"{side} mapping of '{target}'")
        sides[side].append(m.VariableMapping(source, tuple(target.split("."))))
    return tuple(sides["input"]), tuple(sides["output"])


def parse_job(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """zeebe:taskDefinition with taskHeaders."""
    definition = extension(element, "taskDefinition")
    job_type = "" if definition is None else str(definition.get("type", "")).strip()
    if not job_type:
        draft.find(element, 'the task needs a job type: add <zeebe:taskDefinition type="…" />', "task-definition")
        return node
    assert definition is not None
    job = m.JobDefinition(
        draft.attribute(element, job_type, "job type"),
        draft.attribute(element, str(definition.get("retries", "3")).strip() or "3", "retries"),
        text_pairs(element, "taskHeaders", "header", "key", "value"),
    )
    return replace(node, definition=job)


def parse_script(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """zeebe:script, or a job."""
    script = extension(element, "script")
    if script is None:
        return parse_job(draft, element, node)
    text = str(script.get("expression", "")).strip()
    result = str(script.get("resultVariable", "")).strip()
    if not text.startswith("=") or not result:
        draft.find(
            element, "<zeebe:script> needs an expression that begins with '=' and a resultVariable", "task-definition"
        )
        return node
    return replace(node, definition=m.ScriptDefinition(draft.attribute(element, text, "script"), result))


def parse_business_rule(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """zeebe:calledDecision, or a job."""
    called = extension(element, "calledDecision")
    if called is None:
        return parse_job(draft, element, node)
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
        decision = draft.attribute(element, decision_id, "decision id")
        return replace(node, definition=m.CalledDecision(decision, result, m.Binding(binding), tag))
    return node


def parse_call(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """zeebe:calledElement of a call activity."""
    called = extension(element, "calledElement")
    process_id = "" if called is None else str(called.get("processId", "")).strip()
    if called is None or not process_id:
        message = 'the call activity names no process: add <zeebe:calledElement processId="…" />'
        draft.find(element, message, "called-element")
        return node
    binding, tag = str(called.get("bindingType", "latest")), str(called.get("versionTag", "")).strip()
    if binding not in list(m.Binding):
        allowed = ", ".join(m.Binding)
        draft.find(element, f"the bindingType '{binding}' is unknown; it is one of {allowed}", "called-element")
        return node
    if binding == m.Binding.VERSION_TAG and not tag:
        draft.find(element, "a process bound by versionTag needs the attribute versionTag", "called-element")
        return node
    definition = m.CalledElement(
        draft.attribute(element, process_id, "process id"),
        m.Binding(binding),
        tag,
        called.get("propagateAllParentVariables", "true") != "false",
        called.get("propagateAllChildVariables", "true") != "false",
    )
    return replace(node, definition=definition)


def parse_user_task(draft: Draft, element: etree._Element, node: FlowNode) -> FlowNode:
    """zeebe:userTask with assignmentDefinition, taskSchedule, priorityDefinition, formDefinition."""
    if extension(element, "userTask") is None:
        message = "the user task has no <zeebe:userTask />; it runs as a user task all the same"
        draft.find(element, message, "user-task", "warning")
    task = m.UserTaskDefinition(
        draft.optional(element, "assignmentDefinition", "assignee", "assignee"),
        draft.optional(element, "assignmentDefinition", "candidateGroups", "candidate groups"),
        draft.optional(element, "assignmentDefinition", "candidateUsers", "candidate users"),
        draft.optional(element, "taskSchedule", "dueDate", "due date"),
        draft.optional(element, "taskSchedule", "followUpDate", "follow-up date"),
        draft.optional(element, "priorityDefinition", "priority", "priority"),
        draft.optional(element, "formDefinition", "formId", "form id"),
        draft.optional(element, "formDefinition", "externalReference", "external form reference"),
        text_pairs(element, "taskHeaders", "header", "key", "value"),
        task_listeners(draft, element),
    )
    return replace(node, definition=task)
