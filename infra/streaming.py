"""The processes around Kafka, each wired from the settings and run until told to stop."""

from __future__ import annotations

import threading

from infra.kafka.config import KafkaConfig
from infra.kafka.feed import KafkaFeed
from infra.kafka.outlet import KafkaOutlet
from infra.kafka.topics import EVENTS
from infra.postgres.read_models import ProjectorSettings, run_projector, when_reachable
from infra.postgres.read_models_sink import PostgresSink, PostgresTail
from infra.postgres.read_models_sources import adopt
from infra.postgres.relay_store import PostgresRelayStore
from infra.settings import Settings
from streams.projector import run
from streams.relay import Relay

PROJECTOR_GROUP = "projector"


def run_relay(settings: Settings, stop: threading.Event) -> None:
    """Relay the log to Kafka (or stand by while another does). Raises InvalidState for a topic that cannot be used."""
    tail, store = PostgresTail(settings.database_url), PostgresRelayStore(settings.database_url)
    outlet = KafkaOutlet(KafkaConfig.of(settings), EVENTS)
    try:
        Relay(tail, store, outlet).run(stop)
    finally:
        outlet.close()
        store.close()
        tail.close()


def run_projector_on(settings: Settings, stop: threading.Event) -> None:
    """Keep the read models up to date: from Kafka if the settings name brokers, else straight from the log."""
    if not settings.kafka:
        return run_projector(ProjectorSettings(settings.database_url, settings.database_url), stop)
    config = KafkaConfig.of(settings)
    feed = KafkaFeed(config, config.topic(EVENTS), config.topic(PROJECTOR_GROUP), PostgresTail(settings.database_url))
    sink, tail = PostgresSink(settings.database_url, shared=True), PostgresTail(settings.database_url)
    try:
        when_reachable(lambda: adopt(sink, tail, feed.sources(), stop), stop)
        tail.close()
        run(feed, sink, stop)
    finally:
        feed.close()
        sink.close()
