"""Dates, times, durations: reading, properties, arithmetic and comparison."""

from __future__ import annotations

import pytest

from tests.feel.tables import evaluated

READING = [
    ('date("2021-02-29")', "null"),
    ('date("2024-02-29")', "2024-02-29"),
    ('date("-0044-03-15")', "-0044-03-15"),
    ('date("999999999-12-31")', "999999999-12-31"),
    ("date(2021, 12, 31)", "2021-12-31"),
    ('date(@"2021-01-02T03:04:05")', "2021-01-02"),
    ('time("23:59:60")', "null"),
    ('time("11:22:33.4440")', "11:22:33.444"),
    ('time("11:22:33+05:30")', "11:22:33+05:30"),
    ('time("11:22:33@Europe/Paris")', "11:22:33@Europe/Paris"),
    ('time("11:22:33@Nowhere/Land")', "null"),
    ('time(11, 59, 45.5, duration("-PT2H"))', "11:59:45.5-02:00"),
    ('time(@"2021-01-01")', "00:00:00Z"),
    ('date and time("2021-01-01")', "2021-01-01T00:00:00"),
    ('date and time("2021-01-01T24:00:00")', "2021-01-02T00:00:00"),
    ('date and time("2021-01-01T10:00:00+01:00[Europe/Berlin]")', "2021-01-01T10:00:00@Europe/Berlin"),
    ('date and time(@"2021-01-01", @"10:00:00Z")', "2021-01-01T10:00:00Z"),
    ('date and time(@"2020-07-31T14:27:30@Europe/Berlin", "America/Los_Angeles")', "2020-07-31T05:27:30@America/Los_Angeles"),
    ('duration("P1Y14M")', "P2Y2M"),
    ('duration("-PT36H")', "-P1DT12H"),
    ('duration("PT0.S")', "PT0S"),
    ('duration("P1Y1D")', "null"),
    ('duration("P")', "null"),
    ('years and months duration(@"2011-12-22", @"2013-08-24")', "P1Y8M"),
    ('years and months duration(@"2013-08-24", @"2011-12-22")', "-P1Y8M"),
    ("now()", "2026-03-01T12:30:00Z"),
    ("today()", "2026-03-01"),
]  # fmt: skip

PROPERTIES = [
    ('@"2021-02-28".year', "2021"),
    ('@"2021-02-28".weekday', "7"),
    ('@"2021-02-28T10:20:30".minute', "20"),
    ('@"10:20:30+02:00".time offset', "PT2H"),
    ('@"2021-07-01T10:00:00@Europe/Paris".time offset', "PT2H"),
    ('@"2021-07-01T10:00:00@Europe/Paris".timezone', '"Europe/Paris"'),
    ('@"10:20:30".time offset', "null"),
    ('@"P1Y2M".months', "2"),
    ('@"-P1DT2H3M4S".hours', "-2"),
    ('@"P1Y".days', "null"),
    ('day of week(@"2019-09-17")', '"Tuesday"'),
    ('month of year(@"2019-09-17")', '"September"'),
    ('day of year(@"2020-12-31")', "366"),
    ('week of year(@"2005-01-01")', "53"),
    ('last day of month(@"2024-02-10")', "2024-02-29"),
]

ARITHMETIC = [
    ('@"2021-01-31" + @"P1M"', "2021-02-28"),
    ('@"P1M" + @"2021-01-31"', "2021-02-28"),
    ('@"2021-03-01" - @"PT24H"', "2021-02-28"),
    ('@"2021-01-02" - @"2021-01-01"', "P1D"),
    ('@"2021-01-01T00:00:00Z" - @"2021-01-01T00:00:00+01:00"', "PT1H"),
    ('@"2021-01-01T00:00:00" - @"2021-01-01T00:00:00Z"', "null"),
    ('@"2021-03-28T01:30:00@Europe/Paris" + @"PT1H"', "2021-03-28T03:30:00@Europe/Paris"),
    ('@"23:30:00" + @"PT1H"', "00:30:00"),
    ('@"10:00:00" - @"11:00:00"', "-PT1H"),
    ('@"P1Y" + @"P1D"', "null"),
    ('@"P1D" * 1.5', "P1DT12H"),
    ('3 * @"P5M"', "P1Y3M"),
    ('@"P1D" / @"PT6H"', "4"),
    ('@"P1Y" / 0', "null"),
    ('-@"P1D"', "-P1D"),
    ('@"2021-01-01" + 1', "null"),
    ('@"999999999-12-31" + @"P1D"', "null"),
]

COMPARISON = [
    ('@"2021-01-01" < @"2021-01-02"', "true"),
    ('@"10:00:00Z" = @"12:00:00+02:00"', "true"),
    ('is(@"10:00:00Z", @"12:00:00+02:00")', "false"),
    ('@"10:00:00" = @"10:00:00Z"', "false"),
    ('@"10:00:00" < @"10:00:00Z"', "null"),
    ('@"2018-10-08T00:00:00+02:00" = @"2018-10-08T00:00:00@Europe/Paris"', "true"),
    ('@"2021-01-01" = @"2021-01-01T00:00:00"', "null"),
    ('@"P1Y" = @"P12M"', "true"),
    ('@"P1D" < @"PT25H"', "true"),
    ('@"P1Y" < @"P366D"', "null"),
    ('@"2021-06-01" in [@"2021-01-01"..@"2021-12-31"]', "true"),
]


@pytest.mark.parametrize(("text", "value"), [*READING, *PROPERTIES, *ARITHMETIC, *COMPARISON])
def test_calendar_values_behave_as_specified(text: str, value: str) -> None:
    assert evaluated(text) == value
