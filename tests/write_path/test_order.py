"""Positions: whoever tails the log meets every event, although eight writers append at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking

from domain.errors import LogCorrupt
from domain.events import Recorded
from infra.postgres.event_log import PostgresEventLog
from tests.write_path.harness import running_bus
from tests.write_path.writers import write

ROOT = Path(__file__).parents[2]
BATCHES = 60


@pytest.fixture
def log(database: str) -> Iterator[PostgresEventLog]:
    log = PostgresEventLog(database)
    yield log
    log.close()


def test_a_tailing_reader_misses_nothing_of_eight_writers(log: PostgresEventLog, database: str) -> None:
    threads = [threading.Thread(target=write, args=(database, number, BATCHES)) for number in range(1, 7)]
    command = [sys.executable, "-m", "tests.write_path.writers", database]
    processes = [subprocess.Popen([*command, str(number), str(BATCHES)], cwd=ROOT) for number in (7, 8)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    writing = True
    while writing:
        writing = any(thread.is_alive() for thread in threads) or any(process.poll() is None for process in processes)
        after = seen[-1] if seen else 0
        seen += [event.position for event in log.read(after, 1_000)]
        if not writing:
            seen += [event.position for event in log.read(seen[-1], 100_000)]
    assert all(process.returncode == 0 for process in processes)
    everything = [event.position for event in log.read(0, 100_000)]
    assert seen == everything
    assert len({event.stream for event in log.read(0, 100_000)}) == 8


def test_the_librarys_own_insert_takes_the_same_lock(log: PostgresEventLog, database: str) -> None:
    """A stranger in a transaction that stays open holds our append back, so positions commit in order."""

    with psycopg.connect(database) as stranger:
        stranger.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, 1, 't', '')",
            (uuid4(),),
        )
        writer = threading.Thread(target=write, args=(database, 1, 1))
        writer.start()
        writer.join(0.2)
        assert writer.is_alive()
        assert log.read(0, 10) == []
        stranger.commit()
        writer.join(20)
    assert [event.topic for event in log.read(0, 10)][:2] == ["t", "test.1"]


def test_the_librarys_notification_log_subscription_and_tracking_work_on_ours(log: PostgresEventLog) -> None:
    with running_bus(log) as bus:
        bus.open_and_finish()
        ledger = log.ledger
        assert [item.id for item in ledger.notification_log["1,3"].items] == [1, 2, 3]
        with ledger.recorder.subscribe(gt=2) as subscription:
            third = next(subscription)
            assert (third.id, third.topic) == (3, "pi.job_created.1")
            recorded = cast(Recorded, ledger.mapper.to_domain_event(third))
            assert (recorded.version, recorded.position, recorded.event.topic) == (3, 3, "pi.job_created.1")
            seen = [next(subscription).id for _ in range(4)]
            bus.open()
            assert [*seen, next(subscription).id] == [4, 5, 6, 7, 8]
    tracking = ledger.factory.tracking_recorder()
    tracking.insert_tracking(Tracking("relay", 3))
    assert tracking.max_tracking_id("relay") == 3
    with pytest.raises(IntegrityError):
        tracking.insert_tracking(Tracking("relay", 2))


def test_the_librarys_insert_events_is_our_append(log: PostgresEventLog) -> None:
    event = StoredEvent(UUID(int=5), 1, "test.1", b"x")
    assert list(log.recorder.insert_events([event]) or ()) == [1]
    with pytest.raises(IntegrityError):
        log.recorder.insert_events([event])
    assert log.ledger.recorder.max_notification_id() == 1


def test_an_unknown_topic_is_never_skipped(log: PostgresEventLog) -> None:
    log.recorder.insert_events([StoredEvent(UUID(int=5), 1, "pi.from_the_future.9", b"[[1],[]]")])
    (notification,) = log.recorder.select_notifications(1, 10)
    with pytest.raises(LogCorrupt, match=r"pi\.from_the_future\.9"):
        log.ledger.mapper.to_domain_event(notification)
