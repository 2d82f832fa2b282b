"""Checks of how tokens can go: joins that wait for ever, paths that are run twice, loops that never wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.bpmn.model import (
    ElementType,
    EscalationDefinition,
    FlowNode,
    LinkDefinition,
    ProcessModel,
    ScriptDefinition,
)
from domain.bpmn.tokens import Dead, components, ends_scope, explore, is_join
from domain.errors import Finding

PASSES = frozenset(
    {
        ElementType.TASK,
        ElementType.MANUAL_TASK,
        ElementType.SCRIPT_TASK,
        ElementType.BUSINESS_RULE_TASK,
        ElementType.EXCLUSIVE_GATEWAY,
        ElementType.PARALLEL_GATEWAY,
        ElementType.INCLUSIVE_GATEWAY,
        ElementType.INTERMEDIATE_THROW_EVENT,
        ElementType.INTERMEDIATE_CATCH_EVENT,
    }
)
"""Elements that may let a token through at once; what they are set up with decides (`_passes`)."""
MAX_CHOICES_SHOWN = 3


def joins(model: ProcessModel) -> Iterator[Finding]:
    """Joins that wait for ever (an error if they can never open and nothing else ends them), and merges that tokens
    reach side by side."""
    for scope in model.nodes.values():
        if not any(is_join(node) or len(node.incoming) > 1 for node in model.nodes.values() if node.scope == scope.id):
            continue
        explored = explore(model, scope)
        for dead in explored.dead.values():
            certain = explored.complete and dead.join not in explored.opened and not _rescued(model, scope)
            yield _deadlock(model.nodes[dead.join], dead, certain=certain)
        for meeting in explored.meetings.values():
            node = model.nodes[meeting.node]
            if node.type is ElementType.END_EVENT and node.definition is None:
                continue
            flows = _list(meeting.flows)
            message = (
                f"tokens can come over {flows} side by side, and each goes on alone: what follows runs once for each; "
                "join them with a parallel or inclusive gateway if it should run once"
            )
            yield Finding(node.id, message, node.line, "warning", "runs-twice")
        if not explored.complete:
            message = (
                "there are too many ways for its tokens to follow them all: a join that waits for ever may be "
                "overlooked; put parts of it into subprocesses to have them checked"
            )
            yield Finding(scope.id, message, scope.line, "warning", "not-checked")


def _rescued(model: ProcessModel, scope: FlowNode) -> bool:
    """Whether something other than the join may end the scope: then waiting there may be meant."""
    at: FlowNode | None = scope
    while at is not None:
        inside = [node for node in model.nodes.values() if node.scope == at.id]
        if any(ends_scope(node) for node in inside) or any(model.nodes[e].interrupting for e in at.boundary):
            return True
        starts = [model.nodes[id].start for id in at.event_subprocesses]
        if any(model.nodes[start].interrupting for start in starts if start):
            return True
        at = model.nodes.get(at.scope)
    return False


def _deadlock(node: FlowNode, dead: Dead, *, certain: bool) -> Finding:
    waiting, missing = _list(dead.waiting), _list(dead.missing)
    mend = "merge paths of which only one is taken with an exclusive gateway, or lead a token over every flow"
    choices = [f"'{source}' takes {_list(flows)}" for source, flows in dead.choices if flows]
    when = f" when {' and '.join(choices[-MAX_CHOICES_SHOWN:])}" if choices else ""
    if certain:
        message = (
            f"it waits for ever: it never gets a token over each of {_list(node.incoming)}, for none comes over "
            f"{missing}{when}; {mend}"
        )
        return Finding(node.id, message, node.line, "error", "deadlock")
    message = f"it can wait for ever: a token comes over {waiting} and none over {missing}{when}; {mend}"
    return Finding(node.id, message, node.line, "warning", "deadlock")


def _list(flows: Iterable[str]) -> str:
    """Flows for people."""
    return ", ".join(f"'{flow}'" for flow in sorted(flows)) or "no flow"


# --- loops that never wait ---


def straight_loops(model: ProcessModel) -> Iterator[Finding]:
    """Cycles of elements that all let tokens through at once: the engine stops them with an incident."""
    passing = {node.id: node for node in model.nodes.values() if _passes(node)}
    after = {node.id: [flow.target for flow in node.outgoing if flow.target in passing] for node in passing.values()}
    for component in components(after):
        if len(component) == 1 and component[0] not in after[component[0]]:
            continue
        yield from _loop([passing[node_id] for node_id in reversed(component)])


def _loop(loop: list[FlowNode]) -> Iterator[Finding]:
    inside = {node.id for node in loop}
    shown = ", ".join(f"'{node.id}'" for node in loop[:6]) + (", …" if len(loop) > 6 else "")
    first = min(loop, key=lambda node: node.line)
    if all(_always_stays(node, inside) for node in loop):
        message = (
            f"the elements {shown} lead in a circle that nothing leaves and in which nothing waits: a token would go "
            "round for ever; let one of them wait (a task, a timer), or lead a flow out by a condition"
        )
        yield Finding(first.id, message, first.line, "error", "loop")
    elif not any(_changes_variables(node) for node in loop):
        message = (
            f"the elements {shown} lead in a circle in which nothing waits and nothing changes a variable: a token "
            "that goes round once goes round until the engine stops it with an incident; let one of them wait (a "
            "task, a timer), or change what its conditions read"
        )
        yield Finding(first.id, message, first.line, "warning", "loop")


def _always_stays(node: FlowNode, inside: set[str]) -> bool:
    """Whether a token that comes to the node always leads to one inside, whatever the data."""
    if is_join(node):
        return False
    if node.type is ElementType.EXCLUSIVE_GATEWAY:
        return all(flow.target in inside for flow in node.outgoing)
    return any(flow.target in inside and flow.condition is None for flow in node.outgoing)


def _passes(node: FlowNode) -> bool:
    if node.type not in PASSES or node.loop is not None or bool(node.listeners):
        return False
    match node.type:
        case ElementType.SCRIPT_TASK:
            return isinstance(node.definition, ScriptDefinition)
        case ElementType.BUSINESS_RULE_TASK:
            return type(node.definition).__name__ == "CalledDecision"
        case ElementType.INTERMEDIATE_THROW_EVENT:
            return node.definition is None or isinstance(node.definition, EscalationDefinition | LinkDefinition)
        case ElementType.INTERMEDIATE_CATCH_EVENT:
            return isinstance(node.definition, LinkDefinition)
        case _:
            return True


def _changes_variables(node: FlowNode) -> bool:
    changes = node.type in (ElementType.SCRIPT_TASK, ElementType.BUSINESS_RULE_TASK)
    return changes or bool(node.outputs) or isinstance(node.definition, EscalationDefinition)
