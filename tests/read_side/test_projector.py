"""The projector on real PostgreSQL: exactly once, poison set aside, redrive, rebuild, its own process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.errors import InvalidState
from domain.events import Event
from domain.process_instance import events as e
from infra.postgres.read_models import (
    ProcessProjector,
    build_projector,
    catch_up,
    quarantine,
    rebuild,
    redrive,
    run_projector,
)
from infra.postgres.read_models import ProjectorSettings as Settings
from infra.postgres.read_models_position import ReadPosition
from infra.postgres.read_models_sink import PostgresSink, PostgresTail
from projections.registry import ProjectionFailed, project
from projections.rows import Changes
from streams.feeds import LOG_SOURCE, Batch, Place, Places, Refused
from streams.projector import Move, PositionMoved, apply, run
from streams.store_feed import StoreFeed, decode_batch
from tests.read_side.streams import Log, new_key, one_task_instance, service_task, started, user_task

TABLES = ("process_instances", "element_instances", "variables", "jobs", "user_tasks", "incidents")


def at(position: int) -> Places:
    """A consumer that is at this position of the log."""
    return {LOG_SOURCE: Place(position)}.__getitem__


def rows(url: str, table: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT * FROM read_model.{table} ORDER BY 1, 2".encode()).fetchall()


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(url, table) for table in TABLES}


def eventful_instance(definition: int) -> list[Event]:
    """An instance with an incident, a cancelled task and job, and rewritten variables."""
    return [
        started(definition, variables={"a": "x\0y", "b": '"\\{}'}, tags=["one", 'two "quoted"'], business_id="B,1"),
        *service_task(20),
        e.JobActivated(21, "w", 10),
        e.JobFailed(21, 0, 0, "broken"),
        e.IncidentRaised(22, 20, "work", "JOB_NO_RETRIES", "broken", 21),
        e.VariablesSet(0, {"a": 1}, [1]),
        *user_task(30, candidate_groups=["g1", "g,2"]),
        e.UserTaskAssigned(31, "kim"),
        e.IncidentResolved(22),
        e.IncidentRaised(40, 30, "review", "IO_MAPPING_ERROR", "no"),
        e.ElementTerminated(30),
        e.InstanceTerminated(),
    ]


@pytest.fixture
def filled(log: Log) -> Log:
    definition = log.deploy()
    for _ in range(3):
        log.append(new_key(), *one_task_instance(definition))
    log.append(new_key(), *eventful_instance(definition))
    return log


def test_batches_of_any_size_give_the_same_rows(filled: Log, caught_up: Callable[..., int]) -> None:
    caught_up()
    at_once = everything(filled.url)
    assert [len(at_once[table]) for table in TABLES] == [4, 11, 8, 4, 1, 2]
    for size in (1, 2, 7):
        with_sink(filled.url, PostgresSink.empty)
        caught_up(size)
        assert everything(filled.url) == at_once


def with_sink(url: str, act: Callable[[PostgresSink], object]) -> None:
    sink = PostgresSink(url)
    act(sink)
    sink.close()


def test_what_an_ended_element_or_instance_leaves_open_ends_with_it(filled: Log, caught_up: Callable[..., int]) -> None:
    caught_up(1)
    for table in TABLES:
        if table != "variables":
            with psycopg.connect(filled.url) as connection:
                left = connection.execute(f"SELECT count(*) FROM read_model.{table} WHERE ended IS NULL".encode())
                assert left.fetchone() == (0,), table


def test_two_runners_have_the_effect_of_one(filled: Log) -> None:
    first, second = PostgresSink(filled.url), PostgresSink(filled.url)
    feed = StoreFeed(PostgresTail(filled.url), 5)
    batch = feed.next(at(0), 0)
    assert batch is not None
    assert apply(batch, first, 0) == Place(5)
    with pytest.raises(PositionMoved, match="another projector"):
        apply(batch, second, 0)
    assert second.place(LOG_SOURCE) == Place(5)
    for resource in (first, second, feed):
        resource.close()


def test_only_one_runner_leads_until_it_closes(database: str) -> None:
    first, second = PostgresSink(database), PostgresSink(database)
    assert first.lead(0)
    assert not second.lead(0)
    first.close()
    assert second.lead(5)
    second.close()


def test_a_runner_killed_between_batches_is_continued_without_loss_or_doubling(
    filled: Log, caught_up: Callable[..., int]
) -> None:
    caught_up()
    expected = everything(filled.url)
    with_sink(filled.url, PostgresSink.empty)

    class Killed(Exception):
        pass

    class DyingSink(PostgresSink):
        """Dies after some writes, once before and once after the commit."""

        writes = 0

        def write(self, *arguments: Any) -> None:
            self.writes += 1
            if self.writes == 4:
                raise Killed
            super().write(*arguments)
            if self.writes == 3:
                raise Killed

    for _ in range(2):
        dying, feed = DyingSink(filled.url), StoreFeed(PostgresTail(filled.url), 3)
        with pytest.raises(Killed):
            run(feed, dying, threading.Event())
        dying.close()
        feed.close()
    caught_up(4)
    assert everything(filled.url) == expected


def poisoned(poison: UUID, version: int) -> Callable[..., Changes]:
    """Projections that cannot take one event."""

    def projecting(events: Any, without: Any = ()) -> Changes:
        for event in events:
            if event.stream == poison and event.version == version:
                raise ProjectionFailed(event, ValueError("poison"))
        return project(events, without)

    return projecting


def test_poison_sets_aside_its_stream_from_there_on_and_nothing_else(log: Log) -> None:
    definition = log.deploy()
    sick, well = new_key(), new_key()
    log.append(sick, *one_task_instance(definition)[:3])
    log.append(well, *one_task_instance(definition)[:6])
    log.append(sick, *one_task_instance(definition)[3:])
    log.append(well, *one_task_instance(definition)[6:])
    feed, sink = StoreFeed(PostgresTail(log.url), 4), PostgresSink(log.url)
    position = 0
    while (batch := feed.next(at(position), 0)) is not None:
        position = apply(batch, sink, position, poisoned(UUID(int=sick), 4)).position
    aside = quarantine(log.url)
    assert [(row["version"], row["stream"]) for row in aside] == [(n, UUID(int=sick)) for n in (4, 5, 6, 7, 8, 9)]
    assert str(aside[0]["reason"]).endswith("ValueError: poison")
    assert {row["reason"] for row in aside[1:]} == {"follows an event of its stream that is set aside"}
    states = {row[0]: row[7] for row in rows(log.url, "process_instances")}
    assert states == {sick: 0, well: 1}

    assert redrive(log.url, UUID(int=sick)) == 6
    assert quarantine(log.url) == []
    assert {row[7] for row in rows(log.url, "process_instances")} == {1}
    assert redrive(log.url, UUID(int=sick)) == 0
    feed.close()
    sink.close()


def test_an_event_that_cannot_be_decoded_is_set_aside_with_the_reason(log: Log, caught_up: Callable[..., int]) -> None:
    key = new_key()
    log.append(key, *one_task_instance(1)[:2])
    log.append_raw(UUID(int=key), [("pi.from_the_future.1", b"[[1],[]]"), ("pi.completed.1", b"not json")])
    well = new_key()
    head = log.append(well, started(1))
    assert caught_up() == head
    reasons = [str(row["reason"]) for row in quarantine(log.url)]
    assert "pi.from_the_future.1" in reasons[0]
    assert len(reasons) == 2
    assert len(rows(log.url, "process_instances")) == 2
    with pytest.raises(Exception, match=r"pi\.from_the_future\.1"):
        redrive(log.url, UUID(int=key))
    assert len(quarantine(log.url)) == 2


def test_rows_that_the_database_refuses_are_narrowed_down_to_their_event(
    log: Log, caught_up: Callable[..., int]
) -> None:
    sick, well = new_key(), new_key()
    for key in (well, sick):
        log.append(key, started(1), *service_task(3))
    log.append(sick, e.JobUpdated(4, 1 << 40, 0))  # more retries than the column holds
    log.append(sick, e.JobCompleted(4))
    log.append(well, e.JobCompleted(4))
    caught_up()
    assert [row["version"] for row in quarantine(log.url)] == [4, 5]
    ended = {row[0]: row[5] is not None for row in rows(log.url, "jobs")}
    assert ended == {sick: False, well: True}


def test_a_redrive_while_later_events_arrive_does_not_set_them_aside_again(log: Log) -> None:
    key = new_key()
    log.append(key, started(1), *service_task(3))
    feed, sink = StoreFeed(PostgresTail(log.url)), PostgresSink(log.url)
    batch = feed.next(at(0), 0)
    assert batch is not None
    position = apply(batch, sink, 0, poisoned(UUID(int=key), 2)).position
    log.append(key, e.JobActivated(4, "w", 9))
    later = feed.next(at(position), 0)
    assert later is not None

    class RedrivenMeanwhile(PostgresSink):
        def write(self, *arguments: Any) -> None:
            redrive(log.url, UUID(int=key))
            super().write(*arguments)

    racing = RedrivenMeanwhile(log.url)
    with pytest.raises(PositionMoved):
        apply(later, racing, position)
    assert apply(later, sink, position) == later.place
    assert quarantine(log.url) == []
    assert rows(log.url, "jobs")[0][11] == "w"
    for resource in (feed, sink, racing):
        resource.close()


def test_the_runner_projects_what_is_appended_and_stops_when_told(log: Log) -> None:
    stop = threading.Event()
    runner = threading.Thread(target=run_projector, args=(Settings(log.url, log.url), stop))
    runner.start()
    with ReadPosition(log.url) as position:
        head = log.append(new_key(), started(1))
        assert position.wait_for(head, 20)
        head = log.append(new_key(), started(1))
        assert position.wait_for(head, 20)
        assert position.lag() == 0
        assert not position.wait_for(head + 1, 0)
    stop.set()
    runner.join(20)
    assert not runner.is_alive()


def test_the_runner_survives_losing_its_connections(log: Log) -> None:
    stop = threading.Event()
    runner = threading.Thread(target=run_projector, args=(Settings(log.url, log.url), stop))
    runner.start()
    with ReadPosition(log.url) as position:
        assert position.wait_for(log.append(new_key(), started(1)), 20)
        with psycopg.connect(log.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        head = log.append(new_key(), started(1))
        deadline = time.monotonic() + 20
        reached = False
        while not reached and time.monotonic() < deadline:
            with ReadPosition(log.url) as fresh:
                reached = fresh.wait_for(head, 1)
        assert reached
    stop.set()
    runner.join(20)
    assert len(rows(log.url, "process_instances")) == 2


def test_the_projector_is_a_process_of_its_own_and_is_started_again_when_it_dies(log: Log) -> None:
    projector = build_projector(log.url)
    assert isinstance(projector, ProcessProjector)
    projector.start()
    try:
        with ReadPosition(log.url) as position:
            assert position.wait_for(log.append(new_key(), started(1)), 30)
            first = projector.pid
            assert projector._process is not None
            projector._process.kill()
            assert position.wait_for(log.append(new_key(), started(1)), 30)
            assert projector.pid != first
            assert projector.position() == 2
    finally:
        projector.stop()
    assert projector._process.poll() is not None
    assert len(rows(log.url, "process_instances")) == 2


def test_a_rebuild_gives_the_same_rows_and_is_refused_while_a_projector_runs(
    filled: Log, caught_up: Callable[..., int]
) -> None:
    head = caught_up(2)
    expected = everything(filled.url)
    with psycopg.connect(filled.url, autocommit=True) as connection:
        connection.execute("UPDATE read_model.jobs SET retries = 99")
    running = PostgresSink(filled.url)
    assert running.lead(5)
    with pytest.raises(InvalidState, match="stop the service"):
        rebuild(filled.url)
    running.close()
    seen: list[int] = []
    assert rebuild(filled.url, seen.append) == head
    assert everything(filled.url) == expected
    assert seen == [head]


def test_a_batch_is_bounded_in_bytes_but_never_empty(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    log.append(new_key(), *[started(1, variables={"text": "x" * 1000}) for _ in range(3)])
    tail = PostgresTail(log.url)
    monkeypatch.setattr("infra.postgres.read_models_sink.BATCH_BYTES", 1500)
    assert [event.version for event in tail.read(0, 10)] == [1, 2]
    monkeypatch.setattr("infra.postgres.read_models_sink.BATCH_BYTES", 10)
    assert [event.version for event in tail.read(1, 10)] == [2]
    tail.close()


def test_catching_up_stops_exactly_at_a_position(filled: Log) -> None:
    feed, sink = StoreFeed(PostgresTail(filled.url)), PostgresSink(filled.url)
    assert catch_up(feed, sink, until=6) == 6
    assert sink.place(LOG_SOURCE).position == 6
    feed.close()
    sink.close()


def test_a_batch_divides_by_position(filled: Log) -> None:
    feed = StoreFeed(PostgresTail(filled.url))
    batch = feed.next(at(0), 0)
    assert batch is not None
    first, second = batch.up_to(4), batch.beyond(4)
    assert first.position == 4
    assert second._replace(events=[*first.events, *second.events]) == batch
    feed.close()


PARTITIONS = ("events/0", "events/1")


class Partitions:
    """A feed of two partitions in memory, as Kafka gives them: batches of `size`, with the offset to go on at. `stale`
    makes it hand out every batch twice, as after a restart of the relay."""

    def __init__(self, url: str, size: int, stale: bool = False) -> None:
        tail = PostgresTail(url)
        self._events = [
            [e for e in decode_batch(tail.read(0, 1000)).events if e.stream.int >> 12 & 1 == p] for p in (0, 1)
        ]
        self._head = max((part[-1].position for part in self._events if part), default=0)
        self._size, self._stale = size, stale
        self._again: Batch | None = None
        tail.close()

    def next(self, places: Places, timeout: float) -> Batch | None:
        """See Feed.next."""
        if self._again is not None:
            again, self._again = self._again, None
            return again
        for name, events in zip(PARTITIONS, self._events, strict=True):
            place = places(name)
            if place.position < self._head:
                first = max(place.offset, 0)
                taken = events[first : first + self._size]
                end = first + len(taken)
                position = self._head if end == len(events) else taken[-1].position
                at_ = taken[-1].envelope.at if taken else 0
                batch = Batch(taken, [], position, name, at_, end, "topic-1")
                self._again = batch if self._stale else None
                return batch
        return None

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture
def partitioned(filled: Log) -> Log:
    """Read models that are fed from two partitions, from the beginning."""
    with psycopg.connect(filled.url, autocommit=True) as connection:
        connection.execute("DELETE FROM read_model.tracking WHERE application_name = 'read_models'")
        for name in PARTITIONS:
            connection.execute(
                "INSERT INTO read_model.tracking (application_name, source, notification_id) VALUES ('read_models', %s, 0)",
                (name,),
            )
    return filled


def drain(feed: Partitions, sink: PostgresSink) -> int:
    """Take what there is; how many batches were refused as somebody else's or as a repetition."""
    refused = 0
    places = sink.places()
    while (batch := feed.next(places.__getitem__, 0)) is not None:
        try:
            places[batch.source] = apply(batch, sink, places[batch.source].position)
        except PositionMoved:
            refused += 1
            places = sink.places()
    return refused


