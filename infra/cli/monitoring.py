"""`flowledger monitoring` keeps the monitoring store; `flowledger monitoring …` asks it and works on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from domain.errors import InvalidState
from infra.cli.client import Client
from infra.cli.options import Address, AsJson, Limit
from infra.cli.output import console, print_json, progress, show_rows, show_table_checks, when
from infra.cli.serving import Supervised, refuse_old_schema, with_database
from infra.settings import Settings, read_settings

if TYPE_CHECKING:
    from infra.clickhouse.connection import HttpClickHouse
    from infra.clickhouse.requests import Request

POLL_SECONDS = 0.2
REFRESH_SECONDS = 2.0
EXPORTS = ("csv", "xlsx", "parquet")
EXPORT_LIMIT = 1_000_000

Definition = Annotated[str, typer.Option("--process", metavar="ID", help="Only this process.")]
Version = Annotated[int, typer.Option("--version", min=0, help="Only this version of it.")]
Department = Annotated[str, typer.Option("--department", metavar="NAME", help="Only this one; '-': those without.")]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="The period's begin: 2026-11-01T00:00:00Z.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="The period's end, not included.")]
By = Annotated[str, typer.Option("--by", metavar="WHAT", help="Grouped by definition, version or department.")]


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    group = typer.Typer(help="Keep the monitoring store up to date with the log, and ask it.", no_args_is_help=False)
    group.callback(invoke_without_command=True)(monitoring)
    for command in (board, reports, report, rebuild, quarantine, redrive, verify):
        group.command()(command)
    app.add_typer(group, name="monitoring")


def monitoring(context: typer.Context, supervised: Supervised = False) -> None:
    """Keep the monitoring store up to date with the log of FLOWLEDGER_DATABASE_URL.

    The store is the ClickHouse server of FLOWLEDGER_CLICKHOUSE, or else an engine of its own in the data folder, which
    only this process may open: it answers others on loopback.
    """
    if context.invoked_subcommand is not None:
        return
    from infra.clickhouse.process import run_monitoring
    from infra.logging import configure_logging
    from infra.supervisor import follow_parent, stop_on_signals

    settings = with_database("monitoring")
    configure_logging(settings, "monitoring")
    refuse_old_schema(settings.database_url)
    stop = stop_on_signals()
    if supervised:
        follow_parent(threading.Event())
    run_monitoring(settings, stop)


def board(
    by: By = "definition",
    process: Definition = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Rejections since; else 7 days.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Again every two seconds, until Ctrl-C.")] = False,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """The live board: what runs, waits, is overdue, was rejected or stands still."""
    query = {"by": by, "definitionId": process or None, "since": since or None}
    with Client(address) as client:
        while True:
            answer = client.get("/monitoring/board", **query)
            if as_json:
                print_json(answer)
            else:
                if watch:
                    console().clear()
                _show("board", answer, by)
            if not watch:
                return
            time.sleep(REFRESH_SECONDS)


def _show(name: str, answer: dict[str, Any], by: str) -> None:
    hidden = {"instances"} | {"department"} - {by} | ({"version"} if by == "definition" and name == "board" else set())
    columns = [column for column in (answer["items"][0] if answer["items"] else {}) if column not in hidden]
    rows = [[_cell(item[column]) for column in columns] for item in answer["items"]]
    more = "there may be more (--limit); " if answer["truncated"] else ""
    reflects = answer["reflects"]
    about = f"{more}as of {when(reflects['at']) or 'the beginning'} UTC, position {reflects['position']}"
    show_rows(columns, rows, "Nothing.", about)


def _cell(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value


def reports(address: Address = "", as_json: AsJson = False) -> None:
    """The reports that there are."""
    with Client(address) as client:
        answer = client.get("/monitoring")
    if as_json:
        print_json(answer)
        return
    show_rows(("report", "about"), ([item["name"], item["about"]] for item in answer["items"]), "No reports.")


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="See `flowledger monitoring reports`.")],
    process: Definition = "",
    version: Version = 0,
    department: Department = "",
    since: Since = "",
    until: Until = "",
    by: By = "",
    parameters: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the report's own.")
    ] = None,
    limit: Limit = 100,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write all rows to a file: .csv, .xlsx or .parquet.")
    ] = None,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """One report, as a table, as JSON or into a file."""
    query: dict[str, Any] = {
        "definitionId": process or None,
        "version": version or None,
        "department": department or None,
        "since": since or None,
        "until": until or None,
        "by": by or None,
        "limit": limit,
        **dict(_pair(text) for text in parameters or ()),
    }
    with Client(address) as client:
        if out is not None:
            form = out.suffix.lstrip(".").lower()
            if form not in EXPORTS:
                raise typer.BadParameter(f"'{out}' must end in .{', .'.join(EXPORTS)}", param_hint="--out")
            client.download(f"/monitoring/{name}", out, **{**query, "format": form, "limit": EXPORT_LIMIT})
            console().print(f"Written to {out}.")
            return
        answer = client.get(f"/monitoring/{name}", **query)
    if as_json:
        print_json(answer)
    else:
        _show(name, answer, by)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"'{text}' must be NAME=VALUE", param_hint="--set")
    return name, value


@contextmanager
def _store(settings: Settings) -> Iterator[HttpClickHouse]:
    """The store, over HTTP; its process must run."""
    from infra.clickhouse.connection import HttpClickHouse
    from infra.clickhouse.server import store_address

    store = HttpClickHouse(store_address(settings))
    try:
        yield store
    finally:
        store.close()


def rebuild() -> None:
    """Fill the store anew from the log, beside the live one, which is read on meanwhile."""
    from infra.clickhouse import requests

    with _store(read_settings()) as store:
        request = _settled(store, requests.ask(store, requests.REBUILD))
    console().print(f"The monitoring store is rebuilt up to position {request.position}.")


def _settled(store: HttpClickHouse, id: str) -> Request:
    """A request once it is settled, with a progress bar. Raises InvalidState if it failed."""
    from infra.clickhouse import requests

    with progress() as bar:
        task = bar.add_task("monitoring", total=None)
        while True:
            (request,) = requests.requests(store, id)
            bar.update(task, total=request.until or None, completed=request.position)
            if not request.open:
                break
            time.sleep(POLL_SECONDS)
    if request.state != requests.DONE:
        raise InvalidState(f"the {request.kind} failed: {request.message}")
    return request


def quarantine(as_json: AsJson = False) -> None:
    """The streams whose events could not be taken."""
    text = (
        "SELECT toString(stream), version, position, topic, reason FROM quarantine WHERE redriven = 0 ORDER BY position"
    )
    with _store(read_settings()) as store:
        rows = store.rows(text)
    names = ("stream", "version", "position", "topic", "reason")
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    else:
        show_rows(names, rows, "No event is set aside.")


def redrive(stream: Annotated[UUID, typer.Argument(metavar="STREAM", help="See `quarantine`.")]) -> None:
    """Take a stream's events again that had been set aside, after their cause was mended."""
    from infra.clickhouse import requests

    with _store(read_settings()) as store:
        request = _settled(store, requests.ask(store, requests.REDRIVE, str(stream)))
    console().print(f"The stream goes on: {request.message}.")


def verify(as_json: AsJson = False) -> None:
    """Compare the store with a rebuild from the log, by checksum. Exit code 1 if they differ."""
    from infra.clickhouse.process import dimensions_of, log_feed
    from infra.clickhouse.verify import verify_store
    from infra.database import database

    settings = read_settings()
    with database(settings) as url, _store(settings) as store, progress() as bar:
        task = bar.add_task("monitoring", total=None)
        feed = log_feed(url)
        try:
            found = verify_store(
                store,
                feed,
                dimensions_of(settings),
                lambda what, done: bar.update(task, description=what, completed=done),
            )
        finally:
            feed.close()
    equal = all(check.equal for check in found.tables)
    if as_json:
        print_json({"ok": equal, "position": found.position, "moving": found.moving, "tables": list(found.tables)})
    else:
        show_table_checks(found.tables)
        for check in found.tables:
            for difference in check.differences:
                console().print(f"{check.table}: {difference}", markup=False, soft_wrap=True)
        sentence = "The store is what the log says" if equal else "The store DIFFERS from the log"
        console().print(f"{sentence}, up to position {found.position}; {found.moving} instances had moved on.")
    raise typer.Exit(0 if equal else 1)
