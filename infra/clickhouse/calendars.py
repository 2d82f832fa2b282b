"""Working-time tables in the store (projections/monitoring/working_time.py)."""

from __future__ import annotations

from infra.clickhouse.connection import ClickHouse
from infra.clickhouse.sink import serial
from projections.monitoring.working_time import DEFAULT_CALENDAR, SLOTS, Worked, office_hours, slots

_COLUMNS = ("calendar", "slot", "work", "before", "serial")


def load_calendar(store: ClickHouse, name: str = DEFAULT_CALENDAR, worked: Worked = office_hours) -> None:
    """Write a calendar's table, in place of what it was."""
    now = serial()
    lines = "".join(f'["{name}",{number},{work},{before},{now}]\n' for number, work, before in slots(worked))
    store.insert("calendar_slots", _COLUMNS, lines.encode())


def ensure_calendars(store: ClickHouse) -> None:
    """Write the default calendar where it is not there."""
    (count,) = store.rows(f"SELECT count() FROM calendar_slots WHERE calendar = '{DEFAULT_CALENDAR}'")[0]  # noqa: S608
    if count < SLOTS:
        load_calendar(store)
