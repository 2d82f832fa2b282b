"""What is wrong with a decision table before it runs: overlaps, gaps, rules that can never fire.

Looks at cells that are constants, comparisons and intervals of numbers, strings, dates, durations and booleans. Rules
with other cells are left out, and a finding says so. The work is bounded; where a bound is hit, a finding says so too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.dmn import cells as c
from domain.dmn import model as m
from domain.dmn.regions import Axis, Box, axis, covers, meet, subtract
from domain.feel import equal

MAX_PAIRS = 500_000
"""Pairs of rules that are compared: tables of up to a thousand rules."""

MAX_BOXES = 2_000
"""Pieces that the uncovered part of a table may fall into before the search for gaps stops."""

MAX_SHOWN = 20
"""Findings of one kind that are listed; the rest is counted."""

_SINGLE_RESULT = ("UNIQUE", "ANY", "FIRST", "PRIORITY")


@dataclass(frozen=True, slots=True)
class TableFinding:
    """Something about a table. `kind`: conflict, overlap, unreachable, subsumed, empty, gap or skipped.

    `rules` are 1-based indices. `severity`: error (the table will fail for some input), warning (it surely is not
    meant so, or an input finds no rule), note (worth knowing).
    """

    kind: str
    rules: tuple[int, ...]
    message: str
    severity: str


def check_table(table: m.DecisionTable, allowed: Mapping[str, str] | None = None) -> tuple[TableFinding, ...]:
    """All findings, errors first.

    allowed: the values that an input expression can have, as unary tests, by the expression's text; an input's own
    allowed values go before. `check_model` takes them from the types of the model.
    """
    return _Check(table, allowed or {}).findings()


def check_model(model: m.DmnModel) -> dict[str, tuple[TableFinding, ...]]:
    """The findings of every decision and business knowledge model whose logic is a table, by element id."""
    allowed = _allowed_values(model)
    found: dict[str, tuple[TableFinding, ...]] = {}
    for decision in model.decisions:
        if isinstance(decision.expression, m.DecisionTable):
            found[decision.id] = check_table(decision.expression, allowed)
    for knowledge in model.knowledge_models:
        body = knowledge.function.body if knowledge.function is not None else None
        if knowledge.function is not None and isinstance(body, m.DecisionTable):
            own = {each.name: _allowed_by(model, each.type_ref) for each in knowledge.function.parameters}
            found[knowledge.id] = check_table(body, own)
    return found


def _allowed_values(model: m.DmnModel) -> dict[str, str]:
    """Variable name → allowed values of its type, for input data and decisions."""
    named = [each.variable for each in model.inputs] + [each.variable for each in model.decisions]
    return {variable.name: _allowed_by(model, variable.type_ref) for variable in named}


def _allowed_by(model: m.DmnModel, type_ref: str) -> str:
    types = {each.name: each for each in model.types}
    for _ in range(len(types)):
        definition = types.get(type_ref)
        if definition is None or definition.is_collection:
            return ""
        if definition.allowed_values or definition.type_constraint:
            return definition.allowed_values or definition.type_constraint
        type_ref = definition.type_ref
    return ""


class _Check:
    def __init__(self, table: m.DecisionTable, allowed: Mapping[str, str]) -> None:
        self.table = table
        self.allowed = allowed
        self.found: list[TableFinding] = []
        self.axes = [self._axis(index) for index in range(len(table.inputs))]
        self.rules = self._rules()

    def findings(self) -> tuple[TableFinding, ...]:
        if self.rules:
            self._overlaps()
            self._coverage()
        order = {"error": 0, "warning": 1, "note": 2}
        return tuple(sorted(self.found, key=lambda finding: order[finding.severity]))

    def _add(self, kind: str, rules: Sequence[int], message: str, severity: str) -> None:
        count = sum(1 for finding in self.found if finding.kind == kind)
        if count < MAX_SHOWN:
            self.found.append(TableFinding(kind, tuple(rules), message, severity))
        elif count == MAX_SHOWN:
            self.found.append(TableFinding(kind, (), f"there are more findings of the kind '{kind}'", severity))

    def _axis(self, index: int) -> Axis:
        clause = self.table.inputs[index]
        texts = [rule.inputs[index] if index < len(rule.inputs) else "" for rule in self.table.rules]
        values = clause.values or self.allowed.get(clause.text, "")
        allowed = c.understand(values) if values else None
        return axis(clause.label or clause.text, [c.understand(text) for text in texts], allowed, clause.type_ref)

    def _rules(self) -> dict[int, Box]:
        """Index → box of the rules that are understood and can match at all."""
        boxes: dict[int, Box] = {}
        for number in range(1, len(self.table.rules) + 1):
            masks = [axis.masks[number - 1] for axis in self.axes]
            unclear = [axis.label for axis, mask in zip(self.axes, masks, strict=True) if mask is None]
            empty = [axis.label for axis, mask in zip(self.axes, masks, strict=True) if mask == 0]
            if empty:
                message = f"rule {number} never matches: its condition on {empty[0]} holds for no allowed value"
                self._add("empty", (number,), message, "warning")
            elif unclear:
                message = f"rule {number} was not analysed: its condition on {unclear[0]} is an expression"
                self._add("skipped", (number,), message, "note")
            else:
                boxes[number] = tuple(mask for mask in masks if mask is not None)
        return boxes

    def _overlaps(self) -> None:
        if self.table.hit_policy not in _SINGLE_RESULT:
            return
        numbers = list(self.rules)
        if len(numbers) * (len(numbers) - 1) // 2 > MAX_PAIRS:
            self._add("skipped", (), f"overlaps were not searched: {len(numbers)} rules are too many", "note")
            return
        for position, first in enumerate(numbers):
            box = self.rules[first]
            for second in numbers[position + 1 :]:
                shared = meet(box, self.rules[second])
                if shared is not None:
                    self._overlap(first, second, shared)

    def _overlap(self, first: int, second: int, shared: Box) -> None:
        policy, pair = self.table.hit_policy, f"rules {first} and {second}"
        where = f"{pair} both match when {self._words(shared)}"
        pairs = zip(self.table.rules[first - 1].outputs, self.table.rules[second - 1].outputs, strict=False)
        differ = not all(_same_text(left, right) for left, right in pairs)
        if policy == "UNIQUE":
            message = f"{where}; hit policy UNIQUE allows one: narrow one of them or choose another hit policy"
            self._add("conflict", (first, second), message, "error")
        elif policy == "ANY" and differ:
            message = f"{where}, with different outputs; hit policy ANY demands equal ones"
            self._add("conflict", (first, second), message, "error")
        elif policy == "FIRST" and self._one_covers_the_other(first, second):
            return
        elif policy in ("FIRST", "PRIORITY") and differ:
            chosen = f"rule {first} wins" if policy == "FIRST" else "the output with the higher priority wins"
            self._add("overlap", (first, second), f"{where}; {chosen}", "note")
        if policy in ("UNIQUE", "ANY"):
            self._subsumed(first, second)

    def _one_covers_the_other(self, first: int, second: int) -> bool:
        """An exception before the general rule is meant so; the other way round the rule is reported as unreachable."""
        a, b = self.rules[first], self.rules[second]
        return covers(a, b) or covers(b, a)

    def _subsumed(self, first: int, second: int) -> None:
        for inner, outer in ((first, second), (second, first)):
            if covers(self.rules[outer], self.rules[inner]):
                message = f"rule {inner} matches only where rule {outer} does; remove it or narrow rule {outer}"
                self._add("subsumed", (inner, outer), message, "warning")
                return

    def _coverage(self) -> None:
        """Cut the rules out of all possible inputs, in order: what is cut away already cannot fire again."""
        rest: list[Box] = [tuple(axis.universe for axis in self.axes)]
        first = self.table.hit_policy == "FIRST"
        for number, box in self.rules.items():
            if first and not any(meet(box, piece) for piece in rest):
                self._unreachable(number)
                continue
            rest = subtract(rest, box)
            if len(rest) > MAX_BOXES:
                message = f"gaps were searched up to rule {number} only: the table is too finely cut"
                self._add("skipped", (), message, "note")
                return
        unclear = [finding for finding in self.found if finding.kind == "skipped"]
        if not rest or any(clause.default for clause in self.table.outputs):
            return
        if unclear:
            rules = [number for finding in unclear for number in finding.rules]
            message = "gaps were not searched: the rules that were not analysed may close them"
            self._add("skipped", rules, message, "note")
            return
        for piece in rest:
            message = f"no rule matches when {self._words(piece)}; add a rule or a default output"
            self._add("gap", (), message, "warning")

    def _unreachable(self, number: int) -> None:
        single = [other for other in self.rules if other < number and covers(self.rules[other], self.rules[number])]
        by = f"rule {single[0]} covers" if single else "the rules above it cover"
        message = f"rule {number} never fires: {by} all of its cases; move it up or remove it"
        self._add("unreachable", (number, *single[:1]), message, "warning")

    def _words(self, box: Box) -> str:
        parts = [axis.describe(mask) for axis, mask in zip(self.axes, box, strict=True)]
        return " and ".join(part for part in parts if part) or "anything is given"


def _same_text(left: str, right: str) -> bool:
    (known_left, a), (known_right, b) = c.constant(left), c.constant(right)
    return equal(a, b) is True if known_left and known_right else left.strip() == right.strip()
