"""Two buses on one database, as two server processes have it: they meet on the same instances, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from commands.bus import Outcome
from domain.errors import InvalidState
from domain.keys import stream_id
from infra.postgres.event_log import PostgresEventLog
from tests.fakes.commands import Finish, Look, Note
from tests.write_path.harness import TestBus, running_bus


@pytest.fixture
def buses(database: str) -> Iterator[list[TestBus]]:
    logs = [PostgresEventLog(database), PostgresEventLog(database)]
    with running_bus(logs[0], lane=1) as one, running_bus(logs[1], lane=2) as other:
        yield [one, other]
    for log in logs:
        log.close()


def test_commands_of_both_on_the_same_instances_are_all_carried_out(buses: list[TestBus]) -> None:
    one, other = buses
    keys = [one.open() for _ in range(4)]
    futures: list[Future[Outcome]] = []
    for n in range(100):
        for name, bus in (("one", one), ("other", other)):
            futures += [bus.submit(Note(key=key, variables={f"{name}{n}": n})) for key in keys[: 1 + n % 4]]
    assert [future.exception(60) for future in futures] == [None] * len(futures)
    for number, key in enumerate(keys):
        expected = {f"{name}{n}" for name in ("one", "other") for n in range(100) if n % 4 >= number}
        assert set(one.run(Look(key=key)).result.variables) == expected
        assert set(other.run(Look(key=key)).result.variables) == expected
        versions = [row.version for row in one.log.load([stream_id(key)])[stream_id(key)]]
        assert versions == list(range(versions[0], versions[0] + len(versions)))


def test_of_two_that_finish_the_same_job_one_succeeds(buses: list[TestBus]) -> None:
    one, other = buses
    keys = [one.open() for _ in range(30)]
    for key in keys:
        other.run(Look(key=key))
    futures = [(one.submit(Finish(key=key)), other.submit(Finish(key=key))) for key in keys]
    for pair in futures:
        errors = [future.exception(60) for future in pair]
        assert sorted(type(error).__name__ for error in errors) == [InvalidState.__name__, "NoneType"]
    assert one.log.available_jobs([""], "work", 1 << 62, 99) == []


def test_positions_of_both_come_from_one_sequence(buses: list[TestBus]) -> None:
    futures = [bus.submit(Note(key=bus.open())) for _ in range(10) for bus in buses]
    positions = [future.result(20).position for future in futures]
    assert len(set(positions)) == 20
    assert max(positions) == buses[0].log.last_position()
