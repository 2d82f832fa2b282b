"""The working-time table of the calendar that ships (projections/monitoring/working_time.py); those of calendars that
were defined come from the log like everything else.
"""

from __future__ import annotations

from domain.events import encode_json
from infra.clickhouse.connection import ClickHouse
from projections.monitoring.rows import COLUMNS
from projections.monitoring.working_time import SLOTS, calendar_name, shipped

_COUNT = "SELECT count() FROM calendar_slots{suffix} WHERE calendar = {{name:String}}"


def ensure_calendar(store: ClickHouse, suffix: str = "") -> None:
    """Write the table where it is not there. suffix: of the table's name."""
    (count,) = store.rows(_COUNT.format(suffix=suffix), {"name": calendar_name("", "")})[0]
    if count < SLOTS:
        lines = b"".join(encode_json(slot) + b"\n" for slot in shipped())
        store.insert(f"calendar_slots{suffix}", COLUMNS["calendar_slots"], lines)
