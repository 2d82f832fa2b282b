"""Decision requirements graphs: requirements, services, imports, references, the record of an evaluation."""

from __future__ import annotations

import pytest

from domain.dmn import compile_decisions, parse_dmn
from domain.errors import NotFound
from domain.feel import to_json
from tests.dmn.models import (
    DMN13,
    NOW,
    bkm,
    decision,
    definitions,
    evaluate,
    input_data,
    item,
    literal,
    table,
    value,
)

CHAIN = (
    input_data("amount", "number")
    + decision("net", literal("amount / 2"), ["in:amount"])
    + decision("double", literal("net * 4"), ["net"])
    + decision("total", literal("net + double"), ["net", "double"])
)


def test_a_decision_sees_its_requirements_each_evaluated_once() -> None:
    result = evaluate(CHAIN, "total", {"amount": 10})
    assert to_json(result.output) == 25
    assert [each.id for each in result.evaluated] == ["net", "double", "total"]


def test_a_decision_is_found_by_id_and_by_name() -> None:
    body = decision("d", literal("1")).replace('id="d"', 'id="decision_1"')
    assert value(body, "decision_1") == value(body, "d") == 1


def test_an_unknown_decision_is_refused_with_the_names_of_the_known_ones() -> None:
    with pytest.raises(NotFound, match="no decision 'x'; its decisions are: d"):
        value(decision("d", literal("1")), "x")


def test_the_clock_is_handed_in() -> None:
    assert value(decision("d", literal("string(today())")), "d") == "2026-03-04"


def test_a_failure_names_the_decision_and_dependants_see_null() -> None:
    body = input_data("x") + decision("broken", table(["x"], [["-", "1"], ["-", "2"]]), ["in:x"])
    body += decision("d", literal("broken = null"), ["broken"])
    result = evaluate(body, "d", {"x": 1})
    assert result.output is True
    assert result.failure is not None
    assert (result.failure.decision_id, result.failure.decision_name) == ("broken", "broken")


def test_a_chain_of_a_thousand_decisions_is_no_deeper_than_one() -> None:
    body = decision("d0", literal("0"))
    body += "".join(decision(f"d{n}", literal(f"d{n - 1} + 1"), [f"d{n - 1}"]) for n in range(1, 1000))
    assert value(body, "d999") == 999


SERVICE = (
    input_data("a", "number")
    + decision("given", literal("100"), type_ref="number")
    + decision("inner", literal("a + given"), ["in:a", "given"])
    + decision("outer", literal("inner * 2"), ["inner"])
    + '<decisionService id="service" name="service"><variable name="service"/>'
    '<outputDecision href="#outer"/><encapsulatedDecision href="#inner"/>'
    '<inputDecision href="#given"/><inputData href="#a"/></decisionService>'
)


def test_a_decision_service_takes_input_data_then_input_decisions() -> None:
    body = SERVICE + decision("d", literal("service(1, 2)"), knows=["service"])
    assert value(body, "d") == 6


def test_a_decision_service_is_called_by_parameter_names() -> None:
    body = SERVICE + decision("d", literal("service(given: 2, a: 5)"), knows=["service"])
    assert value(body, "d") == 14


@pytest.mark.parametrize("call", ["service(1)", "service(1, 2, 3)", "service(x: 1, a: 2)", 'service("1", 2)'])
def test_a_decision_service_called_wrongly_is_null(call: str) -> None:
    assert value(SERVICE + decision("d", literal(call), knows=["service"]), "d") is None


def test_a_decision_service_is_evaluated_from_outside_by_its_name() -> None:
    assert value(SERVICE, "service", {"a": 3, "given": 4}) == 14


def test_inside_a_service_only_its_parameters_are_known() -> None:
    body = input_data("hidden") + decision("out", literal("hidden"), ["in:hidden"])
    body += '<decisionService id="s" name="s"><variable name="s"/><outputDecision href="#out"/></decisionService>'
    body += decision("d", literal("[hidden, s()]"), ["in:hidden"], ["s"])
    assert value(body, "d", {"hidden": 1}) == [1, None]


def test_the_parameters_of_a_service_do_not_change_the_decisions_outside() -> None:
    body = SERVICE + decision("d", literal("[service(1, 2), given]"), ["given"], ["service"])
    assert value(body, "d") == [6, 100]


def test_a_service_with_several_outputs_gives_a_context() -> None:
    body = decision("x", literal("1")) + decision("y", literal("2"))
    body += '<decisionService id="s" name="s"><outputDecision href="#x"/><outputDecision href="#y"/></decisionService>'
    assert value(body, "s") == {"x": 1, "y": 2}


