"""Checks of sequence flows and of what is set at elements where it has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from domain.bpmn.model import ElementType, FlowNode, ProcessModel, SequenceFlow
from domain.errors import Finding

DECIDING = (ElementType.EXCLUSIVE_GATEWAY, ElementType.INCLUSIVE_GATEWAY)
GATEWAYS = (*DECIDING, ElementType.PARALLEL_GATEWAY, ElementType.EVENT_BASED_GATEWAY)
NO_MAPPINGS = GATEWAYS


def _at(model: ProcessModel, flow: SequenceFlow, message: str, rule: str, severity: str = "warning") -> Finding:
    return Finding(flow.id, message, flow.line or model.nodes[flow.source].line, severity, rule)


def conditions(model: ProcessModel) -> Iterator[Finding]:
    """Conditions that are never looked at, or whose failing leaves no way on (BPMN 2.0 §8.3.13, §10.6)."""
    for node in model.nodes.values():
        for flow in node.outgoing:
            if flow.id == node.default_flow and flow.condition is not None:
                message = f"it is the default flow of '{node.id}': its condition is never looked at; remove it"
                yield _at(model, flow, message, "gateway")
            if node.type is ElementType.START_EVENT and flow.condition is not None:
                message = f"a flow that leaves the start event '{node.id}' has no condition; put a gateway behind it"
                yield _at(model, flow, message, "gateway", "error")
        if node.default_flow and node.type in (ElementType.PARALLEL_GATEWAY, ElementType.EVENT_BASED_GATEWAY):
            message = f"'{node.default_flow}' is its default flow, but it takes no decision; remove the default"
            yield Finding(node.id, message, node.line, "warning", "gateway")
        yield from _no_way_on(node)


def _no_way_on(node: FlowNode) -> Iterator[Finding]:
    guarded = [flow for flow in node.outgoing if flow.condition is not None]
    if not guarded or len(guarded) < len(node.outgoing) or node.default_flow:
        return
    if node.type in GATEWAYS and len(node.outgoing) > 1:
        return  # said by the check of gateways
    message = (
        "all of its outgoing flows have conditions and none is the default: an incident arises when no condition "
        "holds; name a default flow"
    )
    yield Finding(node.id, message, node.line, "warning", "gateway")


def same_condition(model: ProcessModel) -> Iterator[Finding]:
    """An exclusive gateway takes the first flow whose condition holds: a second one with the same never is."""
    for node in model.nodes.values():
        if node.type is not ElementType.EXCLUSIVE_GATEWAY:
            continue
        seen: dict[str, str] = {}
        for flow in node.outgoing:
            if flow.condition is None or flow.id == node.default_flow:
                continue
            first = seen.setdefault(flow.condition.text, flow.id)
            if first != flow.id:
                message = f"'{first}' has the same condition and is taken first, so this flow never is; change one"
                yield _at(model, flow, message, "gateway")


def dead_ends(model: ProcessModel) -> Iterator[Finding]:
    """A gateway that leads nowhere."""
    for node in model.nodes.values():
        if node.type in GATEWAYS and not node.outgoing and node.type is not ElementType.EVENT_BASED_GATEWAY:
            message = "no sequence flow leaves this gateway: the path ends here; lead it to an end event"
            yield Finding(node.id, message, node.line, "warning", "gateway")


def twin_flows(model: ProcessModel) -> Iterator[Finding]:
    """Two flows without conditions between the same elements make two tokens."""
    seen: dict[tuple[str, str], str] = {}
    for flow in model.flows.values():
        if flow.condition is not None or model.nodes[flow.source].type in DECIDING:
            continue
        first = seen.setdefault((flow.source, flow.target), flow.id)
        if first != flow.id:
            message = f"'{first}' leads from '{flow.source}' to '{flow.target}' already: two tokens go; remove one"
            yield _at(model, flow, message, "twin-flow")


def mappings(model: ProcessModel) -> Iterator[Finding]:
    """Variable mappings that have no effect, or overwrite each other."""
    for node in model.nodes.values():
        if (node.inputs or node.outputs) and node.type in NO_MAPPINGS:
            message = "variable mappings of a gateway have no effect; put them on a task or event"
            yield Finding(node.id, message, node.line, "warning", "mapping")
        for side, mapped in (("input", node.inputs), ("output", node.outputs)):
            targets = [".".join(mapping.target) for mapping in mapped]
            for target in sorted({target for target in targets if targets.count(target) > 1}):
                message = f"two {side} mappings set '{target}': the last one counts; remove the other"
                yield Finding(node.id, message, node.line, "warning", "mapping")
            for target in targets:
                if not all(_is_name(part) for part in target.split(".")):
                    message = (
                        f"the {side} mapping sets '{target}', which is no name: begin it with a letter or _, then "
                        "letters, digits and _"
                    )
                    yield Finding(node.id, message, node.line, "error", "mapping")


def result_names(model: ProcessModel) -> Iterator[Finding]:
    """Variables that get results have names that FEEL can read again."""
    for node in model.nodes.values():
        for part in (node.definition, node.loop):
            for field in ("result_variable", "input_element", "output_collection"):
                name = getattr(part, field, "")
                if name and not _is_name(name):
                    what = field.replace("_", " ")
                    message = f"the {what} '{name}' is no name: begin it with a letter or _, then letters, digits and _"
                    yield Finding(node.id, message, node.line, "error", "name")


def _is_name(text: str) -> bool:
    return text.isidentifier()
