"""The texts of time limits, and the deadlines that they make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bpmn.timers import parse_moment
from domain.calendar.arithmetic import HOUR, MINUTE, Clockwork
from domain.calendar.duration import Deadline, deadline, parse_levels, parse_limit, parse_warning
from domain.calendar.model import STANDARD, Calendar, Hours
from domain.errors import InvalidArgument

OFFICE = Clockwork(STANDARD)  # nine hours a day
MONDAY = parse_moment("2026-11-23T09:00Z")


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("1 working day", 9),
        ("0.5 working day", 4.5),
        ("1.5 working days", 13.5),
        ("4 working hours", 4),
        ("4 Working-Hours", 4),
        ("90 working minutes", 1.5),
        ("1 working day 2 working hours", 11),
        ("1 working day and 30 working minutes", 9.5),
        ("1个工作日", 9),
        ("0.5 工作日", 4.5),
        ("2工作天", 18),
        ("4 个工作小时", 4),
        ("1工作日 30 工作分钟", 9.5),
    ],
)
def test_working_time(text: str, hours: float) -> None:
    assert parse_limit(text).working(OFFICE) == hours * HOUR


@pytest.mark.parametrize(
    ("text", "end"), [("PT4H", "2026-11-23T13:00Z"), ("P1D", "2026-11-24T09:00Z"), ("P1M", "2026-12-23T09:00Z")]
)
def test_iso_durations_are_clock_time(text: str, end: str) -> None:
    assert parse_limit(text).after(MONDAY, OFFICE) == parse_moment(end)


@pytest.mark.parametrize(
    "text",
    ["", "soon", "4 hours", "1 day", "4h", "-1 working day", "0 working days", "PT0S", "-PT1H", "1 working dayz"],
)
def test_what_is_no_limit_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(InvalidArgument, match="1 working day"):
        parse_limit(text)


@pytest.mark.parametrize("text", ["0%", "100%", "140%"])
def test_a_share_lies_within_the_limit(text: str) -> None:
    with pytest.raises(InvalidArgument, match="less than 100%"):
        parse_warning(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_limit, parse_warning, parse_levels):
        try:
            parse(text)
        except InvalidArgument:
            continue


def made(limit: str, warn: str = "", after: str = "", start: int = MONDAY, due: int = 0) -> Deadline:
    warning, levels = parse_warning(warn) if warn else None, parse_levels(after) if after else []
    return deadline(start, parse_limit(limit) if limit else None, warning, levels, lambda: OFFICE, due)


def test_a_share_of_working_time_is_working_time() -> None:
    found = made("2 working days", "25%", "4 working hours, 1 working day")
    assert found.due == parse_moment("2026-11-24T18:00Z")
    assert found.warn_at == found.due - int(4.5 * HOUR)
    assert found.escalations == [parse_moment("2026-11-25T13:00Z"), parse_moment("2026-11-25T18:00Z")]


def test_a_share_of_clock_time_is_clock_time() -> None:
    assert made("PT10H", "10%").warn_at == MONDAY + 9 * HOUR


def test_a_warning_in_working_time_goes_back_over_the_night() -> None:
    found = made("10 working hours", "2 working hours")
    assert found.warn_at == parse_moment("2026-11-23T17:00Z")


def test_a_warning_before_the_start_is_left_out() -> None:
    assert made("PT1H", "PT2H").warn_at == 0


def test_a_given_due_date_stands_instead_of_the_limits_end() -> None:
    due = MONDAY + 100 * HOUR
    found = made("1 working day", "50 working minutes", "PT1H", due=due)
    assert found == Deadline(due, OFFICE.subtract(due, 50 * MINUTE), [due + HOUR])


def test_the_calendar_says_how_long_a_working_day_is() -> None:
    short = Calendar("s", "UTC", [[Hours(540, 780)], *([Hours(540, 1020)] for _ in range(4)), [], []])
    assert short.working_day == 480
    assert parse_limit("1 working day").working(Clockwork(short)) == 8 * HOUR
    six = Clockwork(Calendar("s", "UTC", short.week, day_minutes=360))
    assert parse_limit("1 working day").working(six) == 6 * HOUR
