"""`flowledger feel`, `decide`, `dmn check`, `dmn test`: expressions and decisions tried out here, without a server."""

from __future__ import annotations

import random
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from domain.errors import InvalidArgument
from infra.cli.options import AsJson, read_variables
from infra.cli.output import console, print_json, show_rows

if TYPE_CHECKING:  # parsers take their time to import, and the other commands need none
    from domain.dmn import DecisionResult, Decisions, TableTestFile, TableTestResult

MAX_SECONDS = 10.0
TESTS = ".tests"
"""NAME.tests.csv and NAME.tests.json are the examples of NAME.dmn."""

DmnFile = Annotated[Path, typer.Argument(metavar="FILE", help="A DMN file.", exists=True, dir_okay=False)]
DecisionId = Annotated[str, typer.Option("--decision", "-d", metavar="ID", help="Id or name of the decision.")]


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    app.command()(feel)
    app.command()(decide)
    dmn = typer.Typer(help="Check and test decision models.", no_args_is_help=True)
    dmn.command("check")(check)
    dmn.command("test")(run_examples)
    app.add_typer(dmn, name="dmn")


def feel(
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="A FEEL expression, with or without a leading =.")],
    context: Annotated[str, typer.Option("--context", "-c", metavar="JSON|@FILE", help="The variables.")] = "",
    matches: Annotated[
        str,
        typer.Option(
            "--unary",
            "-u",
            "--matches",
            metavar="JSON",
            help="Read EXPR as the condition of a table's cell, and test this value.",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Evaluate a FEEL expression.

    Why something became null is told on standard error.
    """
    from domain.feel import EvaluationContext, compile_expression, compile_unary_tests, format_value, to_json

    variables = read_variables(context)
    surroundings = EvaluationContext(
        datetime.now().astimezone(),
        max_seconds=MAX_SECONDS,
        clock=time.monotonic,
        random=random.random,
        uuid=lambda: str(uuid4()),
    )
    text = " " + expression[1:] if expression.startswith("=") else expression  # columns count from the "="
    value: object
    if matches:
        tested = read_variables(f'{{"value": {matches}}}')["value"]
        value = compile_unary_tests(text, variables).matches(tested, variables, surroundings)
    else:
        value = compile_expression(text, variables).evaluate(variables, surroundings)
    if as_json:
        print_json(to_json(value))
    else:
        console().print(format_value(value), markup=False, soft_wrap=True)
    for warning in surroundings.warnings:
        typer.echo(f"line {warning.line}, column {warning.column}: {warning.message}", err=True)


def decide(
    file: DmnFile,
    decision: DecisionId = "",
    inputs: Annotated[str, typer.Option("--inputs", "-i", metavar="JSON|@FILE", help="The input data.")] = "",
    trace: Annotated[bool, typer.Option("--trace", help="Show each rule that matched, what it saw and gave.")] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate a decision of a DMN file, and tell which rules matched."""
    from domain.feel import format_value

    decisions = _compiled(file)
    result = decisions.evaluate(
        decision or _only_decision(decisions), read_variables(inputs), datetime.now().astimezone(), json_inputs=True
    )
    if as_json:
        print_json(result.to_json())
    else:
        rows = (
            (each.name or each.id, [str(rule.index) for rule in each.matched_rules], format_value(each.output))
            for each in result.evaluated
        )
        show_rows(("decision", "rules", "output"), rows, "Nothing was evaluated.")
        if trace:
            _show_trace(result)
        for warning in result.warnings:
            typer.echo(warning, err=True)
    if result.failure is not None:
        name = result.failure.decision_name or result.failure.decision_id
        typer.echo(f"decision '{name}' failed: {result.failure.reason}", err=True)
        raise typer.Exit(1)


def _show_trace(result: DecisionResult) -> None:
    """A row for each value that a table looked at, and for each value that a matching rule gave."""
    from domain.feel import format_value

    rows: list[tuple[object, ...]] = []
    for each in result.evaluated:
        name = each.name or each.id
        rows += [(name, "sees", "", value.name or value.id, format_value(value.value)) for value in each.inputs]
        for rule in each.matched_rules:
            about = (name, "gives", f"{rule.index} ({rule.id})")
            rows += [(*about, value.name or value.id, format_value(value.value)) for value in rule.outputs]
    console().print()
    show_rows(("decision", "", "rule", "column", "value"), rows, "No table was evaluated.")


def _only_decision(decisions: Decisions) -> str:
    found = [each.id for each in decisions.model.decisions]
    if len(found) != 1:
        raise InvalidArgument(f"the model has {len(found)} decisions ({', '.join(found)}): say which with --decision")
    return found[0]


def check(file: DmnFile, as_json: AsJson = False) -> None:
    """Look for conflicts, gaps and dead rules in a model's decision tables. Exit code 1 for errors."""
    from domain.dmn import check_model, imported_files, models_by_namespace, parse_dmn

    source = file.read_bytes()
    model = parse_dmn(source, models_by_namespace(imported_files(source, _beside(file))))
    findings = [(name, finding) for name, found in check_model(model).items() for finding in found]
    if as_json:
        members = ("kind", "severity", "rules", "message")
        print_json([{"decision": name, **{m: getattr(finding, m) for m in members}} for name, finding in findings])
    else:
        rows = (
            (name, finding.severity, finding.kind, [str(rule) for rule in finding.rules], finding.message)
            for name, finding in findings
        )
        show_rows(("decision", "severity", "kind", "rules", "finding"), rows, "Nothing to say about the tables.")
    raise typer.Exit(any(finding.severity == "error" for _, finding in findings))


def run_examples(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Examples (JSON or CSV), or a DMN file with NAME.tests.* beside it.",
            exists=True,
            dir_okay=False,
        ),
    ],
    model: Annotated[Path | None, typer.Option("--model", "-m", help="The DMN file, if FILE does not name it.")] = None,
    decision: DecisionId = "",
    as_json: AsJson = False,
) -> None:
    """Run the examples of a decision: what goes in, what must come out. Exit code 1 if one fails."""
    results = [result for each in _example_files(file) for result in _run(each, model, decision)]
    failed = sum(not result.passed for result in results)
    if as_json:
        print_json([{name: getattr(result, name) for name in result.__slots__} for result in results])
    else:
        rows = (
            (
                result.index,
                result.name,
                "passed" if result.passed else "FAILED",
                [str(rule) for rule in result.rules],
                result.message,
            )
            for result in results
        )
        show_rows(("#", "example", "", "rules", ""), rows, "The file has no examples.")
        console().print(f"{len(results) - failed} passed, {failed} failed")
    raise typer.Exit(failed > 0)


