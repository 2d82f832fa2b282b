"""The calendars in force, read from the log and kept: they are few, small, and asked for at every time limit.

Own changes are seen at once (`on_commit` listens to the bus), those of other processes within `refresh_after` seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from commands.bus_batch import Emission
from commands.handling import CALENDAR
from commands.ports import EventLog
from domain.calendar.arithmetic import Clockwork
from domain.calendar.events import CALENDAR as KIND
from domain.calendar.events import CalendarStream, calendar_stream, evolve
from domain.calendar.model import DEFAULT_ID, STANDARD, Calendar
from domain.events import REGISTRY

MAX_KEPT = 10_000


class _Kept(NamedTuple):
    clockwork: Clockwork | None
    until: float


class Calendars:
    """See the module; thread-safe."""

    def __init__(
        self, log: EventLog, *, refresh_after: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._refresh_after = refresh_after
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], _Kept] = {}
        self._changes = 0

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Listener of the command bus: forget what was just changed."""
        if any(emission.ref.kind is CALENDAR for emission in emissions):
            with self._lock:
                self._changes += 1
                self._kept.clear()

    def find(self, tenant: str, calendar_id: str) -> Clockwork | None:
        """A tenant's calendar; the one that ships for "default" (and "") unless the tenant has its own."""
        key = (tenant, calendar_id or DEFAULT_ID)
        now = self._monotonic()
        kept = self._kept.get(key)
        if kept is not None and now < kept.until:
            return kept.clockwork
        changes = self._changes
        calendar = self._read(*key) or (STANDARD if key[1] == DEFAULT_ID else None)
        if kept is not None and kept.clockwork is not None and kept.clockwork.calendar == calendar:
            clockwork: Clockwork | None = kept.clockwork  # with the days that it knows already
        else:
            clockwork = Clockwork(calendar) if calendar is not None else None
        with self._lock:
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            if changes == self._changes:  # else it may be older than a change that was heard of meanwhile
                self._kept[key] = _Kept(clockwork, now + self._refresh_after)
        return clockwork

    def get(self, tenant: str, calendar_id: str) -> Calendar | None:
        """The calendar as the log has it now."""
        return self._read(tenant, calendar_id) or (STANDARD if calendar_id == DEFAULT_ID else None)

    def all(self, tenant: str) -> list[Calendar]:
        """All calendars in force, by id; the one that ships where the tenant has no other "default"."""
        ids = dict.fromkeys(row.id for row in self._log.find_definitions(KIND, tenant))
        found = [calendar for id in ids if (calendar := self._read(tenant, id)) is not None]
        if all(calendar.id != DEFAULT_ID for calendar in found):
            found.append(STANDARD)
        return sorted(found, key=lambda calendar: calendar.id)

    def _read(self, tenant: str, calendar_id: str) -> Calendar | None:
        stream = calendar_stream(tenant, calendar_id)
        state = CalendarStream()
        for stored in self._log.load([stream], snapshots=False).get(stream, ()):
            envelope, event = REGISTRY.decode(stored.topic, stored.state)
            evolve(state, event, envelope.at)
        return state.calendar
