"""How long a decision table takes: `python bench/dmn/table_speed.py` prints µs per evaluation of a 20 x 4 table.

Two tables: one whose cells are constants and ranges (found by lookup), one whose cells are expressions (evaluated one
by one). One core, best of five rounds; the whole path is measured: inputs, requirements, table, record.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from domain.dmn import Decisions, compile_decisions, parse_dmn

ROUNDS, EVALUATIONS = 5, 5_000
BUDGET = 40.0
REGIONS = ("EU", "US", "APAC", "LATAM", "MEA")
INPUTS = {"amount": 5_250, "region": "APAC", "vip": False, "score": 61}


def rows(expressions: bool) -> str:
    """Twenty rules over amount (range), region (text), vip (boolean) and score (comparison)."""
    found = []
    for number in range(20):
        low = number * 1_000
        amount = f"? &gt;= {low} and ? &lt; {low + 1_000}" if expressions else f"[{low}..{low + 1_000})"
        region = ", ".join(f'"{name}"' for name in (REGIONS[number % 5], REGIONS[(number + 2) % 5]))
        cells = (amount, region, "-" if number % 3 else "false", f"&gt; {number}")
        inputs = "".join(f"<inputEntry><text>{cell}</text></inputEntry>" for cell in cells)
        found.append(f'<rule id="r{number}">{inputs}<outputEntry><text>{number / 100}</text></outputEntry></rule>')
    return "".join(found)


def model(expressions: bool) -> Decisions:
    """A decision `rate` over four inputs, typed and with input data, as modelers draw it."""
    types = {"amount": "number", "region": "string", "vip": "boolean", "score": "number"}
    data = "".join(
        f'<inputData id="{name}" name="{name}"><variable name="{name}" typeRef="{kind}"/></inputData>'
        for name, kind in types.items()
    )
    needs = "".join(
        f'<informationRequirement><requiredInput href="#{name}"/></informationRequirement>' for name in types
    )
    columns = "".join(
        f'<input id="in_{name}"><inputExpression typeRef="{kind}"><text>{name}</text></inputExpression></input>'
        for name, kind in types.items()
    )
    table = f'<decisionTable hitPolicy="FIRST">{columns}<output id="o" name="rate"/>{rows(expressions)}</decisionTable>'
    xml = (
        '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="b" name="b" namespace="urn:b">'
        f'{data}<decision id="rate" name="rate"><variable name="rate" typeRef="number"/>{needs}{table}</decision>'
        "</definitions>"
    )
    return compile_decisions(parse_dmn(xml.encode()))


def measure(decisions: Decisions) -> float:
    """µs per evaluation, best of the rounds."""
    decisions.evaluate("rate", INPUTS)
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(EVALUATIONS):
            decisions.evaluate("rate", INPUTS)
        best = min(best, time.perf_counter() - start)
    return best / EVALUATIONS * 1e6


def main() -> int:
    """Print both figures and, as last line, JSON; 1 where the lookup table is over budget."""
    assert float(str(model(False).evaluate("rate", INPUTS).output)) == 0.05
    lookup, expressions = measure(model(False)), measure(model(True))
    print(f"20 x 4 table of constants and ranges: {lookup:6.1f} µs (budget {BUDGET:g} µs)")
    print(f"20 x 4 table with expressions:        {expressions:6.1f} µs")
    print(json.dumps({"dmn_table_us": round(lookup, 1), "dmn_expression_table_us": round(expressions, 1)}))
    return 0 if lookup <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
