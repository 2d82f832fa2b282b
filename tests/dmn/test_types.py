"""Item definitions: what conforms, what is converted, what becomes null."""

from __future__ import annotations

from typing import Any

import pytest

from domain.feel.values import Date, DateTime, Time
from tests.dmn.models import decision, evaluate, input_data, item, literal, value

TYPES = (
    item(
        "level",
        "<typeRef>string</typeRef><allowedValues><text>&quot;low&quot;, &quot;high&quot;</text></allowedValues>",
    )
    + item("levels", "<typeRef>level</typeRef>", collection=True)
    + item("numbers", "<typeRef>number</typeRef>", collection=True)
    + item(
        "person",
        '<itemComponent name="name"><typeRef>string</typeRef></itemComponent>'
        '<itemComponent name="born"><typeRef>date</typeRef></itemComponent>',
    )
    + item("people", "<typeRef>person</typeRef>", collection=True)
    + item(
        "pair",
        "<typeRef>number</typeRef><typeConstraint><text>count(?) = 2</text></typeConstraint>",
        collection=True,
    )
    + item(
        "tree",
        '<itemComponent name="label"><typeRef>string</typeRef></itemComponent>'
        '<itemComponent name="children" isCollection="true"><typeRef>tree</typeRef></itemComponent>',
    )
    + item("check", '<functionItem outputTypeRef="boolean"/>')
)


@pytest.mark.parametrize(
    ("type_ref", "text", "expected"),
    [
        ("number", "5", 5),
        ("number", '"5"', None),
        ("number", "true", None),
        ("number", "[5]", 5),
        ("number", "[5, 6]", None),
        ("string", '["a"]', "a"),
        ("boolean", "false", False),
        ("Any", "[1, 2]", [1, 2]),
        ("numbers", "5", [5]),
        ("numbers", "[1, 2]", [1, 2]),
        ("numbers", '[1, "a"]', None),
        ("numbers", "null", None),
        ("level", '"low"', "low"),
        ("level", '"middle"', None),
        ("levels", '["low", "high"]', ["low", "high"]),
        ("levels", '["low", "middle"]', None),
        ("pair", "[1, 2]", [1, 2]),
        ("pair", "[1, 2, 3]", None),
        ("person", '{name: "Ada", born: @"1815-12-10"}', {"name": "Ada", "born": "1815-12-10"}),
        ("person", '{name: "Ada", born: @"1815-12-10", died: 1}', {"name": "Ada", "born": "1815-12-10", "died": 1}),
        ("person", '{name: "Ada"}', None),
        ("person", '{name: "Ada", born: 1815}', None),
        ("people", '{name: "Ada", born: null}', [{"name": "Ada", "born": None}]),
        ("tree", '{label: "a", children: [{label: "b", children: []}]}',
         {"label": "a", "children": [{"label": "b", "children": []}]}),
        ("tree", '{label: "a", children: [{label: 1, children: []}]}', None),
    ],
)  # fmt: skip
def test_the_value_of_a_decision_is_fitted_to_its_type(type_ref: str, text: str, expected: object) -> None:
    assert value(TYPES + decision("d", literal(text), type_ref=type_ref), "d") == expected


def test_a_date_becomes_a_date_and_time_at_utc_midnight_where_one_is_wanted() -> None:
    result = evaluate(decision("d", literal('@"2024-05-06"'), type_ref="date and time"), "d")
    assert result.output == DateTime(Date(2024, 5, 6), Time(0, 0))


def test_a_value_that_does_not_fit_leaves_a_reason() -> None:
    result = evaluate(TYPES + decision("d", literal('"middle"'), type_ref="level"), "d")
    assert result.failure is None
    assert any('"middle" is no level' in warning for warning in result.warnings)


@pytest.mark.parametrize(("given", "expected"), [("low", "low"), ("middle", None), (5, None), (None, None)])
def test_input_data_is_fitted_to_its_type(given: object, expected: object) -> None:
    body = TYPES + input_data("x", "level") + decision("d", literal("x"), ["in:x"])
    assert value(body, "d", {"x": given}) == expected


def test_members_that_an_input_lacks_count_as_null() -> None:
    body = TYPES + input_data("p", "person") + decision("d", literal('p.name + "!"'), ["in:p"])
    assert value(body, "d", {"p": {"name": "Ada"}}) == "Ada!"


def test_instance_of_knows_the_types_of_the_model_and_ignores_their_constraints() -> None:
    body = TYPES + input_data("x") + decision("d", literal("[x instance of level, x instance of person]"), ["in:x"])
    assert value(body, "d", {"x": "high"}) == [True, False]
    assert value(body, "d", {"x": "no level, but a text"}) == [True, False]


@pytest.mark.parametrize(
    ("type_ref", "given", "expected"),
    [
        ("date", "2024-05-06", Date(2024, 5, 6)),
        ("date", "no date", None),
        ("string", "2024-05-06", "2024-05-06"),
        ("person", {"name": "Ada", "born": "1815-12-10"}, {"name": "Ada", "born": Date(1815, 12, 10)}),
    ],
)
def test_json_inputs_are_read_as_the_model_says(type_ref: str, given: Any, expected: object) -> None:
    body = TYPES + input_data("x", type_ref) + decision("d", literal("x"), ["in:x"])
    assert evaluate(body, "d", {"x": given}, json_inputs=True).output == expected


def test_without_json_inputs_a_text_is_no_date() -> None:
    body = input_data("x", "date") + decision("d", literal("x"), ["in:x"])
    assert evaluate(body, "d", {"x": "2024-05-06"}).output is None


def test_floats_come_in_as_the_decimals_they_print_as() -> None:
    body = input_data("x", "number") + decision("d", literal("x * 3 = 0.3"), ["in:x"])
    assert value(body, "d", {"x": 0.1}) is True
