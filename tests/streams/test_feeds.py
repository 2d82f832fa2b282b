"""The feeds, each by the contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.postgres.read_models_sink import PostgresTail
from streams.feeds import LOG_SOURCE
from streams.store_feed import StoreFeed
from tests.contracts.feed import Fed, FeedContract
from tests.read_side.streams import Log


class TestStoreFeed(FeedContract):
    @pytest.fixture
    def fed(self, database: str) -> Iterator[Fed]:
        def open_feed() -> StoreFeed:
            return StoreFeed(PostgresTail(database), 7)

        feed = open_feed()
        yield Fed(Log(database), feed, [LOG_SOURCE], open_feed)
        feed.close()
