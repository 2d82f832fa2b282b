"""Evaluating what a model says (FEEL or literal text) in the scope of an element instance.

What cannot be evaluated blocks the element instance: `Blocked` becomes an incident.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from domain.bpmn.model import Attribute
from domain.bpmn.timers import to_datetime
from domain.feel import EvaluationContext, FeelBudgetExceeded, to_json

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


EXPRESSION_STEPS = 100_000
"""Steps (loop rounds, calls) that one expression or decision of a model may take: some 40 ms. All instances share one
engine thread, so a costly expression must not hold up the others; it becomes an incident."""


class ErrorType(StrEnum):
    """Why an incident arose, by the names of the v2 API."""

    AD_HOC_SUB_PROCESS_NO_RETRIES = "AD_HOC_SUB_PROCESS_NO_RETRIES"
    CALLED_DECISION_ERROR = "CALLED_DECISION_ERROR"
    CALLED_ELEMENT_ERROR = "CALLED_ELEMENT_ERROR"
    CONDITION_ERROR = "CONDITION_ERROR"
    DECISION_EVALUATION_ERROR = "DECISION_EVALUATION_ERROR"
    EXECUTION_LISTENER_NO_RETRIES = "EXECUTION_LISTENER_NO_RETRIES"
    EXTRACT_VALUE_ERROR = "EXTRACT_VALUE_ERROR"
    FORM_NOT_FOUND = "FORM_NOT_FOUND"
    IO_MAPPING_ERROR = "IO_MAPPING_ERROR"
    JOB_NO_RETRIES = "JOB_NO_RETRIES"
    TASK_LISTENER_NO_RETRIES = "TASK_LISTENER_NO_RETRIES"
    UNHANDLED_ERROR_EVENT = "UNHANDLED_ERROR_EVENT"
    UNSPECIFIED = "UNSPECIFIED"


class Blocked(Exception):
    """An element instance cannot go on; it becomes an incident of this type with this message."""

    def __init__(self, error_type: ErrorType, message: str) -> None:
        super().__init__(message)
        self.type = error_type
        self.message = message


def _context(x: Execution) -> EvaluationContext:
    return EvaluationContext(now=to_datetime(x.now), max_steps=EXPRESSION_STEPS)


def evaluate(x: Execution, attribute: Attribute, scope: Mapping[str, Any], error: ErrorType) -> Any:
    """The JSON value of an attribute. Raises Blocked(error) when the expression exceeds its budget."""
    expression = attribute.expression
    if expression is None:
        return attribute.text
    context = _context(x) if expression.needs_context else None
    try:
        value = expression.evaluate(scope, context)
    except FeelBudgetExceeded as exceeded:
        raise Blocked(error, f"'{attribute.text}': {exceeded}") from exceeded
    if context is not None and context.failure is not None:
        raise Blocked(error, f"'{attribute.text}' failed: {context.failure}")
    kind = type(value)
    if kind is bool or kind is str or kind is int or value is None:
        return value
    return to_json(value)


def explain(x: Execution, attribute: Attribute, scope: Mapping[str, Any]) -> str:
    """The recorded reasons why an expression gave null, as the end of a sentence."""
    if attribute.expression is None:
        return ""
    context = _context(x)
    try:
        attribute.expression.evaluate(scope, context)
    except FeelBudgetExceeded as exceeded:
        return f": {exceeded}"
    reasons = "; ".join(dict.fromkeys(warning.message for warning in context.warnings))
    return f": {reasons}" if reasons else ""


def holds(x: Execution, condition: Attribute, scope: Mapping[str, Any]) -> bool:
    """Whether a condition holds. Raises Blocked(EXTRACT_VALUE_ERROR) when it is neither true nor false."""
    value = evaluate(x, condition, scope, ErrorType.EXTRACT_VALUE_ERROR)
    if value is True or value is False:
        return value
    raise Blocked(
        ErrorType.EXTRACT_VALUE_ERROR,
        f"the condition '{condition.text}' must be true or false, but was {_shown(value)}"
        + explain(x, condition, scope),
    )


def text_of(x: Execution, attribute: Attribute | None, scope: Mapping[str, Any], what: str) -> str:
    """A text such as a job type or assignee; "" where the model says nothing or null."""
    if attribute is None:
        return ""
    value = evaluate(x, attribute, scope, ErrorType.EXTRACT_VALUE_ERROR)
    if value is None:
        return ""
    if type(value) is str:
        return value
    raise _wrong(x, attribute, scope, what, "a string", value)


def texts_of(x: Execution, attribute: Attribute | None, scope: Mapping[str, Any], what: str) -> list[str]:
    """A list of texts such as candidate groups; a literal is split at its commas."""
    if attribute is None:
        return []
    if attribute.expression is None:
        return [part for part in (part.strip() for part in attribute.text.split(",")) if part]
    value = evaluate(x, attribute, scope, ErrorType.EXTRACT_VALUE_ERROR)
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if all(type(item) is str for item in values):
        return values
    raise _wrong(x, attribute, scope, what, "a list of strings", value)


MAX_RETRIES = 1_000_000


def job_of(x: Execution, job_type: Attribute, retries: Attribute, local: int) -> tuple[str, int]:
    """The type and retries of a job that element instance `local` needs. Raises Blocked."""
    if job_type.expression is None and retries.expression is None:
        return job_type.text, int(retries.text)
    scope = x.state.scope_variables(local)
    kind = text_of(x, job_type, scope, "job type")
    count = whole_number_of(x, retries, scope, "number of retries", 3, MAX_RETRIES)
    if not kind:
        raise Blocked(ErrorType.EXTRACT_VALUE_ERROR, f"the job type '{job_type.text}' must be a string, but was empty")
    return kind, count


def whole_number_of(
    x: Execution, attribute: Attribute | None, scope: Mapping[str, Any], what: str, default: int, high: int
) -> int:
    """A whole number from 0 to `high`."""
    if attribute is None:
        return default
    value = evaluate(x, attribute, scope, ErrorType.EXTRACT_VALUE_ERROR)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if (
        value is not None
        and not isinstance(value, bool | str | list | dict)
        and value == int(value)
        and 0 <= value <= high
    ):
        return int(value)
    raise _wrong(x, attribute, scope, what, f"a whole number from 0 to {high}", value)


def _wrong(
    x: Execution, attribute: Attribute, scope: Mapping[str, Any], what: str, wanted: str, value: object
) -> Blocked:
    reasons = explain(x, attribute, scope) if value is None else ""
    return Blocked(
        ErrorType.EXTRACT_VALUE_ERROR,
        f"the {what} '{attribute.text}' must be {wanted}, but was {_shown(value)}{reasons}",
    )


def _shown(value: object) -> str:
    if value is None:
        return "null"
    text = repr(value) if isinstance(value, str | list | dict) else str(value).lower()
    return text if len(text) <= 100 else text[:100] + "…"
