"""XML of boxed expressions and decision tables → model records (DMN 1.5, chapters 8 and 10.2)."""

from __future__ import annotations

from collections.abc import Callable

from domain.dmn import model as m
from domain.dmn.errors import Findings
from domain.dmn.xml import Element, attribute, child, children, line_of, local_name, name_of, text_of, type_ref_of

HIT_POLICIES = ("UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER", "OUTPUT ORDER", "COLLECT")
AGGREGATIONS = ("SUM", "MIN", "MAX", "COUNT")

_FEEL_LANGUAGES = ("", "feel")


def variable_of(element: Element, fallback: str = "") -> m.Variable:
    """An information item: its name (or the fallback) and type."""
    return m.Variable(name_of(element) or fallback, type_ref_of(element))


class BoxedParser:
    """Turns expression elements into records; whatever is wrong goes to `findings`, a null literal in its place."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.kinds: dict[str, Callable[[Element], m.Boxed]] = {
            "literalExpression": self._literal,
            "decisionTable": self._table,
            "context": self._context,
            "invocation": self._invocation,
            "functionDefinition": self._function,
            "list": self._list,
            "relation": self._relation,
            "conditional": self._conditional,
            "filter": self._filter,
            "for": self._iteration,
            "some": self._iteration,
            "every": self._iteration,
        }

    def expression_in(self, parent: Element) -> m.Boxed | None:
        """The expression among the children of `parent`, None where there is none."""
        found = children(parent, *self.kinds)
        if len(found) > 1:
            self._error(found[1], "a second expression stands beside the first", "keep one expression here", parent)
        return self.kinds[local_name(found[0])](found[0]) if found else None

    def function_of(self, element: Element) -> m.FunctionDefinition:
        """A functionDefinition or encapsulatedLogic element."""
        return self._function(element)

    def _error(self, element: Element, what: str, mend: str, owner: Element | None = None) -> None:
        named = element if owner is None or attribute(element, "id") else owner
        self.findings.error(attribute(named, "id"), line_of(element), f"{what}; {mend}")

    def _required(self, parent: Element | None, what: str, owner: Element) -> m.Boxed:
        found = self.expression_in(parent) if parent is not None else None
        if found is None:
            at = parent if parent is not None else owner
            self._error(at, f"{what} has no expression", "add one, for example a literalExpression", owner)
            return m.LiteralExpression("", line_of(owner), "", "")
        return found

    def _base(self, element: Element) -> tuple[str, int, str]:
        return attribute(element, "id"), line_of(element), type_ref_of(element)

    def _literal(self, element: Element) -> m.Boxed:
        language = attribute(element, "expressionLanguage")
        if language.lower() not in _FEEL_LANGUAGES and "feel" not in language.lower():
            self._error(element, f"the expression language '{language}' is not supported", "write the text in FEEL")
            return m.LiteralExpression(*self._base(element), "", language)
        if child(element, "importedValues") is not None:
            self._error(element, "imported values are not supported", "put the expression into <text>")
        return m.LiteralExpression(*self._base(element), text_of(element), language)

    def _context(self, element: Element) -> m.Boxed:
        entries: list[m.ContextEntry] = []
        for entry in children(element, "contextEntry"):
            item = child(entry, "variable")
            if entries and entries[-1].variable is None:
                self._error(entry, "an entry stands below the result entry", "make the result the last entry", element)
            variable = variable_of(item) if item is not None else None
            if variable is not None and not variable.name:
                self._error(entry, "the variable of a context entry has no name", "name it", element)
            value = self._required(entry, f"context entry '{variable.name if variable else 'result'}'", element)
            entries.append(m.ContextEntry(variable, value))
        return m.ContextExpression(*self._base(element), tuple(entries))

    def _invocation(self, element: Element) -> m.Boxed:
        callee = self._required(element, "the invocation", element)
        bindings: list[m.Binding] = []
        for binding in children(element, "binding"):
            parameter = child(binding, "parameter")
            if parameter is None or not name_of(parameter):
                self._error(binding, "a binding has no parameter name", 'add <parameter name="..."/>', element)
                continue
            value = self.expression_in(binding) or m.LiteralExpression("", line_of(binding), "", "")
            bindings.append(m.Binding(variable_of(parameter), value))
        return m.Invocation(*self._base(element), callee, tuple(bindings))

    def _function(self, element: Element) -> m.FunctionDefinition:
        kind = attribute(element, "kind") or "FEEL"
        if kind.upper() not in ("FEEL", "JAVA", "PMML"):
            self._error(element, f"function kind '{kind}' is unknown", "use FEEL")
        parameters = tuple(variable_of(item) for item in children(element, "formalParameter"))
        for name in sorted({p.name for p in parameters if [q.name for q in parameters].count(p.name) > 1}):
            self._error(element, f"the parameter '{name}' is declared twice", "give each parameter its own name")
        return m.FunctionDefinition(*self._base(element), kind, parameters, self.expression_in(element))

    def _list(self, element: Element) -> m.Boxed:
        items = tuple(self.kinds[local_name(item)](item) for item in children(element, *self.kinds))
        return m.ListExpression(*self._base(element), items)

    def _relation(self, element: Element) -> m.Boxed:
        columns = tuple(variable_of(column) for column in children(element, "column"))
        rows: list[tuple[m.Boxed, ...]] = []
        for number, row in enumerate(children(element, "row"), 1):
            cells = tuple(self.kinds[local_name(cell)](cell) for cell in children(row, *self.kinds))
            if len(cells) != len(columns):
                what = f"row {number} has {len(cells)} cells for {len(columns)} columns"
                self._error(row, what, "give one cell per column", element)
                continue
            rows.append(cells)
        return m.Relation(*self._base(element), columns, tuple(rows))

    def _conditional(self, element: Element) -> m.Boxed:
        parts = [self._required(child(element, part), f"<{part}>", element) for part in ("if", "then", "else")]
        return m.Conditional(*self._base(element), *parts)

    def _filter(self, element: Element) -> m.Boxed:
        source, match = (self._required(child(element, part), f"<{part}>", element) for part in ("in", "match"))
        return m.Filter(*self._base(element), source, match)

    def _iteration(self, element: Element) -> m.Boxed:
        kind = local_name(element)
        body = "return" if kind == "for" else "satisfies"
        variable = " ".join(attribute(element, "iteratorVariable").split())
        if not variable:
            self._error(element, f"<{kind}> has no iteratorVariable", "name the variable that takes each element")
        source, inner = (self._required(child(element, part), f"<{part}>", element) for part in ("in", body))
        return m.Iteration(*self._base(element), kind, variable, source, inner)

    def _table(self, element: Element) -> m.Boxed:
        policy = attribute(element, "hitPolicy") or "UNIQUE"
        aggregation = attribute(element, "aggregation")
        if policy not in HIT_POLICIES:
            self._error(element, f"hit policy '{policy}' is unknown", f"use one of {', '.join(HIT_POLICIES)}")
            policy = "UNIQUE"
        if aggregation and aggregation not in AGGREGATIONS:
            self._error(element, f"aggregation '{aggregation}' is unknown", f"use one of {', '.join(AGGREGATIONS)}")
            aggregation = ""
        if aggregation and policy != "COLLECT":
            self._error(element, f"aggregation {aggregation} needs hit policy COLLECT, not {policy}", "change one")
        inputs = tuple(self._input(clause) for clause in children(element, "input"))
        outputs = tuple(self._output(clause) for clause in children(element, "output"))
        if not outputs:
            self._error(element, "the decision table has no output column", "add an <output>")
        if len(outputs) > 1:
            self._output_names(element, outputs)
        rules = tuple(
            self._rule(rule, number, len(inputs), len(outputs))
            for number, rule in enumerate(children(element, "rule"), 1)
        )
        return m.DecisionTable(*self._base(element), policy, aggregation, inputs, outputs, rules)

    def _output_names(self, table: Element, outputs: tuple[m.OutputClause, ...]) -> None:
        names = [output.name for output in outputs]
        for output in outputs:
            if not output.name:
                message = "an output column has no name; name each of several output columns"
                self.findings.error(output.id or attribute(table, "id"), output.line, message)
            elif names.count(output.name) > 1 and names.index(output.name) == outputs.index(output):
                message = f"two output columns are named '{output.name}'; give each its own name"
                self.findings.error(output.id or attribute(table, "id"), output.line, message)

    def _input(self, element: Element) -> m.InputClause:
        expression = child(element, "inputExpression")
        text = text_of(expression)
        if not text:
            self._error(element, "an input column has no expression", "say in <inputExpression> what it looks at")
        type_ref = type_ref_of(expression) if expression is not None else ""
        values = text_of(child(element, "inputValues"))
        label = attribute(element, "label") or text
        return m.InputClause(attribute(element, "id"), line_of(element), label, text, type_ref, values)

    def _output(self, element: Element) -> m.OutputClause:
        name, label = name_of(element), attribute(element, "label")
        values, default = text_of(child(element, "outputValues")), text_of(child(element, "defaultOutputEntry"))
        identifier, type_ref = attribute(element, "id"), type_ref_of(element)
        return m.OutputClause(identifier, line_of(element), name, label or name, type_ref, values, default)

    def _rule(self, element: Element, number: int, inputs: int, outputs: int) -> m.Rule:
        tests = tuple(text_of(entry) for entry in children(element, "inputEntry"))
        results = tuple(text_of(entry) for entry in children(element, "outputEntry"))
        notes = tuple(text_of(entry) for entry in children(element, "annotationEntry"))
        for found, wanted, what in ((len(tests), inputs, "input"), (len(results), outputs, "output")):
            if found != wanted:
                message = f"rule {number} has {found} {what} cells for {wanted} {what} columns"
                self._error(element, message, "give one cell per column ('-' where it does not matter)")
        return m.Rule(attribute(element, "id"), line_of(element), tests, results, notes)
