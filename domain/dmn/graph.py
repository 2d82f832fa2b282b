"""The elements of a model and its imports: who is meant by a reference, and under which name it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from domain.dmn import model as m
from domain.dmn.errors import Findings
from domain.dmn.types import TypeTable

Key: TypeAlias = tuple[str, str]
"""(namespace of the model, id of the element)."""

Element: TypeAlias = m.InputData | m.Decision | m.BusinessKnowledgeModel | m.DecisionService

MAX_IMPORTED_MODELS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One model with its types and its view of other models: namespace → import name."""

    model: m.DmnModel
    types: TypeTable
    prefixes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A required element as an expression sees it: `name`, or `prefix.name` where it is imported.

    `alias` is the id of a decision of the same model whose id and name differ: Camunda's models use either.
    """

    key: Key
    prefix: str
    name: str
    alias: str = ""


class Graph:
    """All units that a model reaches, its own first."""

    def __init__(self, model: m.DmnModel, imports: Mapping[str, m.DmnModel], findings: Findings) -> None:
        self.root = model
        self.findings = findings
        self.units: dict[str, Unit] = {}
        self.elements: dict[Key, Element] = {}
        self._add(model, imports, findings, ())

    def _add(
        self, model: m.DmnModel, imports: Mapping[str, m.DmnModel], findings: Findings, path: tuple[str, ...]
    ) -> Unit:
        known = self.units.get(model.namespace)
        if known is not None:
            return known
        tables: list[tuple[str, TypeTable]] = []
        prefixes: dict[str, str] = {}
        for wanted in model.imports:
            imported = imports.get(wanted.namespace)
            if imported is None:
                message = (
                    f"the imported model '{wanted.namespace}' is not at hand; deploy its file together with this one"
                )
                findings.error(wanted.name, wanted.line, message)
            elif wanted.namespace in path or len(path) > MAX_IMPORTED_MODELS:
                findings.error(
                    wanted.name, wanted.line, "models import each other in a circle; move the shared part out"
                )
            else:
                unit = self._add(imported, imports, Findings(), (*path, model.namespace))
                tables.append((wanted.name, unit.types))
                prefixes[wanted.namespace] = wanted.name
        unit = Unit(model, TypeTable(model, tables, findings), prefixes)
        self.units[model.namespace] = unit
        elements: tuple[Element, ...] = (*model.inputs, *model.decisions, *model.knowledge_models, *model.services)
        for element in elements:
            self.elements.setdefault((model.namespace, element.id), element)
        return unit

    def requirement(self, unit: Unit, owner: Element, reference: m.Reference) -> Requirement | None:
        """Who a reference means, None (and a finding) where nobody is."""
        key = (reference.namespace, reference.id)
        element = self.elements.get(key)
        if element is None:
            message = f"'{owner.name}' requires '{reference.id}', which no model at hand contains; correct the href"
            self._findings_of(unit).error(owner.id, reference.line, message)
            return None
        prefix = unit.prefixes.get(reference.namespace, "") if reference.namespace != unit.model.namespace else ""
        name = element.variable.name or element.name
        alias = element.id if isinstance(element, m.Decision) and not prefix and element.id != name else ""
        return Requirement(key, prefix, name, alias)

    def requirements(
        self, unit: Unit, owner: Element, references: Iterable[m.Reference], *kinds: type[Element]
    ) -> tuple[Requirement, ...]:
        """Who the references mean, in order; those of another kind than `kinds` are findings."""
        found: list[Requirement] = []
        for reference in references:
            requirement = self.requirement(unit, owner, reference)
            if requirement is None:
                continue
            element = self.elements[requirement.key]
            if isinstance(element, kinds):
                found.append(requirement)
            else:
                message = f"'{owner.name}' refers to '{element.name}' ({type(element).__name__}) where only "
                message += f"{' or '.join(kind.__name__ for kind in kinds)} may stand"
                self._findings_of(unit).error(owner.id, reference.line, message)
        return tuple(found)

    def refuse_circles(self, needs: Mapping[Key, tuple[Key, ...]]) -> None:
        """Find decisions that require themselves over any number of steps."""
        state: dict[Key, int] = {}
        for start in needs:
            stack: list[tuple[Key, int]] = [(start, 0)]
            while stack:
                key, position = stack.pop()
                if position == 0 and state.get(key):
                    continue
                state[key] = 1
                required = needs.get(key, ())
                if position == len(required):
                    state[key] = 2
                    continue
                stack.append((key, position + 1))
                following = required[position]
                if state.get(following) == 1:
                    self._circle(following, [each for each, _ in stack])
                elif not state.get(following):
                    stack.append((following, 0))

    def _circle(self, closes: Key, path: list[Key]) -> None:
        names = [self.elements[key].name for key in path[path.index(closes) :]]
        element = self.elements[closes]
        message = (
            f"decisions require each other in a circle ({' → '.join([*names, element.name])}); remove one requirement"
        )
        self.findings.error(element.id, element.line, message)

    def _findings_of(self, unit: Unit) -> Findings:
        return self.findings if unit.model is self.root else Findings()


def order_of(targets: Iterable[Key], needs: Mapping[Key, tuple[Key, ...]], bound: frozenset[Key]) -> list[Key]:
    """All that the targets need, each after its own needs; `bound` elements are given and not entered.

    A circle is cut where it closes (`Graph.refuse_circles` names it).
    """
    done: dict[Key, None] = {}
    for target in targets:
        stack: list[tuple[Key, int]] = [(target, 0)]
        entered = {target}
        while stack:
            key, position = stack.pop()
            if key in bound or key in done:
                continue
            required = needs.get(key, ())
            if position < len(required):
                stack.append((key, position + 1))
                following = required[position]
                if following not in entered and following not in done:
                    entered.add(following)
                    stack.append((following, 0))
                continue
            done[key] = None
    return list(done)
