"""Working time for ClickHouse: of each calendar a table that says, for each quarter of an hour, how many of its seconds
are worked and how many were worked before it. The working time between two moments is the difference of two look-ups;
exact where working hours begin and end on quarters, elsewhere spread evenly within the quarter.

The table reaches from 2026 (before which there are no instances) over YEARS years; outside of it time stands still.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from domain.calendar.arithmetic import MICRO, Clockwork
from domain.calendar.model import DEFAULT_ID, STANDARD
from domain.keys import EPOCH_SECONDS

SLOT_SECONDS = 900
YEARS = 8
DAYS = 365 * YEARS + 2
SLOTS = DAYS * 86_400 // SLOT_SECONDS
_SLOT = SLOT_SECONDS * MICRO
_BEGIN = EPOCH_SECONDS * MICRO
_FIRST_DAY = date(1970, 1, 1).toordinal() + EPOCH_SECONDS // 86_400


class Slot(NamedTuple):
    """A row of `calendar_slots`. serial: the calendar's version; 0 is the calendar that ships."""

    calendar: str
    number: int
    work: int
    before: int
    serial: int


def calendar_name(tenant: str, calendar_id: str) -> str:
    """What a tenant's calendar is called in the table."""
    return f"{tenant}/{calendar_id or DEFAULT_ID}"


def slots(tenant: str, clockwork: Clockwork) -> Iterator[Slot]:
    """The table of a calendar."""
    worked = [0] * SLOTS
    for day in range(_FIRST_DAY - 1, _FIRST_DAY + DAYS + 1):
        for span in clockwork.spans(day):
            start, end = max(span.start - _BEGIN, 0), min(span.end - _BEGIN, SLOTS * _SLOT)
            for number in range(start // _SLOT, -(-end // _SLOT)):
                worked[number] += min(end, (number + 1) * _SLOT) - max(start, number * _SLOT)
    name, serial = calendar_name(tenant, clockwork.calendar.id), clockwork.calendar.version
    before = 0
    for number, micros in enumerate(worked):
        work = micros // MICRO
        yield Slot(name, number, work, before, serial)
        before += work


def shipped() -> Iterator[Slot]:
    """The table of the calendar "default" where nobody has defined one."""
    return slots("", Clockwork(STANDARD))


CALENDAR = """
(SELECT groupArray(before) FROM (SELECT before FROM calendar_slots
    WHERE calendar = {calendar:String} ORDER BY slot)) AS befores,
(SELECT groupArray(work) FROM (SELECT work FROM calendar_slots
    WHERE calendar = {calendar:String} ORDER BY slot)) AS works
"""
"""Expressions for a WITH clause: what `worked_until` needs."""


def worked_until(moment: str) -> str:
    """SQL: the seconds worked until a DateTime64(3) expression."""
    seconds = f"greatest(toUnixTimestamp64Milli({moment}) - {EPOCH_SECONDS}000, 0)"
    slot = f"least(intDiv({seconds}, {SLOT_SECONDS}000) + 1, length(befores))"
    return f"(befores[{slot}] + works[{slot}] * ({seconds} % {SLOT_SECONDS}000) / {SLOT_SECONDS}000)"


def worked_between(start: str, end: str) -> str:
    """SQL: the seconds worked between two DateTime64(3) expressions."""
    return f"({worked_until(end)} - {worked_until(start)})"
