"""FEEL expressions, evaluated for whoever asks: nothing is recorded."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from api.bodies import ExpressionEvaluation
from api.call import Call, answer, tenant_of
from api.operations import Operation
from api.reads import own_position, settle
from api.schemas import EXPRESSION_RESULT
from domain.bpmn.timers import to_datetime
from domain.errors import InvalidArgument, NotFound
from domain.feel import EvaluationContext, compile_expression, to_json
from domain.keys import instance_key_of, parse_key

MAX_SECONDS = 2.0
"""How long an expression may take. It shares the processor with every other request."""


async def evaluate_expression(call: Call) -> Response:
    """Evaluate a FEEL expression with the variables given, and those of a running process or element instance.

    What has no meaning inside the expression is null, with the reason in `warnings`. A text that is not FEEL is refused
    (400) with line, column and what was expected; so is an expression that needs more than its budget.
    """
    body = await call.body(ExpressionEvaluation)
    tenant_of(body.tenant_id)
    variables: Mapping[str, Any] = body.variables or {}
    if body.scope_key is not None:
        variables = {**await _visible(call, parse_key(body.scope_key, "scopeKey")), **variables}
    context = EvaluationContext(
        to_datetime(call.services.clock.now()),
        max_seconds=MAX_SECONDS,
        clock=time.monotonic,
        random=random.random,
        uuid=lambda: str(uuid4()),
    )
    result = await asyncio.to_thread(_evaluate, body.expression, variables, context)
    if context.failure is not None:
        raise InvalidArgument(f"the expression failed: {context.failure}", "expression")
    warnings = [{"message": w.message, "line": w.line or None, "column": w.column or None} for w in context.warnings]
    return answer({"expression": body.expression, "result": result, "warnings": warnings, "referencedSecrets": []})


def _evaluate(text: str, variables: Mapping[str, Any], context: EvaluationContext) -> object:
    # The "=" goes, its place stays: columns count from where the caller's text begins.
    feel = " " + text[1:] if text.startswith("=") else text
    return to_json(compile_expression(feel, sorted(variables)).evaluate(variables, context))


async def _visible(call: Call, scope_key: int) -> dict[str, Any]:
    """The variables that a running process or element instance sees: its own, over those of the scopes around it."""
    instance_key = instance_key_of(scope_key)
    await settle(call, own_position(call, scope_key))
    state = await call.services.queries.state_at(instance_key)
    elements = {int(element["elementInstanceKey"]): element for element in state["elements"]}
    visible: dict[str, Any] = {}
    key = scope_key
    if key != instance_key and key not in elements:
        raise NotFound(f"no element instance with key '{scope_key}' is active")
    while key in elements:
        visible = {**elements[key]["variables"], **visible}
        if key == instance_key:
            break
        key = int(elements[key]["scopeKey"])
    return visible


OPERATIONS = (
    Operation(
        "POST",
        "/expression/evaluation",
        evaluate_expression,
        "Expression",
        ExpressionEvaluation,
        answer=EXPRESSION_RESULT,
        errors=(404,),
    ),
)
