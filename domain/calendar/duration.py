"""What the text of a time limit means.

    limit    = ISO 8601 duration          PT4H, P1D, P1M       clock time: nights, weekends and holidays count
             | amount, one or more        1 working day        working time of the calendar
    amount   = number, unit               0.5 working day, 4 working hours, 1 working day 2 working hours
    unit     = working day(s) | working hour(s) | working minute(s) | [个] 工作日 | 工作天 | 工作小时 | 工作分钟
    share    = number "%"                 20%                  of the limit that it belongs to (warnBefore only)

"1 working day" is as long as the calendar says (`Calendar.working_day`), so half a day and a day add up to one and a
half, whatever weekday it is. Numbers have up to six digits and six decimals.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from domain.bpmn.timers import Duration, parse_duration
from domain.calendar.arithmetic import MINUTE, Clockwork
from domain.errors import InvalidArgument

MAX_TEXT = 200
MAX_LEVELS = 20
EXPECTED = (
    "write an ISO 8601 duration such as 'PT4H' (clock time), "
    "or working time such as '1 working day', '4 working hours', '0.5 工作日'"
)

_AMOUNT = re.compile(
    r"\s*(?:and\s+|,\s*)?(\d{1,6}(?:\.\d{1,6})?)\s*"
    r"(?:working[\s-]*(day|hour|minute)s?(?![a-z])|个?\s*工作(日|天|小时|分钟))\s*",
    re.IGNORECASE,
)
_SHARE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?)\s*%")
_UNITS = {"day": "day", "日": "day", "天": "day", "hour": "hour", "小时": "hour", "minute": "minute", "分钟": "minute"}


class Limit(NamedTuple):
    """A duration: either `clock`, or working time of `days` and `minutes`; or a `share` of another (0 to 1)."""

    clock: Duration | None = None
    days: Fraction = Fraction(0)
    minutes: Fraction = Fraction(0)
    share: Fraction | None = None

    def working(self, clockwork: Clockwork) -> int:
        """The working time in µs."""
        return round((self.days * clockwork.calendar.working_day + self.minutes) * MINUTE)

    def after(self, moment: int, clockwork: Clockwork) -> int:
        """The moment (µs) this much later. Raises InvalidArgument where the calendar has none."""
        if self.clock is not None:
            return self.clock.add_to(moment)
        return clockwork.add(moment, self.working(clockwork))

    def before(self, moment: int, clockwork: Clockwork) -> int:
        """The moment (µs) this much earlier. Raises InvalidArgument where the calendar has none."""
        if self.clock is not None:
            return Duration(-self.clock.months, -self.clock.microseconds).add_to(moment)
        return clockwork.subtract(moment, self.working(clockwork))


@lru_cache(maxsize=1024)
def parse_limit(text: str) -> Limit:
    """The limit that a text means. Raises InvalidArgument that says what would be right."""
    stripped = text.strip()
    if len(stripped) > MAX_TEXT:
        raise InvalidArgument(f"a time limit has at most {MAX_TEXT} characters")
    if stripped[:1] in ("P", "p", "-", "+"):
        return _clock(stripped)
    total = {"day": Fraction(0), "minute": Fraction(0)}
    at = 0
    while at < len(stripped):
        match = _AMOUNT.match(stripped, at)
        if match is None:
            raise InvalidArgument(f"'{text}' is not a time limit: {EXPECTED}")
        unit = _UNITS[(match[2] or match[3]).lower()]
        amount = Fraction(match[1])
        total["minute" if unit == "hour" else unit] += amount * 60 if unit == "hour" else amount
        at = match.end()
    if not any(total.values()):
        raise InvalidArgument(f"the time limit '{text}' must be longer than nothing: {EXPECTED}")
    return Limit(days=total["day"], minutes=total["minute"])


def _clock(text: str) -> Limit:
    try:
        clock = parse_duration(text.upper())
    except InvalidArgument:
        raise InvalidArgument(f"'{text}' is not a time limit: {EXPECTED}") from None
    if clock.months < 0 or clock.microseconds < 0 or clock == (0, 0):
        raise InvalidArgument(f"the time limit '{text}' must be longer than nothing: {EXPECTED}")
    return Limit(clock)


def parse_warning(text: str) -> Limit:
    """How long before its end a limit warns: a share of it, such as 20%, or a duration. Raises InvalidArgument."""
    match = _SHARE.fullmatch(text.strip())
    if match is None:
        try:
            return parse_limit(text)
        except InvalidArgument as error:
            raise InvalidArgument(f"{error}, or a share of the limit such as '20%'") from None
    share = Fraction(match[1]) / 100
    if not 0 < share < 1:
        raise InvalidArgument(f"'{text}': a warning comes more than 0% and less than 100% of the limit before its end")
    return Limit(share=share)


def parse_levels(text: str) -> list[Limit]:
    """The escalation levels, each a duration after the limit's end, separated by commas. Raises InvalidArgument."""
    parts = text.split(",")
    if len(parts) > MAX_LEVELS:
        raise InvalidArgument(f"at most {MAX_LEVELS} escalation levels are kept, not {len(parts)}")
    return [parse_limit(part) for part in parts]


class Deadline(NamedTuple):
    """Moments in µs: due, warn_at (0: none), escalations ascending."""

    due: int
    warn_at: int
    escalations: list[int]


def deadline(
    start: int,
    limit: Limit | None,
    warning: Limit | None,
    levels: list[Limit],
    clockwork: Callable[[], Clockwork],
    due: int = 0,
) -> Deadline:
    """The deadline of a wait that began at `start`; `due`, where given, stands instead of the limit's end.

    A warning that would come before the start is left out. Raises InvalidArgument where the calendar has no such time.
    """
    if not due:
        assert limit is not None
        due = limit.after(start, clockwork())
    warn_at = 0
    if warning is not None and warning.share is not None:
        if limit is not None and limit.clock is None:
            whole = clockwork().between(start, due)
            warn_at = clockwork().subtract(due, round(whole * warning.share))
        else:
            warn_at = due - round((due - start) * warning.share)
    elif warning is not None:
        warn_at = warning.before(due, clockwork())
    return Deadline(due, warn_at if warn_at > start else 0, sorted(level.after(due, clockwork()) for level in levels))
