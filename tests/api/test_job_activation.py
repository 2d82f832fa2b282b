"""The job desk by itself: who gets which job, and what happens to those who leave."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import pytest

from api.job_activation import JobDesk, Wanted
from commands.activate_job import ActivatedJob, ActivateJob
from commands.bus_batch import Outcome
from commands.clock import PinnableClock
from commands.handling import Command, Meta
from commands.ports import AvailableJob
from commands.update_job import UpdateJob
from domain.errors import InvalidState, StorageUnavailable
from tests.api.fakes import FakeBus, FakeLog

INSTANCE = 4096
LONG = 20.0


class Floor:
    """A desk over a fake log: an activated job leaves its index, one that was given back returns."""

    def __init__(self, jobs: int = 0) -> None:
        self.log, self.bus = FakeLog(), FakeBus(self.decide)
        self.returned: list[int] = []
        self.log.jobs = [AvailableJob(INSTANCE, local) for local in range(1, jobs + 1)]
        self.desk = JobDesk(self.bus, cast(Any, self.log), PinnableClock(lambda: 0), poll_interval=0.005)

    def decide(self, command: Command, meta: Meta) -> Outcome:
        if isinstance(command, UpdateJob):
            self.returned.append(command.job_key - INSTANCE)
            return Outcome(None, 2)
        assert isinstance(command, ActivateJob)
        job = AvailableJob(INSTANCE, command.job_key - INSTANCE)
        if job not in self.log.jobs:
            raise InvalidState("it was taken already")
        self.log.jobs.remove(job)
        return Outcome(activated(command), 1)

    def request(self, limit: int = 1, patience: float = LONG, once: bool = False) -> Coroutine[Any, Any, list[Outcome]]:
        wanted = Wanted(worker="w", timeout=1, limit=limit, fetch=None, meta=Meta(), once=once)
        return self.desk.activate("t", wanted, patience)

    def arrive(self, *locals_: int) -> None:
        self.log.jobs += [AvailableJob(INSTANCE, local) for local in locals_]
        self.desk.on_jobs(frozenset({"t"}))


def activated(command: ActivateJob) -> ActivatedJob:
    return ActivatedJob(
        job_key=command.job_key,
        type="t",
        instance_key=INSTANCE,
        definition_key=1,
        bpmn_process_id="p",
        version=1,
        element_id="e",
        element_instance_key=INSTANCE,
        root_key=INSTANCE,
        headers={},
        worker=command.worker,
        retries=3,
        deadline=1,
        variables={},
        tenant="",
    )


def locals_of(outcomes: list[Outcome]) -> list[int]:
    return [outcome.result.job_key - INSTANCE for outcome in outcomes]


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(scenario(), 10)

    asyncio.run(bounded())


async def settled(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def test_the_first_to_come_is_the_first_to_be_served() -> None:
    async def scenario() -> None:
        floor = Floor()
        requests = [asyncio.ensure_future(floor.request()) for _ in range(3)]
        await settled(lambda: floor.log.reads > 0)
        floor.arrive(1)
        assert locals_of(await requests[0]) == [1]
        floor.arrive(2, 3)
        assert [locals_of(await request) for request in requests[1:]] == [[2], [3]]

    run(scenario)


def test_all_who_wait_are_served_from_one_look_at_the_index() -> None:
    async def scenario() -> None:
        floor = Floor(jobs=5)
        first, second = await asyncio.gather(floor.request(limit=3), floor.request(limit=3))
        assert (locals_of(first), locals_of(second)) == ([1, 2, 3], [4, 5])
        assert floor.log.reads == 1

    run(scenario)


def test_who_does_not_wait_gets_what_there_is() -> None:
    async def scenario() -> None:
        floor = Floor()
        assert await floor.request(once=True) == []
        floor.arrive(1)
        assert locals_of(await floor.request(once=True)) == [1]

    run(scenario)


def test_who_waits_in_vain_leaves_the_queue() -> None:
    async def scenario() -> None:
        floor = Floor()
        assert await floor.request(patience=0.01) == []
        floor.arrive(1)
        assert locals_of(await floor.request()) == [1]

    run(scenario)


def test_jobs_that_no_commit_announces_are_found_by_looking() -> None:
    async def scenario() -> None:
        floor = Floor()
        request = asyncio.ensure_future(floor.request())
        await settled(lambda: floor.log.reads > 0)
        floor.log.jobs.append(AvailableJob(INSTANCE, 7))  # a time-out passed, or another server committed
        assert locals_of(await request) == [7]

    run(scenario)


def test_a_request_whose_jobs_were_taken_elsewhere_goes_on_waiting() -> None:
    async def scenario() -> None:
        floor = Floor(jobs=1)
        accept = floor.bus.decide
        floor.bus.decide = refuse = lambda *_: (_ for _ in ()).throw(InvalidState("another server was first"))
        request = asyncio.ensure_future(floor.request())
        await settled(lambda: len(floor.bus.seen) > 1)
        assert floor.bus.decide is refuse
        assert not request.done()
        floor.bus.decide = accept
        assert locals_of(await request) == [1]

    run(scenario)


def test_jobs_for_a_worker_that_has_gone_are_given_back_at_once() -> None:
    async def scenario() -> None:
        floor = Floor(jobs=2)
        activating, go_on = asyncio.Event(), asyncio.Event()
        execute = floor.bus.execute

        async def slow(command: Command, meta: Meta) -> Outcome:
            if isinstance(command, ActivateJob):
                activating.set()
                await go_on.wait()
            return await execute(command, meta)

        floor.bus.execute = slow  # type: ignore[method-assign]
        request = asyncio.ensure_future(floor.request(limit=2))
        await activating.wait()
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        go_on.set()
        await settled(lambda: sorted(floor.returned) == [1, 2])

    run(scenario)


def test_an_index_that_cannot_be_read_is_told_to_all_who_wait() -> None:
    async def scenario() -> None:
        floor = Floor()
        floor.log.error = StorageUnavailable("away")
        answers = await asyncio.gather(floor.request(), floor.request(once=True), return_exceptions=True)
        assert [type(answer) for answer in answers] == [StorageUnavailable, StorageUnavailable]
        floor.log.error = None
        floor.arrive(1)
        assert locals_of(await floor.request()) == [1]

    run(scenario)


def test_closing_ends_all_waiting_and_later_requests_find_nothing() -> None:
    async def scenario() -> None:
        floor = Floor()
        waiting = [asyncio.ensure_future(floor.request()) for _ in range(3)]
        await settled(lambda: floor.log.reads > 0)
        floor.desk.close()
        assert await asyncio.gather(*waiting) == [[], [], []]
        assert await floor.request() == []

    run(scenario)


def test_a_desk_at_which_nobody_waits_costs_nothing() -> None:
    async def scenario() -> None:
        floor = Floor()
        await floor.request(patience=0.02)
        await asyncio.sleep(0.02)
        reads = floor.log.reads
        await asyncio.sleep(0.05)
        assert floor.log.reads == reads

    run(scenario)


@pytest.mark.parametrize("types", [frozenset({"other"}), frozenset()])
def test_jobs_of_other_types_wake_nobody(types: frozenset[str]) -> None:
    async def scenario() -> None:
        floor = Floor()
        floor.desk._poll_interval = LONG
        request = asyncio.ensure_future(floor.request())
        await settled(lambda: floor.log.reads == 1)
        floor.log.jobs.append(AvailableJob(INSTANCE, 1))
        floor.desk.on_jobs(types)
        await asyncio.sleep(0.02)
        assert floor.log.reads == 1
        floor.desk.on_jobs(None)
        assert locals_of(await request) == [1]

    run(scenario)
