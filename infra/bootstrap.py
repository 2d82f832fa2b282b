"""The only wiring: which adapter stands behind which port, in one process.

    Core      log + definitions + bus + loops          what writes; used by itself in measurements
    Platform  Core + queries + HTTP application        what `flowledger serve` runs

Building opens connections; `start` begins work; `stop` ends it in the order in which work flows.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import time
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from uuid import uuid4

from fastapi import FastAPI

from api.app import create_app
from api.services import ApiSettings, Services
from commands.bus import BusLimits, CommandBus, EngineLimits
from commands.clock import PinnableClock
from commands.definitions import DeployedDefinitions
from commands.deliveries import DeliveryLoop
from commands.matcher_loop import MatcherLoop
from commands.ports import DueTimer
from commands.registry import HANDLERS, delivery_command
from commands.timers import StartTimerLoop, TimerLoop
from commands.trigger_timer import TriggerTimer
from domain.bpmn import ProcessModel, load_model
from domain.errors import DomainError
from infra.clickhouse.queries import ClickHouseMonitoring
from infra.clickhouse.server import store_address
from infra.postgres.event_log import PostgresEventLog
from infra.postgres.lanes import LeasedKeys
from infra.postgres.queries import PostgresQueries
from infra.settings import Settings

LOG = logging.getLogger("flowledger.bootstrap")
STOP_SECONDS = 8.0
WATCH_SECONDS = 1.0
UNREADY_AFTER = 3.0
"""Seconds without a sign of life from the database until the server says that it is not ready."""
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the others from running Python. The engine, the committer and the event loop hand work to
each other all the time; with Python's default of 5 ms they wait for each other (measured: 5,550 against 6,450 one-task
instances/s through the bus, 2,380 against 2,850 approvals)."""
GC_THRESHOLDS = (50_000, 20, 100)
"""The aggregates in the cache are many and long-lived; with Python's default of 700 the collector walks them all the
time (15-20 % of the write path's rate, measured with bench/bus_load.py)."""


def installed_version() -> str:
    """The version of Flowledger that runs."""
    try:
        return version("flowledger")
    except PackageNotFoundError:
        return "0"


class WakingClock(PinnableClock):
    """The wall clock; setting it wakes the timers, and whatever else lives by it."""

    def __init__(self) -> None:
        super().__init__(lambda: time.time_ns() // 1_000)
        self.sleepers: list[TimerLoop | StartTimerLoop | MatcherLoop] = []

    def pin(self, at: int) -> None:
        """Stand still at `at` (µs)."""
        super().pin(at)
        self._wake()

    def reset(self) -> None:
        """Follow the wall clock again."""
        super().reset()
        self._wake()

    def _wake(self) -> None:
        for sleeper in self.sleepers:
            sleeper.wake()


class Core:
    """The write side on the database of `settings`. Raises StorageUnavailable where it cannot be reached."""

    def __init__(self, settings: Settings) -> None:
        self.clock = WakingClock()
        self.log = PostgresEventLog(settings.database_url)
        self.definitions = DeployedDefinitions(self.log, _parse)
        self._keys = LeasedKeys(settings.database_url, uuid4(), time.time)
        limits = BusLimits(
            queue=settings.queue_limit,
            shed_at=settings.queue_limit // 2,
            engine=EngineLimits(cached_streams=settings.cached_instances),
        )
        self.bus = CommandBus(
            self.log,
            HANDLERS,
            definitions=self.definitions,
            clock=self.clock,
            new_key=self._keys.next_key,
            limits=limits,
        )
        self.bus.add_listener(self.definitions.on_commit)
        self._timers = TimerLoop(self.log, self.bus, self.clock, _trigger)
        self._start_timers = StartTimerLoop(self.log, self.bus, self.clock)
        self.messages = MatcherLoop(self.log, self.bus, self.clock)
        self.clock.sleepers += [self._timers, self._start_timers, self.messages]
        self._deliveries = DeliveryLoop(self.log, self.bus, delivery_command)

    def start(self) -> None:
        """Begin to take commands, to fire timers and to deliver."""
        gc.collect()
        gc.freeze()  # what is loaded by now stays: the collector need not look at it again
        gc.set_threshold(*GC_THRESHOLDS)
        sys.setswitchinterval(SWITCH_SECONDS)
        self.bus.start()
        self._timers.start()
        self._start_timers.start()
        self.messages.start()
        self._deliveries.start()

    def stop(self) -> None:
        """Commit what was taken, then let go of everything."""
        self._timers.stop()
        self._start_timers.stop()
        self.messages.stop()
        self._deliveries.stop()
        if not self.bus.stop(STOP_SECONDS):
            LOG.error("the command bus did not drain within %.0f s", STOP_SECONDS)
        with contextlib.suppress(DomainError):
            self._keys.close()
        self.log.close()


def _parse(xml: bytes, process_id: str, resource: str) -> ProcessModel:
    return load_model(xml, process_id, resource)


def _trigger(timer: DueTimer) -> TriggerTimer:
    return TriggerTimer(instance_key=timer.instance_key, timer=timer.local)


def _hosts(settings: Settings) -> frozenset[str]:
    """The Host headers that are answered: the loopback names, and what this server is told to listen on."""
    return frozenset({"localhost", "127.0.0.1", "[::1]", settings.host})


class Platform:
    """One server process. `open` and `close` belong into the event loop that serves `app`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.core = Core(settings)
        self.queries = PostgresQueries(settings.database_url)
        self.monitoring = ClickHouseMonitoring(partial(store_address, settings))
        self._draining = False
        self._seen = 0.0
        self._watch: asyncio.Task[None] | None = None
        self.services = Services(
            bus=self.core.bus,
            log=self.core.log,
            queries=self.queries,
            calendars=self.core.definitions.calendars,
            monitoring=self.monitoring,
            clock=self.core.clock,
            settings=ApiSettings(
                version=installed_version(),
                max_body=settings.max_body_bytes,
                max_deployment=settings.max_deployment_bytes,
                clock_control=settings.clock_control,
                allowed_hosts=_hosts(settings),
            ),
            ready=self.is_ready,
            messages=self.core.messages,
        )
        self.app: FastAPI = create_app(self.services)

    def is_ready(self) -> bool:
        """Whether requests should be sent here: the bus accepts, the database answers, and no end is near."""
        alive = time.monotonic() - self._seen < UNREADY_AFTER
        return alive and not self._draining and self.core.bus.status.accepting

    def start(self) -> None:
        """Begin to take commands."""
        self.core.start()

    async def open(self) -> None:
        """Connect the queries, and begin to watch the database."""
        await self.queries.open()
        self._watch = asyncio.create_task(self._watch_database())

    def drain(self) -> None:
        """Say that this server is about to end: not ready, and long polls are answered."""
        self._draining = True
        self.services.drain()

    async def close(self) -> None:
        """Let go of the queries' connections."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        await self.queries.close()
        await self.monitoring.close()

    def stop(self) -> None:
        """Commit what was taken and end."""
        self._draining = True
        self.core.stop()

    async def _watch_database(self) -> None:
        """Once a second: is it there, and do the read models keep up? If they fall behind, new work is shed."""
        limit = self._settings.lag_limit
        while True:
            try:
                lag = await self.queries.lag()
                self._seen = time.monotonic()
                if (lag > limit) != self.core.bus.shed_new_work:
                    LOG.warning("the read models are %d events behind (limit %d)", lag, limit)
                self.core.bus.shed_new_work = lag > limit
            except DomainError as error:
                LOG.warning("the read models cannot be reached: %s", error)
            await asyncio.sleep(WATCH_SECONDS)
