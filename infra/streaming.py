"""The processes around Kafka, each wired from the settings and run until told to stop."""

from __future__ import annotations

import threading

from infra.kafka.config import KafkaConfig
from infra.kafka.outlet import KafkaOutlet
from infra.kafka.topics import EVENTS
from infra.postgres.read_models_sink import PostgresTail
from infra.postgres.relay_store import PostgresRelayStore
from infra.settings import Settings
from streams.relay import Relay


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
