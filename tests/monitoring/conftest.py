"""Fixtures: one engine with its HTTP interface for the session, and a fresh, migrated database of it for each test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.clickhouse.connection import ClickHouse, EmbeddedClickHouse, HttpClickHouse
from infra.clickhouse.migrate import migrate
from infra.clickhouse.server import StoreServer, running

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def store_server(open_folder: Path) -> Iterator[StoreServer]:
    """The engine and its HTTP interface."""
    with running(open_folder / "monitoring") as server:
        yield server


@pytest.fixture
def store(store_server: StoreServer) -> Iterator[ClickHouse]:
    """A fresh database, in this process."""
    yield from _fresh(store_server)


@pytest.fixture(scope="module")
def module_store(store_server: StoreServer) -> Iterator[ClickHouse]:
    """The same, shared by the tests of a module."""
    yield from _fresh(store_server)


def _fresh(server: StoreServer) -> Iterator[ClickHouse]:
    found = EmbeddedClickHouse(server.engine, f"test_{next(_numbers)}")
    migrate(found)
    yield found
    found.command(f"DROP DATABASE {found.database} SYNC")


def url_of(server: StoreServer, store: ClickHouse) -> str:
    """The URL of a test's database."""
    return f"{server.url.rpartition('/')[0]}/{store.database}"


@pytest.fixture
def over_http(store_server: StoreServer, store: ClickHouse) -> Iterator[HttpClickHouse]:
    """The test's database over HTTP, through clickhouse-connect."""
    client = HttpClickHouse(url_of(store_server, store))
    yield client
    client.close()
