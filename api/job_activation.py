"""Job activation with long polling: workers' requests queue at a desk per job type, in order of arrival.

    request ──► desk of its type ──► available jobs from the wait-state index ──► ActivateJob commands ──► answers

One task per type serves its desk while anybody waits: it reads the index once for all of them, so that requests of
this server never compete for a job, and lets whoever came first take first. It sleeps until a commit makes jobs
available, and looks for itself twice a second (jobs whose time-out or back-off has passed, and other servers' commits).
A job that another server's worker took meanwhile is a rejected command, and dropped.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from api.services import Bus, Clock
from commands.activate_job import ActivatedJob, ActivateJob
from commands.bus_batch import Outcome
from commands.handling import Meta
from commands.ports import AvailableJob, EventLog
from commands.update_job import UpdateJob
from domain.errors import Overloaded, Rejection

log = logging.getLogger("flowledger.api")

MAX_JOBS_A_ROUND = 500
MAX_WAITING = 10_000
"""Requests that may wait at all desks together; more are refused as overload."""
TENANTS = ("",)


class Wanted:
    """A worker's request while it waits. timeout: µs that it may hold a job. once: it looks, and waits for nothing."""

    __slots__ = ("fetch", "future", "limit", "meta", "once", "timeout", "worker")

    def __init__(
        self, *, worker: str, timeout: int, limit: int, fetch: list[str] | None, meta: Meta, once: bool = False
    ) -> None:
        self.worker = worker
        self.timeout = timeout
        self.limit = min(limit, MAX_JOBS_A_ROUND)
        self.fetch = fetch
        self.meta = meta
        self.once = once
        self.future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()


