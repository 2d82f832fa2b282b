"""A business calendar as a value: working hours by weekday, holidays, make-up days, all in one time zone.

    Calendar(id="cn", zone="Asia/Shanghai", week=[[Hours(540, 720), Hours(780, 1080)], …7 days, Monday first],
             holidays={"2026-10-01": "National Day"}, make_up_days={"2026-10-10": MakeUpDay([Hours(540, 1080)], "…")})

Hours are minutes of the local day, start included, end excluded (1440 is midnight at its end). A date in
`make_up_days` has the hours given there, whatever its weekday; one in `holidays` has none; any other has its weekday's.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from domain.errors import InvalidArgument

DAY_MINUTES = 24 * 60
DEFAULT_ID = "default"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_INTERVALS = 24
MAX_DATES = 10_000
MAX_NAME = 500
MAX_ID = 100


class Hours(msgspec.Struct, frozen=True, order=True):
    """Working time within one day: minutes of the local day, 0 ≤ start < end ≤ 1440."""

    start: int
    end: int


class MakeUpDay(msgspec.Struct, frozen=True):
    """A date on which work is done though it would be free (or at other hours than usual)."""

    hours: list[Hours]
    name: str = ""


class Calendar(msgspec.Struct, frozen=True):
    """See the module. day_minutes: how long "1 working day" is; 0: the working time that most weekdays have."""

    id: str
    zone: str
    week: list[list[Hours]]
    name: str = ""
    holidays: dict[str, str] = {}
    make_up_days: dict[str, MakeUpDay] = {}
    day_minutes: int = 0
    version: int = 0

    @property
    def working_day(self) -> int:
        """Minutes that "1 working day" stands for."""
        return self.day_minutes or usual_day(self.week)

    def hours_on(self, day: date) -> list[Hours]:
        """The working hours of a date."""
        key = day.isoformat()
        made_up = self.make_up_days.get(key)
        if made_up is not None:
            return made_up.hours
        return [] if key in self.holidays else self.week[day.weekday()]


def usual_day(week: list[list[Hours]]) -> int:
    """The working minutes of most working weekdays (the longer, where two lengths are as frequent); 0 without any."""
    lengths = Counter(length for hours in week if (length := sum(h.end - h.start for h in hours)))
    return max(lengths, key=lambda length: (lengths[length], length)) if lengths else 0


OFFICE_HOURS = Hours(9 * 60, 18 * 60)
STANDARD = Calendar(
    DEFAULT_ID, "UTC", [*([OFFICE_HOURS] for _ in range(5)), [], []], "Monday to Friday, 09:00 to 18:00 UTC"
)
"""What "default" means where nobody has defined a calendar of that id."""


def check_calendar(calendar: Calendar) -> Calendar:
    """The calendar, in order: hours sorted, dates ascending. Raises InvalidArgument naming the field that is wrong."""
    if not calendar.id or len(calendar.id) > MAX_ID or not calendar.id.isprintable() or "/" in calendar.id:
        raise InvalidArgument(f"a calendar's id has 1 to {MAX_ID} printable characters and no '/'", "calendarId")
    if len(calendar.name) > MAX_NAME:
        raise InvalidArgument(f"a calendar's name has at most {MAX_NAME} characters", "name")
    zone_of(calendar.zone)
    if len(calendar.week) != len(WEEKDAYS):
        raise InvalidArgument("the week needs seven lists of working hours, Monday first", "workingHours")
    week = [check_hours(hours, f"workingHours.{day}") for day, hours in zip(WEEKDAYS, calendar.week, strict=True)]
    for field, dates in (("holidays", calendar.holidays), ("makeUpDays", calendar.make_up_days)):
        if len(dates) > MAX_DATES:
            raise InvalidArgument(f"a calendar has at most {MAX_DATES:,} {field}, not {len(dates):,}", field)
        for text in dates:
            check_date(text, field)
    both = sorted(calendar.holidays.keys() & calendar.make_up_days.keys())
    if both:
        raise InvalidArgument(f"{both[0]} is a holiday and a make-up day; remove it from one of them", "makeUpDays")
    made_up = {
        day: MakeUpDay(
            check_hours(calendar.make_up_days[day].hours, f"makeUpDays.{day}"), calendar.make_up_days[day].name
        )
        for day in sorted(calendar.make_up_days)
    }
    if any(not day.hours for day in made_up.values()):
        free = next(day for day, made in made_up.items() if not made.hours)
        raise InvalidArgument(f"the make-up day {free} has no working hours; give some, or remove it", "makeUpDays")
    if not 0 <= calendar.day_minutes <= DAY_MINUTES:
        raise InvalidArgument(f"a working day has 1 to {DAY_MINUTES} minutes (0: as most weekdays)", "dayMinutes")
    if not any(week):
        raise InvalidArgument("no weekday has working hours: no deadline could ever be reached", "workingHours")
    holidays = {day: calendar.holidays[day] for day in sorted(calendar.holidays)}
    return msgspec.structs.replace(calendar, week=week, holidays=holidays, make_up_days=made_up)


def check_hours(hours: list[Hours], field: str) -> list[Hours]:
    """The intervals of a day in order; they lie within the day and do not overlap."""
    if len(hours) > MAX_INTERVALS:
        raise InvalidArgument(f"a day has at most {MAX_INTERVALS} intervals of working hours, not {len(hours)}", field)
    ordered = sorted(hours)
    previous = 0
    for each in ordered:
        if not 0 <= each.start < each.end <= DAY_MINUTES:
            raise InvalidArgument(
                f"'{write_hours(each)}' is no interval within a day: work past midnight is written as "
                "'22:00-24:00' on one day and '00:00-06:00' on the next",
                field,
            )
        if each.start < previous:
            raise InvalidArgument(f"'{write_hours(each)}' overlaps the interval before it", field)
        previous = each.end
    return ordered


def check_date(text: str, field: str) -> date:
    """A date written YYYY-MM-DD."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise InvalidArgument(f"'{text}' is not a date, such as 2026-10-01", field)
    return day


@lru_cache(maxsize=512)
def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises InvalidArgument."""
    try:
        return ZoneInfo(name)
    except Exception:  # zoneinfo raises ValueError, KeyError, OSError alike for names that are no zones
        raise InvalidArgument(
            f"'{name}' is not a time zone; use an IANA name such as 'Europe/Berlin' or 'Asia/Shanghai'", "timeZone"
        ) from None


def read_hours(text: str, field: str) -> Hours:
    """The interval in a text such as "09:00-18:00" (24:00 is the end of the day). Raises InvalidArgument."""
    start, dash, end = text.partition("-")
    try:
        if not dash:
            raise ValueError
        return Hours(_minutes(start.strip()), _minutes(end.strip()))
    except ValueError:
        raise InvalidArgument(f"'{text}' are no working hours, such as '09:00-12:30'", field) from None


def _minutes(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and len(minutes) == 2 and hours.isascii() and hours.isdigit() and len(hours) <= 2):
        raise ValueError
    at = int(hours) * 60 + int(minutes)
    if not (minutes.isascii() and minutes.isdigit() and int(minutes) < 60 and at <= DAY_MINUTES):
        raise ValueError
    return at


def write_hours(hours: Hours) -> str:
    """The text of an interval, as `read_hours` reads it."""
    return "-".join(f"{at // 60:02}:{at % 60:02}" for at in (hours.start, hours.end))
