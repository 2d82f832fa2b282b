"""ISO 8601 durations, dates and cycles, and cron."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bpmn.model import TimerKind
from domain.bpmn.timers import ENDLESS, next_due, parse_duration, parse_moment, schedule, to_datetime, to_micros
from domain.cron import next_cron
from domain.errors import InvalidArgument


def micros(text: str) -> int:
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def test_durations() -> None:
    assert parse_duration("PT1H2M3.5S").microseconds == 3_723_500_000
    assert parse_duration("P2W").microseconds == 14 * 86_400_000_000
    assert parse_duration("-PT1S").microseconds == -1_000_000
    assert parse_duration("P1Y2M").months == 14
    for text in ("", "P", "PT", "1D", "P1H", "PT1D", "P1.5D", "P1D "[:-1] + "x"):
        with pytest.raises(InvalidArgument, match="is not an ISO 8601 duration"):
            parse_duration(text)


def test_months_end_at_the_last_day() -> None:
    assert parse_duration("P1M").add_to(micros("2027-01-31T08:00:00")) == micros("2027-02-28T08:00:00")
    assert parse_duration("P1Y").add_to(micros("2028-02-29T00:00:00")) == micros("2029-02-28T00:00:00")


def test_moments_with_and_without_a_zone() -> None:
    assert parse_moment("2026-11-23T09:00:00Z") == micros("2026-11-23T09:00:00")
    assert parse_moment("2026-11-23T09:00:00+08:00[Asia/Shanghai]") == micros("2026-11-23T01:00:00")
    assert parse_moment("2026-11-23") == micros("2026-11-23T00:00:00")


def test_cycles() -> None:
    now = micros("2026-11-23T09:00:00")
    assert schedule(TimerKind.CYCLE, "R3/PT10S", now) == (now + 10_000_000, 3, "PT10S")
    assert schedule(TimerKind.CYCLE, "R/PT10S", now).remaining == ENDLESS
    assert schedule(TimerKind.CYCLE, "R2/2026-12-01T00:00:00Z/P1M", now) == (micros("2026-12-01T00:00:00"), 2, "P1M")
    assert next_due("P1M", micros("2026-12-01T00:00:00"), now, 1) == micros("2027-01-01T00:00:00")
    with pytest.raises(InvalidArgument, match="must be longer than nothing"):
        schedule(TimerKind.CYCLE, "R/PT0S", now)


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 0 9-17 * * MON-FRI", "2026-11-23T09:00:00", "2026-11-23T10:00:00"),
        ("0 0 9-17 * * MON-FRI", "2026-11-27T17:00:00", "2026-11-30T09:00:00"),
        ("0 0 0 29 2 *", "2026-11-23T00:00:00", "2028-02-29T00:00:00"),
        ("*/20 * * * * *", "2026-11-23T00:00:41", "2026-11-23T00:01:00"),
        ("0 30 8 1 JAN,JUL ?", "2026-11-23T00:00:00", "2027-01-01T08:30:00"),
        ("@weekly", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
        ("0 0 0 * * 7", "2026-11-23T00:00:00", "2026-11-29T00:00:00"),
    ],
)
def test_cron(text: str, after: str, expected: str) -> None:
    assert to_datetime(next_cron(text, micros(after))) == to_datetime(micros(expected))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 0 9 * *", "six fields are expected"),
        ("0 60 9 * * *", "minute '60' must lie in 0-59"),
        ("0 0 9 * * FUN", "day of week 'FUN' must lie in 0-7"),
        ("0 0 17-9 * * *", "runs backwards"),
        ("0 0/0 9 * * *", "the step in minute"),
        ("0 0 0 30 2 *", "never fires"),
    ],
)
def test_wrong_cron_says_which_field(text: str, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        schedule(TimerKind.CYCLE, text, 0)


@given(st.integers(1, 59), st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)))
def test_an_every_n_minutes_cron_is_never_more_than_an_hour_away(step: int, moment: datetime) -> None:
    after = to_micros(moment.replace(tzinfo=UTC))
    due = next_cron(f"0 */{step} * * * *", after)
    assert 0 < due - after <= timedelta(hours=1) / timedelta(microseconds=1)
    assert to_datetime(due).minute % step == 0
