"""The scenario suite: every scenario in the domain alone, and over HTTP on PostgreSQL with a pinned clock."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from infra.embedded.postgres import EmbeddedPostgres
from infra.serving import RunningServer
from infra.settings import Settings
from tests.conftest import _fresh_database
from tests.scenarios.in_domain import InDomain
from tests.scenarios.over_http import OverHttp
from tests.scenarios.play import play
from tests.scenarios.scenario import Scenario, read_suite

SUITE = read_suite()


@pytest.fixture(scope="module")
def http(postgres: EmbeddedPostgres) -> Iterator[httpx.Client]:
    """A client of one server for all scenarios, whose clock may be set."""
    for database in _fresh_database(postgres):
        settings = Settings(database_url=database, clock_control=True)
        with RunningServer(settings) as server, httpx.Client(base_url=server.address + "/v2", timeout=30) as client:
            yield client


@pytest.mark.parametrize("scenario", SUITE, ids=lambda scenario: scenario.id)
def test_in_the_domain(scenario: Scenario) -> None:
    play(scenario, InDomain())


@pytest.mark.parametrize("number", range(len(SUITE)), ids=lambda number: SUITE[number].id)
def test_over_http(number: int, http: httpx.Client) -> None:
    suffix = f"-{number}"
    world = OverHttp(http, suffix)
    try:
        play(SUITE[number], world, suffix)
        world.check_read_models()
    finally:
        world.close()