def test_several_sources_give_the_same_rows_and_the_lowest_is_what_readers_see(
    partitioned: Log, caught_up: Callable[..., int]
) -> None:
    sink = PostgresSink(partitioned.url)
    feed = Partitions(partitioned.url, 2)
    first = feed.next(sink.place, 0)
    assert first is not None
    apply(first, sink, 0)
    with ReadPosition(partitioned.url) as position:
        assert position.position() == 0, "the other partition may hold events below"
        drain(feed, sink)
        head = position.position()
        assert position.lag() == 0
    assert {place.epoch for place in sink.places().values()} == {"topic-1"}
    got = everything(partitioned.url)
    sink.empty()
    sink.close()
    assert caught_up() == head
    assert everything(partitioned.url) == got


def test_a_zombie_writes_nothing_once_its_partition_went_to_another(partitioned: Log) -> None:
    zombie, heir = PostgresSink(partitioned.url), PostgresSink(partitioned.url)
    stale = Partitions(partitioned.url, 3).next(zombie.place, 0)
    assert stale is not None
    assert drain(Partitions(partitioned.url, 4), heir) == 0
    before = everything(partitioned.url)
    with pytest.raises(PositionMoved, match="events/0"):
        apply(stale, zombie, 0)
    assert everything(partitioned.url) == before
    zombie.close()
    heir.close()