def _example_files(file: Path) -> list[Path]:
    """The file itself, or the files of examples beside a DMN file."""
    if file.suffix.lower() != ".dmn":
        return [file]
    names = [f"{file.stem}{TESTS}{suffix}" for suffix in (".csv", ".json")]
    found = [file.with_name(name) for name in names if file.with_name(name).is_file()]
    if not found:
        raise InvalidArgument(f"'{file}' has no examples beside it: write them into '{names[0]}' or '{names[1]}'")
    return found


def _compiled(file: Path) -> Decisions:
    """The decisions of a DMN file; what it imports is looked for beside it."""
    from domain.dmn import compile_files, imported_files

    source = file.read_bytes()
    return compile_files(source, imported_files(source, _beside(file)))


def _beside(file: Path) -> list[bytes]:
    """The other DMN files of its folder: it may import them."""
    return [other.read_bytes() for other in sorted(file.parent.glob("*.dmn")) if other != file]


def _run(file: Path, model: Path | None, decision: str) -> tuple[TableTestResult, ...]:
    from domain.dmn import run_table_tests

    examples = _read_examples(file)
    path = model or _model_of(file, examples.model)
    if not path.is_file():
        raise InvalidArgument(f"there is no file '{path}'", "model")
    decisions = _compiled(path)
    asked = decision or examples.decision or _only_decision(decisions)
    return run_table_tests(decisions, asked, examples.rows, datetime.now().astimezone())


def _model_of(file: Path, named: str) -> Path:
    """The DMN file that a file of examples names, or that its own name tells."""
    if named:
        return file.parent / named
    if file.stem.endswith(TESTS):
        return file.with_name(file.stem.removesuffix(TESTS) + ".dmn")
    raise InvalidArgument(f"'{file}' names no model: give the DMN file with --model", "model")


def _read_examples(file: Path) -> TableTestFile:
    from domain.dmn import read_csv_tests, read_json_tests

    text = file.read_text(encoding="utf-8")
    return read_csv_tests(text) if file.suffix.lower() == ".csv" else read_json_tests(text)
