"""Checks about messages and signals: names, correlation keys, and waits that could not be told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.bpmn.model import Attribute, ElementType, FlowNode, MessageDefinition, ProcessModel, SignalDefinition
from domain.errors import Finding
from domain.feel import FeelBudgetExceeded

MAX_NAME = 500
"""Characters of a message's or signal's name."""


def _error(node: FlowNode, message: str, rule: str) -> Finding:
    return Finding(node.id, message, node.line, "error", rule)


def _kind(definition: MessageDefinition | SignalDefinition) -> str:
    return "message" if isinstance(definition, MessageDefinition) else "signal"


def names(model: ProcessModel) -> Iterator[Finding]:
    """Names have a bound: they stand in an index."""
    for node in model.nodes.values():
        definition = node.definition
        if isinstance(definition, MessageDefinition | SignalDefinition) and len(definition.name.text) > MAX_NAME:
            kind = _kind(definition)
            yield _error(node, f"the {kind} name has more than {MAX_NAME} characters; shorten it", kind)


def correlation_keys(model: ProcessModel) -> Iterator[Finding]:
    """Whoever waits in a running instance needs a key, or every message of the name would fit (Zeebe's rule)."""
    root_starts = set(model.root.starts)
    for node in model.nodes.values():
        definition = node.definition
        keyless = isinstance(definition, MessageDefinition) and definition.correlation_key is None
        if isinstance(definition, MessageDefinition) and keyless and node.id not in root_starts:
            message = (
                f"the message '{definition.name.text}' has no correlation key; add "
                '<zeebe:subscription correlationKey="=…" /> to the <message>'
            )
            yield _error(node, message, "message")


def start_names(model: ProcessModel) -> Iterator[Finding]:
    """The name of a start event's message or signal is evaluated at deployment: there are no variables then."""
    for start in model.root.starts:
        node = model.nodes[start]
        definition = node.definition
        if isinstance(definition, MessageDefinition | SignalDefinition) and not constant_text(definition.name):
            message = f"the name '{definition.name.text}' must be a text without variables: nothing runs yet"
            yield _error(node, message, _kind(definition))


def constant_text(attribute: Attribute) -> str:
    """The text of an attribute that may not refer to variables; "" where it has none."""
    if attribute.expression is None:
        return attribute.text
    try:
        value = attribute.expression.evaluate({})
    except FeelBudgetExceeded:
        return ""
    return value if isinstance(value, str) else ""


def told_apart(model: ProcessModel) -> Iterator[Finding]:
    """Events that wait side by side for one message or signal: which of them happens would be chance (Zeebe)."""
    nodes = model.nodes
    for node in nodes.values():
        yield from _twice(f"of '{node.id}'", (nodes[event] for event in node.boundary))
        handlers = (nodes[handler].start for handler in node.event_subprocesses)
        yield from _twice(f"of the event subprocesses of '{node.id}'", (nodes[start] for start in handlers if start))
        yield from _twice("of the process", (nodes[event] for event in node.starts))
        if node.type is ElementType.EVENT_BASED_GATEWAY:
            yield from _twice(f"behind '{node.id}'", (nodes[flow.target] for flow in node.outgoing))


def _twice(where: str, events: Iterable[FlowNode]) -> Iterator[Finding]:
    seen: dict[tuple[str, str], str] = {}
    for event in events:
        definition = event.definition
        if not isinstance(definition, MessageDefinition | SignalDefinition) or definition.name.expression is not None:
            continue
        kind = _kind(definition)
        first = seen.setdefault((kind, definition.name.text), event.id)
        if first != event.id:
            message = f"it waits for the {kind} '{definition.name.text}' as '{first}' does, another event {where}"
            yield _error(event, f"{message}; give each a name of its own", kind)
