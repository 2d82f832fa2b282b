"""What a server remembers of its commits, and whom it wakes."""

from __future__ import annotations

import asyncio

from api import commits as module
from api.commits import Commits, Ended
from commands.bus_batch import Emission
from commands.handling import FAMILY, StreamRef, instance_ref
from domain.events import Envelope, Event
from domain.keys import stream_id
from domain.process_instance import events as e

INSTANCE = 3 << 12
JOB = e.JobCreated(2, 1, "work", "print", 3)


def emission(*events: Event, key: int = INSTANCE, position: int = 10) -> Emission:
    return Emission(instance_ref(key), 1, Envelope(1), events, position)


def test_the_last_position_of_an_instance_is_known_by_any_key_in_it() -> None:
    commits = Commits()
    commits.on_commit([emission(JOB, JOB, position=10)])
    assert commits.position_of(INSTANCE) == 11
    assert commits.position_of(INSTANCE + 77) == 11
    assert commits.position_of(INSTANCE + 4096) == 0


def test_deployments_have_a_position_of_their_own() -> None:
    commits = Commits()
    commits.on_commit([Emission(StreamRef(FAMILY, stream_id(1)), 1, Envelope(1), [JOB], 5)])
    assert commits.definitions_position() == 5


def test_only_the_latest_instances_are_remembered() -> None:
    commits = Commits()
    for number in range(1, module.MAX_REMEMBERED + 11):
        commits.on_commit([emission(e.InstanceCompleted(), key=number << 12, position=number)])
    assert commits.position_of(1 << 12) == 0
    assert commits.position_of((module.MAX_REMEMBERED + 10) << 12) == module.MAX_REMEMBERED + 10
    assert len(commits._positions) == len(commits._ended) == module.MAX_REMEMBERED


def test_the_loop_learns_the_types_of_new_jobs() -> None:
    async def scenario() -> list[frozenset[str] | None]:
        seen: list[frozenset[str] | None] = []
        commits = Commits()
        commits.bind(asyncio.get_running_loop(), seen.append)
        await asyncio.to_thread(commits.on_commit, [emission(JOB), emission(e.InstanceCompleted())])
        await asyncio.to_thread(commits.on_commit, [emission(e.JobFailed(2, 1))])
        await asyncio.to_thread(commits.on_commit, [emission(e.InstanceCompleted())])
        await asyncio.sleep(0)
        return seen

    assert asyncio.run(scenario()) == [frozenset({"print"}), None]


def test_an_end_is_told_to_those_who_wait_and_to_those_who_ask_later() -> None:
    async def scenario() -> tuple[Ended | None, ...]:
        commits = Commits()
        commits.bind(asyncio.get_running_loop(), lambda _: None)
        waiting = [asyncio.ensure_future(commits.wait_ended(INSTANCE, 10)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.to_thread(commits.on_commit, [emission(JOB, e.InstanceCompleted())])
        told = await asyncio.gather(*waiting)
        return (*told, await commits.wait_ended(INSTANCE, 10))

    assert asyncio.run(scenario()) == (Ended(11, True),) * 3


def test_who_waits_in_vain_is_forgotten() -> None:
    async def scenario() -> None:
        commits = Commits()
        commits.bind(asyncio.get_running_loop(), lambda _: None)
        assert await commits.wait_ended(INSTANCE, 0.01) is None
        assert commits._waiters == {}

    asyncio.run(scenario())


def test_a_loop_that_has_ended_is_no_fault() -> None:
    commits = Commits()

    async def bind() -> None:
        commits.bind(asyncio.get_running_loop(), lambda _: None)

    asyncio.run(bind())
    commits.on_commit([emission(JOB)])
    assert commits.position_of(INSTANCE) == 10
