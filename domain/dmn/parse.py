"""XML of a decision requirements graph → DmnModel (DMN 1.1 to 1.5, chapters 6 and 7)."""

from __future__ import annotations

from collections.abc import Iterable

from domain.dmn import model as m
from domain.dmn.errors import Findings
from domain.dmn.parse_boxed import BoxedParser, variable_of
from domain.dmn.xml import (
    DMN_NAMESPACES,
    ZEEBE_NAMESPACE,
    Element,
    attribute,
    child,
    children,
    line_of,
    local_name,
    name_of,
    read_definitions,
    text_of,
    type_name,
    type_ref_of,
)

_DRG_ELEMENTS = ("inputData", "decision", "businessKnowledgeModel", "decisionService", "itemDefinition")


def read_model(xml: bytes, findings: Findings) -> m.DmnModel:
    """The records of a DMN file; what is wrong inside goes to `findings`, a file that is not DMN raises."""
    return _Reader(read_definitions(xml), findings).model()


class _Reader:
    def __init__(self, root: Element, findings: Findings) -> None:
        self.root = root
        self.findings = findings
        self.namespace = attribute(root, "namespace")
        self.boxed = BoxedParser(findings)

    def model(self) -> m.DmnModel:
        root = self.root
        name = name_of(root)
        if not name:
            self.findings.warning(
                attribute(root, "id"), line_of(root), "the model has no name; add one to <definitions>"
            )
        self._refuse_repeated()
        return m.DmnModel(
            id=attribute(root, "id") or name,
            name=name,
            namespace=self.namespace,
            imports=tuple(self._imports()),
            types=tuple(self._type(element) for element in children(root, "itemDefinition")),
            inputs=tuple(self._input(element) for element in children(root, "inputData")),
            decisions=tuple(self._decision(element) for element in children(root, "decision")),
            knowledge_models=tuple(self._knowledge(element) for element in children(root, "businessKnowledgeModel")),
            services=tuple(self._service(element) for element in children(root, "decisionService")),
        )

    def _refuse_repeated(self) -> None:
        ids: dict[str, int] = {}
        names: dict[tuple[str, str], int] = {}
        for element in children(self.root, *_DRG_ELEMENTS):
            identifier, name, line = attribute(element, "id"), name_of(element), line_of(element)
            kind = "type" if local_name(element) == "itemDefinition" else "element"
            if identifier and identifier in ids:
                message = f"the id '{identifier}' is used in line {ids[identifier]} too; give each element its own id"
                self.findings.error(identifier, line, message)
            if name and (kind, name) in names:
                message = f"the name '{name}' is used in line {names[kind, name]} too; expressions may mean either"
                self.findings.warning(identifier, line, message)
            if not name:
                message = f"the {local_name(element)} has no name; add one, its id stands in for it"
                (self.findings.warning if identifier else self.findings.error)(identifier, line, message)
            ids.setdefault(identifier, line)
            names.setdefault((kind, name), line)

    def _imports(self) -> Iterable[m.Import]:
        for element in children(self.root, "import"):
            import_type, namespace = attribute(element, "importType"), attribute(element, "namespace")
            if import_type and import_type not in DMN_NAMESPACES:
                message = f"imports of type '{import_type}' are not supported; import DMN models only"
                self.findings.warning(name_of(element), line_of(element), message)
                continue
            if not namespace:
                message = "the import has no namespace; name the namespace of the imported model"
                self.findings.error(name_of(element), line_of(element), message)
                continue
            yield m.Import(name_of(element), namespace, import_type, line_of(element))

    def _identity(self, element: Element) -> tuple[str, int, str]:
        name, identifier = name_of(element), attribute(element, "id")
        return identifier or name, line_of(element), name or identifier

    def _variable(self, element: Element) -> m.Variable:
        item = child(element, "variable")
        name = name_of(element) or attribute(element, "id")
        return variable_of(item, name) if item is not None else m.Variable(name)

    def _reference(self, holder: Element, owner: Element) -> m.Reference | None:
        href = attribute(holder, "href")
        if "#" not in href:
            message = f"href '{href}' points nowhere; write '#id' or 'namespace#id'"
            self.findings.error(attribute(owner, "id"), line_of(holder), message)
            return None
        namespace, _, identifier = href.rpartition("#")
        return m.Reference(namespace or self.namespace, identifier, line_of(holder))

    def _references(self, owner: Element, requirement: str, *targets: str) -> tuple[m.Reference, ...]:
        holders = [holder for each in children(owner, requirement) for holder in children(each, *targets)]
        found = (self._reference(holder, owner) for holder in holders)
        return tuple(reference for reference in found if reference is not None)

    def _direct(self, owner: Element, target: str) -> tuple[m.Reference, ...]:
        found = (self._reference(holder, owner) for holder in children(owner, target))
        return tuple(reference for reference in found if reference is not None)

    def _input(self, element: Element) -> m.InputData:
        return m.InputData(*self._identity(element), self._variable(element))

    def _decision(self, element: Element) -> m.Decision:
        return m.Decision(
            *self._identity(element),
            variable=self._variable(element),
            expression=self.boxed.expression_in(element),
            information=self._references(element, "informationRequirement", "requiredDecision", "requiredInput"),
            knowledge=self._references(element, "knowledgeRequirement", "requiredKnowledge"),
            version_tag=_version_tag(element),
        )

    def _knowledge(self, element: Element) -> m.BusinessKnowledgeModel:
        logic = child(element, "encapsulatedLogic")
        return m.BusinessKnowledgeModel(
            *self._identity(element),
            variable=self._variable(element),
            function=self.boxed.function_of(logic) if logic is not None else None,
            knowledge=self._references(element, "knowledgeRequirement", "requiredKnowledge"),
        )

    def _service(self, element: Element) -> m.DecisionService:
        service = m.DecisionService(
            *self._identity(element),
            variable=self._variable(element),
            outputs=self._direct(element, "outputDecision"),
            encapsulated=self._direct(element, "encapsulatedDecision"),
            input_decisions=self._direct(element, "inputDecision"),
            input_data=self._direct(element, "inputData"),
        )
        if not service.outputs:
            message = "the decision service has no output decision; name at least one"
            self.findings.error(service.id, service.line, message)
        return service

    def _type(self, element: Element) -> m.ItemDefinition:
        function = child(element, "functionItem")
        parameters = children(function, "parameters") if function is not None else []
        return m.ItemDefinition(
            *self._identity(element),
            type_ref=type_ref_of(element),
            is_collection=attribute(element, "isCollection") in ("true", "1"),
            components=tuple(self._type(component) for component in children(element, "itemComponent")),
            allowed_values=text_of(child(element, "allowedValues")),
            type_constraint=text_of(child(element, "typeConstraint")),
            function_parameters=tuple(variable_of(parameter) for parameter in parameters),
            function_output=type_name(attribute(function, "outputTypeRef"), function) if function is not None else None,
        )


def _version_tag(element: Element) -> str:
    extensions = child(element, "extensionElements")
    if extensions is None:
        return ""
    tag = extensions.find(f"{{{ZEEBE_NAMESPACE}}}versionTag")
    return attribute(tag, "value") if tag is not None else ""