LIBRARY = definitions(
    item("person", '<itemComponent name="name"><typeRef>string</typeRef></itemComponent>')
    + input_data("who", "person")
    + bkm("say hello", {"p": "person"}, literal('"Hello " + p.name'))
    + decision("greeting", literal("say hello(who)"), ["in:who"], ["say hello"]),
    namespace="urn:library",
    name="library",
)


def importing(body: str, name: str = "lib") -> bytes:
    return definitions(f'<import name="{name}" namespace="urn:library" importType="{DMN13}"/>{body}')


def test_imported_functions_decisions_and_types_are_seen_by_the_import_name() -> None:
    library = parse_dmn(LIBRARY)
    body = input_data("guest", "lib.person") + decision(
        "d",
        literal('lib.say hello(guest) + ", " + lib.greeting'),
        ["in:guest", "urn:library#greeting"],
        ["urn:library#say hello"],
    )
    imports = {"urn:library": library}
    decisions = compile_decisions(parse_dmn(importing(body), imports), imports)
    expected = "Hello Bo, Hello Ada"
    guest = {"guest": {"name": "Bo"}}
    for inputs in ({"who": {"name": "Ada"}}, {"lib": {"who": {"name": "Ada"}}}, {"urn:library#who": {"name": "Ada"}}):
        assert decisions.evaluate("d", {**guest, **inputs}, NOW).output == expected


def test_an_import_without_a_name_brings_its_elements_in_directly() -> None:
    library = parse_dmn(LIBRARY)
    body = input_data("guest", "person") + decision(
        "d", literal("say hello(guest)"), ["in:guest"], ["urn:library#say hello"]
    )
    imports = {"urn:library": library}
    decisions = compile_decisions(parse_dmn(importing(body, name=""), imports), imports)
    assert decisions.evaluate("d", {"guest": {"name": "Bo"}}).output == "Hello Bo"


def test_imports_reach_over_several_models() -> None:
    library = parse_dmn(LIBRARY)
    xml = definitions(
        f'<import name="l" namespace="urn:library" importType="{DMN13}"/>'
        + decision("middle", literal('l.greeting + "!"'), ["urn:library#greeting"]),
        namespace="urn:middle",
    )
    middle = parse_dmn(xml, {"urn:library": library})
    top = definitions(
        f'<import name="my models" namespace="urn:middle" importType="{DMN13}"/>'
        + decision("d", literal("my models.middle"), ["urn:middle#middle"])
    )
    imports = {"urn:library": library, "urn:middle": middle}
    decisions = compile_decisions(parse_dmn(top, imports), imports)
    assert decisions.evaluate("d", {"who": {"name": "Ada"}}).output == "Hello Ada!"


def test_an_href_may_name_its_own_namespace() -> None:
    body = decision("a", literal("1")) + decision("d", literal("a + 1"), ["urn:test#a"])
    assert value(body, "d") == 2


def test_any_prefix_and_version_is_read() -> None:
    for namespace in ("http://www.omg.org/spec/DMN/20151101/dmn.xsd", DMN13):
        xml = (
            f'<q:definitions xmlns:q="{namespace}" xmlns:feel="http://www.omg.org/spec/FEEL/20140401" id="x" name="x" '
            'namespace="urn:x"><q:decision id="d" name="d"><q:variable name="d" typeRef="feel:number"/>'
            "<q:literalExpression><q:text>[5]</q:text></q:literalExpression></q:decision></q:definitions>"
        ).encode()
        assert to_json(compile_decisions(parse_dmn(xml)).evaluate("d", {}).output) == 5


def test_a_model_states_its_ids_names_and_version_tags() -> None:
    extension = (
        '<extensionElements xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"><zeebe:versionTag value="v7"/>'
        "</extensionElements>"
    )
    model = parse_dmn(definitions(f'<decision id="d_1" name="Dish">{extension}{literal("1")}</decision>', name="drg"))
    assert (model.drg_id, model.name, model.namespace) == ("drg", "drg", "urn:test")
    assert [(each.id, each.name, each.version_tag) for each in model.decisions] == [("d_1", "Dish", "v7")]


def test_names_that_nothing_declares_are_read_from_the_inputs_as_camundas_models_expect() -> None:
    logic = table(["season", "guests * 2"], [['"Winter"', "> limit", "applicant.name"]])
    inputs = {"season": "Winter", "guests": 5, "limit": 9, "applicant": {"name": "Ada"}, "other": object()}
    assert value(decision("d", logic), "d", inputs) == "Ada"


