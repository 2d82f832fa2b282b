"""Properties: the table check against brute force, tables against their rules one by one, broken files."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.dmn import InvalidDecisionModel, check_table, compile_decisions, parse_dmn
from domain.dmn.cells import complement, merged, understand
from domain.feel import compile_unary_tests
from tests.dmn.models import decision, definitions, input_data, item, literal, parsed_table, table

BOUND = st.integers(0, 6)
CELL = st.one_of(
    st.just("-"),
    BOUND.map(str),
    st.tuples(st.sampled_from(["<", "<=", ">", ">="]), BOUND).map(lambda pair: f"{pair[0]} {pair[1]}"),
    st.tuples(st.sampled_from("[("), BOUND, BOUND, st.sampled_from("])")).map(lambda p: f"{p[0]}{p[1]}..{p[2]}{p[3]}"),
    st.lists(BOUND.map(str), min_size=1, max_size=3).map(", ".join),
    BOUND.map(lambda bound: f"not({bound})"),
)
RULES = st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6)
POINTS = [Decimal(half) / 2 for half in range(-2, 16)]
"""Every integer that can be a bound, every stretch between two, both ends."""


def matching(rules: list[tuple[str, str]], x: Decimal, y: Decimal) -> list[int]:
    """The 1-based rules that match, by FEEL's unary tests alone."""
    return [
        number
        for number, cells in enumerate(rules, 1)
        if all(
            cell == "-" or compile_unary_tests(cell).matches(value, {}) is True
            for cell, value in zip(cells, (x, y), strict=True)
        )
    ]


@given(RULES)
@settings(max_examples=60, deadline=None)
def test_the_check_finds_the_overlaps_and_gaps_that_trying_all_inputs_finds(rules: list[tuple[str, str]]) -> None:
    hits = [matching(rules, x, y) for x, y in product(POINTS, POINTS)]
    pairs = {(a, b) for hit in hits for a in hit for b in hit if a < b}
    findings = check_table(parsed_table(table(["x", "y"], [[*cells, "1"] for cells in rules])))
    assert {finding.rules for finding in findings if finding.kind == "conflict"} == pairs
    silent = set(range(1, len(rules) + 1)) - {number for hit in hits for number in hit}
    assert {finding.rules[0] for finding in findings if finding.kind == "empty"} == silent
    if len(silent) < len(rules):
        assert any(finding.kind == "gap" for finding in findings) is any(not hit for hit in hits)


@given(RULES)
@settings(max_examples=60, deadline=None)
def test_the_check_finds_the_rules_of_a_first_hit_table_that_never_win(rules: list[tuple[str, str]]) -> None:
    winners = {matching(rules, x, y)[0] for x, y in product(POINTS, POINTS) if matching(rules, x, y)}
    findings = check_table(parsed_table(table(["x", "y"], [[*cells, "1"] for cells in rules], policy="FIRST")))
    dead = {finding.rules[0] for finding in findings if finding.kind in ("unreachable", "empty")}
    assert dead == set(range(1, len(rules) + 1)) - winners


@given(RULES, st.sampled_from(POINTS), st.sampled_from(POINTS))
@settings(max_examples=60, deadline=None)
def test_a_table_matches_the_rules_that_match_one_by_one(rules: list[tuple[str, str]], x: Decimal, y: Decimal) -> None:
    logic = table(["x", "y"], [[*cells, str(number)] for number, cells in enumerate(rules, 1)], policy="RULE ORDER")
    body = input_data("x") + input_data("y") + decision("d", logic, ["in:x", "in:y"])
    result = compile_decisions(parse_dmn(definitions(body))).evaluate("d", {"x": x, "y": y})
    assert (result.output or []) == matching(rules, x, y)


@given(CELL, st.sampled_from(POINTS))
@settings(max_examples=100, deadline=None)
def test_a_complement_holds_what_the_cell_does_not(text: str, value: Decimal) -> None:
    cell = understand(text)
    assert cell is not None
    spans = cell.spans if not cell.is_any else complement(())
    inside, outside = (
        any(
            (span.low is None or span.low < value or (span.low == value and span.low_included))
            and (span.high is None or value < span.high or (span.high == value and span.high_included))
            for span in part
        )
        for part in (spans, complement(spans))
    )
    assert inside is not outside
    assert merged((*spans, *complement(spans))) == complement(())


SOUND = definitions(
    item("t", "<typeRef>string</typeRef><allowedValues><text>&quot;a&quot;</text></allowedValues>")
    + input_data("x", "t")
    + decision("a", table(["x"], [['"a"', "1"], ["-", "x"]], policy="FIRST"), ["in:x"])
    + decision("b", f"<context><contextEntry><variable name='c'/>{literal('a + 1')}</contextEntry></context>", ["a"])
)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_read_or_refused_but_never_crashes(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(SOUND)))
    end = data.draw(st.integers(start, min(len(SOUND), start + 60)))
    patch = data.draw(st.one_of(st.binary(max_size=20), st.sampled_from([b"", SOUND[start:end] * 2, b"<context/>"])))
    with suppress(InvalidDecisionModel):
        model = parse_dmn(SOUND[:start] + patch + SOUND[end:])
        decisions = compile_decisions(model)
        for each in model.decisions:
            decisions.evaluate(each.id, {"x": "a"}).to_json()
