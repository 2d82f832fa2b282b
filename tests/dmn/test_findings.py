"""Models that are refused: every finding at once, each with its element, its line and the way out; hostile files."""

from __future__ import annotations

import pytest

from domain.dmn import InvalidDecisionModel, compile_decisions, parse_dmn
from domain.errors import InvalidModel
from domain.xml import MAX_BYTES, MAX_DEPTH
from tests.dmn.models import bkm, decision, definitions, evaluate, input_data, item, literal, table


def findings(body: str) -> list[tuple[str, str]]:
    """(element id, message) of what a model is refused for."""
    with pytest.raises(InvalidDecisionModel) as caught:
        parse_dmn(definitions(body))
    return [(finding.element_id, finding.message) for finding in caught.value.findings]


def only(body: str) -> tuple[str, str]:
    found = findings(body)
    assert len(found) == 1, found
    return found[0]


def test_all_findings_come_at_once_in_the_order_of_the_file_with_their_lines() -> None:
    body = "\n" + decision("a", literal("1 +")) + "\n" + decision("b", literal("x"), ["nobody"]) + "\n"
    body += decision("c", literal("1"), type_ref="unheard")
    with pytest.raises(InvalidDecisionModel) as caught:
        parse_dmn(definitions(body))
    assert [(finding.element_id, finding.line) for finding in caught.value.findings] == [("a", 2), ("b", 3), ("c", 4)]
    assert isinstance(caught.value, InvalidModel)
    assert "line 2: a: the expression is not FEEL" in str(caught.value)


def test_a_broken_expression_names_its_element_and_place() -> None:
    element, message = only(decision("d", literal("1 + * 2")))
    assert element == "d"
    assert message.startswith("the expression is not FEEL: line 1, column 5")


def test_a_broken_condition_names_rule_and_cell() -> None:
    body = input_data("x") + decision("d", table(["x"], [["> 1", "1"], ["> >", "2"]]), ["in:x"])
    element, message = only(body)
    assert element == "rule_2"
    assert message.startswith("input cell 1 '> >' is no condition in FEEL")


def test_a_reference_to_nobody_is_refused() -> None:
    element, message = only(decision("d", literal("1"), ["ghost"]))
    assert (element, message) == ("d", "'d' requires 'ghost', which no model at hand contains; correct the href")


def test_a_reference_to_the_wrong_kind_of_element_is_refused() -> None:
    body = bkm("f", {}, literal("1")) + decision("d", literal("1"), ["f"])
    assert "where only InputData or Decision may stand" in only(body)[1]


def test_an_href_without_an_id_is_refused() -> None:
    body = decision("d", literal("1"), ["x"]).replace('"#x"', '"x"')
    assert only(body)[1] == "href 'x' points nowhere; write '#id' or 'namespace#id'"


def test_decisions_in_a_circle_are_refused_with_the_circle() -> None:
    body = decision("a", literal("b"), ["b"]) + decision("b", literal("c"), ["c"]) + decision("c", literal("a"), ["a"])
    assert "decisions require each other in a circle (a → b → c → a)" in only(body)[1]


def test_types_in_a_circle_are_refused() -> None:
    body = item("a", "<typeRef>b</typeRef>") + item("b", "<typeRef>a</typeRef>") + decision("d", literal("1"))
    assert any("the type refers to itself" in message for _, message in findings(body))


def test_an_import_that_is_not_at_hand_is_refused() -> None:
    body = '<import name="lib" namespace="urn:far" importType="https://www.omg.org/spec/DMN/20191111/MODEL/"/>'
    assert only(body + decision("d", literal("1"))) == (
        "lib",
        "the imported model 'urn:far' is not at hand; deploy its file together with this one",
    )


def test_two_elements_with_one_id_are_refused() -> None:
    found = findings(decision("d", literal("1")) + decision("d", literal("2")))
    assert any("the id 'd' is used in line" in message for _, message in found)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (table(["x"], [["1"]]), "rule 1 has 0 output cells for 1 output columns"),
        (table(["x"], [["1", "2"]], policy="SOMETIMES"), "hit policy 'SOMETIMES' is unknown"),
        (table(["x"], [["1", "2"]], policy="FIRST", aggregation="SUM"), "aggregation SUM needs hit policy COLLECT"),
        (table(["x"], [["1", "2"]], policy="COLLECT", aggregation="AVG"), "aggregation 'AVG' is unknown"),
        (table(["x"], [["1", "2", "3"]], ["a", "b"], "COLLECT", "SUM"), "SUM cannot aggregate 2 output columns"),
        (table(["x"], [["1", "2", "3"]], ["a", "a"]), "two output columns are named 'a'"),
        (table(["x"], [["1"]], []), "the decision table has no output column"),
        (table([""], [["1", "2"]]), "an input column has no expression"),
        ("<conditional><if/></conditional>", "<then> has no expression"),
        ('<for><in><literalExpression><text>[]</text></literalExpression></in></for>', "<for> has no iteratorVariable"),
        ('<relation><column name="a"/><row/></relation>', "row 1 has 0 cells for 1 columns"),
        ("<context><contextEntry><variable/></contextEntry></context>", "the variable of a context entry has no name"),
        ("<invocation/>", "the invocation has no expression"),
        (literal("1") + literal("2"), "a second expression stands beside the first"),
        ('<literalExpression expressionLanguage="urn:python"><text>1</text></literalExpression>', "write the text in"),
    ],
)  # fmt: skip
def test_what_a_model_gets_wrong_is_named(broken: str, message: str) -> None:
    found = findings(input_data("x") + decision("d", broken, ["in:x"]))
    assert any(message in each for _, each in found), found


