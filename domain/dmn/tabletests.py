"""Example rows for a decision: what goes in, what must come out (the format is in docs/dmn.md).

Reading and running are pure; opening the file and printing the outcome is the command line's part.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from domain.dmn.evaluate import Decisions
from domain.errors import InvalidArgument
from domain.feel import to_json

TOLERANCE: Final = Decimal("1e-8")
"""Numbers that differ by less are equal."""

MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class TableTest:
    """One example. `failure`: a part of the reason with which the decision must fail, "" where it must not."""

    name: str
    inputs: Mapping[str, object]
    expected: object = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class TableTestFile:
    """A file of examples. `model` (a path beside the file) and `decision` are "" where it does not name them."""

    rows: tuple[TableTest, ...]
    model: str = ""
    decision: str = ""


@dataclass(frozen=True, slots=True)
class TableTestResult:
    """How one example went; `actual` is the output as JSON has it, `rules` the 1-based rules that matched."""

    index: int
    name: str
    passed: bool
    expected: object
    actual: object
    rules: tuple[int, ...]
    message: str = ""


def run_table_tests(
    decisions: Decisions, decision: str, rows: Sequence[TableTest], now: datetime | None = None
) -> tuple[TableTestResult, ...]:
    """Evaluate the decision for every example; inputs are JSON values (dates as ISO texts)."""
    return tuple(_run(decisions, decision, row, index, now) for index, row in enumerate(rows, 1))


def _run(decisions: Decisions, decision: str, row: TableTest, index: int, now: datetime | None) -> TableTestResult:
    result = decisions.evaluate(decision, row.inputs, now, json_inputs=True)
    actual = to_json(result.output)
    rules = tuple(rule.index for rule in result.evaluated[-1].matched_rules) if result.evaluated else ()
    reason = result.failure.reason if result.failure is not None else ""
    name = row.name or f"row {index}"
    if row.failure:
        passed = bool(reason) and row.failure in reason
        said = f"failed with: {reason}" if reason else "did not fail"
        message = "" if passed else f"expected a failure with '{row.failure}', but it {said}"
    elif reason:
        passed, message = False, f"the decision failed: {reason}"
    else:
        passed = _equal(actual, row.expected)
        message = "" if passed else f"expected {_text(row.expected)}, got {_text(actual)}"
    if not passed and result.warnings:
        message += f" ({result.warnings[0]})"
    return TableTestResult(index, name, passed, row.expected, actual, rules, message)


def read_json_tests(text: str) -> TableTestFile:
    """Examples from JSON: {"model", "decision", "tests": [{"name", "inputs", "expected" | "failure"}]} or the list."""
    try:
        document = json.loads(text, parse_float=Decimal)
    except json.JSONDecodeError as error:
        raise InvalidArgument(f"line {error.lineno}: the file is not JSON: {error.msg}") from None
    rows = document.get("tests") if isinstance(document, dict) else document
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        message = f'expected a list of at most {MAX_ROWS} examples, or {{"tests": [...]}} with one'
        raise InvalidArgument(message, field="tests")
    header = document if isinstance(document, dict) else {}
    for name in ("model", "decision"):
        if not isinstance(header.get(name, ""), str):
            raise InvalidArgument(f"'{name}' is no text; write its name in quotes", field=name)
    read = tuple(_json_row(row, index) for index, row in enumerate(rows, 1))
    return TableTestFile(read, header.get("model", ""), header.get("decision", ""))


def _json_row(row: object, index: int) -> TableTest:
    where = f"tests[{index - 1}]"
    if not isinstance(row, dict) or not isinstance(row.get("inputs"), dict):
        raise InvalidArgument(f'example {index} has no "inputs"; write {{"inputs": {{...}}, "expected": ...}}', where)
    if ("expected" in row) == ("failure" in row):
        raise InvalidArgument(f'example {index} needs either "expected" or "failure"', where)
    unknown = sorted(row.keys() - {"name", "inputs", "expected", "failure"})
    if unknown:
        raise InvalidArgument(f"example {index} has the unknown member '{unknown[0]}'", f"{where}.{unknown[0]}")
    return TableTest(str(row.get("name", "")), row["inputs"], row.get("expected"), str(row.get("failure", "")))


def read_csv_tests(text: str) -> TableTestFile:
    """Examples from CSV: a column per input, `expected` (or `expected.NAME` per output), optionally `name`, `failure`.

    A cell is JSON where it reads as JSON (5, true, null, "5", [1, 2]), else a text; an empty cell is null.
    An input `applicant.age` is the member `age` of the context `applicant`.
    """
    rows = list(csv.reader(io.StringIO(text)))
    header = [column.strip() for column in rows[0]] if rows else []
    if not any(column == "expected" or column.startswith("expected.") or column == "failure" for column in header):
        raise InvalidArgument("line 1: no column 'expected', 'expected.NAME' or 'failure'; add one", field="expected")
    if len(rows) > MAX_ROWS + 1:
        raise InvalidArgument(f"the file has {len(rows) - 1} examples; at most {MAX_ROWS} are run", field="tests")
    return TableTestFile(tuple(_csv_row(header, row, line) for line, row in enumerate(rows[1:], 2) if any(row)))


def _csv_row(header: list[str], row: list[str], line: int) -> TableTest:
    if len(row) != len(header):
        raise InvalidArgument(f"line {line} has {len(row)} cells for {len(header)} columns")
    inputs: dict[str, object] = {}
    outputs: dict[str, object] = {}
    name = failure = ""
    expected: object = None
    for column, cell in zip(header, row, strict=True):
        if column == "name":
            name = cell.strip()
        elif column == "failure":
            failure = cell.strip()
        elif column == "expected":
            expected = _cell(cell)
        elif column.startswith("expected."):
            outputs[column.removeprefix("expected.")] = _cell(cell)
        else:
            _place(inputs, column.split("."), _cell(cell))
    return TableTest(name, inputs, outputs or expected, failure)


def _cell(text: str) -> object:
    stripped = text.strip()
    if not stripped:
        return None
    try:
        return json.loads(stripped, parse_float=Decimal)
    except json.JSONDecodeError:
        return stripped


def _place(inputs: dict[str, object], path: list[str], value: object) -> None:
    for name in path[:-1]:
        inner = inputs.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InvalidArgument(f"'{'.'.join(path)}' is both a value and a context", field=".".join(path))
        inputs = inner
    inputs[path[-1]] = value


def _equal(actual: object, expected: object) -> bool:
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, (int, float, Decimal)) and isinstance(expected, (int, float, Decimal)):
        return abs(Decimal(str(actual)) - Decimal(str(expected))) <= TOLERANCE
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(_equal(a, e) for a, e in zip(actual, expected, strict=True))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(_equal(actual[name], expected[name]) for name in expected)
    return actual == expected


def _text(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
