"""Boxed expressions: what each kind evaluates to."""

from __future__ import annotations

import pytest

from tests.dmn.models import bkm, decision, evaluate, input_data, item, literal, table, value


def context(*entries: tuple[str, str], types: dict[str, str] | None = None) -> str:
    """A boxed context; an entry without a name is the result."""
    rows = ""
    for name, logic in entries:
        kind = f' typeRef="{types[name]}"' if types and name in types else ""
        variable = f'<variable name="{name}"{kind}/>' if name else ""
        rows += f"<contextEntry>{variable}{logic}</contextEntry>"
    return f"<context>{rows}</context>"


def part(name: str, text: str) -> str:
    return f"<{name}>{literal(text)}</{name}>"


def test_a_literal_expression_gives_its_value() -> None:
    assert value(decision("d", literal("1 + 2")), "d") == 3


def test_a_decision_without_logic_is_null() -> None:
    assert value(decision("d", ""), "d") is None


def test_entries_of_a_context_see_the_entries_above_them() -> None:
    assert value(decision("d", context(("a", literal("2")), ("b c", literal("a * 3")))), "d") == {"a": 2, "b c": 6}


def test_the_result_entry_is_the_value_of_a_context() -> None:
    logic = context(
        ("gross pay", literal("100")), ("tax - rate", literal("0.5")), ("", literal("gross pay * tax - rate"))
    )
    assert value(decision("d", logic), "d") == 50


def test_context_entries_are_checked_against_their_types() -> None:
    logic = context(("a", literal('"x"')), ("b", literal("[1]")), types={"a": "number", "b": "number"})
    assert value(decision("d", logic), "d") == {"a": None, "b": 1}


def test_a_decision_table_may_stand_inside_a_context() -> None:
    inner = table(["n"], [["> 1", '"big"'], ["<= 1", '"small"']])
    assert value(decision("d", context(("n", literal("5")), ("size", inner), ("", literal("size")))), "d") == "big"


def test_an_invocation_passes_its_bindings_by_name() -> None:
    call = (
        "<invocation><literalExpression><text>power</text></literalExpression>"
        f'<binding><parameter name="exponent"/>{literal("3")}</binding>'
        f'<binding><parameter name="base"/>{literal("2")}</binding></invocation>'
    )
    body = bkm("power", {"base": "number", "exponent": "number"}, literal("base ** exponent"))
    assert value(body + decision("d", call, knows=["power"]), "d") == 8


def test_an_invocation_with_an_unknown_parameter_is_null_with_a_reason() -> None:
    call = (
        "<invocation><literalExpression><text>f</text></literalExpression>"
        f'<binding><parameter name="y"/>{literal("3")}</binding></invocation>'
    )
    result = evaluate(bkm("f", {"x": ""}, literal("x")) + decision("d", call, knows=["f"]), "d")
    assert result.output is None
    assert result.warnings == ("the parameters are x; not y",)


def test_an_invocation_may_call_a_built_in_function() -> None:
    call = (
        "<invocation><literalExpression><text>abs</text></literalExpression>"
        f'<binding><parameter name="n"/>{literal("-3")}</binding></invocation>'
    )
    assert value(decision("d", call), "d") == 3


def test_a_business_knowledge_model_is_called_from_feel_by_position_and_by_name() -> None:
    body = bkm("add tax", {"price": "number", "rate": "number"}, literal("price * (1 + rate)"))
    logic = literal("[add tax(100, 0.5), add tax(rate: 0.25, price: 4)]")
    assert value(body + decision("d", logic, knows=["add tax"]), "d") == [150, 5]


def test_a_business_knowledge_model_may_call_itself() -> None:
    body = bkm("factorial", {"n": "number"}, literal("if n < 2 then 1 else n * factorial(n - 1)"))
    assert value(body + decision("d", literal("factorial(10)"), knows=["factorial"]), "d") == 3628800


def test_endless_recursion_is_a_failure_and_not_a_crash() -> None:
    result = evaluate(bkm("f", {"n": ""}, literal("f(n + 1)")) + decision("d", literal("f(1)"), knows=["f"]), "d")
    assert result.output is None
    assert result.failure is not None
    assert result.failure.decision_id == "d"
    assert "more than 100" in result.failure.reason


def test_business_knowledge_models_may_require_each_other() -> None:
    needs = '<knowledgeRequirement><requiredKnowledge href="#{}"/></knowledgeRequirement></businessKnowledgeModel>'
    even = bkm("even number", {"n": ""}, literal("if n = 0 then true else odd number(n - 1)"))
    odd = bkm("odd number", {"n": ""}, literal("if n = 0 then false else even number(n - 1)"))
    even = even.replace("</businessKnowledgeModel>", needs.format("odd number"))
    odd = odd.replace("</businessKnowledgeModel>", needs.format("even number"))
    assert value(even + odd + decision("d", literal("even number(7)"), knows=["even number"]), "d") is False


def test_a_function_with_an_argument_of_another_type_is_null_with_a_reason() -> None:
    body = bkm("f", {"x": "number"}, literal("x = null"))
    result = evaluate(body + decision("d", literal('f("a")'), knows=["f"]), "d")
    assert result.output is None
    assert any("argument 'x' is \"a\", no number" in warning for warning in result.warnings)


