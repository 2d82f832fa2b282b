"""A decision model as its file states it: plain immutable records, nothing compiled, nothing evaluated.

The names are those of DMN 1.5 (chapters 6 to 8 and 10.2). `line` is the 1-based line of the element in its file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.errors import Finding


@dataclass(frozen=True, slots=True)
class Reference:
    """Where an `href` points: the element `id` in the model with that namespace."""

    namespace: str
    id: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Variable:
    """A name that expressions see (InformationItem), with the type it promises ("" = any)."""

    name: str
    type_ref: str = ""


@dataclass(frozen=True, slots=True)
class Boxed:
    """What all expressions have in common; `type_ref` is "" where the expression promises no type."""

    id: str
    line: int
    type_ref: str


@dataclass(frozen=True, slots=True)
class LiteralExpression(Boxed):
    """FEEL text; "" evaluates to null."""

    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One row of a boxed context; without a variable it is the result cell."""

    variable: Variable | None
    value: Boxed


@dataclass(frozen=True, slots=True)
class ContextExpression(Boxed):
    """A boxed context (10.2.1.4): entries see the entries above them."""

    entries: tuple[ContextEntry, ...]


@dataclass(frozen=True, slots=True)
class Binding:
    """A named argument of a boxed invocation."""

    parameter: Variable
    value: Boxed


@dataclass(frozen=True, slots=True)
class Invocation(Boxed):
    """A boxed invocation (10.2.1.3): `callee` evaluates to the function."""

    callee: Boxed
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True)
class FunctionDefinition(Boxed):
    """A boxed function (10.2.1.7); `kind` is FEEL, Java or PMML."""

    kind: str
    parameters: tuple[Variable, ...]
    body: Boxed | None


@dataclass(frozen=True, slots=True)
class ListExpression(Boxed):
    """A boxed list (10.2.1.5)."""

    items: tuple[Boxed, ...]


@dataclass(frozen=True, slots=True)
class Relation(Boxed):
    """A boxed relation (10.2.1.6): a list of contexts."""

    columns: tuple[Variable, ...]
    rows: tuple[tuple[Boxed, ...], ...]


@dataclass(frozen=True, slots=True)
class Conditional(Boxed):
    """A boxed if (10.2.1.8)."""

    condition: Boxed
    then: Boxed
    otherwise: Boxed


@dataclass(frozen=True, slots=True)
class Filter(Boxed):
    """A boxed filter (10.2.1.9): `match` sees each element as `item`."""

    source: Boxed
    match: Boxed


@dataclass(frozen=True, slots=True)
class Iteration(Boxed):
    """A boxed for, some or every (10.2.1.10); `kind` says which."""

    kind: str
    variable: str
    source: Boxed
    body: Boxed


@dataclass(frozen=True, slots=True)
class InputClause:
    """A condition column; `values` are the allowed values as unary tests ("" = any)."""

    id: str
    line: int
    label: str
    text: str
    type_ref: str
    values: str


@dataclass(frozen=True, slots=True)
class OutputClause:
    """A conclusion column; `values` in order of falling priority, `default` where no rule matches ("" = none)."""

    id: str
    line: int
    name: str
    label: str
    type_ref: str
    values: str
    default: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: unary tests per input column, expressions per output column, annotations by column order."""

    id: str
    line: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    annotations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionTable(Boxed):
    """A decision table (chapter 8); `aggregation` is "", SUM, MIN, MAX or COUNT."""

    hit_policy: str
    aggregation: str
    inputs: tuple[InputClause, ...]
    outputs: tuple[OutputClause, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A type of the model (7.3.2). A function type has `function_output` not None."""

    id: str
    line: int
    name: str
    type_ref: str = ""
    is_collection: bool = False
    components: tuple[ItemDefinition, ...] = ()
    allowed_values: str = ""
    type_constraint: str = ""
    function_parameters: tuple[Variable, ...] = ()
    function_output: str | None = None


@dataclass(frozen=True, slots=True)
class InputData:
    """A value that comes from outside."""

    id: str
    line: int
    name: str
    variable: Variable


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision: its logic and what it requires. `version_tag` is Zeebe's extension ("" = none)."""

    id: str
    line: int
    name: str
    variable: Variable
    expression: Boxed | None
    information: tuple[Reference, ...] = ()
    knowledge: tuple[Reference, ...] = ()
    version_tag: str = ""


@dataclass(frozen=True, slots=True)
class BusinessKnowledgeModel:
    """A function that decisions share."""

    id: str
    line: int
    name: str
    variable: Variable
    function: FunctionDefinition | None
    knowledge: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionService:
    """Decisions behind one interface (10.4): parameters are the input data, then the input decisions."""

    id: str
    line: int
    name: str
    variable: Variable
    outputs: tuple[Reference, ...] = ()
    encapsulated: tuple[Reference, ...] = ()
    input_decisions: tuple[Reference, ...] = ()
    input_data: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """Another model that this one uses; its elements are seen as `name.element`."""

    name: str
    namespace: str
    import_type: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class DmnModel:
    """One DMN file: a decision requirements graph. `warnings` say what is odd but runs."""

    id: str
    name: str
    namespace: str
    imports: tuple[Import, ...] = ()
    types: tuple[ItemDefinition, ...] = ()
    inputs: tuple[InputData, ...] = ()
    decisions: tuple[Decision, ...] = ()
    knowledge_models: tuple[BusinessKnowledgeModel, ...] = ()
    services: tuple[DecisionService, ...] = ()
    warnings: tuple[Finding, ...] = field(default=(), compare=False)

    @property
    def drg_id(self) -> str:
        """The id of the decision requirements graph (Camunda's decisionRequirementsId)."""
        return self.id
