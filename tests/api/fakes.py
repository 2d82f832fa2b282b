"""An application around fakes, for what a real server does not do on demand: overload, outages, faults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import httpx

from api.app import create_app
from api.services import ApiSettings, Services
from commands.bus_batch import Emission, Outcome
from commands.clock import PinnableClock
from commands.handling import Command, Meta
from commands.ports import AvailableJob
from domain.calendar.model import STANDARD, Calendar
from domain.errors import NotFound, StorageUnavailable
from projections.queries import Entity, Freshness, Page, SearchResult

Decide = Callable[[Command, Meta], Outcome]


class FakeBus:
    """Carries out commands by a function, and notes them."""

    def __init__(self, decide: Decide | None = None) -> None:
        self.decide: Decide = decide or (lambda _command, _meta: Outcome(None, 1))
        self.seen: list[tuple[Command, Meta]] = []
        self.listeners: list[Callable[[Sequence[Emission]], None]] = []

    async def execute(self, command: Command, meta: Meta) -> Outcome:
        self.seen.append((command, meta))
        return self.decide(command, meta)

    def add_listener(self, listener: Callable[[Sequence[Emission]], None]) -> None:
        self.listeners.append(listener)


class FakeLog:
    """A log whose job index is a list; jobs stay in it until a test removes them."""

    def __init__(self) -> None:
        self.jobs: list[AvailableJob] = []
        self.error: Exception | None = None
        self.reads = 0

    def available_jobs(self, tenants: Sequence[str], job_type: str, now: int, limit: int) -> Sequence[AvailableJob]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.jobs[:limit]

    def start_subscriptions(self, *_: Any) -> Sequence[Any]:
        return ()


class FakeQueries:
    """Read models that are empty, at position 0; `error` is raised by all. A test may replace any of them."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.get: Any = self._get
        self.wait_for: Any = self._wait_for

    async def search(self, *_: Any, **__: Any) -> SearchResult:
        if self.error is not None:
            raise self.error
        return SearchResult([], Page(0, False), Freshness(0, 0))

    async def search_task_variables(self, *_: Any, **__: Any) -> SearchResult:
        return await self.search()

    async def definition_statistics(self, *_: Any) -> list[Any]:
        return []

    async def _get(self, entity: Entity, key: int) -> dict[str, Any]:
        raise NotFound(f"no {entity} with key {key}")

    async def freshness(self) -> Freshness:
        if self.error is not None:
            raise self.error
        return Freshness(0, 0)

    async def _wait_for(self, position: int, _timeout: float) -> bool:
        return position == 0


class FakeCalendars:
    """The calendar that ships, and no other."""

    def get(self, _tenant: str, calendar_id: str) -> Calendar | None:
        return STANDARD if calendar_id == STANDARD.id else None

    def all(self, _tenant: str) -> list[Calendar]:
        return [STANDARD]


class NoMonitoring:
    """A monitoring store that is away."""

    async def freshness(self) -> Freshness:
        raise StorageUnavailable("the monitoring store does not run")

    async def ask(self, *_: Any) -> Any:
        await self.freshness()

    export = wait_for = ask


class FakeServer:
    """The application on fakes, and an HTTP client that calls it in process."""

    def __init__(self, **settings: Any) -> None:
        self.bus, self.log, self.queries = FakeBus(), FakeLog(), FakeQueries()
        self.clock = PinnableClock(lambda: 1_800_000_000_000_000)
        self.is_ready = True
        self.calendars = FakeCalendars()
        self.services = Services(
            bus=self.bus,
            log=cast(Any, self.log),
            queries=cast(Any, self.queries),
            calendars=cast(Any, self.calendars),
            monitoring=cast(Any, NoMonitoring()),
            clock=self.clock,
            settings=ApiSettings(job_poll_interval=0.01, **settings),
            ready=lambda: self.is_ready,
        )
        self.app = create_app(self.services)

    async def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """One request."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.request(method, path, json=body, headers=headers, **more)
