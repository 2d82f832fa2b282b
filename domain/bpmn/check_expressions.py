"""Checks of the values in a model: what its FEEL expressions can be seen to give before any data is there.

Expressions that do not parse were found while reading (`draft`). Here an expression is judged only where the outcome is
certain: it calls a function that does not exist (variables are JSON, so none can hold a function), or it reads no
variable at all, so that its value is the same in every instance.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from domain.bpmn import model as m
from domain.bpmn.timers import parse_moment, parse_timer_text
from domain.errors import DomainError, Finding
from domain.feel import EvaluationContext, Expression, format_value
from domain.feel import ast as feel
from domain.feel.builtins import BUILTINS

VARYING = frozenset({"now", "today", "random number", "uuid"})
"""Functions whose value differs from one evaluation to the next."""
MAX_STEPS = 10_000
LEFTOVERS = ("${", "#{")


class Value(NamedTuple):
    """A value in the model. owner: the element or flow it belongs to; at: the struct and field that hold it."""

    owner: str
    line: int
    at: tuple[str, str]
    attribute: m.Attribute


def values(model: m.ProcessModel) -> Iterator[Value]:
    """All values of a model that may be expressions."""
    for node in model.nodes.values():
        for part in (node.definition, node.loop, *node.inputs, *node.outputs, *node.listeners):
            yield from _inside(node.id, node.line, part)
    for flow in model.flows.values():
        line = flow.line or model.nodes[flow.source].line
        yield from _inside(flow.id, line, flow)


def _inside(owner: str, line: int, part: object) -> Iterator[Value]:
    if not isinstance(part, msgspec.Struct):
        return
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, m.Attribute):
            yield Value(owner, line, (type(part).__name__, name), value)
        elif isinstance(value, msgspec.Struct):
            yield from _inside(owner, line, value)
        elif isinstance(value, tuple):
            for item in value:
                yield from _inside(owner, line, item)


# --- functions that do not exist ---


def functions(model: m.ProcessModel) -> Iterator[Finding]:
    """Calls of functions that FEEL does not have, or has with other parameters."""
    for value in values(model):
        if value.attribute.expression is None:
            continue
        for call in _calls(value.attribute.expression.tree):
            if isinstance(call.function, feel.Name):
                message = _misfit(call.function.name, call, value.attribute.expression)
                if message:
                    text = f"{message}: '{value.attribute.text}' gives null where it is called"
                    yield Finding(value.owner, text, value.line, "warning", "feel")


def _misfit(name: str, call: feel.Call, expression: Expression) -> str:
    builtin = BUILTINS.get(name)
    if builtin is None:
        if name not in expression.variables:
            return ""  # a function that the expression defines itself
        near = difflib.get_close_matches(name, BUILTINS, n=1)
        return f"FEEL has no function '{name}'" + (f"; did you mean '{near[0]}'?" if near else "")
    if call.names is None and not any(overload.accepts_count(len(call.arguments)) for overload in builtin.overloads):
        return f"the function '{name}' does not take {len(call.arguments)} arguments"
    if call.names is not None and not any(overload.accepts_names(call.names) for overload in builtin.overloads):
        return f"the function '{name}' has no parameters named {', '.join(call.names)}"
    return ""


def _calls(node: object) -> Iterator[feel.Call]:
    if isinstance(node, feel.Call):
        yield node
    if isinstance(node, tuple):
        for item in node:
            yield from _calls(item)
    elif is_dataclass(node) and isinstance(node, feel.Node):
        for part in fields(node):
            yield from _calls(getattr(node, part.name))


# --- values that are the same in every instance ---


def _boolean(value: Any, _text: str) -> str:
    return "" if isinstance(value, bool) else "a condition is true or false"


def _list(value: Any, _text: str) -> str:
    return "" if isinstance(value, list) else "a multi-instance activity goes over a list"


def _retries(value: Any, text: str) -> str:
    whole = _whole(value)
    return "" if whole is not None and whole >= 0 else "retries must be a whole number"


def _priority(value: Any, _text: str) -> str:
    whole = _whole(value)
    return "" if whole is not None and 0 <= whole <= 100 else "a priority is a whole number from 0 to 100"


def _date(value: Any, _text: str) -> str:
    if not isinstance(value, str):
        return ""
    try:
        parse_moment(value)
    except DomainError as error:
        return str(error)
    return ""


def _text_value(value: Any, _text: str) -> str:
    return "" if isinstance(value, str) and value else "a text is needed here"


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value != int(value):
        return None
    return int(value)


JUDGES: dict[tuple[str, str], Callable[[Any, str], str]] = {
    ("SequenceFlow", "condition"): _boolean,
    ("ConditionalDefinition", "condition"): _boolean,
    ("StandardLoop", "condition"): _boolean,
    ("MultiInstance", "completion_condition"): _boolean,
    ("MultiInstance", "input_collection"): _list,
    ("JobDefinition", "retries"): _retries,
    ("JobDefinition", "type"): _text_value,
    ("UserTaskDefinition", "priority"): _priority,
    ("UserTaskDefinition", "due"): _date,
    ("UserTaskDefinition", "follow_up"): _date,
    ("ErrorDefinition", "code"): _text_value,
    ("EscalationDefinition", "code"): _text_value,
}
"""Where a value stands → what is wrong with it, "" if nothing is. An error: every instance that gets there fails."""


def constants(model: m.ProcessModel) -> Iterator[Finding]:
    """Values that are known before any instance runs, and cannot be right."""
    for value in values(model):
        attribute, judge = value.attribute, JUDGES.get(value.at)
        if attribute.expression is None:
            if not attribute.text.startswith("="):  # else it did not parse, which was said
                yield from _literal(value, judge)
            continue
        known, found, warnings = _evaluate(attribute.expression)
        if not known:
            continue
        if judge is not None and (wrong := judge(found, attribute.text)):
            text = f"'{attribute.text}' is always {_shown(found)}, but {wrong}"
            yield Finding(value.owner, text, value.line, "error", "feel")
        elif warnings:
            text = f"'{attribute.text}' is always {_shown(found)}: {warnings[0]}"
            yield Finding(value.owner, text, value.line, "warning", "feel")
        elif value.at in (("SequenceFlow", "condition"), ("ConditionalDefinition", "condition")):
            text = f"'{attribute.text}' reads no variable: it is always {_shown(found)}"
            yield Finding(value.owner, text, value.line, "warning", "feel")


def _literal(value: Value, judge: Callable[[Any, str], str] | None) -> Iterator[Finding]:
    text = value.attribute.text
    if any(mark in text for mark in LEFTOVERS):
        message = (
            f"'{text}' is taken as it stands: an expression is FEEL and begins with '=' "
            "(flowledger convert translates models of Camunda 7)"
        )
        yield Finding(value.owner, message, value.line, "warning", "feel")
    elif judge is not None and value.at != ("JobDefinition", "retries") and (wrong := judge(text, text)):
        yield Finding(value.owner, f"'{text}': {wrong}", value.line, "error", "value")


def timers(model: m.ProcessModel) -> Iterator[Finding]:
    """Timers whose expression always gives the same, which is no time."""
    for node in model.nodes.values():
        definition = node.definition
        if not isinstance(definition, m.TimerDefinition) or definition.value.expression is None:
            continue
        known, found, warnings = _evaluate(definition.value.expression)
        if not known:
            continue
        text = f"'{definition.value.text}' is always {_shown(found)}"
        if found is None:
            reason = f": {warnings[0]}" if warnings else ""
            yield Finding(node.id, f"{text}{reason}; the timer can never start", node.line, "error", "timer")
        elif isinstance(found, str):
            try:
                parse_timer_text(definition.kind, found)
            except DomainError as error:
                yield Finding(node.id, f"{text}: {error}", node.line, "error", "timer")


def _evaluate(expression: Expression) -> tuple[bool, Any, list[str]]:
    """(whether the value is known, the value, warnings)."""
    names = {call.function.name for call in _calls(expression.tree) if isinstance(call.function, feel.Name)}
    if expression.variables or names & VARYING:
        return False, None, []
    context = EvaluationContext(max_steps=MAX_STEPS)
    try:
        return True, expression.evaluate({}, context), [warning.message for warning in context.warnings]
    except DomainError:
        return False, None, []


def _shown(value: Any) -> str:
    text = format_value(value)
    return text if len(text) <= 60 else text[:59] + "…"
