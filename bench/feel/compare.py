"""Microseconds per evaluation of one condition: Flowledger beside SpiffWorkflow, pySFeel and feelin, in one run.

    python -m bench.feel.compare [--peers-python PATH] [--feelin-folder PATH] [--json FILE]

--peers-python: the python of an environment with `spiffworkflow` and `pysfeel`; --feelin-folder: a folder in which
`npm install feelin` was run. A peer whose path is not given is left out. Every figure is the best of five rounds.
SpiffWorkflow speaks Python, not FEEL (its condition is written so); pySFeel needs the parentheses to get `and` right.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import timeit
from pathlib import Path

CONDITION = 'amount > 5000 and department = "IT"'
SCOPE = {"amount": 6000, "department": "IT"}
ROUNDS = 5

SPIFF = """
import timeit
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
engine = PythonScriptEngine()
context = {"amount": 6000, "department": "IT"}
run = lambda: engine.environment.evaluate('amount > 5000 and department == "IT"', context)
assert run() is True
n = 5000
print(min(timeit.repeat(run, number=n, repeat=5)) / n * 1e6)
"""
PYSFEEL = """
import timeit, pySFeel
parser = pySFeel.SFeelParser()
parser.sFeelParse('amount <- 6000')
parser.sFeelParse('department <- "IT"')
run = lambda: parser.sFeelParse('(amount > 5000) and (department = "IT")')
assert run()[1] is True
n = 300
print(min(timeit.repeat(run, number=n, repeat=5)) / n * 1e6)
"""
FEELIN = """
import { evaluate } from 'feelin';
const scope = { amount: 6000, department: 'IT' };
const run = () => evaluate('amount > 5000 and department = "IT"', scope);
if (run().value !== true) throw new Error('wrong value');
let best = Infinity; const n = 3000;
for (let round = 0; round < 5; round++) {
  const start = process.hrtime.bigint();
  for (let i = 0; i < n; i++) run();
  best = Math.min(best, Number(process.hrtime.bigint() - start) / n / 1000);
}
console.log(best);
"""


def flowledger() -> dict[str, float]:
    """Our own figures: evaluation, and compilation of a text not seen before."""
    from domain.feel import compile_expression

    expression = compile_expression(CONDITION)
    assert expression.evaluate(SCOPE) is True
    count = 100_000
    evaluated = min(timeit.repeat(lambda: expression.evaluate(SCOPE), number=count, repeat=ROUNDS)) / count
    texts = iter([f"{CONDITION} and x{index} = null" for index in range(1_000)])
    compiled = timeit.timeit(lambda: compile_expression(next(texts)), number=1_000) / 1_000
    return {"flowledger": evaluated * 1e6, "flowledger, compiling once": compiled * 1e6}


def measured(command: list[str], folder: str | None = None) -> float:
    """The figure that a peer's program prints."""
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=300)
    return float(run.stdout.strip().splitlines()[-1])


def main() -> int:
    """Measure, print a table, write JSON if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python")
    parser.add_argument("--feelin-folder")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    figures = flowledger()
    if options.peers_python:
        figures["SpiffWorkflow (Python expression)"] = measured([options.peers_python, "-c", SPIFF])
        figures["pySFeel"] = measured([options.peers_python, "-c", PYSFEEL])
    if options.feelin_folder:
        figures["feelin"] = measured(["node", "--input-type=module", "-e", FEELIN], options.feelin_folder)
    print(f"{CONDITION}   (Python {platform.python_version()})")
    for name, micros in figures.items():
        print(f"  {name:<36}{micros:>12.2f} µs")
    if options.json:
        result = {"condition": CONDITION, "unit": "microseconds", "python": platform.python_version(), **figures}
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
