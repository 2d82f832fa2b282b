"""Decision tables compiled for speed (DMN 1.5, chapter 8).

Each column is one lookup: constants, comparisons and intervals of all its cells lie on one ordered line, and a
bisection gives the rows that match as a bit mask. Only cells that are real expressions are evaluated one by one, and
only for rows that the other columns have left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from domain.dmn import cells as c
from domain.dmn import model as m
from domain.dmn import values as v
from domain.dmn.hit_policies import Ranking, select
from domain.dmn.run import EvaluatedValue, MatchedRule, Node, Run
from domain.dmn.types import MISMATCH, STRICT, Type
from domain.feel import FeelSyntaxError, UnaryTests, compile_unary_tests

if TYPE_CHECKING:
    from domain.dmn.boxed import BoxedCompiler, Names

Lookup = tuple[c.Line, Callable[[Any], c.Key] | None]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A compiled condition column. Bits are rows: bit 0 is rule 1.

    `lookups` by the class of the value; then only the `evaluated` cells are left to FEEL. A value of any other class
    (null, a list, ...) is left to FEEL in all `relevant` cells, those that are not `-`.
    """

    id: str
    label: str
    value: Node
    wanted: Type
    allowed: UnaryTests | None
    allowed_text: str
    lookups: dict[type, Lookup]
    evaluated: int
    relevant: int
    tests: tuple[UnaryTests | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A compiled conclusion column; `default` is None where the table states none."""

    id: str
    name: str
    key: str
    wanted: Type
    ranking: Ranking | None
    default: Node | None


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A compiled rule: per output column a constant or the closure of the expression."""

    id: str
    constants: tuple[EvaluatedValue | None, ...]
    nodes: tuple[Node | None, ...]


class TableCompiler:
    """Turns decision tables into closures."""

    def __init__(self, boxed: BoxedCompiler) -> None:
        self.boxed = boxed

    def compile(self, table: m.DecisionTable, names: Names, owner: str, hint: Type) -> Node:
        """The closure of a table; `hint` is the type of the variable that takes its result."""
        columns = tuple(self._column(table, index, names, owner) for index in range(len(table.inputs)))
        outputs = tuple(self._output(table, clause, names, owner, hint) for clause in table.outputs)
        rows = tuple(self._row(rule, number, outputs, names, owner) for number, rule in enumerate(table.rules, 1))
        if table.hit_policy in ("PRIORITY", "OUTPUT ORDER") and not any(output.ranking for output in outputs):
            message = f"hit policy {table.hit_policy} needs the output values in order; add <outputValues>"
            self.boxed.findings.warning(owner, table.line, message)
        if table.aggregation and len(outputs) > 1:
            message = f"{table.aggregation} cannot aggregate {len(outputs)} output columns; keep one"
            self.boxed.findings.error(owner, table.line, message)
        return CompiledTable(columns, outputs, rows, table.hit_policy, table.aggregation).evaluate

    def _column(self, table: m.DecisionTable, index: int, names: Names, owner: str) -> Column:
        clause = table.inputs[index]
        where = clause.id or owner
        texts = [rule.inputs[index] if index < len(rule.inputs) else "" for rule in table.rules]
        tests = tuple(
            self._tests(text, rule, names, index, owner) for text, rule in zip(texts, table.rules, strict=True)
        )
        cells = [c.understand(text) for text in texts]
        lookups: dict[type, Lookup] = {}
        for kind in sorted({cell.kind for cell in cells if cell is not None and cell.kind}):
            line = c.line_of_cells(cells, kind)
            lookups.update(dict.fromkeys(c.classes_of(kind), (line, c.key_of(kind))))
        return Column(
            id=clause.id,
            label=clause.label,
            value=self._input_value(clause, names, where),
            wanted=self.boxed.types.resolve(clause.type_ref, where, clause.line),
            allowed=self._unary(clause.values, names, where, clause.line, "the allowed input values"),
            allowed_text=clause.values,
            lookups=lookups,
            evaluated=sum(1 << row for row, cell in enumerate(cells) if cell is None),
            relevant=sum(1 << row for row, cell in enumerate(cells) if cell is None or not cell.is_any),
            tests=tests,
        )

    def _input_value(self, clause: m.InputClause, names: Names, where: str) -> Node:
        text = clause.text
        evaluate = self.boxed.compile(m.LiteralExpression(where, clause.line, "", text), names, where)
        if text not in names:
            return evaluate
        return lambda scope, run: scope[text] if text in scope else evaluate(scope, run)

    def _tests(self, text: str, rule: m.Rule, names: Names, index: int, owner: str) -> UnaryTests | None:
        if c.is_dash(text):
            return None
        return self._unary(text, names, rule.id or owner, rule.line, f"input cell {index + 1}")

    def _unary(self, text: str, names: Names, owner: str, line: int, what: str) -> UnaryTests | None:
        if c.is_dash(text):
            return None
        try:
            tests = compile_unary_tests(text, self.boxed.known(names))
            self.boxed.free |= tests.variables - names
            return tests
        except FeelSyntaxError as error:
            self.boxed.findings.error(owner, line, f"{what} '{text[:80]}' is no condition in FEEL: {error}", "feel")
            return None

    def _output(self, table: m.DecisionTable, clause: m.OutputClause, names: Names, owner: str, hint: Type) -> Output:
        where = clause.id or owner
        wanted = self.boxed.types.resolve(clause.type_ref, where, clause.line)
        within = hint.element if hint.element is not None else hint
        member = within.member_types.get(clause.name) if len(table.outputs) > 1 else within
        texts = clause.values or wanted.allowed or (member.allowed if member is not None else "")
        parts = [self._unary(text, names, where, clause.line, "the output values") for text in c.split_tests(texts)]
        tests = tuple(part for part in parts if part is not None)
        ranking = Ranking(texts, tests, enforced=bool(clause.values)) if tests else None
        default = self._default(clause, names, where) if clause.default else None
        return Output(clause.id, clause.name or clause.label, clause.name, wanted, ranking, default)

    def _default(self, clause: m.OutputClause, names: Names, where: str) -> Node:
        return self.boxed.compile(m.LiteralExpression(where, clause.line, "", clause.default), names, where)

    def _row(self, rule: m.Rule, number: int, outputs: tuple[Output, ...], names: Names, owner: str) -> Row:
        constants: list[EvaluatedValue | None] = []
        nodes: list[Node | None] = []
        where = rule.id or f"{owner}, rule {number}"
        texts = (*rule.outputs, *[""] * len(outputs))[: len(outputs)]
        for output, text in zip(outputs, texts, strict=True):
            known, value = (True, None) if c.is_dash(text) else c.constant(text)
            fits = output.wanted.convert(value) if known else MISMATCH
            if known and fits is not MISMATCH:
                constants.append(EvaluatedValue(output.id, output.name, fits))
                nodes.append(None)
            else:
                constants.append(None)
                nodes.append(self.boxed.compile(m.LiteralExpression(where, rule.line, "", text), names, where))
        return Row(rule.id, tuple(constants), tuple(nodes))


class CompiledTable:
    """What an evaluation walks over; immutable once made."""

    __slots__ = ("aggregation", "all_rows", "columns", "outputs", "policy", "rows")

    def __init__(
        self,
        columns: tuple[Column, ...],
        outputs: tuple[Output, ...],
        rows: tuple[Row, ...],
        policy: str,
        function: str,
    ) -> None:
        self.columns = columns
        self.outputs = outputs
        self.rows = rows
        self.policy = policy
        self.aggregation = function
        self.all_rows = (1 << len(rows)) - 1

    def evaluate(self, scope: dict[str, object], run: Run) -> object:
        """The table's value; its inputs and matched rules go to the run's record."""
        mask = self.all_rows
        inputs: list[EvaluatedValue] = []
        pending: list[tuple[Column, object, int]] = []
        for column in self.columns:
            value = column.value(scope, run)
            if value is not None and not column.wanted.accepts(value, STRICT):
                value = _fitted(column, value, run)
            lookup = column.lookups.get(value.__class__)
            if lookup is not None:
                line, key = lookup
                mask &= line.rows(value if key is None else key(value))
                undecided = column.evaluated
            else:
                undecided = column.relevant
            if undecided:
                pending.append((column, value, undecided))
            inputs.append(EvaluatedValue(column.id, column.label, value))
            if column.allowed is not None and _forbidden(column, value, scope, run):
                run.trace(tuple(inputs), ())
                return None
        for cells in pending:
            mask = _evaluate_cells(cells, mask, scope, run)
        rules = self._matched(mask, scope, run)
        run.trace(tuple(inputs), rules)
        if not rules:
            return self._default(scope, run)
        return select(self, rules, scope, run)

    def _matched(self, mask: int, scope: dict[str, object], run: Run) -> tuple[MatchedRule, ...]:
        rules: list[MatchedRule] = []
        while mask:
            index = (mask & -mask).bit_length()
            row = self.rows[index - 1]
            values = tuple(
                constant if constant is not None else _output_value(output, node, scope, run)
                for constant, node, output in zip(row.constants, row.nodes, self.outputs, strict=True)
            )
            rules.append(MatchedRule(row.id, index, values))
            if self.policy == "FIRST":
                break
            mask &= mask - 1
        return tuple(rules)

    def _default(self, scope: dict[str, object], run: Run) -> object:
        if all(output.default is None for output in self.outputs):
            return None
        values = [None if output.default is None else output.default(scope, run) for output in self.outputs]
        if len(values) == 1:
            return values[0]
        return {output.key: value for output, value in zip(self.outputs, values, strict=True)}


def _fitted(column: Column, value: object, run: Run) -> object:
    """The value as the column's type wants it; one that does not fit is kept, since modelers write any type there."""
    fits = column.wanted.convert(value)
    if fits is MISMATCH:
        run.warn(f"the input '{column.label}' is {v.short(value)}, which is no {column.wanted.name}")
        return value
    return fits


def _forbidden(column: Column, value: object, scope: dict[str, object], run: Run) -> bool:
    if value is None or column.allowed is None or column.allowed.matches(value, scope, run.context) is True:
        return False
    run.fail(f"the input '{column.label}' is {v.short(value)}; allowed are {column.allowed_text[:200]}")
    return True


def _evaluate_cells(cells: tuple[Column, object, int], mask: int, scope: dict[str, object], run: Run) -> int:
    column, value, undecided = cells
    left = mask & undecided
    while left:
        bit = left & -left
        tests = column.tests[bit.bit_length() - 1]
        if tests is None or tests.matches(value, scope, run.context) is not True:
            mask &= ~bit
        left &= left - 1
    return mask


def _output_value(output: Output, node: Node | None, scope: dict[str, object], run: Run) -> EvaluatedValue:
    value = node(scope, run) if node is not None else None
    fits = output.wanted.convert(value)
    if fits is MISMATCH:
        run.warn(f"the output '{output.name}' is {v.short(value)}, which is no {output.wanted.name}")
        fits = value
    return EvaluatedValue(output.id, output.name, fits)
