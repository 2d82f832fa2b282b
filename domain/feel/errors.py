"""Errors that FEEL raises on purpose. Everything else in FEEL evaluates to null with a recorded reason.

ExpressionError (domain.errors)
├── FeelSyntaxError      the text is not FEEL; says where and what was expected
└── FeelBudgetExceeded   an expression used more steps, depth, size or time than it was given

FeelAssertion never leaves an evaluation: it ends it, and is told by `EvaluationContext.failure`.
"""

from __future__ import annotations

from domain.errors import ExpressionError


class FeelSyntaxError(ExpressionError):
    """A text that is not FEEL. `line` and `column` are 1-based; `expected` names what would be right there."""

    def __init__(self, message: str, line: int = 1, column: int = 1, expected: tuple[str, ...] = ()) -> None:
        self.line = line
        self.column = column
        self.expected = expected
        self.message = message
        hint = f"; expected {' or '.join(expected)}" if expected else ""
        super().__init__(f"line {line}, column {column}: {message}{hint}")


class FeelBudgetExceeded(ExpressionError):
    """An expression that was stopped: `limit` is steps, depth, size or seconds; `allowed` is what it was given."""

    def __init__(self, limit: str, allowed: float, message: str = "") -> None:
        self.limit = limit
        self.allowed = allowed
        if limit == "depth":
            reason = f"its calls are nested more than {allowed:.12g} deep"
        else:
            reason = f"it needs more than {allowed:.12g} {limit}"
        super().__init__(message or f"the expression was stopped: {reason}")


class FeelAssertion(Exception):
    """assert() was not fulfilled: the evaluation ends with null."""
