"""Short ways to write DMN files and to evaluate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from domain.dmn import DecisionResult, DecisionTable, compile_decisions, parse_dmn
from domain.feel import to_json

DMN13 = "https://www.omg.org/spec/DMN/20191111/MODEL/"
DMN15 = "https://www.omg.org/spec/DMN/20230324/MODEL/"
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def definitions(body: str, namespace: str = "urn:test", dmn: str = DMN15, name: str = "test") -> bytes:
    """A DMN file around some elements."""
    head = f'<definitions xmlns="{dmn}" id="{name}" name="{name}" namespace="{namespace}">'
    return f"{head}{body}</definitions>".encode()


def literal(text: str, type_ref: str = "") -> str:
    """A literal expression."""
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return f"<literalExpression{typed}><text>{escape(text)}</text></literalExpression>"


def decision(name: str, logic: str, requires: Sequence[str] = (), knows: Sequence[str] = (), type_ref: str = "") -> str:
    """A decision whose id is its name; `requires` are hrefs of inputs (`in:x`) or decisions, `knows` of functions."""
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    needs = "".join(
        f'<informationRequirement><requiredInput href="#{each[3:]}"/></informationRequirement>'
        if each.startswith("in:")
        else f'<informationRequirement><requiredDecision href="{_href(each)}"/></informationRequirement>'
        for each in requires
    )
    needs += "".join(
        f'<knowledgeRequirement><requiredKnowledge href="{_href(each)}"/></knowledgeRequirement>' for each in knows
    )
    quoted = quoteattr(name)
    return f"<decision id={quoted} name={quoted}><variable name={quoted}{typed}/>{needs}{logic}</decision>"


def _href(target: str) -> str:
    return target if "#" in target else f"#{target}"


def input_data(name: str, type_ref: str = "") -> str:
    """An input data element whose id is its name."""
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return f'<inputData id="{name}" name="{name}"><variable name="{name}"{typed}/></inputData>'


def bkm(name: str, parameters: Mapping[str, str], body: str, kind: str = "FEEL", type_ref: str = "") -> str:
    """A business knowledge model whose id is its name."""
    formal = "".join(
        f'<formalParameter name="{each}"' + (f' typeRef="{kind_of}"' if kind_of else "") + "/>"
        for each, kind_of in parameters.items()
    )
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    return (
        f'<businessKnowledgeModel id="{name}" name="{name}"><variable name="{name}"{typed}/>'
        f'<encapsulatedLogic kind="{kind}">{formal}{body}</encapsulatedLogic></businessKnowledgeModel>'
    )


def item(name: str, inside: str, collection: bool = False) -> str:
    """An item definition."""
    many = ' isCollection="true"' if collection else ""
    return f'<itemDefinition name="{name}"{many}>{inside}</itemDefinition>'


def table(
    inputs: Sequence[str],
    rules: Sequence[Sequence[str]],
    outputs: Sequence[str] = ("result",),
    policy: str = "UNIQUE",
    aggregation: str = "",
    input_values: Mapping[str, str] | None = None,
    output_values: Mapping[str, str] | None = None,
    defaults: Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
) -> str:
    """A decision table: columns by input expression and output name, rules as rows of cells (inputs, then outputs)."""
    typed = types or {}
    columns = ""
    for text in inputs:
        kind = f' typeRef="{typed[text]}"' if text in typed else ""
        columns += f'<input id="in_{escape(text)}"><inputExpression{kind}><text>{escape(text)}</text></inputExpression>'
        columns += _values("inputValues", (input_values or {}).get(text)) + "</input>"
    for name in outputs:
        kind = f' typeRef="{typed[name]}"' if name in typed else ""
        columns += f'<output id="out_{name}" name="{name}"{kind}>'
        columns += _values("outputValues", (output_values or {}).get(name))
        columns += _values("defaultOutputEntry", (defaults or {}).get(name)) + "</output>"
    rows = ""
    for number, cells in enumerate(rules, 1):
        tests = "".join(f"<inputEntry><text>{escape(cell)}</text></inputEntry>" for cell in cells[: len(inputs)])
        results = "".join(f"<outputEntry><text>{escape(cell)}</text></outputEntry>" for cell in cells[len(inputs) :])
        rows += f'<rule id="rule_{number}">{tests}{results}</rule>'
    function = f' aggregation="{aggregation}"' if aggregation else ""
    return f'<decisionTable id="table" hitPolicy="{policy}"{function}>{columns}{rows}</decisionTable>'


def _values(element: str, text: str | None) -> str:
    return f"<{element}><text>{escape(text)}</text></{element}>" if text else ""


def evaluate(body: str, name: str, inputs: Mapping[str, object] | None = None, **options: Any) -> DecisionResult:
    """The result of a decision of a model that must be without findings."""
    xml = definitions(body)
    return compile_decisions(parse_dmn(xml)).evaluate(name, inputs or {}, NOW, **options)


def value(body: str, name: str, inputs: Mapping[str, object] | None = None, **options: Any) -> Any:
    """The output of a decision as JSON has it."""
    return to_json(evaluate(body, name, inputs, **options).output)


def table_decision(given: Mapping[str, object], /, **columns: Any) -> DecisionResult:
    """The result of a decision `d` that is a table over inputs of the given names."""
    body = "".join(input_data(name) for name in given)
    body += decision("d", table(**columns), [f"in:{name}" for name in given])
    return evaluate(body, "d", given)


def parsed_table(xml_table: str) -> DecisionTable:
    """The record of a decision table."""
    model = parse_dmn(definitions(decision("d", xml_table)), strict=False)
    found = model.decisions[0].expression
    assert isinstance(found, DecisionTable)
    return found
