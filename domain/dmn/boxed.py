"""Boxed expressions compiled to closures (DMN 1.5, 10.2.1): each becomes a function of a scope and a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.dmn import model as m
from domain.dmn import values as v
from domain.dmn.errors import Findings
from domain.dmn.run import Node, Run
from domain.dmn.tables import TableCompiler
from domain.dmn.types import MISMATCH, STRICT, Type, TypeTable
from domain.feel import Expression, FeelSyntaxError, call_function, compile_expression

Names = frozenset[str]
"""The names that an expression may use; FEEL needs them where they contain blanks or operators."""


def null_node(scope: dict[str, object], run: Run) -> object:
    """What an empty expression evaluates to."""
    return None


def converted(value: object, wanted: Type, what: str, run: Run) -> object:
    """The value as the type wants it; null with a warning where it cannot be."""
    result = wanted.convert(value)
    if result is MISMATCH:
        run.warn(f"{what} is {v.short(value)}, which is no {wanted.name}; null is used instead")
        return None
    return result


class BoxedCompiler:
    """Compiles the expressions of one model; findings name the element and line of what does not compile.

    `free` gathers the names that expressions read although nothing in their scope declares them.
    """

    def __init__(self, types: TypeTable, special: Names, findings: Findings) -> None:
        self.types = types
        self.special = special
        self.findings = findings
        self.free: set[str] = set()
        self._tables = TableCompiler(self)
        self._kinds: dict[type[m.Boxed], Callable[..., Node]] = {
            m.LiteralExpression: self._literal,
            m.ContextExpression: self._context,
            m.Invocation: self._invocation,
            m.FunctionDefinition: self._function,
            m.ListExpression: self._list,
            m.Relation: self._relation,
            m.Conditional: self._conditional,
            m.Filter: self._filter,
            m.Iteration: self._iteration,
        }

    def compile(self, boxed: m.Boxed, names: Names, owner: str, hint: Type | None = None) -> Node:
        """The closure of an expression; `hint` is the type of the variable that takes the value."""
        if isinstance(boxed, m.DecisionTable):
            wanted = self.types.resolve(boxed.type_ref, boxed.id or owner, boxed.line)
            typed = hint if hint is not None and wanted.category == "any" else wanted
            node = self._tables.compile(boxed, names, boxed.id or owner, typed)
        else:
            node = self._kinds[type(boxed)](boxed, names, boxed.id or owner)
        if not boxed.type_ref or isinstance(boxed, m.FunctionDefinition):
            return node
        return self.checked(node, boxed.type_ref, "the value of the expression", boxed.id or owner, boxed.line)

    def checked(self, node: Node, type_ref: str, what: str, owner: str, line: int) -> Node:
        """The closure with the conversion to a type around it."""
        wanted = self.types.resolve(type_ref, owner, line)
        if wanted.is_any:
            return node
        accepts = wanted.accepts

        def typed(scope: dict[str, object], run: Run) -> object:
            value = node(scope, run)
            return value if accepts(value, STRICT) else converted(value, wanted, what, run)

        return typed

    def feel(self, text: str, names: Names, owner: str, line: int, what: str) -> Expression | None:
        """A compiled FEEL text; None (and a finding) where it is not FEEL."""
        try:
            expression = compile_expression(text, self.known(names))
            self.free |= expression.variables - names
            return expression
        except FeelSyntaxError as error:
            self.findings.error(owner, line, f"{what} is not FEEL: {error}", "feel")
            return None

    def known(self, names: Iterable[str]) -> tuple[str, ...]:
        """The names to hand to FEEL, in a stable order (they are part of its cache key)."""
        return tuple(sorted({*names, *self.special}))

    def _literal(self, boxed: m.LiteralExpression, names: Names, owner: str) -> Node:
        if not boxed.text:
            return null_node
        expression = self.feel(boxed.text, names, owner, boxed.line, "the expression")
        if expression is None:
            return _failing(f"the expression '{boxed.text[:80]}' is not FEEL")
        evaluate = expression.evaluate
        return lambda scope, run: evaluate(scope, run.context)

    def _context(self, boxed: m.ContextExpression, names: Names, owner: str) -> Node:
        entries: list[tuple[str | None, Node]] = []
        for entry in boxed.entries:
            if entry.variable is None:
                entries.append((None, self.compile(entry.value, names, owner)))
                continue
            name, type_ref = entry.variable.name, entry.variable.type_ref
            visible = names | {name} if isinstance(entry.value, m.FunctionDefinition) else names
            hint = self.types.find(type_ref)
            node = self.compile(entry.value, visible, owner, hint)
            if not isinstance(entry.value, m.FunctionDefinition):
                node = self.checked(node, type_ref, f"the entry '{name}'", owner, boxed.line)
            entries.append((name, node))
            names = names | {name}
        compiled = tuple(entries)

        def evaluate(scope: dict[str, object], run: Run) -> object:
            local = dict(scope)
            context: dict[str, object] = {}
            for name, node in compiled:
                value = node(local, run)
                if name is None:
                    return value
                local[name] = context[name] = value
            return context

        return evaluate

    def _invocation(self, boxed: m.Invocation, names: Names, owner: str) -> Node:
        callee = self.compile(boxed.callee, names, owner)
        said = boxed.callee.text if isinstance(boxed.callee, m.LiteralExpression) else "the function"
        bindings: list[tuple[str, Node]] = []
        for binding in boxed.bindings:
            name, type_ref = binding.parameter.name, binding.parameter.type_ref
            node = self.compile(binding.value, names, owner)
            bindings.append((name, self.checked(node, type_ref, f"the argument '{name}'", owner, boxed.line)))
        compiled = tuple(bindings)

        def evaluate(scope: dict[str, object], run: Run) -> object:
            function = callee(scope, run)
            if not isinstance(function, v.Function):
                run.warn(f"'{said}' is {v.short(function)}, which is no function that could be invoked")
                return None
            return call_function(
                function, named={name: node(scope, run) for name, node in compiled}, context=run.context
            )

        return evaluate

    def _function(self, boxed: m.FunctionDefinition, names: Names, owner: str) -> Node:
        return self.function(boxed, names, owner, "")

    def function(self, boxed: m.FunctionDefinition, names: Names, owner: str, name: str, result: str = "") -> Node:
        """The closure that makes a function value; `result` is the type that its result promises."""
        parameters = tuple(
            (each.name, self.types.resolve(each.type_ref, owner, boxed.line)) for each in boxed.parameters
        )
        arguments = tuple(each.name for each in boxed.parameters)
        body = self._body(boxed, names | set(arguments), owner, result)

        def make(scope: dict[str, object], run: Run) -> object:
            def call(context: object, values: list[object]) -> object:
                local = dict(scope)
                for (argument, wanted), value in zip(parameters, values, strict=True):
                    given = wanted.convert(value)
                    if given is MISMATCH:
                        run.warn(f"{name or 'function'}: argument '{argument}' is {v.short(value)}, no {wanted.name}")
                        return None
                    local[argument] = given
                return body(local, run)

            return v.Function(arguments, call, name)

        return make

    def _body(self, boxed: m.FunctionDefinition, names: Names, owner: str, result: str) -> Node:
        if boxed.kind.upper() != "FEEL":
            return _warning(f"a function of kind {boxed.kind} runs code outside of FEEL, which is refused; use FEEL")
        if boxed.body is None:
            return null_node
        body = self.compile(boxed.body, names, owner, self.types.find(result))
        wanted = boxed.type_ref or result
        return self.checked(body, wanted, "the result of the function", owner, boxed.line) if wanted else body

    def _list(self, boxed: m.ListExpression, names: Names, owner: str) -> Node:
        items = tuple(self.compile(item, names, owner) for item in boxed.items)
        return lambda scope, run: [item(scope, run) for item in items]

    def _relation(self, boxed: m.Relation, names: Names, owner: str) -> Node:
        rows = tuple(
            tuple(
                (
                    column.name,
                    self.checked(
                        self.compile(cell, names, owner), column.type_ref, f"'{column.name}'", owner, boxed.line
                    ),
                )
                for column, cell in zip(boxed.columns, row, strict=True)
            )
            for row in boxed.rows
        )
        return lambda scope, run: [{name: cell(scope, run) for name, cell in row} for row in rows]

    def _conditional(self, boxed: m.Conditional, names: Names, owner: str) -> Node:
        condition, then, otherwise = (
            self.compile(part, names, owner) for part in (boxed.condition, boxed.then, boxed.otherwise)
        )

        def evaluate(scope: dict[str, object], run: Run) -> object:
            holds = condition(scope, run)
            if holds is True:
                return then(scope, run)
            if holds is False or holds is None:
                return otherwise(scope, run)
            run.warn(f"the condition is {v.short(holds)}, which is neither true nor false")
            return None

        return evaluate

    def _filter(self, boxed: m.Filter, names: Names, owner: str) -> Node:
        source = self.compile(boxed.source, names, owner)
        match = self.compile(boxed.match, names | {"item"}, owner)

        def evaluate(scope: dict[str, object], run: Run) -> object:
            kept: list[object] = []
            for item in elements(source(scope, run), run):
                local = {**scope, **item} if isinstance(item, dict) else dict(scope)
                local["item"] = item
                holds = match(local, run)
                if holds is True:
                    kept.append(item)
                elif holds is not False and holds is not None:
                    run.warn(f"the filter's match is {v.short(holds)}, which is neither true nor false")
                    return None
            return kept

        return evaluate

    def _iteration(self, boxed: m.Iteration, names: Names, owner: str) -> Node:
        source = self.compile(boxed.source, names, owner)
        variable = boxed.variable
        seen = {variable, "partial"} if boxed.kind == "for" else {variable}
        body = self.compile(boxed.body, names | seen, owner)
        if boxed.kind == "for":
            return _for(variable, source, body)
        return _quantified(variable, source, body, decisive=boxed.kind == "some")


def elements(value: object, run: Run) -> list[object]:
    """What an iteration runs over: a list's elements, a range's steps, nothing for null, else the value alone."""
    if value is None:
        return []
    found = v.steps_of(value, run.context) if isinstance(value, v.Range) else value
    listed = found if isinstance(found, list) else [found]
    run.context.step(len(listed))
    return listed


def _for(variable: str, source: Node, body: Node) -> Node:
    def evaluate(scope: dict[str, object], run: Run) -> object:
        local = dict(scope)
        results: list[object] = []
        local["partial"] = results
        for element in elements(source(scope, run), run):
            local[variable] = element
            results.append(body(dict(local), run))
        return results

    return evaluate


def _quantified(variable: str, source: Node, body: Node, decisive: bool) -> Node:
    """`some` is an or over the elements, `every` an and (10.3.2.15); what is no boolean counts as null."""

    def evaluate(scope: dict[str, object], run: Run) -> object:
        local = dict(scope)
        unknown = False
        for element in elements(source(scope, run), run):
            local[variable] = element
            holds = body(local, run)
            if holds is decisive:
                return decisive
            if not isinstance(holds, bool):
                run.warn(f"satisfies is {v.short(holds)}, which is neither true nor false")
                unknown = True
        return None if unknown else not decisive

    return evaluate


def _failing(reason: str) -> Node:
    def evaluate(scope: dict[str, object], run: Run) -> object:
        run.fail(reason)
        return None

    return evaluate


def _warning(reason: str) -> Node:
    def evaluate(scope: dict[str, object], run: Run) -> object:
        run.warn(reason)
        return None

    return evaluate
