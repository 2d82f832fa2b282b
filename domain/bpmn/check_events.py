"""Checks of events: links, who catches what, what boundary events lead to, compensation that finds nothing to undo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from domain.bpmn.model import (
    CompensationDefinition,
    ConditionalDefinition,
    ElementType,
    ErrorDefinition,
    EscalationDefinition,
    FlowNode,
    LinkDefinition,
    ProcessModel,
    TimerDefinition,
    TimerKind,
)
from domain.errors import Finding

CATCH, THROW = ElementType.INTERMEDIATE_CATCH_EVENT, ElementType.INTERMEDIATE_THROW_EVENT
START, END = ElementType.START_EVENT, ElementType.END_EVENT
BOUNDARY = ElementType.BOUNDARY_EVENT
CODED = (ErrorDefinition, EscalationDefinition)


def _error(node: FlowNode, message: str, rule: str) -> Finding:
    return Finding(node.id, message, node.line, "error", rule)


def _warning(node: FlowNode, message: str, rule: str) -> Finding:
    return Finding(node.id, message, node.line, "warning", rule)


def links(model: ProcessModel) -> Iterator[Finding]:
    """BPMN 2.0 §10.5.1: a link replaces one sequence flow within one scope."""
    ends = [node for node in model.nodes.values() if isinstance(node.definition, LinkDefinition)]
    caught = Counter((node.scope, node.definition.name) for node in ends if node.type is CATCH)  # type: ignore[union-attr]
    thrown = {(node.scope, node.definition.name) for node in ends if node.type is THROW}  # type: ignore[union-attr]
    for node in ends:
        assert isinstance(node.definition, LinkDefinition)
        name = (node.scope, node.definition.name)
        if node.type is CATCH and caught[name] > 1:
            yield _error(node, f"two link catch events are named '{name[1]}'; a link leads to one place", "link")
        if node.type is CATCH and node.incoming:
            yield _error(node, "a link catch event has no incoming sequence flow; link throw events lead to it", "link")
        if node.type is CATCH and name not in thrown:
            yield _warning(node, f"no link throw event named '{name[1]}' is in its scope", "link")
        if node.type is THROW and any(flow.id in model.flows for flow in node.outgoing):
            yield _error(node, "a link throw event has no outgoing sequence flow; its link leads on", "link")


def boundary_paths(model: ProcessModel) -> Iterator[Finding]:
    """Boundary events lead somewhere; errors always interrupt (BPMN 2.0 §10.5.6, table 10.91)."""
    for node in model.nodes.values():
        definition = node.definition
        if node.type not in (BOUNDARY, START):
            continue
        if isinstance(definition, ErrorDefinition) and not node.interrupting:
            where = 'cancelActivity="false"' if node.type is BOUNDARY else 'isInterrupting="false"'
            yield _error(node, f"an error always interrupts; remove {where}, or use an escalation", "boundary")
        if node.type is BOUNDARY and not node.outgoing and not isinstance(definition, CompensationDefinition):
            message = "nothing follows this boundary event: its path ends here; draw a sequence flow from it"
            yield _warning(node, message, "boundary")


def catchers(model: ProcessModel) -> Iterator[Finding]:
    """At one activity or scope, a code is caught by one event; a second one would never get it."""
    for owner in model.nodes.values():
        events = [model.nodes[event] for event in owner.boundary]
        starts = [model.nodes[id].start for id in owner.event_subprocesses]
        for group in (events, [model.nodes[start] for start in starts if start]):
            yield from _twice(group)


def _twice(events: list[FlowNode]) -> Iterator[Finding]:
    seen: dict[tuple[str, str | None], str] = {}
    for event in events:
        definition = event.definition
        if not isinstance(definition, CODED):
            continue
        code = definition.code.text if definition.code else None
        kind = "error" if isinstance(definition, ErrorDefinition) else "escalation"
        first = seen.setdefault((kind, code), event.id)
        if first != event.id:
            what = f"the {kind} '{code}'" if code else f"every {kind}"
            yield _error(event, f"'{first}' already catches {what} here; remove one or change its code", "catch-twice")


def codes(model: ProcessModel) -> Iterator[Finding]:
    """What is thrown has a code; what catches has a text, as it is compared and not evaluated."""
    for node in model.nodes.values():
        definition = node.definition
        if not isinstance(definition, CODED):
            continue
        kind = "error" if isinstance(definition, ErrorDefinition) else "escalation"
        if node.type in (END, THROW) and definition.code is None:
            message = f"it throws an {kind} without a code: give it an {kind}Ref whose <{kind}> has an {kind}Code"
            yield _error(node, message, "code")
        elif node.type in (BOUNDARY, START) and definition.code and definition.code.expression is not None:
            message = f"the code of a catching event is a text that is compared, not '{definition.code.text}'"
            yield _error(node, message, "code")


def compensation_targets(model: ProcessModel) -> Iterator[Finding]:
    """A compensation event that throws finds something to undo in its scope (BPMN 2.0 §10.5.6)."""
    for node in model.nodes.values():
        definition = node.definition
        if not isinstance(definition, CompensationDefinition) or node.type not in (END, THROW):
            continue
        scope = _compensated_scope(model, node)
        target = model.nodes.get(definition.activity)
        if target is not None and target.scope != scope:
            message = f"'{target.id}' is in another scope; a compensation event undoes activities of its own scope"
            yield _error(node, message, "compensation")
        elif target is not None and not _can_be_undone(model, target):
            message = f"'{target.id}' has no compensation handler, so nothing is undone; attach one to it"
            yield _warning(node, message, "compensation")
        elif not definition.activity and not any(
            _can_be_undone(model, other) for other in model.nodes.values() if other.scope == scope
        ):
            message = "no activity of its scope has a compensation handler, so nothing is undone; attach one"
            yield _warning(node, message, "compensation")


def _compensated_scope(model: ProcessModel, node: FlowNode) -> str:
    """The scope whose activities are undone: from inside an event subprocess, that around it."""
    scope = model.nodes[node.scope]
    return scope.scope if scope.type is ElementType.EVENT_SUB_PROCESS else scope.id


def _can_be_undone(model: ProcessModel, node: FlowNode) -> bool:
    inside = (other for other in model.nodes.values() if other.scope == node.id)
    called = node.type.value in ("CALL_ACTIVITY",)
    return bool(node.compensation) or called or any(_can_be_undone(model, other) for other in inside)


def handlers(model: ProcessModel) -> Iterator[Finding]:
    """A compensation handler belongs to a compensation boundary event."""
    used = {node.compensation for node in model.nodes.values()}
    for node in model.nodes.values():
        if node.for_compensation and node.id not in used:
            message = "no compensation boundary event is associated with it, so it never runs; draw the association"
            yield _warning(node, message, "compensation")


def start_timers(model: ProcessModel) -> Iterator[Finding]:
    """Timers and conditions that start event subprocesses."""
    for node in model.nodes.values():
        definition = node.definition
        if node.type is not START or model.nodes[node.scope].type is not ElementType.EVENT_SUB_PROCESS:
            continue
        if isinstance(definition, TimerDefinition) and definition.kind is TimerKind.CYCLE and node.interrupting:
            message = 'an interrupting timer fires once; use timeDate or timeDuration, or isInterrupting="false"'
            yield _error(node, message, "timer")


def conditions_that_repeat(model: ProcessModel) -> Iterator[Finding]:
    """Two conditional events on one activity with the same condition happen together."""
    for owner in model.nodes.values():
        seen: dict[str, str] = {}
        for event_id in owner.boundary:
            event = model.nodes[event_id]
            if isinstance(event.definition, ConditionalDefinition) and event.interrupting:
                first = seen.setdefault(event.definition.condition.text, event.id)
                if first != event.id:
                    message = f"'{first}' interrupts on the same condition, so this event never happens; remove one"
                    yield _warning(event, message, "catch-twice")
