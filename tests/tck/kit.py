"""Cases of the DMN TCK: reading them, running one, comparing what came out.

A case is a line of JSON (see the README beside the kit): a model, typed inputs and, per decision, the typed result.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from domain.dmn import DecisionResult, Decisions, DmnModel, compile_decisions, parse_dmn
from domain.errors import DomainError
from domain.feel import format_value
from domain.feel.temporal import parse_date, parse_date_time, parse_duration, parse_time

DEFAULT_CASES = Path(__file__).resolve().parents[2].parent / "shared" / "corpora" / "dmn-tck" / "cases.jsonl"
TOLERANCE = Decimal("1e-8")
LEVELS = ("compliance-level-2", "compliance-level-3")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one case went. `positive`: it expects a value, neither null nor an error. `reason` says what was wrong."""

    case_id: str
    level: str
    folder: str
    positive: bool
    passed: bool
    reason: str = ""


def read_cases(path: Path) -> list[dict[str, Any]]:
    """The cases of a file, in its order."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def run_cases(cases: Iterable[Mapping[str, Any]], folder: Path) -> Iterator[Outcome]:
    """Run cases; `folder` is where their model paths begin."""
    for case in cases:
        positive = any(not _expects_nothing(result) for result in case["results"])
        reason = _run(case, folder)
        yield Outcome(case["id"], case["level"], case["dir"], positive, not reason, reason)


def _expects_nothing(result: Mapping[str, Any]) -> bool:
    return bool(result["error"]) or result["expected"]["t"] == "null"


def _run(case: Mapping[str, Any], folder: Path) -> str:
    try:
        decisions = load(folder / case["model"])
    except DomainError as error:
        return f"model: {error}"
    inputs = {name: from_typed(value) for name, value in case["inputs"].items()}
    for name, namespace in case.get("input_ns", {}).items():
        inputs[f"{namespace}#{name}"] = inputs.pop(name)
    invocable = case["invocable"] if case["type"] != "decision" else None
    for expected in case["results"]:
        result = decisions.evaluate(invocable or expected["decision"], inputs, datetime.now(UTC))
        actual = _result_of(decisions, invocable, expected["decision"], result)
        wanted = None if expected["error"] else from_typed(expected["expected"])
        if not same(actual, wanted):
            notes = "; ".join(result.warnings[:2])
            return f"{expected['decision']}: {format_value(actual)} instead of {format_value(wanted)} ({notes})"
    return ""


def _result_of(decisions: Decisions, invocable: str | None, decision: str, result: DecisionResult) -> object:
    """A service with several outputs gives a context of them; the case names one, or the service."""
    service = next((each for each in decisions.model.services if each.name == invocable), None)
    if service is not None and len(service.outputs) > 1 and decision != invocable and isinstance(result.output, dict):
        return result.output.get(decision)
    return result.output


@lru_cache(maxsize=512)
def load(path: Path) -> Decisions:
    """The compiled model of a file; models it imports are looked for in the same folder."""
    imports: dict[str, DmnModel] = {}
    for other in sorted(path.parent.glob("*.dmn")):
        if other != path:
            model = parse_dmn(other.read_bytes(), strict=False)
            imports[model.namespace] = model
    return compile_decisions(parse_dmn(path.read_bytes(), imports, strict=False), imports, strict=False)


_TEMPORALS = {"date": parse_date, "time": parse_time, "date and time": parse_date_time, "duration": parse_duration}


def from_typed(typed: Mapping[str, Any]) -> object:
    """The FEEL value of a typed JSON value."""
    kind = typed["t"]
    if kind == "null":
        return None
    value = typed["v"]
    if kind == "number":
        return Decimal(value)
    if kind == "list":
        return [from_typed(element) for element in value]
    if kind == "context":
        return {name: from_typed(member) for name, member in value.items()}
    if kind in _TEMPORALS:
        parsed = _TEMPORALS[kind](value)
        if parsed is None:
            raise ValueError(f"the kit says {value!r} is a {kind}")
        return parsed
    return value


def same(actual: object, expected: object) -> bool:
    """Whether a result is the expected one: numbers within 1e-8, everything else exact and of the same type."""
    if _is_number(actual) and _is_number(expected):
        return abs(Decimal(actual) - Decimal(expected)) <= TOLERANCE  # type: ignore[arg-type]
    if isinstance(actual, list) and isinstance(expected, list):
        return len(actual) == len(expected) and all(same(a, e) for a, e in zip(actual, expected, strict=True))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(same(actual[name], expected[name]) for name in expected)
    return type(actual) is type(expected) and actual == expected


def _is_number(value: object) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)
