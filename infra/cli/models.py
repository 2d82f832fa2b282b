"""`flowledger check` and `convert`: models looked at and converted here, without a server."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from domain.events import encode_json
from infra.cli.options import AsJson
from infra.cli.output import print_json, show_rows

COLOURS = {"error": "red", "warning": "yellow", "manual": "red", "review": "yellow"}


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    app.command()(check)
    app.command()(convert)


def check(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES…", help="BPMN, form and DMN files.", exists=True, dir_okay=False, readable=True),
    ],
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a deployment of these files would find: errors refuse it, warnings inform.

    Exit code 1 if there are errors. Files that refer to each other are checked together.
    """
    from commands.deployment_files import File, inspect

    found = inspect([File(path.name, path.read_bytes()) for path in files])
    count = Counter(finding.severity for findings in found.values() for finding in findings)
    if as_json:
        members = ("line", "severity", "rule", "message")
        listed = [
            {"file": name, "elementId": f.element_id, **{member: getattr(f, member) for member in members}}
            for name, findings in found.items()
            for f in findings
        ]
        print_json({"errors": count["error"], "warnings": count["warning"], "findings": listed})
    else:
        rows = (
            (name, f.line or None, Text(f.severity, COLOURS.get(f.severity, "")), f.element_id, f.rule, f.message)
            for name, findings in found.items()
            for f in findings
        )
        total = f"{count['error']} errors, {count['warning']} warnings"
        show_rows(("file", "line", "severity", "element", "rule", "finding"), rows, "Nothing to say.", total)
    raise typer.Exit(bool(count["error"]) or (strict and bool(count["warning"])))


def convert(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A BPMN file of Camunda 7.", exists=True, dir_okay=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write it; default: MODEL.converted.bpmn."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE", help="Write the report as JSON to this file too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Convert a model of Camunda 7: Zeebe extensions, FEEL, and a report of what needs a person.

    Exit code 1 if something does, or if the converted model would not deploy yet.
    """
    from domain.bpmn.convert import convert_model

    target = output or model.with_name(f"{model.stem}.converted.bpmn")
    if target.resolve() == model.resolve():
        raise typer.BadParameter("the converted model would overwrite the original; name another --output")
    done = convert_model(model.read_bytes(), model.name)
    target.write_bytes(done.xml)
    members = ("line", "what", "severity", "why", "suggestion")
    found = ("line", "severity", "rule", "message")
    told = {
        "output": target.name,
        "needsAPerson": done.needs_a_person,
        "notes": [
            {"elementId": n.element_id, **{member: getattr(n, member) for member in members}} for n in done.notes
        ],
        "findings": [{"elementId": f.element_id, **{name: getattr(f, name) for name in found}} for f in done.findings],
    }
    if report is not None:
        report.write_bytes(msgspec.json.format(encode_json(told), indent=2) + b"\n")
    if as_json:
        print_json(told)
    else:
        rows = (
            (n.line or None, Text(n.severity, COLOURS.get(n.severity, "")), n.element_id, n.what, n.why, n.suggestion)
            for n in done.notes
        )
        show_rows(
            ("line", "severity", "element", "what", "what became of it", "what to do"), rows, "Nothing to convert."
        )
        left = (
            (f.line or None, Text(f.severity, COLOURS.get(f.severity, "")), f.element_id, f.rule, f.message)
            for f in done.findings
        )
        empty = f"{target.name} can be deployed."
        show_rows(("line", "severity", "element", "rule", f"a deployment of {target.name} would find"), left, empty)
    raise typer.Exit(done.needs_a_person)
