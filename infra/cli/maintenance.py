"""`flowledger verify`, `rebuild`, `redrive`, `bench`: the log against all that is derived from it; how fast it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import msgspec
import typer

from domain.errors import StorageUnavailable
from infra.cli.options import AsJson
from infra.cli.output import console, print_json, progress, show_rows, show_table_checks
from infra.settings import read_settings

if TYPE_CHECKING:
    from projections.verify import Progress, Report

SHOWN_PROBLEMS = 50


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    for command in (verify, rebuild, redrive, bench):
        app.command()(command)


def verify(as_json: AsJson = False) -> None:
    """Check that the log is sound and that everything derived from it is what the log says.

    Replays every stream, and compares the wait-state index, the read models and the monitoring store (where it runs)
    with a rebuild. The system may run meanwhile. Exit code 1 if anything is wrong.
    """
    from infra.database import database
    from infra.postgres.read_models_verify import verify_all

    with database(read_settings()) as url, progress() as bar:
        tasks: dict[str, int] = {}

        def show(what: str, done: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None)
            bar.update(tasks[what], completed=done)  # type: ignore[arg-type]

        report = verify_all(url, show)
        left_out = _verify_monitoring(url, report, show)
    if as_json:
        print_json({**msgspec.to_builtins(report), "ok": report.ok, "leftOut": left_out})
    else:
        _show_report(report)
        if left_out:
            console().print(f"The monitoring store was not compared: {left_out}.", style="dim", soft_wrap=True)
    raise typer.Exit(0 if report.ok else 1)


def _verify_monitoring(url: str, report: Report, show: Progress) -> str:
    """The monitoring store too, where it runs; else why not."""
    from infra.clickhouse.connection import HttpClickHouse
    from infra.clickhouse.process import dimensions_of, log_feed
    from infra.clickhouse.server import store_address
    from infra.clickhouse.verify import verify_store

    settings = read_settings()
    try:
        store = HttpClickHouse(store_address(settings))
        feed = log_feed(url)
        try:
            report.add_tables(verify_store(store, feed, dimensions_of(settings), show).tables)
        finally:
            feed.close()
            store.close()
    except StorageUnavailable as away:
        return str(away)
    return ""


def _show_report(report: Report) -> None:
    show_table_checks(report.tables)
    out = console()
    for problem in report.problems[:SHOWN_PROBLEMS]:
        out.print(f"[red]{problem.severity}[/red]", end=" ")
        out.print(f"{problem.where}: {problem.what}", markup=False, soft_wrap=True)
    if report.problem_count > SHOWN_PROBLEMS:
        out.print(f"… and {report.problem_count - SHOWN_PROBLEMS} more (--json shows the first 1,000)")
    sound = "Nothing is wrong." if report.ok else f"{report.problem_count} problems."
    out.print(
        f"{report.streams} streams with {report.events} events and {report.snapshots} snapshots replayed, read models "
        f"compared up to position {report.position}. {sound}",
        soft_wrap=True,
    )


def rebuild() -> None:
    """Empty the read models and project the whole log again. The projector must be stopped meanwhile."""
    from infra.database import database
    from infra.postgres.read_models import rebuild as project_again

    with database(read_settings()) as url, progress() as bar:
        task = bar.add_task("projecting", total=None)
        position = project_again(url, lambda at: bar.update(task, completed=at))
    console().print(f"The read models are rebuilt up to position {position}.")


def redrive(
    stream: Annotated[
        UUID | None, typer.Argument(metavar="STREAM", help="The stream to let go on; without it they are listed.")
    ] = None,
) -> None:
    """Project events again that had been set aside, after their cause was mended."""
    from infra.database import database
    from infra.postgres.read_models import quarantine
    from infra.postgres.read_models import redrive as project_aside

    with database(read_settings()) as url:
        if stream is not None:
            console().print(f"{project_aside(url, stream)} events are projected.")
            return
        rows = quarantine(url)
    names = ("position", "stream", "version", "topic", "reason")
    show_rows(names, ([str(row[name]) for name in names] for row in rows), "No event is set aside.")


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A minute instead of several, and no peers.")] = False,
    peers: Annotated[bool, typer.Option("--peers/--no-peers", help="Also the peers and the bare database.")] = True,
    url: Annotated[
        str, typer.Option("--database", metavar="URL", help="Measure on this PostgreSQL, in databases of its own.")
    ] = "",
    out: Annotated[Path, typer.Option("--out", help="Where the figures go, as JSON.")] = Path("bench/out/latest.json"),
) -> None:
    """Measure: durable rates and latencies, bytes on disk, beside the bare database and the peers. `make bench`."""
    try:
        from bench.run import BenchError, Plan, measure
    except ModuleNotFoundError as missing:
        raise typer.BadParameter("the measurements are in the checkout's folder bench, which is not here") from missing

    plan = Plan.quick() if quick else Plan(peers=peers)
    try:
        measure(plan._replace(url=url, out=out, peers=peers and not quick), console())
    except BenchError as error:
        console().print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
