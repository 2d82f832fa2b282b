"""Fixtures for all tests: one embedded PostgreSQL for the session, and fresh, migrated databases; one Kafka broker for
the session, and topics of its own for each test.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.embedded.postgres import EmbeddedPostgres
from infra.kafka.broker import KafkaBroker
from infra.kafka.config import KafkaConfig
from infra.postgres.migrations import migrate

TEMPLATE = "migrated"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that other OS users may enter (pytest's own may not be): PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="flowledger-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The session's server. Nothing in it is to survive, so it does not wait for the disk."""
    server = EmbeddedPostgres(open_folder / "pg", shared_buffers_mb=128, settings={"fsync": "off"})
    url = server.start(TEMPLATE)
    migrate(url)
    yield server
    server.stop("immediate")


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a fresh database with the whole schema, for one test."""
    yield from _fresh_database(postgres)


@pytest.fixture(scope="module")
def module_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a fresh database with the whole schema, shared by the tests of a module."""
    yield from _fresh_database(postgres)


def _fresh_database(server: EmbeddedPostgres) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy".encode())
    yield server.url(name)
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """The session's broker (`make setup-kafka` fetches it). A test that stops it must start it again."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def kafka(kafka_broker: KafkaBroker) -> KafkaConfig:
    """How to speak to the broker, with topic names of this test's own. No topic is there yet."""
    kafka_broker.start()
    return KafkaConfig(kafka_broker.bootstrap, prefix=f"t{next(_numbers)}.", partitions=3, replication=1)
