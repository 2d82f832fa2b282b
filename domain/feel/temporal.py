"""Reading, writing and calculating with calendar values (DMN 1.5 §10.3.2.3.4 to .8, ISO 8601 texts).

The parse_* functions return None for a text that is no such value; callers record the reason.
Zone rules come from Python's zoneinfo; years it does not know take the rules of the same year of the 400-year cycle.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.feel.values import (
    DAY_NANOS,
    MAX_YEAR,
    NANOS,
    Date,
    DateTime,
    DaysTimeDuration,
    Time,
    YearsMonthsDuration,
    civil_of_days,
    days_in_month,
)

MAX_OFFSET = 18 * 3600
MAX_DURATION_MONTHS = 12 * (2 * MAX_YEAR + 1)
MAX_DURATION_NANOS = 2**63 * NANOS

_DATE = re.compile(r"(-?)(\d{4}|[1-9]\d{4,8})-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d*))?"
    r"(?:(Z)|([+-])(\d\d):(\d\d)(?::(\d\d))?(\[[A-Za-z0-9_+\-/]+\])?|@([A-Za-z0-9_+\-/]+))?",
    re.ASCII,
)
_DAYS_TIME = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d*))?S)?)?", re.ASCII)
_YEARS_MONTHS = re.compile(r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?", re.ASCII)
_MAX_TEXT = 200


def make_date(year: int, month: int, day: int) -> Date | None:
    """A date, or None if there is no such day."""
    if not (-MAX_YEAR <= year <= MAX_YEAR and 1 <= month <= 12 and 1 <= day <= days_in_month(year, month)):
        return None
    return Date(year, month, day)


def date_of_days(days: int) -> Date | None:
    """The date so many days after 1970-01-01, None outside the year range."""
    year, month, day = civil_of_days(days)
    return Date(year, month, day) if -MAX_YEAR <= year <= MAX_YEAR else None


def parse_date(text: str) -> Date | None:
    """A date such as 2021-02-28."""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    sign, year, month, day = match.groups()
    return make_date(-int(year) if sign else int(year), int(month), int(day))


def parse_time(text: str) -> Time | None:
    """A time such as 10:30:00, 10:30:00.5+02:00, 10:30:00Z, 10:30:00@Europe/Paris or 10:30:00+02:00[Europe/Paris]."""
    match = _TIME.fullmatch(text) if len(text) <= _MAX_TEXT else None
    if match is None:
        return None
    hour, minute, second, fraction, utc, sign, off_h, off_m, off_s, region, at_zone = match.groups()
    zone = at_zone or (region[1:-1] if region else None)
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        return None
    nanos = (int(hour) * 3600 + int(minute) * 60 + int(second)) * NANOS + _fraction_nanos(fraction)
    if zone is not None:
        return Time(nanos, None, zone) if zone_info(zone) is not None else None
    if utc:
        return Time(nanos, 0)
    if sign is None:
        return Time(nanos)
    offset = int(off_h) * 3600 + int(off_m) * 60 + int(off_s or 0)
    if int(off_m) > 59 or int(off_s or 0) > 59 or offset > MAX_OFFSET:
        return None
    return Time(nanos, -offset if sign == "-" else offset)


def _fraction_nanos(fraction: str | None) -> int:
    return int(fraction[:9].ljust(9, "0")) if fraction else 0


def parse_date_time(text: str) -> DateTime | None:
    """A date and time such as 2021-02-28T10:30:00Z; a date alone means its midnight, hour 24 the next one."""
    head, separator, tail = text.partition("T")
    date = parse_date(head)
    if date is None:
        return None
    if not separator:
        return DateTime(date, Time(0))
    if re.match(r"24:00:00(\.0*)?(?![.\d])", tail):
        next_day, midnight = date_of_days(date.days() + 1), parse_time("00" + tail[2:])
        return DateTime(next_day, midnight) if next_day and midnight else None
    time = parse_time(tail)
    return DateTime(date, time) if time is not None else None


def parse_duration(text: str) -> DaysTimeDuration | YearsMonthsDuration | None:
    """A duration such as P1DT2H, PT0.5S, P1Y2M, -P3M."""
    if len(text) > _MAX_TEXT:
        return None
    match = _YEARS_MONTHS.fullmatch(text)
    if match and (match[2] or match[3]):
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return YearsMonthsDuration(-months if match[1] else months) if months <= MAX_DURATION_MONTHS else None
    match = _DAYS_TIME.fullmatch(text)
    if match is None or text.endswith("T") or not any(match.group(2, 3, 4, 5)):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.group(2, 3, 4, 5))
    nanos = (days * 86_400 + hours * 3600 + minutes * 60 + seconds) * NANOS + _fraction_nanos(match[6])
    return days_time(-nanos if match[1] else nanos)


def days_time(nanos: int) -> DaysTimeDuration | None:
    """A days and time duration, None where it is out of range."""
    return DaysTimeDuration(nanos) if abs(nanos) <= MAX_DURATION_NANOS else None


def years_months(months: int) -> YearsMonthsDuration | None:
    """A years and months duration, None where it is out of range."""
    return YearsMonthsDuration(months) if abs(months) <= MAX_DURATION_MONTHS else None


def parse_temporal(text: str) -> object:
    """What an @"..." literal denotes: a duration, a date, a time or a date and time; None if nothing of these."""
    if "P" in text[:2]:
        return parse_duration(text)
    if "T" in text:
        return parse_date_time(text)
    return parse_date(text) or parse_time(text)


@lru_cache(maxsize=512)
def zone_info(zone: str) -> ZoneInfo | None:
    """The rules of a zone id such as Europe/Paris, None where it is unknown."""
    try:
        return ZoneInfo(zone)
    except Exception:  # zoneinfo raises ValueError, KeyError, OSError alike for names that are no zones
        return None


def offset_at(date: Date, time: Time) -> int | None:
    """Seconds east of UTC of a local date and time, None where it has neither offset nor zone."""
    if time.zone is None:
        return time.offset
    zone = zone_info(time.zone)
    if zone is None:
        return None
    year = date.year
    if year > 9990:
        year = 9600 + year % 380 if days_in_month(year, 2) == 28 else 9600
    elif year < 2:
        year = 401 if days_in_month(year, 2) == 28 else 400
    second = time.nanos // NANOS
    local = dt.datetime(year, date.month, date.day, second // 3600, second // 60 % 60, second % 60, tzinfo=zone)
    offset = local.utcoffset()
    return int(offset.total_seconds()) if offset is not None else None


_REFERENCE_DAY = Date(2000, 1, 1)


def time_offset(time: Time) -> int | None:
    """The offset of a time of day; a zone's is its standard one (that of 2000-01-01, the zone having no date here)."""
    return offset_at(_REFERENCE_DAY, time)