def test_a_function_result_is_checked_against_its_type() -> None:
    body = bkm("f", {"x": ""}, literal("x", type_ref="number"))
    assert value(body + decision("d", literal('[f("a"), f([5]), f(6)]'), knows=["f"]), "d") == [None, 5, 6]


@pytest.mark.parametrize("kind", ["Java", "PMML"])
def test_functions_outside_of_feel_are_refused_with_a_reason(kind: str) -> None:
    inside = context(("class", literal('"java.lang.Math"')), ("method signature", literal('"abs(int)"')))
    result = evaluate(bkm("f", {"x": ""}, inside, kind=kind) + decision("d", literal("f(-1)"), knows=["f"]), "d")
    assert result.output is None
    assert any("runs code outside of FEEL, which is refused" in warning for warning in result.warnings)


def test_a_boxed_function_sees_what_surrounds_it() -> None:
    function = f'<functionDefinition><formalParameter name="x"/>{literal("x + base")}</functionDefinition>'
    logic = context(("base", literal("10")), ("f", function), ("", literal("f(5)")))
    assert value(decision("d", logic), "d") == 15


def test_a_boxed_list_holds_the_values_of_its_expressions() -> None:
    items = literal("1") + literal('"a"')
    assert value(decision("d", f"<list>{items}<list/></list>"), "d") == [1, "a", []]


def test_a_relation_is_a_list_of_contexts() -> None:
    rows = "".join(
        f"<row>{literal(name)}{literal(price)}</row>" for name, price in (('"pen"', "1 + 1"), ('"ink"', "5"))
    )
    logic = f'<relation><column name="name"/><column name="price" typeRef="number"/>{rows}</relation>'
    assert value(decision("d", logic), "d") == [{"name": "pen", "price": 2}, {"name": "ink", "price": 5}]


@pytest.mark.parametrize(
    ("condition", "expected"), [("true", "then"), ("false", "else"), ("null", "else"), ('"yes"', None)]
)
def test_a_conditional_takes_then_only_where_its_condition_is_true(condition: str, expected: str | None) -> None:
    branches = part("then", '"then"') + part("else", '"else"')
    logic = f"<conditional>{part('if', condition)}{branches}</conditional>"
    assert value(decision("d", logic), "d") == expected


@pytest.mark.parametrize(
    ("source", "match", "expected"),
    [
        ("[1, 2, 3, 4]", "item > 2", [3, 4]),
        ("[{a: 1}, {a: 5}]", "a > 2", [{"a": 5}]),
        ("[1, 2]", "null", []),
        ("[1, 2]", '"no boolean"', None),
    ],
)
def test_a_filter_keeps_the_elements_that_match(source: str, match: str, expected: object) -> None:
    assert value(decision("d", f"<filter>{part('in', source)}{part('match', match)}</filter>"), "d") == expected


@pytest.mark.parametrize(
    ("source", "body", "expected"),
    [
        ("[1, 2, 3]", "x * 2", [2, 4, 6]),
        ("[1..3]", "x * 2", [2, 4, 6]),
        ("[1, 2, 3]", "sum(partial) + x", [1, 3, 7]),
        ("[]", "x", []),
        ("7", "x", [7]),
    ],
)
def test_a_for_collects_a_value_per_element(source: str, body: str, expected: object) -> None:
    if "partial" in body:
        body = "if count(partial) = 0 then x else sum(partial) + x"
    logic = f'<for iteratorVariable="x">{part("in", source)}{part("return", body)}</for>'
    assert value(decision("d", logic), "d") == expected


@pytest.mark.parametrize(
    ("kind", "source", "satisfies", "expected"),
    [
        ("some", "[1, 2, 3]", "x > 2", True),
        ("some", "[1, 2, 3]", "x > 5", False),
        ("some", "[]", "true", False),
        ("some", "[1, 2]", 'if x = 2 then true else "?"', True),
        ("some", "[1, 2]", '"?"', None),
        ("every", "[1, 2, 3]", "x > 0", True),
        ("every", "[1, 2, 3]", "x > 1", False),
        ("every", "[]", "false", True),
        ("every", "[1, 2]", 'if x = 1 then true else "?"', None),
    ],
)
def test_some_and_every_are_or_and_and_over_the_elements(
    kind: str, source: str, satisfies: str, expected: bool | None
) -> None:
    logic = f'<{kind} iteratorVariable="x">{part("in", source)}{part("satisfies", satisfies)}</{kind}>'
    assert value(decision("d", logic), "d") is expected


def test_names_with_operators_are_read_from_the_model() -> None:
    body = input_data("profit/loss") + input_data("Teacher's mark")
    body += decision("d", literal("profit/loss + Teacher's mark"), ["in:profit/loss", "in:Teacher's mark"])
    assert value(body, "d", {"profit/loss": 3, "Teacher's mark": 4}) == 7


def test_members_with_special_names_are_read_from_the_types() -> None:
    body = item("person", '<itemComponent name="first-name"><typeRef>string</typeRef></itemComponent>')
    body += input_data("p", "person") + decision("d", literal("p.first-name"), ["in:p"])
    assert value(body, "d", {"p": {"first-name": "Ada"}}) == "Ada"