def test_an_element_of_the_model_is_seen_only_by_those_that_require_it() -> None:
    body = input_data("x") + decision("other", literal("1")) + decision("d", literal("[x, other]"))
    assert value(body, "d", {"x": 5, "other": 6}) == [None, None]


def test_undeclared_names_do_not_reach_into_functions_and_services() -> None:
    body = bkm("f", {}, literal("x")) + decision("d", literal("[x, f()]"), knows=["f"])
    assert value(body, "d", {"x": 1}) == [1, None]


def test_a_required_decision_is_seen_by_its_id_too() -> None:
    body = decision("season", literal('"Winter"')).replace('name="season"', 'name="The Season"')
    body += decision("d", literal("[season, The Season]"), ["season"])
    assert value(body, "d") == ["Winter", "Winter"]


MODELER = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"
    xmlns:dmndi="https://www.omg.org/spec/DMN/20191111/DMNDI/" xmlns:dc="http://www.omg.org/spec/DMN/20180521/DC/"
    xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="shipping" name="Shipping"
    namespace="http://camunda.org/schema/1.0/dmn" exporter="Camunda Modeler" modeler:executionPlatform="Camunda Cloud">
  <inputData id="InputData_1" name="Weight in kg" />
  <decision id="zone" name="Zone">
    <variable id="v" name="zone" typeRef="string" />
    <literalExpression id="l"><text>if country = "DE" then "home" else "abroad"</text></literalExpression>
  </decision>
  <decision id="parcel_class" name="Parcel class">
    <informationRequirement id="i1"><requiredInput href="#InputData_1" /></informationRequirement>
    <decisionTable id="t1">
      <input id="c1" label="Weight"><inputExpression id="e1" typeRef="number"><text>weight</text></inputExpression></input>
      <output id="o1" label="Class" name="class" typeRef="string" />
      <rule id="r1"><inputEntry id="a"><text>&lt;= 2</text></inputEntry><outputEntry id="b"><text>"S"</text></outputEntry></rule>
      <rule id="r2"><inputEntry id="c"><text>&gt; 2</text></inputEntry><outputEntry id="d"><text>"L"</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <decision id="postage" name="Postage">
    <informationRequirement id="i2"><requiredDecision href="#parcel_class" /></informationRequirement>
    <informationRequirement id="i3"><requiredDecision href="#zone" /></informationRequirement>
    <decisionTable id="t2" hitPolicy="FIRST">
      <input id="c2"><inputExpression id="e2" typeRef="string"><text>parcel_class</text></inputExpression></input>
      <input id="c3"><inputExpression id="e3" typeRef="string"><text>zone</text></inputExpression></input>
      <output id="o2" name="price" typeRef="number" /><output id="o3" name="days" typeRef="number" />
      <rule id="r3"><description>cheap</description><inputEntry id="f"><text>"S"</text></inputEntry>
        <inputEntry id="g"><text>"home"</text></inputEntry><outputEntry id="h"><text>3.5</text></outputEntry>
        <outputEntry id="j"><text>1</text></outputEntry></rule>
      <rule id="r4"><inputEntry id="k"><text></text></inputEntry><inputEntry id="m"><text>-</text></inputEntry>
        <outputEntry id="n"><text>weight * 4</text></outputEntry><outputEntry id="p"><text>5</text></outputEntry></rule>
    </decisionTable>
  </decision>
  <dmndi:DMNDI><dmndi:DMNDiagram><dmndi:DMNShape dmnElementRef="zone"><dc:Bounds height="80" width="180" x="1" y="2" />
  </dmndi:DMNShape></dmndi:DMNDiagram></dmndi:DMNDI>
</definitions>
"""


def test_a_model_as_camunda_modeler_writes_it_runs_on_process_variables() -> None:
    model = parse_dmn(MODELER.encode())
    assert model.warnings == ()
    decisions = compile_decisions(model)
    home = decisions.evaluate("postage", {"weight": 1, "country": "DE"}).to_json()
    assert home["output"] == {"price": 3.5, "days": 1}
    assert [(each["id"], each["kind"]) for each in home["evaluated"]] == [
        ("parcel_class", "decisionTable"),
        ("zone", "literalExpression"),
        ("postage", "decisionTable"),
    ]
    assert home["evaluated"][0]["inputs"] == [{"id": "c1", "name": "Weight", "value": 1}]
    abroad = decisions.evaluate("Postage", {"weight": 2.5, "country": "FR"})
    assert to_json(abroad.output) == {"price": 10, "days": 5}
