"""What a table makes of the rules that matched (DMN 1.5, 8.2.8)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from domain.dmn import cells as c
from domain.dmn import values as v
from domain.dmn.run import EvaluatedValue, MatchedRule, Run
from domain.feel import Expression, UnaryTests, compile_expression, equal

if TYPE_CHECKING:
    from domain.dmn.tables import CompiledTable, Output

_AGGREGATES: Final[dict[str, str]] = {"SUM": "sum(values)", "MIN": "min(values)", "MAX": "max(values)"}


class Ranking:
    """The allowed values of an output column, highest priority first; `enforced` where the column states them."""

    __slots__ = ("_known", "_tests", "enforced", "text")

    def __init__(self, text: str, tests: tuple[UnaryTests, ...], enforced: bool) -> None:
        self.text = text
        self.enforced = enforced
        self._tests = tests
        self._known: dict[tuple[type, object], int] = {}
        for rank, part in enumerate(c.split_tests(text)):
            known, value = c.constant(part)
            if known and c.kind_of(value) is not None:
                self._known.setdefault((_class(value), value), rank)

    def rank(self, value: object, scope: dict[str, object], run: Run) -> int | None:
        """The 0-based place of a value, None where it is not among the allowed ones."""
        if c.kind_of(value) is not None:
            known = self._known.get((_class(value), value))
            if known is not None:
                return known
        for rank, tests in enumerate(self._tests):
            if tests.matches(value, scope, run.context) is True:
                return rank
        return None

    def unranked(self) -> int:
        """Where values stand that are not listed: behind all others."""
        return len(self._tests)


def _class(value: object) -> type:
    return int if isinstance(value, Decimal) else value.__class__


def select(table: CompiledTable, rules: tuple[MatchedRule, ...], scope: dict[str, object], run: Run) -> object:
    """The table's value for at least one matched rule; null with a recorded failure where the policy is broken."""
    outputs, policy = table.outputs, table.policy
    for position, output in enumerate(outputs):
        ranking = output.ranking
        if ranking is not None and ranking.enforced:
            for rule in rules:
                value = rule.outputs[position].value
                if value is not None and ranking.rank(value, scope, run) is None:
                    said = v.short(value)
                    run.fail(f"rule {rule.index}: output '{output.name}' is {said}; allowed are {ranking.text[:200]}")
                    return None
    if policy == "UNIQUE" and len(rules) > 1:
        run.fail(f"rules {_numbers(rules)} match at once, but hit policy UNIQUE allows one; narrow their conditions")
        return None
    if policy == "ANY" and not all(equal(_values(rule), _values(rules[0])) is True for rule in rules[1:]):
        run.fail(f"rules {_numbers(rules)} match with different outputs, but hit policy ANY demands equal ones")
        return None
    if policy in ("UNIQUE", "ANY", "FIRST"):
        return _result(rules[0].outputs, outputs)
    if policy in ("PRIORITY", "OUTPUT ORDER"):
        rules = tuple(sorted(rules, key=lambda rule: _priority(rule, outputs, scope, run)))
        if policy == "PRIORITY":
            return _result(rules[0].outputs, outputs)
    results = [_result(rule.outputs, outputs) for rule in rules]
    if policy == "COLLECT" and table.aggregation:
        return _aggregate(table.aggregation, results, run)
    return results


def _values(rule: MatchedRule) -> list[object]:
    return [output.value for output in rule.outputs]


def _numbers(rules: tuple[MatchedRule, ...]) -> str:
    return ", ".join(str(rule.index) for rule in rules)


def _result(values: tuple[EvaluatedValue, ...], outputs: Sequence[Output]) -> object:
    if len(outputs) == 1:
        return values[0].value
    return {output.key: each.value for output, each in zip(outputs, values, strict=True)}


def _priority(rule: MatchedRule, outputs: Sequence[Output], scope: dict[str, object], run: Run) -> tuple[int, ...]:
    ranks: list[int] = []
    for output, each in zip(outputs, rule.outputs, strict=True):
        if output.ranking is not None:
            rank = output.ranking.rank(each.value, scope, run)
            ranks.append(output.ranking.unranked() if rank is None else rank)
    return tuple(ranks)


def _aggregate(aggregation: str, values: list[object], run: Run) -> object:
    if aggregation == "COUNT":
        return len(values)
    function: Expression = compile_expression(_AGGREGATES[aggregation], ("values",))
    return function.evaluate({"values": values}, run.context)
