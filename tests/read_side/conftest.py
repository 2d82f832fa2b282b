"""Fixtures of the read side: a log, a projector that has caught up, and queries that can be asked from plain tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

from infra.postgres.queries import PostgresQueries
from infra.postgres.read_models import catch_up
from infra.postgres.read_models_sink import PostgresSink, PostgresTail
from projections.queries import Entity, Item, SearchRequest, SearchResult
from streams.store_feed import StoreFeed
from tests.read_side.streams import Log

T = TypeVar("T")


@pytest.fixture
def log(database: str) -> Log:
    """An empty log in a fresh database."""
    return Log(database)


@pytest.fixture
def caught_up(database: str) -> Callable[[], int]:
    """Call it to have everything in the log projected; the position reached."""

    def catch(batch: int = 1_000) -> int:
        feed, sink = StoreFeed(PostgresTail(database), batch), PostgresSink(database)
        try:
            return catch_up(feed, sink)
        finally:
            feed.close()
            sink.close()

    return catch


class Ask:
    """Queries for plain (synchronous) tests."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._loop = asyncio.new_event_loop()
        self.queries = PostgresQueries(url)
        self._loop.run_until_complete(self.queries.open())

    def run(self, question: Coroutine[Any, Any, T]) -> T:
        """The answer to a question to `queries`."""
        return self._loop.run_until_complete(question)

    def search(self, entity: Entity, tenants: list[str] | None = None, **request: Any) -> SearchResult:
        """A search; `filter`, `sort` and `page` are the request's members."""
        return self.run(self.queries.search(entity, SearchRequest.parse(request), tenants))

    def items(self, entity: Entity, **request: Any) -> list[Item]:
        """The items of a search."""
        return self.search(entity, **request).items

    def get(self, entity: Entity, key: int) -> Item:
        """An item by its key."""
        return self.run(self.queries.get(entity, key))

    def close(self) -> None:
        """Close the connections and the loop."""
        self._loop.run_until_complete(self.queries.close())
        self._loop.close()


@pytest.fixture
def ask(database: str) -> Iterator[Ask]:
    """Queries on the test's database."""
    asking = Ask(database)
    yield asking
    asking.close()
