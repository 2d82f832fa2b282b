"""The database that a command works on directly: the one that is set, or the embedded one, started while needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import NotFound
from infra.data_folder import DataFolder
from infra.embedded.postgres import EmbeddedPostgres
from infra.settings import Settings


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The URL of the database. An embedded one that was not running is stopped again at the end.

    Raises NotFound where there is neither FLOWLEDGER_DATABASE_URL nor an embedded database in the data folder.
    """
    if settings.database_url:
        yield settings.database_url
        return
    folder = DataFolder(settings.data_dir)
    postgres = EmbeddedPostgres(folder.postgres)
    if not (postgres.home / "data").exists():
        raise NotFound(
            f"there is no database in '{folder.path}': start Flowledger once with `flowledger dev`, or name a database "
            "with FLOWLEDGER_DATABASE_URL or a data folder with FLOWLEDGER_DATA_DIR"
        )
    was_running = postgres.is_running()
    url = postgres.start()
    try:
        yield url
    finally:
        if not was_running:
            postgres.stop()
