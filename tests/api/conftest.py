"""A whole server for the tests of the API: real bus, PostgreSQL, projector and HTTP, on a port of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import httpx
import pytest

from infra.embedded.postgres import EmbeddedPostgres
from infra.serving import RunningServer
from infra.settings import Settings
from tests.api.client import Client
from tests.conftest import _fresh_database


@contextlib.contextmanager
def serving(database: str, **settings: object) -> Iterator[RunningServer]:
    """A server on `database`."""
    with RunningServer(Settings(database_url=database, **settings)) as server:  # type: ignore[arg-type]
        yield server


@pytest.fixture(scope="session")
def api_server(postgres: EmbeddedPostgres) -> Iterator[RunningServer]:
    """One server that all API tests share; each test deploys processes of its own."""
    for database in _fresh_database(postgres):
        with serving(database, clock_control=True) as server:
            yield server


@pytest.fixture(scope="session")
def api(api_server: RunningServer) -> Iterator[Client]:
    """A client of the shared server."""
    with httpx.Client(base_url=api_server.address + "/v2", timeout=30) as http:
        yield Client(http, lambda: api_server.platform.core.bus.status.position)
