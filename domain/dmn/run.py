"""One evaluation: what it is given, what it has found so far, and the record that is kept of it.

The record is what Camunda calls a decision instance: every decision that was evaluated, in order, with the values its
tables looked at and the rules that matched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from domain.feel import EvaluationContext, to_json

MAX_TRACED_TABLES = 50
"""Tables whose use is recorded for one decision; a table called in a loop would flood the record otherwise."""


class EvaluatedValue(msgspec.Struct, frozen=True):
    """A value of an input or output column: the column's id and name (its label, else its expression)."""

    id: str
    name: str
    value: Any


class MatchedRule(msgspec.Struct, frozen=True):
    """A rule that matched: its id, its 1-based index in the table and what its output cells evaluated to."""

    id: str
    index: int
    outputs: tuple[EvaluatedValue, ...]


class EvaluatedDecision(msgspec.Struct, frozen=True):
    """One decision of the graph as it was evaluated; `kind` is decisionTable, literalExpression, context, ...

    `inputs` and `matched_rules` are those of the decision's table (or of the tables its logic called, one after
    another); decisions without a table have none.
    """

    id: str
    name: str
    kind: str
    inputs: tuple[EvaluatedValue, ...]
    matched_rules: tuple[MatchedRule, ...]
    output: Any


class DecisionFailure(msgspec.Struct, frozen=True):
    """Why a decision has no proper output (a broken hit policy, a value that is not allowed, an exceeded budget)."""

    decision_id: str
    decision_name: str
    reason: str


class DecisionResult(msgspec.Struct, frozen=True):
    """What an evaluation came to.

    output: a FEEL value; null where the decision failed.
    evaluated: the decisions that were needed, in the order of evaluation; the asked one is last.
    failure: the first failure. Decisions that depend on a failed one have seen null.
    warnings: reasons for null inside expressions, and values that did not fit their type.
    """

    output: Any
    evaluated: tuple[EvaluatedDecision, ...]
    failure: DecisionFailure | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The result with all values as JSON has them (dates and durations as ISO texts)."""
        return {
            "output": to_json(self.output),
            "evaluated": [_decision_json(decision) for decision in self.evaluated],
            "failure": msgspec.to_builtins(self.failure),
            "warnings": list(self.warnings),
        }


def _decision_json(decision: EvaluatedDecision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "name": decision.name,
        "kind": decision.kind,
        "inputs": [_value_json(value) for value in decision.inputs],
        "matchedRules": [
            {"id": rule.id, "index": rule.index, "outputs": [_value_json(value) for value in rule.outputs]}
            for rule in decision.matched_rules
        ],
        "output": to_json(decision.output),
    }


def _value_json(value: EvaluatedValue) -> dict[str, Any]:
    return {"id": value.id, "name": value.name, "value": to_json(value.value)}


class Run:
    """The state of one evaluation; decision services run in a nested scope of the same run."""

    __slots__ = ("context", "evaluated", "failure", "inputs", "json_inputs", "owner", "results", "tables", "unbound")

    def __init__(self, inputs: Mapping[str, object], context: EvaluationContext, json_inputs: bool) -> None:
        self.inputs = inputs
        self.context = context
        self.json_inputs = json_inputs
        self.results: dict[tuple[str, str], object] = {}
        self.unbound = False
        self.evaluated: list[EvaluatedDecision] = []
        self.tables: list[tuple[tuple[EvaluatedValue, ...], tuple[MatchedRule, ...]]] = []
        self.owner: tuple[str, str] = ("", "")
        self.failure: DecisionFailure | None = None

    def warn(self, message: str) -> None:
        """Record why something became null, naming the decision at work."""
        where = self.owner[1] or self.owner[0]
        self.context.warn(f"decision '{where}': {message}" if where else message)

    def fail(self, reason: str) -> None:
        """Record a failure of the decision at work; the first one is what the result names."""
        if self.failure is None:
            self.failure = DecisionFailure(self.owner[0], self.owner[1], reason)
        self.warn(reason)

    def trace(self, inputs: tuple[EvaluatedValue, ...], rules: tuple[MatchedRule, ...]) -> None:
        """Record the use of a table by the decision at work."""
        if len(self.tables) < MAX_TRACED_TABLES:
            self.tables.append((inputs, rules))


Node = Callable[[dict[str, object], Run], object]
"""A compiled expression: evaluated in a scope (name → value) as part of a run."""
