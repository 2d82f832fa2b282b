"""Parts that run in threads, and waiting for what they do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from infra.kafka.config import KafkaConfig
from infra.kafka.feed import KafkaFeed
from infra.kafka.outlet import KafkaOutlet
from infra.kafka.topics import EVENTS
from infra.postgres.read_models_position import ReadPosition
from infra.postgres.read_models_sink import PostgresTail
from infra.postgres.read_models_verify import verify_all
from infra.postgres.relay_store import PostgresRelayStore
from infra.settings import Settings
from infra.streaming import run_projector_on
from streams.relay import Relay

PATIENCE = 60.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition, bounded generously."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited for {what}"
        time.sleep(0.05)


class RunningRelay:
    """A relay in a thread, on real parts."""

    def __init__(self, url: str, kafka: KafkaConfig) -> None:
        self._stop = threading.Event()
        self.tail, self.store = PostgresTail(url), PostgresRelayStore(url)
        self.outlet = KafkaOutlet(kafka, EVENTS)
        self.relay = Relay(self.tail, self.store, self.outlet)
        self.thread = threading.Thread(target=self.relay.run, args=(self._stop,))
        self.thread.start()

    def until(self, position: int) -> None:
        """Wait until it has relayed that far."""
        wait_until(lambda: self.relay.position >= position, f"position {position}")

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()
        for resource in (self.outlet, self.store, self.tail):
            resource.close()


class RunningProjector:
    """A projector in a thread: on Kafka, or (kafka None) on the log."""

    def __init__(self, url: str, kafka: KafkaConfig | None) -> None:
        self._stop = threading.Event()
        settings = Settings(database_url=url)
        if kafka is not None:
            settings = settings._replace(kafka=kafka.bootstrap, kafka_prefix=kafka.prefix, kafka_partitions=3)
        self._url = url
        self.thread = threading.Thread(target=run_projector_on, args=(settings, self._stop))
        self.thread.start()

    def until(self, position: int) -> None:
        """Wait until the read models are that far."""
        with ReadPosition(self._url) as read_models:
            wait_until(lambda: read_models.position() >= position, f"the read models to be at {position}")

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


def make_feed(url: str, kafka: KafkaConfig, group: str = "test") -> KafkaFeed:
    """A feed of the events topic."""
    return KafkaFeed(kafka, kafka.topic(EVENTS), kafka.topic(group), PostgresTail(url))


def rows(url: str, text: str) -> list[tuple[Any, ...]]:
    """What a statement gives."""
    with psycopg.connect(url) as connection:
        return connection.execute(text.encode()).fetchall()


def check_read_models(url: str) -> None:
    """The read models are what a rebuild from the log gives."""
    report = verify_all(url)
    wrong = [table for table in report.tables if not table.equal]
    assert not wrong, wrong
    assert not [problem for problem in report.problems if problem.where == "quarantine"]
