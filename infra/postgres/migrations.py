"""Schema migrations: numbered SQL files beside this module, each applied once, in order, in a transaction of its own.

0001 and up: the event log; 0100 and up: read models. A file that has been applied never changes again: its SHA-256 is
kept in `schema_migrations`, and a changed or missing one is refused before anything is done.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import psycopg

from domain.errors import DomainError, StorageUnavailable

MIGRATIONS = Path(__file__).with_suffix("")
_FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_LOCK = 7306_0002

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class SchemaMismatch(DomainError):
    """The database was migrated by files that differ from those of this version of Flowledger."""

    code = "SCHEMA_MISMATCH"


class Migration(NamedTuple):
    """One SQL file; sha256 in hex."""

    number: int
    name: str
    sql: str
    sha256: str


def read_migrations(folder: Path = MIGRATIONS) -> list[Migration]:
    """The migrations in a folder, by number. Raises SchemaMismatch for a bad file name or a number used twice."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise SchemaMismatch(f"migration '{path.name}' must be named like '0001_event_log.sql'")
        number, text = int(match[1]), path.read_text(encoding="utf-8")
        if number in found:
            raise SchemaMismatch(f"migration number {number:04} is used twice: {found[number].name} and {match[2]}")
        found[number] = Migration(number, match[2], text, hashlib.sha256(text.encode()).hexdigest())
    return [found[number] for number in sorted(found)]


def migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """Bring the database at `url` up to date; the names of the migrations that were applied now ("0001_event_log").

    Safe to call from several processes at once. Raises SchemaMismatch if an applied migration was changed or is
    missing here, or if one fails (its transaction is undone); StorageUnavailable if the database cannot be reached.
    """
    migrations = read_migrations(folder)
    try:
        connection = psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise StorageUnavailable(f"the database cannot be reached: {error}") from error
    with connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))  # until the connection closes
        connection.execute(_TABLE)
        rows = connection.execute("SELECT number, name, sha256 FROM schema_migrations ORDER BY number").fetchall()
        applied = {number: (name, sha256) for number, name, sha256 in rows}
        _check_applied(applied, migrations)
        return [_apply(connection, migration) for migration in migrations if migration.number not in applied]


def pending(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """The names of the migrations that `migrate` would apply."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
        known = connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone()
        rows = connection.execute("SELECT number FROM schema_migrations").fetchall() if known and known[0] else []
    applied = {row[0] for row in rows}
    return [f"{m.number:04}_{m.name}" for m in read_migrations(folder) if m.number not in applied]


def _check_applied(applied: dict[int, tuple[str, str]], migrations: Sequence[Migration]) -> None:
    present = {migration.number: migration for migration in migrations}
    for number, (name, sha256) in applied.items():
        migration = present.get(number)
        if migration is None:
            raise SchemaMismatch(
                f"the database has migration {number:04}_{name}, which this version of Flowledger does not know: "
                "it was migrated by a newer version; run that one, or restore a backup"
            )
        if migration.sha256 != sha256:
            raise SchemaMismatch(
                f"migration {number:04}_{migration.name} was changed after it had been applied "
                f"(SHA-256 {sha256[:12]}… then, {migration.sha256[:12]}… now): undo the change and add a new migration"
            )


def _apply(connection: psycopg.Connection[tuple[object, ...]], migration: Migration) -> str:
    label = f"{migration.number:04}_{migration.name}"
    try:
        with connection.transaction():
            connection.execute(migration.sql.encode())
            connection.execute(
                "INSERT INTO schema_migrations (number, name, sha256) VALUES (%s, %s, %s)",
                (migration.number, migration.name, migration.sha256),
            )
    except psycopg.Error as error:
        raise SchemaMismatch(f"migration {label} failed and was undone: {error}") from error
    return label
