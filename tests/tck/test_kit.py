"""The judge itself: what counts as the same, and what is counted."""

from __future__ import annotations

from decimal import Decimal

from domain.feel.values import Date
from tests.tck.__main__ import summary
from tests.tck.kit import LEVELS, Outcome, from_typed, same


def test_the_comparator_forgives_rounding_but_no_other_type() -> None:
    assert same(Decimal("0.3333333333"), from_typed({"t": "number", "v": "0.33333333"}))
    assert not same(Decimal("0.3333333"), from_typed({"t": "number", "v": "0.33333333"}))
    assert not same(True, from_typed({"t": "number", "v": "1"}))
    assert not same("2020-01-01", from_typed({"t": "date", "v": "2020-01-01"}))
    assert same([Date(2020, 1, 1)], from_typed({"t": "list", "v": [{"t": "date", "v": "2020-01-01"}]}))
    assert not same(None, from_typed({"t": "list", "v": []}))


def test_the_summary_counts_cases_that_expect_a_value_apart() -> None:
    outcomes = [
        Outcome("a", LEVELS[0], "f", True, True),
        Outcome("b", LEVELS[1], "f", True, False),
        Outcome("c", LEVELS[1], "f", False, True),
    ]
    assert summary(outcomes) == "tck: level-2 1/1 level-3 1/2 positive 0/1"
