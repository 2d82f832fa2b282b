"""Working time in ClickHouse equals working time in the domain."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from domain.calendar.arithmetic import HOUR, MICRO, MINUTE, Clockwork
from domain.calendar.events import CalendarDefined, CalendarDeleted, calendar_stream, defined
from domain.calendar.model import STANDARD, Calendar, Hours, MakeUpDay, read_hours
from domain.events import Envelope, Event, Recorded
from infra.clickhouse.calendars import ensure_calendar
from infra.clickhouse.connection import ClickHouse
from projections.monitoring.working_time import CALENDAR, SLOTS, calendar_name, worked_between
from tests.monitoring.histories import START, write

BERLIN = Calendar(
    "berlin",
    "Europe/Berlin",
    [*([read_hours("08:00-12:00", ""), read_hours("13:00-17:30", "")] for _ in range(5)), [Hours(0, 24 * 60)], []],
    holidays={"2026-12-25": "Christmas"},
    make_up_days={"2026-12-27": MakeUpDay([Hours(9 * 60, 12 * 60)])},
    version=1,
)
NIGHT = Calendar("night", "America/New_York", [[Hours(0, 6 * 60)] for _ in range(7)], version=1)


def of_calendar(event: Event, position: int = 1) -> Recorded:
    stream = calendar_stream("", event.calendar_id)  # type: ignore[attr-defined]
    return Recorded(stream, position, position, Envelope(START), event)


def worked(store: ClickHouse, calendar: str, pairs: list[tuple[int, int]]) -> list[float]:
    """Seconds between moments (ms), from the store."""
    moments = "fromUnixTimestamp64Milli(start, 'UTC') AS a, fromUnixTimestamp64Milli(end, 'UTC') AS b"
    given = "SELECT {starts:Array(Int64)} AS starts, {ends:Array(Int64)} AS ends"
    source = f"SELECT {moments} FROM ({given}) ARRAY JOIN starts AS start, ends AS end"
    text = f"WITH {CALENDAR} SELECT {worked_between('a', 'b')} FROM ({source})"
    starts, ends = zip(*pairs, strict=True)
    params = {"calendar": calendar_name("", calendar), "starts": list(starts), "ends": list(ends)}
    rows = store.rows(text, params)
    return [row[0] for row in rows]


@pytest.mark.parametrize("calendar", [BERLIN, NIGHT], ids=lambda calendar: calendar.id)
def test_working_time_is_that_of_the_domain(store: ClickHouse, calendar: Calendar) -> None:
    write(store, [of_calendar(defined(calendar, 1, 7))])
    draw, clockwork = random.Random(5), Clockwork(calendar)
    begin = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    starts = [begin + draw.randrange(3 * 365 * 86_400) * 1000 for _ in range(300)]
    pairs = [(start, start + draw.randrange(40 * 86_400) * 1000) for start in starts]
    changes = [
        datetime(2027, 3, 27, 20, tzinfo=UTC),
        datetime(2026, 10, 24, 20, tzinfo=UTC),
        datetime(2027, 3, 14, tzinfo=UTC),
    ]
    pairs += [(int(change.timestamp() * 1000), int(change.timestamp() * 1000) + 86_400_000) for change in changes]
    expected = [clockwork.between(start * 1000, end * 1000) / MICRO for start, end in pairs]
    assert worked(store, calendar.id, pairs) == pytest.approx(expected)


def test_the_calendar_that_ships_counts_until_one_is_defined_and_again_once_it_is_deleted(store: ClickHouse) -> None:
    ensure_calendar(store)
    ensure_calendar(store)
    assert store.rows("SELECT count() FROM calendar_slots") == [[SLOTS]]
    monday = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp() * 1000)
    day = [(monday, monday + 86_400_000)]
    assert worked(store, "default", day) == [9 * HOUR / MICRO]
    own = Calendar("default", "UTC", [[Hours(600, 660)] for _ in range(7)], version=1)
    write(store, [of_calendar(defined(own, 1, 7))])
    assert worked(store, "default", day) == [60 * MINUTE / MICRO]
    write(store, [of_calendar(defined(own, 1, 7)), of_calendar(CalendarDeleted("default", 2, 7), 2)])
    assert worked(store, "default", day) == [9 * HOUR / MICRO]
    assert STANDARD.version == 0


def test_a_calendar_that_cannot_be_is_set_aside(store: ClickHouse) -> None:
    broken = CalendarDefined("x", 1, 7, "Nowhere/Land", [[] for _ in range(7)], {}, {}, {})
    write(store, [of_calendar(broken)])
    assert store.rows("SELECT topic FROM quarantine") == [["calendar.defined.1"]]
