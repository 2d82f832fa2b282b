"""How long one condition and one decision table take: ours beside SpiffWorkflow, pySFeel and feelin, in one run.

    python -m bench.decisions

The condition is `amount > 5000 and department = "IT"`, the table has 20 rules over 4 inputs of which the sixth matches
(bench/dmn/table_speed.py). One core, µs per evaluation, best of five rounds. A peer that is not installed is left out:
the Python ones come with requirements-bench.lock, feelin with `npm ci` in bench/feel/node.

What is compared: our table is the whole path (inputs, requirements, table, record). SpiffWorkflow's cells are Python,
not FEEL, and its table is its DMNEngine alone. feelin has no tables: its cells are unary tests, rule by rule until one
matches. pySFeel has none either.
"""

from __future__ import annotations

import json
import subprocess
import sys
import timeit
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from types import SimpleNamespace
from typing import Any, NamedTuple

from rich import box
from rich.console import Console
from rich.table import Table

from bench.dmn.table_speed import INPUTS, REGIONS, model
from bench.dmn.table_speed import measure as measure_table
from bench.feel.compare import CONDITION, FEELIN, PYSFEEL, SPIFF, flowledger, measured
from bench.peers.workload import Json

NODE = Path(__file__).parent / "feel" / "node"
CONDITION_BUDGET, TABLE_BUDGET = 2.0, 40.0
ROUNDS, SPIFF_EVALUATIONS = 5, 100
EXPECTED = 0.05


class Rule(NamedTuple):
    """A rule of the table as data: input → condition in FEEL and in Python ("": any), and the output."""

    feel: dict[str, str]
    python: dict[str, str]
    output: str


def rules() -> list[Rule]:
    """The rules that bench/dmn/table_speed.py writes as XML."""
    found = []
    for number in range(20):
        low = number * 1_000
        pair = (REGIONS[number % 5], REGIONS[(number + 2) % 5])
        vip = "" if number % 3 else "false"
        feel = {
            "amount": f"[{low}..{low + 1_000})",
            "region": ", ".join(f'"{name}"' for name in pair),
            "vip": vip,
            "score": f"> {number}",
        }
        python = {
            "amount": f"{low} <= ? < {low + 1_000}",
            "region": f"? in {pair!r}",
            "vip": vip.title(),
            "score": f"> {number}",
        }
        found.append(Rule(feel, python, str(number / 100)))
    return found


def measure(peers: bool = True) -> Json:
    """µs of the condition and of the table, by who evaluates them; the first is Flowledger."""
    own = flowledger()
    lookup, expressions = model(False), model(True)
    assert float(str(lookup.evaluate("rate", INPUTS).output)) == EXPECTED
    condition = {"flowledger": own["flowledger"]}
    table = {"flowledger": measure_table(lookup)}
    if peers and find_spec("SpiffWorkflow"):
        condition["SpiffWorkflow"] = measured([sys.executable, "-c", SPIFF])
        table["SpiffWorkflow"] = _spiff_table()
    if peers and find_spec("pySFeel"):
        condition["pySFeel"] = measured([sys.executable, "-c", PYSFEEL])
    if peers and which("node") and (NODE / "node_modules" / "feelin").is_dir():
        condition["feelin"] = measured(["node", "--input-type=module", "-e", FEELIN], str(NODE))
        table["feelin"] = _feelin_table()
    return {
        "unit": "microseconds",
        "condition": {name: round(figure, 2) for name, figure in condition.items()},
        "table": {name: round(figure, 1) for name, figure in table.items()},
        "condition_compiled_once": round(own["flowledger, compiling once"], 1),
        "table_of_expressions": round(measure_table(expressions), 1),
    }


def _spiff_table() -> float:
    from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
    from SpiffWorkflow.dmn.engine.DMNEngine import DMNEngine
    from SpiffWorkflow.dmn.specs import model as spiff

    inputs = {name: spiff.Input(name, name, name, name, "") for name in INPUTS}
    table = spiff.DecisionTable("rate", "rate", spiff.HitPolicy.UNIQUE.value)
    for number, each in enumerate(rules()):
        rule = spiff.Rule(f"r{number}")
        for name, test in each.python.items():
            entry = spiff.InputEntry(f"i{number}", inputs[name])
            entry.lhs.append(test or None)
            rule.inputEntries.append(entry)
        output = spiff.OutputEntry(f"o{number}", spiff.Output("o", "rate", "rate", ""))
        output.text = each.output
        rule.outputEntries.append(output)
        table.rules.append(rule)
    task: Any = SimpleNamespace(data=dict(INPUTS), workflow=SimpleNamespace(script_engine=PythonScriptEngine()))
    engine = DMNEngine(table)
    assert engine.result(task)["rate"] == EXPECTED
    return _best(lambda: engine.result(task), SPIFF_EVALUATIONS)


def _best(run: Any, count: int) -> float:
    return min(timeit.repeat(run, number=count, repeat=ROUNDS)) / count * 1e6


def _feelin_table() -> float:
    data = {
        "inputs": INPUTS,
        "expected": EXPECTED,
        "rules": [
            {"cells": [(name, test) for name, test in each.feel.items() if test], "output": each.output}
            for each in rules()
        ],
    }
    run = subprocess.run(
        ["node", "table.mjs"],
        cwd=NODE,
        input=json.dumps(data),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return float(run.stdout.strip().splitlines()[-1])


def table_of(figures: Json) -> Table:
    """The figures of `measure` for people."""
    title = f"µs per evaluation on one core; the condition is {CONDITION}"
    table = Table(
        title=title,
        min_width=len(title),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column("")
    for column in ("condition", "table of 20 rules, 4 inputs"):
        table.add_column(column, justify="right")
    table.add_row("budget", f"{CONDITION_BUDGET:g}", f"{TABLE_BUDGET:g}", style="dim")
    ours = figures["condition"]["flowledger"], figures["table"]["flowledger"]
    for name, condition in figures["condition"].items():
        cells = [_cell(condition, ours[0]), _cell(figures["table"].get(name), ours[1])]
        table.add_row("Flowledger" if name == "flowledger" else name, *cells)
    return table


def _cell(figure: float | None, ours: float) -> str:
    if figure is None:
        return "no tables"
    return f"{figure:,.2f}" if figure == ours else f"{figure:,.1f}  (we: {figure / ours:,.0f} x)"


if __name__ == "__main__":
    Console().print(table_of(measure()))
