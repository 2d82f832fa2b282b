"""`flowledger check`: models looked at as a deployment would, without a server."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from infra.cli.options import AsJson
from infra.cli.output import print_json, show_rows

COLOURS = {"error": "red", "warning": "yellow"}


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    app.command()(check)


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
