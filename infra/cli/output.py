"""How commands show what they got: tables for people, JSON for programs, problem details with all they say."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from domain.events import encode_json
from infra.cli.client import Problem

if TYPE_CHECKING:
    from projections.verify import TableCheck

WIDE = 160
"""Columns assumed where the output is no terminal: a pipe should not cut keys and names."""
VALUE_CHARACTERS = 80
STATE_COLOURS = {
    "ACTIVE": "green",
    "CREATED": "green",
    "COMPLETED": "blue",
    "TERMINATED": "yellow",
    "CANCELED": "yellow",
    "RESOLVED": "blue",
    "FAILED": "red",
    "PENDING": "yellow",
}


def console() -> Console:
    """Standard output, at its own width or WIDE."""
    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def print_json(value: Any) -> None:
    """The answer as it came, indented."""
    sys.stdout.buffer.write(msgspec.json.format(encode_json(value), indent=2) + b"\n")
    sys.stdout.flush()


def show_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str, total: str = "") -> None:
    """A table, or the sentence `empty`; `total` is said below the table."""
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(cell(value) for value in row))
    out = console()
    if not table.row_count:
        out.print(empty)
        return
    out.print(table)
    if total:
        out.print(total, style="dim")


def progress() -> Progress:
    """A progress bar that is gone when the work is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console(), transient=True)


def show_table_checks(tables: Iterable[TableCheck]) -> None:
    """Tables beside their rebuild."""
    rows = ((check.table, check.rows, check.checksum[:16], "equal" if check.equal else "DIFFERS") for check in tables)
    show_rows(("table", "rows", "checksum", "rebuild"), rows, "No tables.")


def cell(value: Any) -> Text:
    """One value for people: nothing as nothing, times without the T, states in colour, the rest as JSON."""
    match value:
        case None:
            return Text("")
        case Text():
            return value
        case str():
            return Text(value, style=STATE_COLOURS.get(value, ""))
        case list() if all(isinstance(item, str) for item in value):
            return Text(", ".join(value))
        case _:
            return Text(shorten(encode_json(value).decode()))


def when(value: str | None) -> str:
    """`2026-11-23T17:06:44.120Z` as `2026-11-23 17:06:44`."""
    return value[:19].replace("T", " ") if value else ""


def shorten(text: str, characters: int = VALUE_CHARACTERS) -> str:
    """The text, cut with an ellipsis."""
    return text if len(text) <= characters else text[: characters - 1] + "…"


def more(page: Mapping[str, Any], shown: int) -> str:
    """`12 of 340`, or "" when everything is shown."""
    total = page.get("totalItems") or 0
    if total <= shown:
        return ""
    return f"{shown} of {total}{' or more' if page.get('hasMoreTotalItems') else ''}; --limit shows more"


def show_problem(out: Console, problem: Problem) -> None:
    """A problem detail: title, detail, the field, and every finding with its place."""
    detail = problem.detail
    out.print(f"[red]{detail.get('title', problem.status)}[/red]", end=" ")
    findings = detail.get("findings") or []
    text = str(detail.get("detail", ""))
    out.print(text.split("\n", 1)[0] if findings else text, markup=False, highlight=False)
    if detail.get("field"):
        out.print(f"  field: {detail['field']}", markup=False, highlight=False)
    for finding in findings:
        line = f"line {finding['line']}: " if finding.get("line") else ""
        element = f"{finding['elementId']}: " if finding.get("elementId") else ""
        out.print(f"  {line}{element}{finding.get('message', '')}", markup=False, highlight=False)