def test_elements_may_share_a_name_or_lack_one_as_long_as_they_have_ids() -> None:
    body = '<decision id="a" name="Same">' + literal("1") + '</decision><inputData id="b" name="Same"/>'
    model = parse_dmn(definitions(body + '<decision id="c">' + literal("2") + "</decision>"))
    assert [warning.element_id for warning in model.warnings] == ["b", "c"]
    assert compile_decisions(model).evaluate("c", {}).output == 2


def test_a_service_without_outputs_is_refused() -> None:
    body = '<decisionService id="s" name="s"/>' + decision("d", literal("1"))
    assert only(body) == ("s", "the decision service has no output decision; name at least one")


def test_priority_without_output_values_is_a_warning_and_not_a_refusal() -> None:
    model = parse_dmn(definitions(decision("d", table([], [["1"]], policy="PRIORITY"))))
    assert ["needs the output values in order" in warning.message for warning in model.warnings] == [True]


def test_a_lenient_reading_lets_sound_decisions_of_a_broken_model_run() -> None:
    xml = definitions(decision("sound", literal("1")) + decision("broken", literal("1 +")))
    decisions = compile_decisions(parse_dmn(xml, strict=False), strict=False)
    assert decisions.evaluate("sound", {}).output == 1
    result = decisions.evaluate("broken", {})
    assert result.output is None
    assert result.failure is not None
    assert "the expression '1 +' is not FEEL" in result.failure.reason


def test_a_lenient_reading_pads_rules_that_lack_cells() -> None:
    xml = definitions(decision("d", table(["1"], [["1", '"x"'], []], ["a", "b"], "COLLECT")))
    decisions = compile_decisions(parse_dmn(xml, strict=False), strict=False)
    assert decisions.evaluate("d", {}).output == [{"a": "x", "b": None}, {"a": None, "b": None}]


ENTITIES = '<!DOCTYPE d [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        (b"", "the file is empty"),
        (b"no xml", "not well-formed"),
        (b"<a></b>", "not well-formed"),
        (b"<definitions/>", "the root element is definitions; expected <definitions> in one of"),
        (b'<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "expected <definitions>"),
        (ENTITIES.encode() + b"<d>&b;</d>", "a document type declaration"),
        (f'<?xml version="1.0" encoding="utf-16"?>{ENTITIES}<d/>'.encode("utf-16"), "document type declaration"),
        (b'<!DOCTYPE d SYSTEM "file:///etc/passwd"><d/>', "document type declaration"),
        (b"<a>" * (MAX_DEPTH + 5) + b"</a>" * (MAX_DEPTH + 5), f"nested more than {MAX_DEPTH} deep"),
        (b"<a>" * 5000 + b"</a>" * 5000, "not well-formed"),
        (b" " * (MAX_BYTES + 1), f"at most {MAX_BYTES:,} are read"),
        (b"\xff\xfe\x00", "this is not"),
    ],
)
def test_a_hostile_file_is_refused_with_the_reason(xml: bytes, message: str) -> None:
    with pytest.raises(InvalidDecisionModel) as caught:
        parse_dmn(xml)
    assert message in str(caught.value)


def test_an_expression_that_needs_too_much_is_stopped() -> None:
    body = decision("d", literal("count(for a in 1..10000, b in 1..10000 return a * b)"))
    result = evaluate(body, "d")
    assert result.output is None
    assert result.failure is not None
    assert "stopped" in result.failure.reason or "exceeds" in result.failure.reason


def test_inputs_that_are_no_values_are_a_failure_that_names_them() -> None:
    body = input_data("x") + decision("d", literal("x"), ["in:x"])
    result = evaluate(body, "d", {"x": [1, object()]})
    assert result.failure is not None
    assert result.failure.reason == "'x[2]' is a Python object, which is no FEEL value"
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    assert "is nested deeper than" in str(evaluate(body, "d", {"x": deep}).failure)


@pytest.mark.parametrize("text", ["(" * 5000 + "1" + ")" * 5000, "[" * 3000, "-" * 5000 + "1", "if " * 3000])
def test_deeply_nested_expressions_are_findings_and_not_crashes(text: str) -> None:
    assert "is not FEEL" in only(decision("d", literal(text)))[1]
