"""Working time, against an oracle that looks at every minute's clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.bpmn.timers import parse_moment, to_datetime
from domain.calendar.arithmetic import HOUR, MINUTE, Clockwork
from domain.calendar.model import STANDARD, Calendar, Hours, MakeUpDay, check_calendar
from domain.errors import InvalidArgument

CN = Calendar(
    "cn",
    "Asia/Shanghai",
    [*([Hours(540, 720), Hours(780, 1080)] for _ in range(5)), [], []],
    holidays={"2026-10-01": "National Day", "2026-10-02": "National Day", "2026-10-05": "", "2026-10-06": ""},
    make_up_days={"2026-10-10": MakeUpDay([Hours(540, 900)], "for 6 October")},
)
ZONES = {  # around which moments: changes of the offset, year ends, a date that never was
    "Europe/Berlin": ("2026-03-29T00:00Z", "2026-10-25T00:00Z", "2026-12-31T20:00Z"),
    "America/New_York": ("2026-03-08T05:00Z", "2026-11-01T04:00Z"),
    "Australia/Lord_Howe": ("2026-04-04T14:00Z", "2026-10-03T15:00Z"),
    "Pacific/Apia": ("2011-12-30T08:00Z", "2011-12-29T20:00Z"),
    "America/Sao_Paulo": ("2018-11-04T02:00Z", "2018-02-17T23:00Z"),  # changes at midnight
    "Asia/Shanghai": ("2026-10-01T00:00Z", "2026-10-10T00:00Z"),
    "UTC": ("2027-01-01T00:00Z",),
}
WINDOW = 5 * 24 * 60


def at(text: str) -> int:
    return parse_moment(text)


def works(calendar: Calendar, minute: int) -> bool:
    """Whether the minute that begins at `minute` (µs) is working time: by the clock on the wall."""
    wall = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=minute)).astimezone(ZoneInfo(calendar.zone))
    day = wall.date().isoformat()
    if day in calendar.make_up_days:
        hours = calendar.make_up_days[day].hours
    else:
        hours = [] if day in calendar.holidays else calendar.week[wall.weekday()]
    return any(each.start <= wall.hour * 60 + wall.minute < each.end for each in hours)


@st.composite
def _hours(draw: st.DrawFn) -> list[Hours]:
    edges = sorted(draw(st.sets(st.sampled_from([*range(0, 300, 15), *range(300, 1441, 60)]), min_size=0, max_size=6)))
    return [Hours(start, end) for start, end in zip(edges[::2], edges[1::2], strict=False)]


@st.composite
def _cases(draw: st.DrawFn) -> tuple[Calendar, int]:
    zone = draw(st.sampled_from(sorted(ZONES)))
    around = at(draw(st.sampled_from(ZONES[zone])))
    week = [draw(_hours()) for _ in range(7)]
    if not any(week):
        week[0] = [Hours(0, 1440)]
    days = [(to_datetime(around) + timedelta(days=n)).date().isoformat() for n in range(-3, 4)]
    holidays = draw(st.sets(st.sampled_from(days), max_size=2))
    made_up = {day: MakeUpDay([Hours(60, 200)]) for day in draw(st.sets(st.sampled_from(days), max_size=2)) - holidays}
    start = around + draw(st.integers(-30 * 60, 30 * 60)) * MINUTE
    return check_calendar(Calendar("c", zone, week, holidays=dict.fromkeys(holidays, ""), make_up_days=made_up)), start


@settings(max_examples=60, deadline=None)
@given(case=_cases(), share=st.floats(0, 1))
def test_adding_and_counting_agree_with_looking_at_every_minute(case: tuple[Calendar, int], share: float) -> None:
    calendar, start = case
    clockwork = Clockwork(calendar)
    worked = [start + n * MINUTE for n in range(WINDOW) if works(calendar, start + n * MINUTE)]
    assert clockwork.between(start, start + WINDOW * MINUTE) == len(worked) * MINUTE
    assert clockwork.between(start + WINDOW * MINUTE, start) == -len(worked) * MINUTE
    if worked:
        count = round(share * (len(worked) - 1))
        assert clockwork.add(start, (count + 1) * MINUTE) == worked[count] + MINUTE
        assert clockwork.subtract(start + WINDOW * MINUTE, (len(worked) - count) * MINUTE) == worked[count]
        assert clockwork.add(start, count * MINUTE + 1) == worked[count] + 1, "to the microsecond"


@settings(max_examples=60, deadline=None)
@given(case=_cases(), first=st.integers(0, 3000), second=st.integers(0, 3000))
def test_durations_add_up(case: tuple[Calendar, int], first: int, second: int) -> None:
    calendar, start = case
    clockwork = Clockwork(calendar)
    both = clockwork.add(start, (first + second) * MINUTE)
    assert clockwork.add(clockwork.add(start, first * MINUTE), second * MINUTE) == both
    assert clockwork.between(start, both) == (first + second) * MINUTE


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-11-26T09:00Z", 9, "2026-11-26T18:00Z"),  # the end of the day, not the next morning
        ("2026-11-26T17:00Z", 2, "2026-11-27T10:00Z"),
        ("2026-11-27T17:00Z", 2, "2026-11-30T10:00Z"),  # over the weekend
        ("2026-11-28T12:00Z", 1, "2026-11-30T10:00Z"),  # begun on a Saturday
        ("2026-11-26T03:00Z", 0, "2026-11-26T03:00Z"),
    ],
)
def test_office_hours(start: str, hours: int, end: str) -> None:
    assert to_datetime(Clockwork(STANDARD).add(at(start), hours * HOUR)) == to_datetime(at(end))


def test_holidays_are_free_and_make_up_days_worked() -> None:
    clockwork = Clockwork(CN)
    assert clockwork.add(at("2026-09-30T17:00+08:00"), 2 * HOUR) == at("2026-10-07T10:00+08:00")
    assert clockwork.add(at("2026-10-09T17:00+08:00"), 2 * HOUR) == at("2026-10-10T10:00+08:00")
    assert clockwork.subtract(at("2026-10-10T10:00+08:00"), 2 * HOUR) == at("2026-10-09T17:00+08:00")


def test_an_hour_that_summer_time_skips_is_not_worked_and_one_it_repeats_counts_twice() -> None:
    nights = Clockwork(Calendar("n", "Europe/Berlin", [[Hours(90, 240)]] * 7))
    day = 24 * HOUR
    assert nights.between(at("2026-03-28T23:00Z"), at("2026-03-28T23:00Z") + day) == 90 * MINUTE
    assert nights.between(at("2026-10-24T22:00Z"), at("2026-10-24T22:00Z") + day) == (150 + 60) * MINUTE


def test_a_duration_beyond_thirty_years_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="thirty years"):
        Clockwork(STANDARD).add(at("2026-01-01"), 365 * 30 * 24 * HOUR)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"zone": "Mars/Olympus"}, "IANA name"),
        ({"zone": "../etc/passwd"}, "IANA name"),
        ({"week": [[]] * 7}, "no weekday has working hours"),
        ({"week": [[Hours(1320, 360)], *[[]] * 6]}, "22:00-24:00"),
        ({"week": [[Hours(540, 720), Hours(700, 800)], *[[]] * 6]}, "overlaps"),
        ({"holidays": {"2026-02-30": ""}}, "not a date"),
        ({"holidays": {"2026-10-10": ""}}, "holiday and a make-up day"),
        ({"make_up_days": {"2026-10-10": MakeUpDay([])}}, "no working hours"),
        ({"day_minutes": 1441}, "1 to 1440"),
        ({"id": "a/b"}, "id"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_named(change: dict[str, object], said: str) -> None:
    fields = {name: getattr(CN, name) for name in CN.__struct_fields__}
    with pytest.raises(InvalidArgument, match=said):
        check_calendar(Calendar(**{**fields, **change}))
