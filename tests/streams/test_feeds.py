"""The feeds, each by the contract."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from infra.kafka.config import KafkaConfig
from infra.kafka.feed import KafkaFeed
from infra.kafka.outlet import KafkaOutlet
from infra.kafka.topics import EVENTS, ensure_topics
from infra.postgres.read_models_sink import PostgresTail
from infra.postgres.relay_store import PostgresRelayStore
from streams.feeds import LOG_SOURCE
from streams.relay import Relay
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


class TestKafkaFeed(FeedContract):
    @pytest.fixture
    def fed(self, database: str, kafka: KafkaConfig) -> Iterator[Fed]:
        ensure_topics(kafka, [EVENTS])
        stop, tail, store = threading.Event(), PostgresTail(database), PostgresRelayStore(database)
        outlet = KafkaOutlet(kafka, EVENTS)
        relay = threading.Thread(target=Relay(tail, store, outlet).run, args=(stop,))
        relay.start()

        def open_feed() -> KafkaFeed:
            return KafkaFeed(kafka, kafka.topic(EVENTS), kafka.topic("test"), PostgresTail(database))

        feed = open_feed()
        yield Fed(Log(database), feed, feed.sources(), open_feed)
        stop.set()
        relay.join(30)
        for resource in (feed, outlet, store, tail):
            resource.close()
