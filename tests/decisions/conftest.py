"""A whole server with decisions in it: real bus, PostgreSQL, projector and HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import httpx
import pytest

from infra.cli.main import main
from infra.embedded.postgres import EmbeddedPostgres
from infra.serving import RunningServer
from tests.api.client import Client
from tests.api.conftest import serving
from tests.api.test_npm_sdk import node_folder
from tests.conftest import _fresh_database
from tests.decisions.commandline import Run

__all__ = ["node_folder"]


@pytest.fixture(scope="package")
def server(postgres: EmbeddedPostgres) -> Iterator[RunningServer]:
    """One server for all tests here; each deploys decisions of its own."""
    for database in _fresh_database(postgres):
        with serving(database, clock_control=True) as running:
            yield running


@pytest.fixture(scope="package")
def api(server: RunningServer) -> Iterator[Client]:
    """A client of the server."""
    with httpx.Client(base_url=server.address + "/v2", timeout=30) as http:
        yield Client(http, lambda: server.platform.core.bus.status.position)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["flowledger", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capfd.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return run
