"""DmnModel → Decisions: every expression compiled once, every decision with its order of evaluation."""

from __future__ import annotations

from collections.abc import Mapping

from domain.dmn import model as m
from domain.dmn.boxed import BoxedCompiler, Names, null_node
from domain.dmn.errors import Findings, InvalidDecisionModel
from domain.dmn.evaluate import CompiledDecision, CompiledFunction, CompiledInput, CompiledService, Decisions, Program
from domain.dmn.graph import Element, Graph, Key, Requirement, Unit, order_of
from domain.dmn.parse import read_model
from domain.dmn.types import Type, special_names


def parse_dmn(xml: bytes, imports: Mapping[str, m.DmnModel] | None = None, *, strict: bool = True) -> m.DmnModel:
    """Read a DMN 1.1 to 1.5 file and check that all of it can be executed.

    imports: the models it may import, by namespace (theirs included).
    strict: False lets a model with broken parts pass; those parts evaluate to null with a failure.
    Raises InvalidDecisionModel with all findings. The model's `warnings` name what is odd but runs.
    """
    findings = Findings()
    model = read_model(xml, findings)
    _Compiler(Graph(model, imports or {}, findings), findings).decisions()
    if strict and findings.errors():
        raise InvalidDecisionModel(model.name or model.id, findings.errors())
    return m.DmnModel(
        model.id,
        model.name,
        model.namespace,
        model.imports,
        model.types,
        model.inputs,
        model.decisions,
        model.knowledge_models,
        model.services,
        findings.warnings(),
    )


def compile_decisions(
    model: m.DmnModel, imports: Mapping[str, m.DmnModel] | None = None, *, strict: bool = True
) -> Decisions:
    """Compile a model once for many evaluations; raises InvalidDecisionModel as parse_dmn does."""
    findings = Findings()
    decisions = _Compiler(Graph(model, imports or {}, findings), findings).decisions()
    if strict and findings.errors():
        raise InvalidDecisionModel(model.name or model.id, findings.errors())
    return decisions


