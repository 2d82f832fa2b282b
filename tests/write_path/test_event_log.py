"""The event log: the contract on the fake and on PostgreSQL, and what only PostgreSQL can get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args
from uuid import uuid4

import psycopg
import pytest

from commands.ports import Append, EventLog
from domain.errors import InvalidArgument
from domain.process_instance.wait_states import PutJob, WaitChange
from infra.postgres.event_log import PostgresEventLog
from infra.postgres.wait_rows import _KINDS
from tests.contracts.event_log import EventLogContract, events, waits
from tests.fakes.event_log import FakeEventLog


class TestFakeEventLog(EventLogContract):
    @pytest.fixture
    def log(self) -> EventLog:
        return FakeEventLog()


class TestPostgresEventLog(EventLogContract):
    @pytest.fixture
    def log(self, module_database: str) -> Iterator[EventLog]:
        _empty(module_database)
        log = PostgresEventLog(module_database)
        yield log
        log.close()


@pytest.fixture
def log(database: str) -> Iterator[PostgresEventLog]:
    log = PostgresEventLog(database)
    yield log
    log.close()


def _empty(url: str) -> None:
    """Every table as it was, faster than a new database. Emptying the log takes disabling its trigger."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "TRUNCATE stored_events, stored_snapshots, wait_jobs, wait_timers, wait_deliveries, wait_subscriptions,"
            " wait_messages, wait_signals, start_events, key_blocks, command_ids,"
            " definition_index RESTART IDENTITY"
        )


@pytest.mark.parametrize("megabytes", [1, 20])
def test_big_events_are_appended_and_read_back(log: PostgresEventLog, megabytes: int) -> None:
    stream = uuid4()
    (position,) = log.append([Append(events(stream, 1, 2, size=megabytes << 20), "")])
    assert position == 2
    assert len(log.load([stream])[stream][0].state) > megabytes << 20


def test_thousands_of_events_fit_one_batch_in_order(log: PostgresEventLog) -> None:
    streams = [uuid4() for _ in range(1_000)]
    positions = log.append([Append(events(stream, 1, 2, 3, 4, 5), "") for stream in streams])
    assert list(positions) == list(range(5, 5_001, 5))
    read = log.read(0, 5_000)
    assert [event.stream for event in read] == [stream for stream in streams for _ in range(5)]


@pytest.mark.parametrize("statement", ["UPDATE stored_events SET topic = 'x'", "DELETE FROM stored_events"])
def test_the_log_only_grows(log: PostgresEventLog, database: str, statement: str) -> None:
    log.append([Append(events(uuid4(), 1), "")])
    with psycopg.connect(database) as connection, pytest.raises(psycopg.Error, match="append-only"):
        connection.execute(statement.encode())


def test_a_value_that_postgresql_cannot_hold_is_the_commands_fault(log: PostgresEventLog) -> None:
    with pytest.raises(InvalidArgument, match="cannot hold"):
        log.append([waits(PutJob(1, 0, "nul\0byte", 0))])
    assert log.append([Append(events(uuid4(), 1), "")]) == [1]


def test_every_change_of_the_wait_state_index_has_its_table(log: PostgresEventLog) -> None:
    """A new kind of change must not be passed over: the batch fails loudly instead."""

    assert frozenset(get_args(WaitChange)) == _KINDS
    with pytest.raises(TypeError, match="str is not a change"):
        log.append([waits("no change")])  # type: ignore[arg-type]
