"""`flowledger monitoring`: the process that keeps the monitoring store; `flowledger monitoring …` works on it."""

from __future__ import annotations

import threading

import typer

from infra.cli.serving import Supervised, refuse_old_schema, with_database


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    group = typer.Typer(help="Keep the monitoring store up to date with the log, and ask it.", no_args_is_help=False)
    group.callback(invoke_without_command=True)(monitoring)
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
