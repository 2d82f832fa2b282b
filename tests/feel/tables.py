"""What the tables of these tests are read with: an expression and its value, both as FEEL writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from domain.feel import EvaluationContext, compile_expression, format_value

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def shown(value: object) -> str:
    """A value as FEEL text, strings in quotes: 3 and "3" differ."""
    return format_value([value])[1:-1]


def evaluated(text: str, scope: Mapping[str, object] | None = None) -> str:
    """The value of an expression as text."""
    given = dict(scope or {})
    return shown(compile_expression(text, tuple(given)).evaluate(given, EvaluationContext(now=NOW)))


def reasons(text: str, scope: Mapping[str, object] | None = None) -> list[str]:
    """The warnings that an expression leaves."""
    context = EvaluationContext(now=NOW)
    compile_expression(text).evaluate(scope or {}, context)
    return [warning.message for warning in context.warnings]
