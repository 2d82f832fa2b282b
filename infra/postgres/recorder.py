"""The log as an `eventsourcing` application: its recorder, notification log, subscriptions and tracking work on it.

`Ledger` differs from a stock application in three places: events are appended by our one statement
(infra/postgres/appender.py), the mapper speaks Flowledger's topics (domain/events.py), and the schema belongs to the
migrations, so no table is created here. The environment is not read: the URL is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Mapper,
    Notification,
    OperationalError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresFactory
from eventsourcing.utils import Environment
from psycopg.conninfo import conninfo_to_dict

import domain.process_definition.events
import domain.process_instance.events  # noqa: F401 - registers the topics, as the line above does
from commands.ports import Append, NewEvent
from domain.errors import ConcurrentWrite, StorageUnavailable
from domain.events import REGISTRY, Recorded, encode_envelope, encode_event
from infra.postgres.appender import Appender

EVENTS_TABLE = "stored_events"


class LedgerRecorder(PostgresApplicationRecorder):
    """The library's recorder with our append. Inserting is left to `Appender` alone."""

    def __init__(self, datastore: PostgresDatastore, *, events_table_name: str = EVENTS_TABLE) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self.appender: Appender | None = None

    def create_table(self) -> None:
        """The migrations own the schema."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append in one transaction; the notification ids. Raises the library's IntegrityError and OperationalError."""
        assert self.appender is not None
        events = [NewEvent(_uuid(e.originator_id), e.originator_version, e.topic, e.state) for e in stored_events]
        if not events:
            return []
        try:
            (last,) = self.appender.append([Append(events, tenant="")])
        except ConcurrentWrite as error:
            raise IntegrityError(str(error)) from error
        except StorageUnavailable as error:
            raise OperationalError(str(error)) from error
        return range(last - len(events) + 1, last + 1)


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


class LedgerMapper(Mapper[UUID]):
    """Between stored events and `domain.events.Recorded`, by the registry of topics."""

    def __init__(self) -> None:
        """Without transcoder, cipher and compressor: the registry encodes."""

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The stored form of a Recorded."""
        recorded: Recorded = domain_event
        state = encode_event(encode_envelope(recorded.envelope), recorded.event)
        return StoredEvent(recorded.stream, recorded.version, recorded.event.topic, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The Recorded in a stored event or notification. Raises LogCorrupt for an unknown topic."""
        envelope, event = REGISTRY.decode(stored_event.topic, stored_event.state)
        position = stored_event.id if isinstance(stored_event, Notification) else 0
        stream = _uuid(stored_event.originator_id)
        return Recorded(stream, stored_event.originator_version, position, envelope, event)


class Ledger(Application[UUID]):
    """The log as an application of the library. `env` comes from `ledger_env`."""

    name = "ledger"

    def construct_env(self, name: str, env: Any = None) -> Environment:
        """Only what was handed in; the process environment is read in one place, infra/settings.py. Without the name,
        by which the library would name the tables."""
        return Environment("", dict(env or {}))

    def construct_mapper(self) -> Mapper[UUID]:
        """Ours."""
        return LedgerMapper()

    def construct_recorder(self) -> ApplicationRecorder:
        """Ours, on the table that the migrations made."""
        assert isinstance(self.factory, PostgresFactory)
        return LedgerRecorder(self.factory.datastore, events_table_name=EVENTS_TABLE)


def ledger_env(url: str, pool_size: int, max_overflow: int, timeout: int) -> dict[str, str]:
    """The library's settings for the database at `url` (any form that libpq takes); timeout in seconds."""
    parts = conninfo_to_dict(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(parts.get("dbname") or ""),
        "POSTGRES_HOST": str(parts.get("host") or ""),
        "POSTGRES_PORT": str(parts.get("port") or 5432),
        "POSTGRES_USER": str(parts.get("user") or ""),
        "POSTGRES_PASSWORD": str(parts.get("password") or ""),
        "POSTGRES_POOL_SIZE": str(pool_size),
        "POSTGRES_MAX_OVERFLOW": str(max_overflow),
        "POSTGRES_CONNECT_TIMEOUT": str(timeout),
        "CREATE_TABLE": "no",
    }