def test_a_batch_that_is_repeated_is_written_once(partitioned: Log, caught_up: Callable[..., int]) -> None:
    sink = PostgresSink(partitioned.url)
    repeating = Partitions(partitioned.url, 3, stale=True)
    places = sink.places()
    refused = 0
    while (batch := repeating.next(places.__getitem__, 0)) is not None:
        expected = 0 if batch.place == places[batch.source] else places[batch.source].position
        try:
            places[batch.source] = apply(batch, sink, expected)
        except PositionMoved:
            refused += 1
    assert refused > 3
    got = everything(partitioned.url)
    sink.empty()
    sink.close()
    caught_up()
    assert everything(partitioned.url) == got


def test_half_a_batch_keeps_the_offset_and_refused_records_are_kept_with_the_rest(partitioned: Log) -> None:
    sink = PostgresSink(partitioned.url)
    source = PARTITIONS[0]
    refused = Refused(source, 7, "not JSON", "ce_id: x\0", b"\xff")
    sink.write(Changes({}), (), Move(source, 0, Place(5, 8, "topic-1"), 0, [refused]))
    sink.write(Changes({}), (), Move(source, 5, Place(6), 0, [refused]))
    assert sink.place(source) == Place(6, 8, "topic-1")
    with psycopg.connect(partitioned.url) as connection:
        kept = connection.execute(
            "SELECT source, record_offset, reason, headers, value FROM read_model.refused_records"
        )
        assert kept.fetchall() == [(source, 7, "not JSON", "ce_id: x\ufffd", b"\xff")]
    sink.close()


def test_a_source_that_the_read_models_are_not_fed_from_is_named(partitioned: Log) -> None:
    sink = PostgresSink(partitioned.url)
    with pytest.raises(InvalidState, match="not fed from 'log'"):
        sink.place(LOG_SOURCE)
    sink.close()
