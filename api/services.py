"""What the HTTP API works with: the ports it calls and its settings, in one record that infra/bootstrap.py fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from commands.bus_batch import Emission, Outcome
from commands.handling import Command, Meta
from commands.ports import EventLog

if TYPE_CHECKING:
    from api.commits import Commits
    from api.job_activation import JobDesk
    from commands.calendars import Calendars
    from projections.monitoring.ports import Monitoring
    from projections.queries import Queries

MEBIBYTE = 1 << 20


Listener = Callable[[Sequence[Emission]], None]


class Bus(Protocol):
    """The command bus (commands/bus.py) as the API sees it."""

    async def execute(self, command: Command, meta: Meta) -> Outcome:
        """Carry out a command from the event loop; its Outcome. Raises what it was refused with."""
        ...

    def add_listener(self, listener: Listener) -> None:
        """Call `listener` with the Emissions of each durable batch, in the committer's thread."""
        ...


class Clock(Protocol):
    """The engine's clock, which tests may pin."""

    def now(self) -> int:
        """Microseconds since the Unix epoch."""
        ...

    def pin(self, at: int) -> None:
        """Stand still at `at` (µs)."""
        ...

    def reset(self) -> None:
        """Follow the wall clock again."""
        ...


class Correlation(Protocol):
    """The matcher of messages and signals (commands/matcher_loop.py) as the API sees it."""

    @property
    def is_settled(self) -> bool:
        """Whether everything this server committed has met what it could, and no signal is under way."""
        ...

    def considered(self) -> Future[None]:
        """Done when everything committed before this call has been looked at."""
        ...


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the API behaves. Sizes in bytes, times in seconds.

    allowed_hosts: names that a request's Host header may have (without port), against DNS rebinding; empty: any.
    clock_control: whether PUT /clock and POST /clock/reset are allowed (for tests and demonstrations).
    """

    version: str = "0.1.0"
    max_body: int = 4 * MEBIBYTE
    max_deployment: int = 16 * MEBIBYTE
    allowed_hosts: frozenset[str] = frozenset({"localhost", "127.0.0.1", "[::1]"})
    clock_control: bool = False
    min_position_wait: float = 10.0
    own_writes_wait: float = 2.0
    default_request_timeout: float = 10.0
    max_request_timeout: float = 300.0
    job_poll_interval: float = 0.5


@dataclass(slots=True)
class Services:
    """Everything a route may use. `commits` and `jobs` are made by create_app where they are not given."""

    bus: Bus
    log: EventLog
    queries: Queries
    clock: Clock
    calendars: Calendars
    monitoring: Monitoring
    settings: ApiSettings = field(default_factory=ApiSettings)
    ready: Callable[[], bool] = lambda: True
    messages: Correlation | None = None
    commits: Commits = field(init=False)
    jobs: JobDesk = field(init=False)

    def drain(self) -> None:
        """The server is about to stop: answer all who wait, for jobs or for an instance to end. From any thread."""
        self.jobs.close()
        self.commits.close()
