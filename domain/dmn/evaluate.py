"""Compiled decisions and their evaluation: requirements first, each decision once, everything recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.dmn import model as m
from domain.dmn import values as v
from domain.dmn.graph import Key, Requirement, order_of
from domain.dmn.run import DecisionFailure, DecisionResult, EvaluatedDecision, Node, Run
from domain.dmn.types import MISMATCH, OPEN, STRICT, Type, from_json
from domain.errors import NotFound
from domain.feel import EvaluationContext, FeelBudgetExceeded, call_function


@dataclass(frozen=True, slots=True, eq=False)
class CompiledInput:
    """An input data element: found among the inputs as `namespace#name`, in its import's context, or by name."""

    id: str
    name: str
    qualified: str
    prefix: str
    type: Type


@dataclass(frozen=True, slots=True, eq=False)
class CompiledDecision:
    """A decision's logic and the names it sees.

    `undeclared` names are read from the inputs where those have them: models of Camunda refer to process variables
    without drawing input data.
    """

    id: str
    name: str
    kind: str
    node: Node
    type: Type
    information: tuple[Requirement, ...]
    knowledge: tuple[Requirement, ...]
    undeclared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class CompiledFunction:
    """A business knowledge model: `make` gives its function value."""

    id: str
    name: str
    make: Node
    knowledge: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledService:
    """A decision service: parameters in order with their types, and what to evaluate for the outputs."""

    id: str
    name: str
    parameters: tuple[Requirement, ...]
    types: tuple[Type, ...]
    outputs: tuple[Requirement, ...]
    order: tuple[Key, ...]
    result: Type


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """All compiled elements by key; `needs` are the inputs and decisions that each decision requires directly."""

    inputs: dict[Key, CompiledInput]
    decisions: dict[Key, CompiledDecision]
    functions: dict[Key, CompiledFunction]
    services: dict[Key, CompiledService]
    needs: dict[Key, tuple[Key, ...]]
    predicates: dict[str, Callable[[object], bool]]


