"""When timers fire: ISO 8601 dates, durations and repeating intervals, and cron cycles (BPMN 2.0 §10.5.5).

Times are µs since the Unix epoch, UTC. A moment without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from domain.bpmn.model import TimerKind
from domain.cron import next_cron, parse_cron
from domain.errors import InvalidArgument

SECOND = 1_000_000
ENDLESS = -1

_DURATION = re.compile(
    r"(?P<sign>-)?P(?!$)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:[.,](?P<fraction>\d{1,9})\d*)?S)?)?"
)
_CYCLE = re.compile(r"R(?P<times>\d*)/(?:(?P<start>[^/]+)/)?(?P<interval>-?P[^/]+)")
_OFFSET = re.compile(r"\[[^\]]*\]$")


class Schedule(NamedTuple):
    """A timer's first time, how often it may fire (-1: endless) and the cycle for the next ("" for one shot)."""

    due: int
    remaining: int
    cycle: str


class Duration(NamedTuple):
    """An ISO 8601 duration: calendar months and exact microseconds."""

    months: int
    microseconds: int

    def add_to(self, moment: int) -> int:
        """The moment (µs) this much later; the day is cut to the month's last where needed."""
        if not self.months:
            return moment + self.microseconds
        start = to_datetime(moment)
        month = start.year * 12 + start.month - 1 + self.months
        year, month = divmod(month, 12)
        if not 1 <= year < 9999:
            raise InvalidArgument("the duration leads out of the years 1 to 9998")
        last = ((start.replace(year=year, month=month + 1, day=28) + timedelta(days=4)).replace(day=1)) - timedelta(
            days=1
        )
        return to_micros(last.replace(day=min(start.day, last.day))) + self.microseconds


def to_datetime(moment: int) -> datetime:
    """The aware UTC datetime of a time in µs."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)


def to_micros(moment: datetime) -> int:
    """µs since the Unix epoch of an aware datetime, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def parse_duration(text: str) -> Duration:
    """An ISO 8601 duration such as PT15M, P1D or P1M. Raises InvalidArgument."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or len(text) > 100:
        raise InvalidArgument(f"'{text}' is not an ISO 8601 duration, such as PT15M or P1D")
    part = {
        name: int(value) if value else 0
        for name, value in match.groupdict().items()
        if name not in ("sign", "fraction")
    }
    micros = int((match["fraction"] or "").ljust(6, "0")[:6])
    seconds = ((part["weeks"] * 7 + part["days"]) * 24 + part["hours"]) * 3600 + part["minutes"] * 60 + part["seconds"]
    sign = -1 if match["sign"] else 1
    return Duration(sign * (part["years"] * 12 + part["months"]), sign * (seconds * SECOND + micros))


def parse_moment(text: str) -> int:
    """An ISO 8601 date and time (or a date alone) in µs. Raises InvalidArgument."""
    try:
        moment = datetime.fromisoformat(_OFFSET.sub("", text.strip()))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return to_micros(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidArgument(f"'{text}' is not an ISO 8601 date and time, such as 2026-11-23T09:00:00Z") from error


def parse_timer_text(kind: TimerKind, text: str) -> None:
    """Check a literal timer value. Raises InvalidArgument that says what would be right."""
    schedule(kind, text, 0)


def schedule(kind: TimerKind, text: str, now: int) -> Schedule:
    """When a timer that starts `now` fires first. Raises InvalidArgument for what is no date, duration or cycle."""
    match kind:
        case TimerKind.DATE:
            return Schedule(parse_moment(text), 1, "")
        case TimerKind.DURATION:
            return Schedule(parse_duration(text).add_to(now), 1, "")
        case TimerKind.CYCLE:
            return _cycle(text.strip(), now)


def _cycle(text: str, now: int) -> Schedule:
    if not text.startswith("R"):
        parse_cron(text)
        due = next_cron(text, now)
        if not due:
            raise InvalidArgument(f"the cron expression '{text}' never fires")
        return Schedule(due, ENDLESS, text)
    match = _CYCLE.fullmatch(text)
    if match is None or len(match["times"]) > 9:
        raise InvalidArgument(
            f"'{text}' is not a cycle, such as R3/PT10M, R/P1D or the cron expression 0 0 9 * * MON-FRI"
        )
    interval = parse_duration(match["interval"])
    if interval.months <= 0 and interval.microseconds <= 0:
        raise InvalidArgument(f"the interval of the cycle '{text}' must be longer than nothing")
    due = parse_moment(match["start"]) if match["start"] else interval.add_to(now)
    return Schedule(due, int(match["times"]) if match["times"] else ENDLESS, match["interval"])


def next_due(cycle: str, fired: int, now: int, remaining: int) -> int:
    """The time after `fired` in a cycle. An endless cycle that fell behind (the engine was down) skips what it missed;
    a counted one fires as often as it was told."""
    if not cycle.startswith(("P", "-P")):
        return next_cron(cycle, max(fired, now))
    interval = parse_duration(cycle)
    due = interval.add_to(fired)
    if remaining == ENDLESS and due <= now:
        if interval.months:
            while due <= now:
                due = interval.add_to(due)
        else:
            due += ((now - due) // interval.microseconds + 1) * interval.microseconds
    return due
