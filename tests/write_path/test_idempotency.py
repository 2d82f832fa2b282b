"""The same command id has one effect and one outcome: on the fake log and on PostgreSQL, in sequence and at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from commands.handling import Meta
from commands.ports import EventLog
from domain.errors import IdempotencyMismatch, InvalidState, NotFound
from infra.postgres.event_log import PostgresEventLog
from tests.fakes.commands import Finish, Look, Note, Open, Take
from tests.fakes.event_log import FakeEventLog
from tests.write_path.harness import TestBus, running_bus

ONCE = Meta("demo", command_id="once")


@pytest.fixture(params=["fake", "postgres"])
def log(request: pytest.FixtureRequest) -> Iterator[EventLog]:
    if request.param == "fake":
        yield FakeEventLog()
        return
    log = PostgresEventLog(request.getfixturevalue("database"))
    yield log
    log.close()


@pytest.fixture
def bus(log: EventLog) -> Iterator[TestBus]:
    with running_bus(log) as bus:
        yield bus


def test_a_repeat_gets_the_first_outcome_and_does_nothing(bus: TestBus, log: EventLog) -> None:
    first = bus.run(Open(variables={"a": 1, "b": 2}), ONCE)
    again = bus.run(Open(variables={"b": 2, "a": 1}), ONCE)
    assert again == first
    assert log.last_position() == first.position == 3


def test_fifty_at_once_have_one_effect(bus: TestBus, log: EventLog) -> None:
    futures = [bus.submit(Open(), ONCE) for _ in range(50)]
    assert len({future.result(20) for future in futures}) == 1
    assert log.last_position() == 3


def test_two_processes_at_once_have_one_effect(log: EventLog) -> None:
    with running_bus(log, lane=1) as one, running_bus(log, lane=2) as other:
        futures = [bus.submit(Open(), Meta("demo", command_id=f"id-{n}")) for n in range(40) for bus in (one, other)]
        outcomes = [future.result(20) for future in futures]
    assert outcomes[::2] == outcomes[1::2]
    assert len({outcome.result.key for outcome in outcomes}) == 40
    assert len(log.read(0, 1_000)) == 40 * 3


def test_the_same_id_with_another_request_is_refused(bus: TestBus) -> None:
    bus.run(Open(), ONCE)
    with pytest.raises(IdempotencyMismatch, match="'once'"):
        bus.run(Open(type="other"), ONCE)
    with pytest.raises(IdempotencyMismatch):
        bus.run(Take(key=1), ONCE)


def test_an_id_belongs_to_its_tenant(bus: TestBus) -> None:
    first = bus.run(Open(), ONCE)
    second = bus.run(Open(), Meta("demo", "acme", "once"))
    assert first.result.key != second.result.key


def test_a_refused_command_does_not_use_up_its_id(bus: TestBus) -> None:
    key = bus.open()
    with pytest.raises(NotFound):
        bus.run(Take(key=key + (1 << 12)), ONCE)
    bus.run(Finish(key=key), ONCE)
    bus.run(Finish(key=key), ONCE)
    with pytest.raises(InvalidState):
        bus.run(Finish(key=key))


def test_a_command_without_result_or_events_is_remembered_too(bus: TestBus) -> None:
    key = bus.open(variables={"a": 1})
    first = bus.run(Look(key=key), ONCE)
    bus.run(Note(key=key, variables={"a": 2}))
    assert bus.run(Look(key=key), ONCE).result == first.result
    taken = bus.run(Take(key=key), Meta("demo", command_id="take"))
    assert bus.run(Take(key=key), Meta("demo", command_id="take")) == taken