class Decisions:
    """The compiled decisions of one model; evaluating changes nothing in them, any number of threads may do so."""

    def __init__(self, model: m.DmnModel, program: Program) -> None:
        self.model = model
        self._inputs = program.inputs
        self._decisions = program.decisions
        self._functions = program.functions
        self._services = program.services
        self._needs = program.needs
        self._orders: dict[Key, tuple[Key, ...]] = {}
        self._predicates = program.predicates
        self._by_name = self._index()

    def _index(self) -> dict[str, Key]:
        own = self.model.namespace
        elements: tuple[m.Decision | m.DecisionService | m.BusinessKnowledgeModel, ...] = (
            *self.model.decisions,
            *self.model.services,
            *self.model.knowledge_models,
        )
        named = {element.name: (own, element.id) for element in reversed(elements)}
        named.update({element.id: (own, element.id) for element in reversed(elements)})
        return named

    def evaluate(
        self,
        decision: str,
        inputs: Mapping[str, object],
        now: datetime | None = None,
        *,
        json_inputs: bool = False,
        context: EvaluationContext | None = None,
        max_steps: int = 1_000_000,
    ) -> DecisionResult:
        """Evaluate a decision (or decision service, or business knowledge model) by id, else by name.

        inputs: values of input data by name; those of imported models under `import name.name` as nested mapping,
            as "namespace#name", or by their bare name. Further entries are ignored, absent ones are null.
        now: the reading of the clock for now() and today(), with time zone.
        json_inputs: strings are read as dates, times and durations where the model says so.
        max_steps: the budget of steps (see EvaluationContext) for the decision with all that it requires.
        context: FEEL's surroundings with other limits than the usual ones; `now` and `max_steps` are ignored then.
        Raises NotFound where the model has no such element. Failures inside are part of the result.
        """
        key = self._by_name.get(decision)
        if key is None:
            known = ", ".join(sorted(each.id for each in self.model.decisions)) or "none"
            raise NotFound(f"the model '{self.model.name}' has no decision '{decision}'; its decisions are: {known}")
        if context is None:
            context = EvaluationContext(now, types=self._predicates, max_steps=max_steps)
        run = Run(inputs, context, json_inputs)
        output: object = None
        try:
            output = self._target(key, run)
        except (FeelBudgetExceeded, RecursionError) as error:
            reason = str(error) if isinstance(error, FeelBudgetExceeded) else "the expressions are nested too deep"
            run.failure = DecisionFailure(run.owner[0], run.owner[1], reason)
        except v.InputError as error:
            run.failure = DecisionFailure(key[1], decision, str(error))
        warnings = tuple(warning.message for warning in context.warnings)
        return DecisionResult(output, tuple(run.evaluated), run.failure, warnings)

    def _target(self, key: Key, run: Run) -> object:
        if key in self._decisions:
            return self._in_order(self._order(key), run, key)
        service = self._services.get(key)
        if service is not None:
            given = [
                self._outside(each, wanted, run) for each, wanted in zip(service.parameters, service.types, strict=True)
            ]
            return self._serve(service, given, run)
        function = self._function(key, run)
        named = {name: self._given(name, run) for name in function.parameters}
        return call_function(function, named=named, context=run.context)

    def _order(self, key: Key) -> tuple[Key, ...]:
        """What the decision needs, itself last; found once, at its first evaluation."""
        known = self._orders.get(key)
        if known is None:
            known = self._orders[key] = tuple(order_of((key,), self._needs, frozenset()))
        return known

    def _in_order(self, order: tuple[Key, ...], run: Run, target: Key) -> object:
        results = run.results
        for key in order:
            if key not in results:
                decision = self._decisions.get(key)
                results[key] = self._input(self._inputs[key], run) if decision is None else self._decide(decision, run)
        return results[target]

    def _decide(self, decision: CompiledDecision, run: Run) -> object:
        scope = {name: self._given(name, run) for name in decision.undeclared if name in run.inputs}
        results = run.results
        for each in decision.information:
            _bind(scope, each, results.get(each.key))
        for each in decision.knowledge:
            _bind(scope, each, self._callable(each.key, run))
        outer, run.owner = run.owner, (decision.id, decision.name)
        tables, run.tables = run.tables, []
        output = decision.node(scope, run)
        if not decision.type.accepts(output, STRICT):
            fits = decision.type.convert(output)
            if fits is MISMATCH:
                run.warn(f"its value {v.short(output)} is no {decision.type.name}; null is used instead")
                fits = None
            output = fits
        used = run.tables
        if len(used) == 1:
            inputs, rules = used[0]
        else:
            inputs = tuple(value for table, _ in used for value in table)
            rules = tuple(rule for _, matched in used for rule in matched)
        run.evaluated.append(EvaluatedDecision(decision.id, decision.name, decision.kind, inputs, rules, output))
        run.owner, run.tables = outer, tables
        return output

    def _callable(self, key: Key, run: Run) -> v.Function:
        service = self._services.get(key)
        return self._service(service, run) if service is not None else self._function(key, run)

    def _function(self, key: Key, run: Run) -> v.Function:
        known = run.results.get(key)
        if isinstance(known, v.Function):
            return known
        compiled = self._functions[key]
        scope: dict[str, object] = {}
        function = compiled.make(scope, run)
        assert isinstance(function, v.Function)
        run.results[key] = function
        scope[compiled.name] = function
        for each in compiled.knowledge:
            _bind(scope, each, self._callable(each.key, run))
        return function

    def _service(self, service: CompiledService, run: Run) -> v.Function:
        names = tuple(each.name for each in service.parameters)
        return v.Function(names, lambda context, values: self._serve(service, values, run), service.name)

    def _serve(self, service: CompiledService, values: list[object], run: Run) -> object:
        bound: dict[Key, object] = {}
        for each, wanted, value in zip(service.parameters, service.types, values, strict=True):
            given = wanted.convert(value)
            if given is MISMATCH:
                said = v.short(value)
                run.warn(f"decision service '{service.name}': '{each.name}' is {said}, which is no {wanted.name}")
                return None
            bound[each.key] = given
        outer, inputs = run.results, run.inputs
        run.results, run.inputs = bound, {}
        try:
            outputs = {each.name: self._in_order(service.order, run, each.key) for each in service.outputs}
        finally:
            run.results, run.inputs = outer, inputs
        value = next(iter(outputs.values())) if len(outputs) == 1 else dict(outputs)
        fits = service.result.convert(value)
        if fits is MISMATCH:
            run.warn(f"decision service '{service.name}': the result is no {service.result.name}")
            return None
        return fits

    def _outside(self, parameter: Requirement, wanted: Type, run: Run) -> object:
        known = self._inputs.get(parameter.key)
        if known is not None:
            return self._raw(known, run)
        return _read(self._given(parameter.name, run), wanted, run)

    def _given(self, name: str, run: Run) -> object:
        return v.from_outside(run.inputs.get(name), name)

    def _raw(self, data: CompiledInput, run: Run) -> object:
        inputs = run.inputs
        nested = inputs.get(data.prefix) if data.prefix else None
        if data.qualified in inputs:
            value = inputs[data.qualified]
        elif isinstance(nested, Mapping) and data.name in nested:
            value = nested[data.name]
        else:
            value = inputs.get(data.name)
        return _read(v.from_outside(value, data.name), data.type, run)

    def _input(self, data: CompiledInput, run: Run) -> object:
        value = self._raw(data, run)
        fits = data.type.convert(value, OPEN)
        if fits is MISMATCH:
            run.warn(f"the input '{data.name}' is {v.short(value)}, which is no {data.type.name}; null is used")
            return None
        return fits


def _read(value: object, wanted: Type, run: Run) -> object:
    return from_json(value, wanted) if run.json_inputs else value


def _bind(scope: dict[str, object], requirement: Requirement, value: object) -> None:
    if not requirement.prefix:
        scope[requirement.name] = value
        if requirement.alias:
            scope.setdefault(requirement.alias, value)
        return
    imported = scope.setdefault(requirement.prefix, {})
    if isinstance(imported, dict):
        imported[requirement.name] = value
