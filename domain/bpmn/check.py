"""What must hold for a model to be executed: every structural rule of BPMN 2.0 that running it relies on.

Each check yields findings with the element's id, its line, and a sentence that says the mend. Errors refuse a
deployment, warnings inform.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from domain.bpmn import check_events, check_expressions, check_flows, check_messages, check_tokens
from domain.bpmn.model import (
    Attribute,
    CompensationDefinition,
    ElementType,
    FlowNode,
    JobDefinition,
    LinkDefinition,
    ProcessModel,
    TimerDefinition,
    TimerKind,
)
from domain.bpmn.timers import parse_timer_text
from domain.errors import DomainError, Finding

HANDLER = ElementType.EVENT_SUB_PROCESS
CATCH = ElementType.INTERMEDIATE_CATCH_EVENT
SCOPES = (ElementType.PROCESS, ElementType.SUB_PROCESS, ElementType.EVENT_SUB_PROCESS)
ACTIVITIES = (
    ElementType.SUB_PROCESS,
    ElementType.TASK,
    ElementType.MANUAL_TASK,
    ElementType.USER_TASK,
    ElementType.SERVICE_TASK,
    ElementType.SCRIPT_TASK,
    ElementType.BUSINESS_RULE_TASK,
    ElementType.SEND_TASK,
    ElementType.RECEIVE_TASK,
    ElementType.CALL_ACTIVITY,
)


def _error(node: FlowNode, message: str, rule: str) -> Finding:
    return Finding(node.id, message, node.line, "error", rule)


def _start_events(model: ProcessModel) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.type in SCOPES and not node.start and not node.starts:
            what = node.type.value.replace("_", " ").replace("SUB PROCESS", "subprocess").lower()
            kind = "start event with an event definition" if node.type is HANDLER else "none start event"
            yield _error(node, f"the {what} has no {kind}; add one", "start-event")
        if node.type is HANDLER and (node.incoming or node.outgoing):
            yield _error(node, "an event subprocess has no sequence flows; its start event starts it", "scope")
        if node.type is ElementType.START_EVENT and node.incoming:
            yield _error(node, "a start event has no incoming sequence flow; remove it", "start-event")


def _end_events(model: ProcessModel) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.type is ElementType.END_EVENT and node.outgoing:
            yield _error(node, "an end event has no outgoing sequence flow; remove it", "end-event")


def _boundary_events(model: ProcessModel) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.type is not ElementType.BOUNDARY_EVENT:
            continue
        host = model.nodes.get(node.attached_to)
        if host is None or host.scope != node.scope:
            yield _error(node, f"attachedToRef '{node.attached_to}' is not an activity of the same scope", "boundary")
        elif host.type not in ACTIVITIES:
            yield _error(node, f"it is attached to '{host.id}', which is not an activity", "boundary")
        elif host.type in (ElementType.TASK, ElementType.MANUAL_TASK):
            yield Finding(
                node.id, f"'{host.id}' never waits, so this event never fires", node.line, "warning", "boundary"
            )
        if node.incoming:
            yield _error(node, "a boundary event has no incoming sequence flow; remove it", "boundary")


def _flows_stay_in_scope(model: ProcessModel) -> Iterator[Finding]:
    for flow in model.flows.values():
        source, target = model.nodes[flow.source], model.nodes[flow.target]
        if source.scope != target.scope:
            message = f"it crosses a subprocess border, from '{source.id}' to '{target.id}'; flows stay in one scope"
            yield Finding(flow.id, message, source.line, rule="scope")


def _gateways(model: ProcessModel) -> Iterator[Finding]:
    for node in model.nodes.values():
        default = node.default_flow
        if default and default not in {flow.id for flow in node.outgoing}:
            yield _error(node, f"its default flow '{default}' is not one of its outgoing flows", "gateway")
        if node.type not in (ElementType.EXCLUSIVE_GATEWAY, ElementType.INCLUSIVE_GATEWAY):
            continue
        if len(node.outgoing) > 1:
            kind = node.type.value.replace("_", " ").lower()
            for flow in node.outgoing:
                if flow.condition is None and flow.id != default:
                    yield Finding(
                        flow.id,
                        f"it leaves the {kind} '{node.id}' without a condition; add one or make it the default",
                        node.line,
                        rule="gateway",
                    )
            if not default:
                message = "it has no default flow: an incident arises when no condition holds"
                yield Finding(node.id, message, node.line, "warning", "gateway")


def _event_based_gateways(model: ProcessModel) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.type is not ElementType.EVENT_BASED_GATEWAY:
            continue
        if len(node.outgoing) < 2:
            yield _error(node, "an event-based gateway has at least two outgoing flows", "gateway")
        for flow in node.outgoing:
            target = model.nodes[flow.target]
            waits = target.type is CATCH and not isinstance(target.definition, LinkDefinition)
            if target.type is ElementType.RECEIVE_TASK and not target.boundary and target.loop is None:
                waits = True
            if not waits:
                message = f"it leads to '{target.id}'; it waits for catch events and receive tasks without boundary "
                yield _error(node, message + "events or loops only", "gateway")
            elif len(target.incoming) > 1:
                yield _error(
                    target, f"behind the event-based gateway '{node.id}' it has no other incoming flow", "gateway"
                )
            if flow.condition is not None:
                yield Finding(
                    flow.id, f"a flow that leaves the event-based gateway '{node.id}' has no condition", node.line
                )


def _compensation(model: ProcessModel) -> Iterator[Finding]:
    for node in model.nodes.values():
        if node.for_compensation and (node.incoming or node.outgoing):
            yield _error(node, "an activity for compensation has no sequence flows; remove them", "compensation")
        definition = node.definition
        if not isinstance(definition, CompensationDefinition):
            continue
        if node.type is ElementType.BOUNDARY_EVENT and node.outgoing:
            yield _error(node, "a compensation boundary event has no sequence flow; use an association", "compensation")
        elif definition.activity and definition.activity not in model.nodes:
            yield _error(node, f"activityRef '{definition.activity}' is not an element of this process", "compensation")


def _conditions(model: ProcessModel) -> Iterator[Finding]:
    for flow in model.flows.values():
        source = model.nodes[flow.source]
        if flow.condition is not None and source.type is ElementType.PARALLEL_GATEWAY:
            message = f"a flow that leaves the parallel gateway '{source.id}' has no condition; remove it"
            yield Finding(flow.id, message, source.line, rule="gateway")


def _reachable(model: ProcessModel) -> Iterator[Finding]:
    reached: set[str] = set()
    work = [node.id for node in model.nodes.values() if node.type is ElementType.PROCESS]
    while work:
        node = model.nodes[work.pop()]
        if node.id in reached:
            continue
        reached.add(node.id)
        work += [flow.target for flow in node.outgoing]
        work += node.boundary
        work += node.event_subprocesses
        if node.compensation:
            work.append(node.compensation)
        if node.start:
            work.append(node.start)
        work += node.starts
    for node in model.nodes.values():
        if node.id not in reached:
            yield Finding(node.id, "no path from a start event leads here", node.line, "warning", "unreachable")


def _static_values(model: ProcessModel) -> Iterator[Finding]:
    """Literal values that can be judged before they are used."""
    for node in model.nodes.values():
        definition = node.definition
        if isinstance(definition, JobDefinition) and definition.retries.expression is None:
            if not definition.retries.text.isdigit():
                yield _error(
                    node, f"retries must be a whole number, not '{definition.retries.text}'", "task-definition"
                )
        elif isinstance(definition, TimerDefinition):
            yield from _timer(node, definition.kind, definition.value)


def _timer(node: FlowNode, kind: TimerKind, value: Attribute) -> Iterator[Finding]:
    if node.type is ElementType.INTERMEDIATE_CATCH_EVENT and kind is TimerKind.CYCLE:
        yield _error(node, "an intermediate timer fires once; use timeDate or timeDuration", "timer")
    if node.type is ElementType.BOUNDARY_EVENT and kind is TimerKind.CYCLE and node.interrupting:
        yield _error(node, "an interrupting timer fires once; use timeDate or timeDuration", "timer")
    if value.expression is None:
        try:
            parse_timer_text(kind, value.text)
        except DomainError as error:
            yield _error(node, str(error), "timer")


CHECKS: tuple[Callable[[ProcessModel], Iterator[Finding]], ...] = (
    _start_events,
    _end_events,
    _boundary_events,
    _flows_stay_in_scope,
    _gateways,
    _event_based_gateways,
    _compensation,
    _conditions,
    _reachable,
    _static_values,
    check_events.links,
    check_events.boundary_paths,
    check_events.catchers,
    check_events.codes,
    check_events.compensation_targets,
    check_events.handlers,
    check_events.start_timers,
    check_events.conditions_that_repeat,
    check_flows.conditions,
    check_flows.same_condition,
    check_flows.dead_ends,
    check_flows.twin_flows,
    check_flows.mappings,
    check_flows.result_names,
    check_expressions.functions,
    check_expressions.constants,
    check_expressions.timers,
    check_tokens.joins,
    check_tokens.straight_loops,
    check_messages.names,
    check_messages.correlation_keys,
    check_messages.start_names,
    check_messages.told_apart,
)
"""Every check, one concern each: `check_events` events, `check_flows` flows and mappings, `check_expressions` values,
`check_tokens` where tokens can go. A new element adds its checks here."""


def check_model(model: ProcessModel) -> list[Finding]:
    """All findings of all checks."""
    return [finding for check in CHECKS for finding in check(model)]
