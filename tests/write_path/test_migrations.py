"""Migrations: applied once and in order, by one process at a time; a changed or missing one is refused."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from domain.errors import StorageUnavailable
from infra.embedded.postgres import EmbeddedPostgres
from infra.postgres.migrations import MIGRATIONS, SchemaMismatch, migrate, pending, read_migrations

_numbers = itertools.count(1)


@pytest.fixture
def empty(postgres: EmbeddedPostgres) -> Iterator[str]:
    name = f"empty_{next(_numbers)}"
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield postgres.url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE a (n int); INSERT INTO a VALUES (1);")
    (tmp_path / "0100_views.sql").write_text("CREATE VIEW v AS SELECT n + 1 AS n FROM a;")
    return tmp_path


def test_migrations_are_applied_once_and_in_order(empty: str, folder: Path) -> None:
    assert pending(empty, folder) == ["0001_first", "0100_views"]
    assert migrate(empty, folder) == ["0001_first", "0100_views"]
    assert migrate(empty, folder) == pending(empty, folder) == []
    (folder / "0002_second.sql").write_text("ALTER TABLE a ADD COLUMN m int;")
    assert migrate(empty, folder) == ["0002_second"]
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT n FROM v").fetchall() == [(2,)]


def test_a_changed_migration_is_refused_before_anything_is_done(empty: str, folder: Path) -> None:
    migrate(empty, folder)
    (folder / "0001_first.sql").write_text("CREATE TABLE a (n bigint);")
    (folder / "0002_second.sql").write_text("CREATE TABLE b (n int);")
    with pytest.raises(SchemaMismatch, match="0001_first was changed"):
        migrate(empty, folder)
    with psycopg.connect(empty) as connection:
        assert connection.execute("SELECT to_regclass('b')").fetchone() == (None,)


def test_a_missing_migration_is_refused(empty: str, folder: Path) -> None:
    migrate(empty, folder)
    (folder / "0100_views.sql").unlink()
    with pytest.raises(SchemaMismatch, match="0100_views, which this version of Flowledger does not know"):
        migrate(empty, folder)


def test_a_failing_migration_is_undone_and_named(empty: str, folder: Path) -> None:
    (folder / "0002_bad.sql").write_text("CREATE TABLE b (n int); SELECT 1 / 0;")
    with pytest.raises(SchemaMismatch, match=r"0002_bad failed.*division by zero"):
        migrate(empty, folder)
    (folder / "0002_bad.sql").write_text("CREATE TABLE b (n int);")
    assert migrate(empty, folder) == ["0002_bad", "0100_views"]


def test_processes_that_migrate_at_once_take_turns(empty: str, folder: Path) -> None:
    (folder / "0002_slow.sql").write_text("SELECT pg_sleep(0.2); CREATE TABLE b (n int);")
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(empty, folder))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(map(len, applied)) == [0, 0, 0, 3]


@pytest.mark.parametrize(("name", "complaint"), [("first.sql", "must be named"), ("0001_again.sql", "used twice")])
def test_a_bad_file_name_is_refused(folder: Path, name: str, complaint: str) -> None:
    (folder / name).write_text("SELECT 1;")
    with pytest.raises(SchemaMismatch, match=complaint):
        read_migrations(folder)


def test_a_database_out_of_reach_is_an_error_of_ours() -> None:
    with pytest.raises(StorageUnavailable):
        migrate("postgresql://nobody@127.0.0.1:1/none")


def test_the_real_migrations_make_a_schema(empty: str, tmp_path: Path) -> None:
    copied = shutil.copytree(MIGRATIONS, tmp_path / "copied", ignore=shutil.ignore_patterns("__pycache__"))
    assert migrate(empty, Path(copied))[0] == "0001_event_log"
    assert pending(empty) == []