class _Desk:
    """Who waits for jobs of one type, in order of arrival, and the task that serves them."""

    __slots__ = ("task", "waiting", "wake")

    def __init__(self) -> None:
        self.waiting: deque[Wanted] = deque()
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class JobDesk:
    """All desks. poll_interval: seconds between looks when no commit wakes."""

    def __init__(self, bus: Bus, event_log: EventLog, clock: Clock, poll_interval: float) -> None:
        self._bus = bus
        self._log = event_log
        self._clock = clock
        self._poll_interval = poll_interval
        self._desks: dict[str, _Desk] = {}
        self._waiting = 0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._returning: set[asyncio.Future[Outcome]] = set()
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="job-index")

    def on_jobs(self, types: frozenset[str] | None) -> None:
        """Jobs of these types (None: of any) became available; in the event loop."""
        desks = self._desks
        if types is None:
            for desk in desks.values():
                desk.wake.set()
        elif desks:
            for job_type in types:
                if job_type in desks:
                    desks[job_type].wake.set()

    def close(self) -> None:
        """Answer everybody who waits with nothing; later requests find no jobs (the server stops). From any thread."""
        self._closed = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                self._loop.call_soon_threadsafe(self._send_home)

    def _send_home(self) -> None:
        for desk in self._desks.values():
            while desk.waiting:
                _tell(desk.waiting.popleft(), [])
            desk.wake.set()
        self._readers.shutdown(wait=False)

    async def activate(self, job_type: str, wanted: Wanted, patience: float) -> list[Outcome]:
        """Outcomes with an ActivatedJob each; an empty list if none came within `patience` seconds."""
        if self._closed:
            return []
        if self._waiting >= MAX_WAITING:
            raise Overloaded(f"{MAX_WAITING} requests wait for jobs already")
        self._loop = asyncio.get_running_loop()
        desk = self._desks.setdefault(job_type, _Desk())
        desk.waiting.append(wanted)
        desk.wake.set()
        if desk.task is None:
            desk.task = asyncio.create_task(self._serve(job_type, desk), name=f"jobs of type {job_type}")
        self._waiting += 1
        try:
            if not wanted.once:
                await asyncio.wait((wanted.future,), timeout=patience)
                if wanted in desk.waiting:
                    return []
            return await wanted.future
        except asyncio.CancelledError:
            future = wanted.future
            if not future.cancel() and not future.cancelled() and future.exception() is None:
                self._give_back(future.result(), wanted.meta)
            raise
        finally:
            self._waiting -= 1
            if wanted in desk.waiting:
                desk.waiting.remove(wanted)

    async def _serve(self, job_type: str, desk: _Desk) -> None:
        """Serve a desk until nobody waits at it."""
        try:
            while desk.waiting:
                desk.wake.clear()
                if not await self._round(job_type, desk) and desk.waiting:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(desk.wake.wait(), self._poll_interval)
        except Exception as error:
            log.exception("handing out jobs of type %r failed", job_type)
            while desk.waiting:
                _tell(desk.waiting.popleft(), error)
        finally:
            desk.task = None
            del self._desks[job_type]

    async def _round(self, job_type: str, desk: _Desk) -> bool:
        """Look for jobs once, for all who wait now; whether anybody got one."""
        asking = list(desk.waiting)
        limit = min(sum(wanted.limit for wanted in asking), MAX_JOBS_A_ROUND)
        read = self._log.available_jobs
        loop = asyncio.get_running_loop()
        try:
            jobs = deque(await loop.run_in_executor(self._readers, read, TENANTS, job_type, self._clock.now(), limit))
        except Exception as error:
            for wanted in asking:
                _withdraw(desk, wanted)
                _tell(wanted, error)
            return False
        serving = []
        for wanted in asking:
            if not jobs and not wanted.once:
                continue
            if _withdraw(desk, wanted):
                share = [jobs.popleft() for _ in range(min(wanted.limit, len(jobs)))]
                serving.append(self._hand_out(desk, wanted, share))
        return any(await asyncio.gather(*serving))

    async def _hand_out(self, desk: _Desk, wanted: Wanted, share: Sequence[AvailableJob]) -> bool:
        """Activate the jobs for the request; whether it got any. If others were faster, it waits again, as first."""
        commands = [
            ActivateJob(
                job_key=job.instance_key + job.local,
                worker=wanted.worker,
                timeout=wanted.timeout,
                fetch_variables=wanted.fetch,
            )
            for job in share
        ]
        answers = await asyncio.gather(
            *(self._bus.execute(command, wanted.meta) for command in commands), return_exceptions=True
        )
        given = [answer for answer in answers if not isinstance(answer, BaseException)]
        failed = [error for error in answers if isinstance(error, Exception) and not isinstance(error, Rejection)]
        for error in failed:
            log.warning("a job could not be activated: %s", error)
        if given or wanted.once or failed or self._closed:
            if not _tell(wanted, given if given or not failed else failed[0]):
                self._give_back(given, wanted.meta)
        elif not wanted.future.done():
            desk.waiting.appendleft(wanted)
        return bool(given)

    def _give_back(self, given: Sequence[Outcome], meta: Meta) -> None:
        """Nobody is there any more to do these jobs: let other workers have them now, not after the time-out."""
        for outcome in given:
            job: ActivatedJob = outcome.result
            returning = asyncio.ensure_future(self._bus.execute(UpdateJob(job_key=job.job_key, timeout=0), meta))
            self._returning.add(returning)
            returning.add_done_callback(self._returned)

    def _returned(self, returning: asyncio.Future[Outcome]) -> None:
        self._returning.discard(returning)
        if not returning.cancelled() and (error := returning.exception()) is not None:
            log.info("a job whose worker has gone keeps its time-out: %s", error)


def _withdraw(desk: _Desk, wanted: Wanted) -> bool:
    """Take the request out of the queue; False if it has left already."""
    if wanted not in desk.waiting:
        return False
    desk.waiting.remove(wanted)
    return True


def _tell(wanted: Wanted, result: list[Outcome] | Exception) -> bool:
    """Answer a request; False if nobody waits for the answer any more."""
    if wanted.future.done():
        return False
    if isinstance(result, Exception):
        wanted.future.set_exception(result)
    else:
        wanted.future.set_result(result)
    return True