def local_nanos(value: DateTime) -> int:
    """Nanoseconds from 1970-01-01T00:00 to the value, both read on the local clock."""
    return value.date.days() * DAY_NANOS + value.time.nanos


def instant_nanos(value: DateTime) -> int:
    """Nanoseconds since 1970-01-01T00:00Z; a value without offset or zone counts as UTC."""
    return local_nanos(value) - (offset_at(value.date, value.time) or 0) * NANOS


def from_local_nanos(nanos: int, like: Time) -> DateTime | None:
    """The date and time at a local clock count, with the offset or zone of `like`."""
    days, rest = divmod(nanos, DAY_NANOS)
    date = date_of_days(days)
    return DateTime(date, Time(rest, like.offset, like.zone)) if date is not None else None


def add_nanos(value: DateTime, nanos: int) -> DateTime | None:
    """A date and time so much later; with a zone, elapsed time counts (as across a change of the clock)."""
    if value.time.zone is None:
        return from_local_nanos(local_nanos(value) + nanos, value.time)
    return _on_clock(instant_nanos(value) + nanos, value.time.zone)


def in_zone(value: DateTime, zone: str) -> DateTime | None:
    """The same moment on the clock of a zone; a value without offset or zone counts as UTC."""
    return _on_clock(instant_nanos(value), zone)


