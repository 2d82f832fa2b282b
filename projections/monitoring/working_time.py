"""Working time for ClickHouse: a table that says, for each quarter of an hour, how many of its seconds are worked and
how many were worked before it. The working time between two moments is the difference of two look-ups; exact where
working hours begin and end on quarters.

The table reaches from 2026 (before which there are no instances) over YEARS years; outside of it time stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.keys import EPOCH_SECONDS

SLOT_SECONDS = 900
YEARS = 8
SLOTS = (365 * YEARS + 2) * 86_400 // SLOT_SECONDS
DEFAULT_CALENDAR = "default"

Worked = Callable[[datetime], int]
"""How many seconds are worked in the quarter of an hour that begins at a moment (UTC)."""


class Slot(NamedTuple):
    """A quarter of an hour."""

    number: int
    work: int
    before: int


def office_hours(moment: datetime) -> int:
    """Monday to Friday, 9 to 18 o'clock UTC: the calendar where none is given."""
    return SLOT_SECONDS if moment.weekday() < 5 and 9 <= moment.hour < 18 else 0


def slots(worked: Worked = office_hours, count: int = SLOTS) -> Iterator[Slot]:
    """The table of a calendar."""
    begin = datetime.fromtimestamp(EPOCH_SECONDS, UTC)
    before = 0
    for number in range(count):
        work = worked(begin + timedelta(seconds=number * SLOT_SECONDS))
        yield Slot(number, work, before)
        before += work


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
