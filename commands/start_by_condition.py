"""StartByCondition: start an instance if the condition of a start event holds for the given variables (Camunda 8.9: the
conditional start events of processes are evaluated when somebody asks for it)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import check_variables
from commands.starting import EventStart, start_by_event
from domain.bpmn.model import ConditionalDefinition
from domain.bpmn.timers import to_datetime
from domain.errors import NotFound
from domain.feel import EvaluationContext, FeelBudgetExceeded
from domain.process_instance.evaluation import EXPRESSION_STEPS


class StartByCondition(Command, frozen=True, kw_only=True):
    """A start event in force, and the variables that its condition reads and the instance gets."""

    definition_key: int
    element_id: str
    variables: dict[str, Any] = {}


class ConditionalStart(msgspec.Struct, frozen=True):
    """The instance; 0: the condition did not hold."""

    instance_key: int
    definition_key: int


def streams(_command: StartByCondition, context: Context, _route: Route) -> Sequence[StreamRef]:
    """A fresh stream under a new key."""
    return (instance_ref(context.new_key(), fresh=True),)


def decide(command: StartByCondition, context: Context, streams: Sequence[Stream]) -> ConditionalStart:
    """Evaluate; anything but true starts nothing."""
    (stream,) = streams
    variables = check_variables(command.variables)
    node = context.definitions.process(command.definition_key).nodes.get(command.element_id)
    definition = None if node is None else node.definition
    if not isinstance(definition, ConditionalDefinition):
        raise NotFound(f"'{command.element_id}' is no conditional start event of '{command.definition_key}'")
    expression = definition.condition.expression
    assert expression is not None  # the parser refuses conditions that are no FEEL
    try:
        asked = EvaluationContext(now=to_datetime(context.now), max_steps=EXPRESSION_STEPS)
        value = expression.evaluate(variables, asked)
    except FeelBudgetExceeded:
        value = None
    if value is not True:
        return ConditionalStart(0, command.definition_key)
    tenant = context.meta.tenant
    start_by_event(
        stream, context, EventStart(command.definition_key, command.element_id, "condition", tenant, variables)
    )
    return ConditionalStart(stream.ref.key, command.definition_key)


HANDLER = Handler(streams, decide, ConditionalStart, sheds=True)
