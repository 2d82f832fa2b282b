"""Cron expressions in Spring's form, as Camunda 8 takes them for timer cycles: six fields, in UTC.

    second minute hour day-of-month month day-of-week        0 0 9-17 * * MON-FRI

Each field takes *, ?, numbers, names (JAN, MON), ranges, lists and steps; day-of-week 0 and 7 are Sunday. A day fits
when day-of-month and day-of-week both fit. Macros: @yearly, @monthly, @weekly, @daily, @hourly.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from domain.errors import InvalidArgument

MACROS = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
MONTHS = {name: number for number, name in enumerate("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(), 1)}
WEEKDAYS = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split())}
FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("day of week", 0, 7, WEEKDAYS),
)
HORIZON_DAYS = 366 * 5
"""A day that does not come within five years (30 February) never comes."""


class Cron(NamedTuple):
    """The values that fit, by field, ascending."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: datetime) -> datetime | None:
        """The first fitting second after `moment` (aware, UTC); None if none comes within five years."""
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
        day = moment.replace(hour=0, minute=0, second=0)
        for _ in range(HORIZON_DAYS):
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays:
                found = self._within(day, moment)
                if found is not None:
                    return found
            day += timedelta(days=1)
        return None

    def _within(self, day: datetime, earliest: datetime) -> datetime | None:
        for hour in self.hours:
            if day.replace(hour=hour, minute=59, second=59) < earliest:
                continue
            for minute in self.minutes:
                if day.replace(hour=hour, minute=minute, second=59) < earliest:
                    continue
                for second in self.seconds:
                    found = day.replace(hour=hour, minute=minute, second=second)
                    if found >= earliest:
                        return found
        return None


@lru_cache(maxsize=1024)
def parse_cron(text: str) -> Cron:
    """A cron expression. Raises InvalidArgument that names the field that is wrong."""
    parts = MACROS.get(text.strip().lower(), text).split()
    if len(parts) != len(FIELDS):
        raise InvalidArgument(
            f"'{text}' is not a cron expression: six fields are expected (second minute hour day month weekday)"
        )
    fits = [_field(text, part, *field) for part, field in zip(parts, FIELDS, strict=True)]
    weekdays = {day % 7 for day in fits[5]}
    ascending = [tuple(sorted(values)) for values in fits[:3]]
    return Cron(ascending[0], ascending[1], ascending[2], frozenset(fits[3]), frozenset(fits[4]), frozenset(weekdays))


def _field(text: str, part: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    def number(token: str) -> int:
        value = names.get(token.upper())
        if value is None:
            if not token.isascii() or not token.isdigit() or not low <= int(token) <= high:
                raise InvalidArgument(f"'{text}' is not a cron expression: {name} '{part}' must lie in {low}-{high}")
            value = int(token)
        return value

    fits: set[int] = set()
    for item in part.split(","):
        span, _, step_text = item.partition("/")
        step = int(step_text) if step_text.isascii() and step_text.isdigit() else 1
        if (step_text and not step_text.isdigit()) or step < 1:
            raise InvalidArgument(f"'{text}' is not a cron expression: the step in {name} '{part}' must be 1 or more")
        if span in ("*", "?"):
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = number(start)
            last = number(end) if dash else (high if step_text else first)
        if first > last:
            raise InvalidArgument(f"'{text}' is not a cron expression: the range in {name} '{part}' runs backwards")
        fits.update(range(first, last + 1, step))
    return fits


def next_cron(text: str, after_us: int) -> int:
    """The next time of a cron expression after `after_us`, both in µs since the Unix epoch; 0 if there is none."""
    found = parse_cron(text).after(datetime.fromtimestamp(after_us / 1_000_000, UTC))
    return 0 if found is None else int(found.timestamp()) * 1_000_000
