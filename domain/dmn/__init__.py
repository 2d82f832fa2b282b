"""DMN 1.1 to 1.5: decision models read, checked, compiled once and evaluated many times.

    model = parse_dmn(xml)                                  # InvalidDecisionModel lists every finding
    decisions = compile_decisions(model)
    result = decisions.evaluate("dish", {"season": "Winter", "guests": 8}, now)
    result.output, result.evaluated, result.failure

Where things are: xml, parse, parse_boxed (file → records), model (the records), graph (references and imports),
types (item definitions), boxed, tables, cells, hit_policies (expressions → closures), compile, evaluate, run;
check and regions (overlaps, gaps, dead rules), tabletests (example rows).
"""

from domain.dmn.check import TableFinding, check_model, check_table
from domain.dmn.compile import compile_decisions, parse_dmn
from domain.dmn.errors import InvalidDecisionModel
from domain.dmn.evaluate import Decisions
from domain.dmn.imports import compile_files, imported_files, models_by_namespace
from domain.dmn.model import Decision, DecisionTable, DmnModel
from domain.dmn.run import DecisionFailure, DecisionResult, EvaluatedDecision, EvaluatedValue, MatchedRule
from domain.dmn.tabletests import (
    TableTest,
    TableTestFile,
    TableTestResult,
    read_csv_tests,
    read_json_tests,
    run_table_tests,
)

__all__ = [
    "Decision",
    "DecisionFailure",
    "DecisionResult",
    "DecisionTable",
    "Decisions",
    "DmnModel",
    "EvaluatedDecision",
    "EvaluatedValue",
    "InvalidDecisionModel",
    "MatchedRule",
    "TableFinding",
    "TableTest",
    "TableTestFile",
    "TableTestResult",
    "check_model",
    "check_table",
    "compile_decisions",
    "compile_files",
    "imported_files",
    "models_by_namespace",
    "parse_dmn",
    "read_csv_tests",
    "read_json_tests",
    "run_table_tests",
]
