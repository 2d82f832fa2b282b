"""Migrations of the monitoring store: numbered files with statements, NNNN_name.up.sql and the way back in
NNNN_name.down.sql. ClickHouse has no transactions, so a migration is noted after its last statement; one that stopped
half way is undone by its down file (which takes what is there) before it is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from domain.errors import DomainError
from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.engine import QueryFailed

FOLDER = Path(__file__).parent / "migrations"
UNKNOWN_TABLE = 60
_NAME = re.compile(r"(\d{4})_(\w+)\.up\.sql")
_NOTES = """
CREATE TABLE IF NOT EXISTS migrations (number UInt16, name String, state Enum8('begun' = 1, 'done' = 2, 'undone' = 3),
serial UInt64) ENGINE = ReplacingMergeTree(serial) ORDER BY number
"""


class StoreMismatch(DomainError):
    """The monitoring store was migrated by another version."""

    code = "SCHEMA_MISMATCH"


class Migration(NamedTuple):
    """One migration."""

    number: int
    name: str
    up: Sequence[str]
    down: Sequence[str]


def statements(text: str) -> list[str]:
    """The statements of a file: they end with a semicolon at the end of a line; comments are left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip().rstrip(";").strip()]


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """All migrations, by number."""
    found = []
    for path in sorted(folder.glob("*.up.sql")):
        match = _NAME.fullmatch(path.name)
        assert match is not None, f"{path.name} is no name of a migration"
        down = path.with_name(path.name.replace(".up.", ".down."))
        texts = [statements(file.read_text(encoding="utf-8") + "\n") for file in (path, down)]
        found.append(Migration(int(match[1]), match[2], *texts))
    return found


def migrate(store: ClickHouse, folder: Path = FOLDER) -> list[str]:
    """Apply what is missing; the names of what was applied. Raises StoreMismatch for a store that is newer."""
    store.command(_NOTES)
    known = migrations(folder)
    states = _states(store)
    unknown = sorted(set(states) - {migration.number for migration in known})
    if unknown:
        raise StoreMismatch(f"the monitoring store has the migration {unknown[0]:04}, which this version does not know")
    applied = []
    for migration in known:
        state = states.get(migration.number)
        if state == "done":
            continue
        if state == "begun":
            _undo(store, migration)
        _note(store, migration, "begun")
        for statement in migration.up:
            store.command(statement)
        _note(store, migration, "done")
        applied.append(f"{migration.number:04}_{migration.name}")
    return applied


def undo(store: ClickHouse, down_to: int = 0, folder: Path = FOLDER) -> list[str]:
    """Undo every migration above `down_to`, the newest first; their names."""
    states = _states(store)
    undone = []
    for migration in reversed(migrations(folder)):
        if migration.number > down_to and migration.number in states:
            _undo(store, migration)
            undone.append(f"{migration.number:04}_{migration.name}")
    return undone


def _undo(store: ClickHouse, migration: Migration) -> None:
    for statement in migration.down:
        try:
            store.command(statement)
        except QueryFailed as error:
            if error.number != UNKNOWN_TABLE:
                raise
    _note(store, migration, "undone")


def _states(store: ClickHouse) -> dict[int, str]:
    rows = store.rows("SELECT number, argMax(state, serial) FROM migrations GROUP BY number")
    return {number: state for number, state in rows if state != "undone"}


def _note(store: ClickHouse, migration: Migration, state: str) -> None:
    store.command(
        f"INSERT INTO migrations SELECT {migration.number}, '{migration.name}', '{state}', "  # noqa: S608 - own names
        f"(SELECT max(serial) + 1 FROM migrations)"
    )