def _on_clock(instant: int, zone_id: str) -> DateTime | None:
    zone = zone_info(zone_id)
    days, rest = divmod(instant, DAY_NANOS)
    date = date_of_days(days)
    if date is None or zone is None:
        return None
    if 2 <= date.year <= 9990:
        moment = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=days, seconds=rest // NANOS)
        found = moment.astimezone(zone).utcoffset()
        offset = int(found.total_seconds()) if found is not None else 0
    else:
        offset = offset_at(date, Time(rest, None, zone_id)) or 0
    return from_local_nanos(instant + offset * NANOS, Time(0, None, zone_id))


def add_months(date: Date, months: int) -> Date | None:
    """A date so many months later; the day is cut to the month's last."""
    total = date.year * 12 + date.month - 1 + months
    year, month = divmod(total, 12)
    if not -MAX_YEAR <= year <= MAX_YEAR:
        return None
    return Date(year, month + 1, min(date.day, days_in_month(year, month + 1)))


def months_between(start: Date | DateTime, end: Date | DateTime) -> int:
    """Whole months from start to end, towards zero (years and months duration(); dates only decide)."""
    first = start.date if isinstance(start, DateTime) else start
    last = end.date if isinstance(end, DateTime) else end
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        return months - 1
    if months < 0 and last.day > first.day:
        return months + 1
    return months


def format_date(date: Date) -> str:
    """ISO text of a date; years beyond 9999 have more digits."""
    sign = "-" if date.year < 0 else ""
    return f"{sign}{abs(date.year):04d}-{date.month:02d}-{date.day:02d}"


def format_time(time: Time) -> str:
    """ISO text of a time, with its offset, Z or @zone."""
    second, nanos = divmod(time.nanos, NANOS)
    text = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
    if nanos:
        text += f".{nanos:09d}".rstrip("0")
    if time.zone is not None:
        return f"{text}@{time.zone}"
    return text if time.offset is None else text + format_offset(time.offset)


def format_offset(offset: int) -> str:
    """Z, +02:00, -02:45:55."""
    if offset == 0:
        return "Z"
    size = abs(offset)
    text = f"{'-' if offset < 0 else '+'}{size // 3600:02d}:{size // 60 % 60:02d}"
    return f"{text}:{size % 60:02d}" if size % 60 else text


def format_date_time(value: DateTime) -> str:
    """ISO text of a date and time."""
    return f"{format_date(value.date)}T{format_time(value.time)}"


def format_duration(value: DaysTimeDuration | YearsMonthsDuration) -> str:
    """ISO text of a duration, in its shortest form: P1DT2H, PT0S, P1Y2M, P0M."""
    if isinstance(value, YearsMonthsDuration):
        years, months = divmod(abs(value.months), 12)
        body = (f"{years}Y" if years else "") + (f"{months}M" if months or not years else "")
        return f"{'-' if value.months < 0 else ''}P{body}"
    seconds, nanos = divmod(abs(value.nanos), NANOS)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{seconds}{fraction}S" if seconds or nanos else ""
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{'-' if value.nanos < 0 else ''}P{text or 'T0S'}"


def from_datetime(value: dt.datetime) -> DateTime:
    """A Python datetime as a FEEL date and time; a zoneinfo zone keeps its id."""
    zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
    offset = value.utcoffset()
    seconds = int(offset.total_seconds()) if offset is not None and zone is None else None
    return DateTime(Date(value.year, value.month, value.day), Time(_nanos_of(value), seconds, zone))


def from_time(value: dt.time) -> Time:
    """A Python time as a FEEL time."""
    offset = value.utcoffset()
    return Time(_nanos_of(value), int(offset.total_seconds()) if offset is not None else None)


def _nanos_of(value: dt.datetime | dt.time) -> int:
    return ((value.hour * 60 + value.minute) * 60 + value.second) * NANOS + value.microsecond * 1000


def from_timedelta(value: dt.timedelta) -> DaysTimeDuration:
    """A Python timedelta as a days and time duration."""
    return DaysTimeDuration((value.days * 86_400 + value.seconds) * NANOS + value.microseconds * 1000)
