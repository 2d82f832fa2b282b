"""`flowledger dev`, `serve`, `projector`, `relay`, `migrate`: the processes themselves."""

from __future__ import annotations

import threading
from typing import Annotated

import typer
from rich.panel import Panel

from infra.cli.output import console
from infra.settings import KAFKA_LOCAL, InvalidSetting, Settings, read_settings

Supervised = Annotated[bool, typer.Option("--supervised", hidden=True, help="Stop when standard input ends.")]


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    for command in (dev, serve, projector, relay, migrate):
        app.command()(command)


def dev(
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port of the API; 0: any free one.")
    ] = None,
) -> None:
    """Start everything on this machine: database, API, timers and projections. Ctrl-C stops it.

    Its data is kept in the folder .data (FLOWLEDGER_DATA_DIR); the next start goes on with it.
    """
    from infra.dev import Dev
    from infra.logging import configure_logging
    from infra.supervisor import stop_on_signals

    settings = read_settings()
    if port is not None:
        settings = settings._replace(port=port)
    configure_logging(settings, "dev")
    stop = stop_on_signals()
    console().print("Flowledger is starting …", style="dim")
    Dev(settings, lambda address: _banner(settings, address)).run(stop)
    console().print("Flowledger has stopped.", style="dim")


def _banner(settings: Settings, address: str) -> None:
    database = "given by FLOWLEDGER_DATABASE_URL" if settings.database_url else str(settings.data_dir)
    text = f"[bold]Flowledger is ready at {address}[/bold]\n\n  API   {address}/v2   data  {database}\n  stop  Ctrl-C"
    console().print(Panel(text, expand=False, padding=(0, 2)))


def serve(
    listen_fd: Annotated[int, typer.Option("--listen-fd", hidden=True)] = -1,
    supervised: Supervised = False,
    ends_database: Annotated[bool, typer.Option("--ends-database", hidden=True)] = False,
) -> None:
    """Run the API, the command bus and the timers on the database of FLOWLEDGER_DATABASE_URL."""
    from infra.logging import configure_logging
    from infra.serving import serve_forever
    from infra.supervisor import follow_parent

    settings = with_database("serve")
    configure_logging(settings, "serve")
    refuse_old_schema(settings.database_url)
    orphaned = threading.Event()
    if supervised:
        follow_parent(orphaned)
    serve_forever(settings, listen_fd)
    if ends_database and orphaned.is_set():
        from infra.data_folder import DataFolder
        from infra.embedded.postgres import EmbeddedPostgres

        EmbeddedPostgres(DataFolder(settings.data_dir).postgres).stop()


def projector(supervised: Supervised = False) -> None:
    """Keep the read models up to date with the log of FLOWLEDGER_DATABASE_URL: by way of Kafka if FLOWLEDGER_KAFKA
    names brokers (then several share the work), else straight from it."""
    from infra.logging import configure_logging
    from infra.streaming import run_projector_on
    from infra.supervisor import follow_parent, stop_on_signals

    settings = with_database("projector")
    if settings.kafka == KAFKA_LOCAL:
        settings = _with_kafka("projector")
    configure_logging(settings, "projector")
    refuse_old_schema(settings.database_url)
    stop = stop_on_signals()
    if supervised:
        follow_parent(threading.Event())
    run_projector_on(settings, stop)


def relay(supervised: Supervised = False) -> None:
    """Send the log's events to Kafka. One relay leads, others stand by."""
    from infra.logging import configure_logging
    from infra.streaming import run_relay
    from infra.supervisor import follow_parent, stop_on_signals

    settings = _with_kafka("relay")
    configure_logging(settings, "relay")
    refuse_old_schema(settings.database_url)
    stop = stop_on_signals()
    if supervised:
        follow_parent(threading.Event())
    run_relay(settings, stop)


def migrate() -> None:
    """Bring the schema of FLOWLEDGER_DATABASE_URL up to date (`dev` does so by itself)."""
    from infra.postgres.migrations import migrate as apply

    applied = apply(with_database("migrate").database_url)
    for name in applied:
        console().print(f"applied {name}")
    if not applied:
        console().print("The database is up to date.")


def refuse_old_schema(url: str) -> None:
    """Raise SchemaMismatch where migrations are missing, StorageUnavailable where nobody can be asked."""
    import psycopg

    from domain.errors import StorageUnavailable
    from infra.postgres.migrations import SchemaMismatch, pending

    try:
        missing = pending(url)
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"the database cannot be reached: {error}") from error
    if missing:
        raise SchemaMismatch(f"the database lacks the migrations {', '.join(missing)}: run `flowledger migrate`")


def _with_kafka(command: str) -> Settings:
    settings = with_database(command)
    if not settings.kafka or settings.kafka == KAFKA_LOCAL:
        raise InvalidSetting(f"`flowledger {command}` needs FLOWLEDGER_KAFKA (host:port of the brokers)")
    return settings


def with_database(command: str) -> Settings:
    settings = read_settings()
    if not settings.database_url:
        raise InvalidSetting(
            f"`flowledger {command}` needs FLOWLEDGER_DATABASE_URL (postgresql://user:password@host:port/database); "
            "`flowledger dev` starts a database of its own"
        )
    return settings