class _Compiler:
    def __init__(self, graph: Graph, findings: Findings) -> None:
        self.graph = graph
        self.findings = findings
        self.boxed: dict[str, BoxedCompiler] = {}
        for namespace, unit in graph.units.items():
            own = findings if unit.model is graph.root else Findings()
            self.boxed[namespace] = BoxedCompiler(unit.types, self._special(unit), own)

    def decisions(self) -> Decisions:
        inputs: dict[Key, CompiledInput] = {}
        decisions: dict[Key, CompiledDecision] = {}
        functions: dict[Key, CompiledFunction] = {}
        services: dict[Key, CompiledService] = {}
        for namespace, unit in self.graph.units.items():
            unit.types.compile_all()
            for data in unit.model.inputs:
                inputs[namespace, data.id] = self._input(unit, data)
            for decision in unit.model.decisions:
                decisions[namespace, decision.id] = self._decision(unit, decision)
            for knowledge in unit.model.knowledge_models:
                functions[namespace, knowledge.id] = self._function(unit, knowledge)
        needs = {key: tuple(each.key for each in decision.information) for key, decision in decisions.items()}
        self.graph.refuse_circles(needs)
        for namespace, unit in self.graph.units.items():
            for service in unit.model.services:
                services[namespace, service.id] = self._service(unit, service, needs)
        predicates = {}
        for unit in reversed(self.graph.units.values()):
            predicates.update(unit.types.predicates())
        predicates.update(self.graph.units[self.graph.root.namespace].types.predicates())
        return Decisions(self.graph.root, Program(inputs, decisions, functions, services, needs, predicates))

    def _special(self, unit: Unit) -> Names:
        """Names that FEEL has to know wherever they stand: members of types, elements of imports, types themselves."""
        types = [unit.types.find(definition.name) for definition in unit.model.types]
        names = special_names(each for each in types if each is not None)
        for namespace in unit.prefixes:
            imported = self.graph.units[namespace].model
            elements: tuple[Element, ...] = (
                *imported.inputs,
                *imported.decisions,
                *imported.knowledge_models,
                *imported.services,
            )
            names.update(each.name for each in elements if not each.name.isidentifier())
            foreign = self.graph.units[namespace].types
            found = (foreign.find(definition.name) for definition in imported.types)
            names |= special_names(each for each in found if each is not None)
        return frozenset(names)

    def _names(self, *groups: tuple[Requirement, ...]) -> Names:
        seen = [each for group in groups for each in group]
        return frozenset([each.prefix or each.name for each in seen] + [each.alias for each in seen if each.alias])

    def _element_names(self, unit: Unit) -> set[str]:
        """Names that the model itself gives: who does not require such an element does not see it (7.1)."""
        model = unit.model
        elements: tuple[Element, ...] = (*model.inputs, *model.decisions, *model.knowledge_models, *model.services)
        return {each.variable.name or each.name for each in elements}

    def _type(self, unit: Unit, element: Element) -> Type:
        return unit.types.resolve(element.variable.type_ref, element.id, element.line)

    def _result_type(self, unit: Unit, element: Element) -> str:
        """What a function's variable promises of its result: a function type's output, or (DMN 1.1) the type itself."""
        declared = self._type(unit, element)
        return declared.function_output if declared.category == "function" else element.variable.type_ref

    def _input(self, unit: Unit, data: m.InputData) -> CompiledInput:
        prefix = self.graph.units[self.graph.root.namespace].prefixes.get(unit.model.namespace, "")
        name = data.variable.name or data.name
        return CompiledInput(data.id, name, f"{unit.model.namespace}#{name}", prefix, self._type(unit, data))

    def _decision(self, unit: Unit, decision: m.Decision) -> CompiledDecision:
        graph = self.graph
        information = graph.requirements(unit, decision, decision.information, m.InputData, m.Decision)
        knowledge = graph.requirements(unit, decision, decision.knowledge, m.BusinessKnowledgeModel, m.DecisionService)
        names = self._names(information, knowledge)
        wanted = self._type(unit, decision)
        boxed = self.boxed[unit.model.namespace]
        expression = decision.expression
        boxed.free.clear()
        node = null_node if expression is None else boxed.compile(expression, names, decision.id, wanted)
        kind = _kind(expression)
        undeclared = tuple(sorted(boxed.free - self._element_names(unit)))
        return CompiledDecision(decision.id, decision.name, kind, node, wanted, information, knowledge, undeclared)

    def _function(self, unit: Unit, knowledge: m.BusinessKnowledgeModel) -> CompiledFunction:
        requirements = self.graph.requirements(
            unit, knowledge, knowledge.knowledge, m.BusinessKnowledgeModel, m.DecisionService
        )
        name = knowledge.variable.name or knowledge.name
        names = self._names(requirements) | {name}
        result = self._result_type(unit, knowledge)
        boxed = self.boxed[unit.model.namespace]
        logic = knowledge.function or m.FunctionDefinition(knowledge.id, knowledge.line, "", "FEEL", (), None)
        make = boxed.function(logic, names, knowledge.id, name, result)
        return CompiledFunction(knowledge.id, name, make, requirements)

    def _service(self, unit: Unit, service: m.DecisionService, needs: Mapping[Key, tuple[Key, ...]]) -> CompiledService:
        graph = self.graph
        outputs = graph.requirements(unit, service, service.outputs, m.Decision)
        graph.requirements(unit, service, service.encapsulated, m.Decision)
        data = graph.requirements(unit, service, service.input_data, m.InputData)
        given = graph.requirements(unit, service, service.input_decisions, m.Decision)
        parameters = (*data, *given)
        types = tuple(self._type(graph.units[each.key[0]], graph.elements[each.key]) for each in parameters)
        bound = frozenset(each.key for each in parameters)
        order = tuple(order_of((each.key for each in outputs), needs, bound))
        result = unit.types.resolve(self._result_type(unit, service), service.id, service.line)
        return CompiledService(service.id, service.name, parameters, types, outputs, order, result)


_KINDS: dict[type[m.Boxed], str] = {
    m.LiteralExpression: "literalExpression",
    m.DecisionTable: "decisionTable",
    m.ContextExpression: "context",
    m.Invocation: "invocation",
    m.FunctionDefinition: "functionDefinition",
    m.ListExpression: "list",
    m.Relation: "relation",
    m.Conditional: "conditional",
    m.Filter: "filter",
}


def _kind(expression: m.Boxed | None) -> str:
    if expression is None:
        return "none"
    return expression.kind if isinstance(expression, m.Iteration) else _KINDS[type(expression)]
