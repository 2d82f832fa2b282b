"""The command bus on the fake log: batches, conflicts, refusals, overload, snapshots."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from commands.bus import BusLimits, Emission, Outcome
from commands.codec import replay
from commands.handling import Command, Meta, instance_ref
from commands.ports import Append, NewEvent
from domain.errors import ConcurrentWrite, InvalidState, LogCorrupt, NotFound, Overloaded, StorageUnavailable
from domain.events import REGISTRY, Envelope, Event, encode_envelope, encode_event
from domain.keys import stream_id
from domain.process_instance import events as e
from tests.fakes.commands import Finish, Look, Note, Open, Spoil, Take
from tests.fakes.event_log import FakeEventLog
from tests.write_path.harness import ANYBODY, START, TestBus, running_bus


@pytest.fixture
def log() -> FakeEventLog:
    return FakeEventLog()


@pytest.fixture
def bus(log: FakeEventLog) -> Iterator[TestBus]:
    with running_bus(log) as bus:
        yield bus


def write_elsewhere(log: FakeEventLog, key: int, event: Event) -> None:
    """Append an event as another process would."""
    rows = log.load([stream_id(key)], snapshots=False)[stream_id(key)]
    state = encode_event(encode_envelope(Envelope(at=int(START * 1e6))), event)
    log.append([Append([NewEvent(stream_id(key), rows[-1].version + 1, event.topic, state)], "")])


def test_a_command_is_answered_when_its_events_are_in_the_log(bus: TestBus, log: FakeEventLog) -> None:
    outcome = bus.run(Open(variables={"amount": 17}))
    key = outcome.result.key
    assert [event.topic for event in log.events] == ["pi.created.1", "pi.element_activated.1", "pi.job_created.1"]
    assert outcome.position == 3
    assert bus.run(Finish(key=key)).position == 7
    assert log.available_jobs([""], "work", 1, 9) == []


def test_the_envelope_says_who_when_and_why(bus: TestBus, log: FakeEventLog) -> None:
    bus.run(Open(), Meta("ada", "acme", "id-1", "trace"))
    assert log.events[0].state.startswith(b'[[%d,"ada","acme","id-1","trace"],' % int(START * 1e6))


def test_an_event_of_a_timer_belongs_to_the_tenant_of_its_instance(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.run(Open(), Meta("ada", "acme")).result.key
    bus.run(Take(key=key), Meta("timer"))
    assert b'"timer","acme"' in log.events[-1].state


def test_commands_that_gather_while_a_batch_commits_are_committed_together(bus: TestBus, log: FakeEventLog) -> None:
    log.gate.clear()
    futures = [bus.submit(Open()) for _ in range(50)]
    log.gate.set()
    assert len({future.result(20).result.key for future in futures}) == 50
    assert sum(log.batches) == 50
    assert len(log.batches) < 25


def test_commands_on_one_instance_are_carried_out_in_order(bus: TestBus) -> None:
    key = bus.open()
    futures = [bus.submit(Note(key=key, variables={"n": n})) for n in range(200)]
    assert [future.result(20).result.variables["n"] for future in futures] == list(range(200))


def test_a_refused_command_records_nothing(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open_and_finish()
    before = log.last_position()
    with pytest.raises(InvalidState, match="not open"):
        bus.run(Finish(key=key))
    with pytest.raises(NotFound):
        bus.run(Take(key=key + (1 << 12)))
    assert log.last_position() == before


@pytest.mark.parametrize("breaks", [False, True])
def test_what_a_failed_decision_emitted_is_thrown_away(bus: TestBus, log: FakeEventLog, breaks: bool) -> None:
    key = bus.open()
    log.gate.clear()
    noted = bus.submit(Note(key=key, variables={"a": 1}))
    spoilt = bus.submit(Spoil(key=key, breaks=breaks))
    after = bus.submit(Note(key=key, variables={"b": 2}))
    log.gate.set()
    assert noted.result(20).result.variables == {"a": 1}
    with pytest.raises(RuntimeError if breaks else InvalidState):
        spoilt.result(20)
    assert after.result(20).result.variables == {"a": 1, "b": 2}
    assert b"spoilt" not in b"".join(event.state for event in log.events)


def test_a_conflict_touches_only_the_loser(bus: TestBus, log: FakeEventLog) -> None:
    keys = [bus.open() for _ in range(5)]
    write_elsewhere(log, keys[2], e.VariablesSet(0, {"other": 1}, [50]))
    loads = log.loads
    log.gate.clear()
    futures = [bus.submit(Note(key=key, variables={"mine": 2})) for key in keys]
    log.gate.set()
    seen = [future.result(20).result.variables for future in futures]
    assert seen[2] == {"other": 1, "mine": 2}
    assert [seen[i] for i in (0, 1, 3, 4)] == [{"mine": 2}] * 4
    assert log.loads == loads + 1
    assert bus.bus.status.conflicts == 1


def test_a_command_that_builds_on_a_loser_loses_with_it(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    blocker = bus.open()
    write_elsewhere(log, key, e.VariablesSet(0, {"other": 1}, [50]))
    log.gate.clear()
    first = bus.submit(Note(key=blocker))  # holds the committing thread, so that the next two share a batch
    second, third = bus.submit(Note(key=key, variables={"a": 1})), bus.submit(Note(key=key, variables={"b": 2}))
    log.gate.set()
    first.result(20)
    assert second.result(20).result.variables == {"other": 1, "a": 1}
    assert third.result(20).result.variables == {"other": 1, "a": 1, "b": 2}
    versions = [event.version for event in log.load([stream_id(key)])[stream_id(key)]]
    assert versions == list(range(1, len(versions) + 1))


def test_a_rejection_rests_on_the_log_not_on_an_old_cached_state(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    write_elsewhere(log, key, e.JobCompleted(2))
    with pytest.raises(InvalidState):
        bus.run(Finish(key=key))
    other = bus.open_and_finish()
    write_elsewhere(log, other, e.InstanceCreated(7, "one_task", 1, {}, []))
    write_elsewhere(log, other, e.ElementActivated(1, "task", 0))
    write_elsewhere(log, other, e.JobCreated(2, 1, "task", "work", 3))
    assert bus.run(Finish(key=other)).position == log.last_position()


def test_reading_sees_what_other_processes_wrote(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    write_elsewhere(log, key, e.VariablesSet(0, {"other": 1}, [50]))
    assert bus.run(Look(key=key)).result.variables == {"other": 1}


def test_an_instance_that_another_process_begins_is_found(bus: TestBus, log: FakeEventLog) -> None:
    key = 9 << 12
    with pytest.raises(NotFound):
        bus.run(Take(key=key))
    state = encode_event(encode_envelope(Envelope(at=1)), e.InstanceCreated(7, "one_task", 1, {"a": 1}, [3]))
    log.append([Append([NewEvent(stream_id(key), 1, "pi.created.1", state)], "")])
    assert bus.run(Look(key=key)).result.variables == {"a": 1}


def test_a_key_of_a_reserved_block_leads_to_its_instance(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    offset = 1 << 20
    write_elsewhere(log, key, e.KeyBlockReserved(offset))
    log._blocks[key + offset] = key
    assert bus.run(Note(key=key + offset + 5, variables={"a": 1})).result.variables == {"a": 1}


def test_an_unreachable_log_is_told_to_everyone_in_flight_and_nothing_stays_decided(
    bus: TestBus, log: FakeEventLog
) -> None:
    key = bus.open()
    log.fail_next = [StorageUnavailable("the connection was lost")]
    log.gate.clear()
    futures = [bus.submit(Note(key=key, variables={"lost": 1})) for _ in range(3)]
    log.gate.set()
    failed = [future.exception(20) for future in futures]
    assert any(isinstance(error, StorageUnavailable) for error in failed)
    lost = sum(1 for error in failed if error)
    assert len(log.load([stream_id(key)])[stream_id(key)]) == 3 + 3 - lost
    assert bus.run(Note(key=key, variables={"kept": 1})).result.variables["kept"] == 1


def test_a_batch_that_the_log_refuses_is_tried_apart(bus: TestBus, log: FakeEventLog) -> None:
    keys = [bus.open() for _ in range(3)]
    log.fail_next = [LogCorrupt("a batch"), LogCorrupt("the first of it")]
    log.gate.clear()
    blocked = bus.submit(Note(key=keys[0]))
    log.gate.set()
    assert isinstance(blocked.exception(20), LogCorrupt)
    assert bus.run(Note(key=keys[0], variables={"a": 1})).result.variables == {"a": 1}


def test_a_lasting_conflict_is_given_up(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    log.fail_next = [ConcurrentWrite("always")] * 40
    with pytest.raises(ConcurrentWrite, match="in a row"):
        bus.run(Note(key=key))


def submit_until_refused(bus: TestBus, command: Command, waiting: list[Future[Outcome]]) -> Overloaded:
    for _ in range(600):
        try:
            waiting.append(bus.submit(command))
        except Overloaded as error:
            return error
    raise AssertionError("the queue has no bound")


def test_a_full_queue_says_overloaded_and_new_work_is_refused_first(log: FakeEventLog) -> None:
    with running_bus(log, BusLimits(queue=40, shed_at=20, retry_after=3)) as bus:
        key = bus.open()
        log.gate.clear()
        waiting = [bus.submit(Note(key=key))]
        refused = submit_until_refused(bus, Open(), waiting)
        assert "new work" in str(refused)
        assert refused.retry_after == 3
        waiting.append(bus.submit(Note(key=key)))
        assert "waiting already" in str(submit_until_refused(bus, Note(key=key), waiting))
        log.gate.set()
        assert all(future.exception(20) is None for future in waiting)
        bus.run(Open())


def test_new_work_is_refused_while_projections_lag(bus: TestBus) -> None:
    key = bus.open()
    bus.bus.shed_new_work = True
    with pytest.raises(Overloaded):
        bus.run(Open())
    bus.run(Finish(key=key))


def test_stopping_carries_out_what_was_taken_and_takes_no_more(log: FakeEventLog) -> None:
    with running_bus(log) as bus:
        key = bus.open()
        log.gate.clear()
        futures = [bus.submit(Note(key=key)) for _ in range(20)]
        log.gate.set()
        assert bus.bus.stop(20)
        assert all(future.exception(20) is None for future in futures)
        with pytest.raises(Overloaded, match="shutting down"):
            bus.submit(Open())


def test_listeners_hear_of_events_before_the_caller_does(bus: TestBus) -> None:
    heard: list[Emission] = []
    bus.bus.add_listener(lambda _: 1 / 0)  # type: ignore[arg-type]
    bus.bus.add_listener(heard.extend)
    key = bus.open()
    outcome = bus.run(Finish(key=key))
    assert [(em.ref.key, em.version, em.position, len(em.events)) for em in heard] == [(key, 1, 1, 3), (key, 4, 4, 4)]
    assert heard[-1].position + 3 == outcome.position


def test_asyncio_callers_are_answered_in_their_loop(bus: TestBus) -> None:
    async def many() -> list[int]:
        outcomes = await asyncio.gather(*(bus.bus.execute(Open(), ANYBODY) for _ in range(100)))
        with pytest.raises(NotFound):
            await bus.bus.execute(Take(key=1 << 12), ANYBODY)
        return [outcome.result.key for outcome in outcomes]

    assert len(set(asyncio.run(many()))) == 100


def test_a_caller_that_stopped_waiting_does_not_disturb_the_others(bus: TestBus, log: FakeEventLog) -> None:
    log.gate.clear()
    first, second = bus.submit(Open()), bus.submit(Open())
    first.cancel()
    log.gate.set()
    assert second.result(20).result.key


def test_a_snapshot_is_what_replay_would_make(log: FakeEventLog) -> None:
    with running_bus(log, snapshot_every=10) as bus:
        key = bus.open(variables={"amount": 17, "nested": {"list": [1, 2.5, None, "ü"]}})
        for n in range(30):
            bus.run(Note(key=key, variables={f"v{n}": n, "exact": 0.1}))
    stream = stream_id(key)
    rows = log.load([stream])[stream]
    assert rows[0].topic == "snapshot.instance.1"
    assert len(rows) <= 10
    ref = instance_ref(key)
    short, long = replay(ref, rows), replay(ref, log.load([stream], snapshots=False)[stream])
    assert short.version == long.version == 33
    assert short.state == long.state


def test_commands_go_on_from_a_snapshot(log: FakeEventLog) -> None:
    with running_bus(log, snapshot_every=10, cached_streams=0) as bus:
        key = bus.open()
        for n in range(25):
            assert len(bus.run(Note(key=key, variables={f"v{n}": n})).result.variables) == n + 1


def test_a_snapshot_of_another_version_is_passed_over(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open(variables={"a": 1})
    write_elsewhere(log, key, e.VariablesSet(0, {"b": 2}, [50]))
    strange = NewEvent(stream_id(key), 4, "snapshot.instance.1", b'{"unknown":true}')
    log.append([Append((), "", snapshots=[strange])])
    assert bus.run(Look(key=key)).result.variables == {"a": 1, "b": 2}


def test_an_unknown_topic_in_a_stream_is_an_error_of_the_log(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    log.append([Append([NewEvent(stream_id(key), 4, "pi.from_the_future.9", b"[[1],[]]")], "")])
    with pytest.raises(LogCorrupt, match=r"pi\.from_the_future\.9"):
        bus.run(Look(key=key))
    assert bus.open()


def test_a_gap_in_a_stream_is_an_error_of_the_log(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    state = encode_event(encode_envelope(Envelope(at=1)), e.JobCompleted(2))
    log.append([Append([NewEvent(stream_id(key), 6, "pi.job_completed.1", state)], "")])
    with pytest.raises(LogCorrupt, match="lacks version 4"):
        bus.run(Look(key=key))


def test_the_cache_may_be_empty_or_small(log: FakeEventLog) -> None:
    for size in (0, 3):
        with running_bus(log, lane=size + 1, cached_streams=size) as bus:
            keys = [bus.open() for _ in range(10)]
            futures = [bus.submit(Note(key=key, variables={"n": n})) for n, key in enumerate(keys)]
            futures += [bus.submit(Finish(key=key)) for key in keys]
            assert all(future.exception(20) is None for future in futures)


def test_an_event_of_an_old_version_is_read_as_the_new_one(
    bus: TestBus, log: FakeEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(REGISTRY, "_upcast", {})
    REGISTRY.register_upcaster("pi.note.1", "pi.note.2", lambda fields: [*fields, "b"])
    REGISTRY.register_upcaster("pi.note.2", "pi.variables_set.1", lambda f: [0, {f[0]: 1, f[1]: 2}, [50, 51]])
    key = bus.open()
    log.append([Append([NewEvent(stream_id(key), 4, "pi.note.1", b'[[1],["a"]]')], "")])
    assert bus.run(Look(key=key)).result.variables == {"a": 1, "b": 2}


def test_what_is_over_leaves_the_cache(bus: TestBus, log: FakeEventLog) -> None:
    over, alive = bus.open_and_finish(), bus.open()
    loads = log.loads
    bus.run(Note(key=alive))
    assert log.loads == loads
    with pytest.raises(InvalidState):
        bus.run(Finish(key=over))
    assert log.loads == loads + 1
