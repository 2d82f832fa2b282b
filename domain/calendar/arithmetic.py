"""Working time, exactly: adding it to a moment, taking it off, and how much of it lies between two moments.

A moment (µs since the Unix epoch, UTC) is working time when the clock on the wall of the calendar's zone shows a time
within the working hours of the date that it shows. So an hour that summer time skips is no working time, and one that
the end of summer time repeats counts twice: people are there for both.

    Clockwork(calendar).add(moment, 4 * HOUR)       the first moment by which that much working time has passed
    Clockwork(calendar).subtract(moment, 4 * HOUR)  the last moment from which that much is left until then
    Clockwork(calendar).between(start, end)         working time in [start, end); negative where end < start
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from domain.calendar.model import Calendar, zone_of
from domain.errors import InvalidArgument

MICRO = 1_000_000
MINUTE = 60 * MICRO
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MAX_DAYS = 366 * 30
"""Days that a search for working time looks through: a limit beyond thirty years is a mistake."""
MAX_CACHED = 4_000
FIRST_MOMENT = -(1 << 56)
LAST_MOMENT = 1 << 57
"""Moments that are calculated with (the years -313 to 6536, cut by `datetime` to 1 to 9999)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_PROBE = 6 * HOUR
"""Zones do not change twice within it."""
_WESTMOST, _EASTMOST = -16 * HOUR, 16 * HOUR


class Span(NamedTuple):
    """Working time without a break: [start, end) in µs UTC."""

    start: int
    end: int


class Clockwork:
    """A calendar at work; keeps the spans of days that were looked at. Threads may share it."""

    __slots__ = ("_spans", "_zone", "calendar")

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self._zone = zone_of(calendar.zone)
        self._spans: dict[int, list[Span]] = {}

    def add(self, moment: int, duration: int) -> int:
        """The first moment by which `duration` (µs ≥ 0) of working time has passed since `moment`; `moment` itself
        for 0. Raises InvalidArgument where the calendar has no such moment within thirty years."""
        if duration <= 0:
            return moment
        left = duration
        first = self._day_of(moment)
        for day in range(first - 1, first + MAX_DAYS):
            for span in self.spans(day):
                start = max(span.start, moment)
                if start >= span.end:
                    continue
                if span.end - start >= left:
                    return start + left
                left -= span.end - start
        raise self._nothing()

    def subtract(self, moment: int, duration: int) -> int:
        """The last moment from which `duration` (µs ≥ 0) of working time is left until `moment`. Raises as `add`."""
        if duration <= 0:
            return moment
        left = duration
        last = self._day_of(moment)
        for day in range(last + 1, last - MAX_DAYS, -1):
            for span in reversed(self.spans(day)):
                end = min(span.end, moment)
                if end <= span.start:
                    continue
                if end - span.start >= left:
                    return end - left
                left -= end - span.start
        raise self._nothing()

    def between(self, start: int, end: int) -> int:
        """The working time in [start, end), in µs; the negative of it where end < start."""
        if end < start:
            return -self.between(end, start)
        first, last = self._day_of(start), self._day_of(end)
        if last - first > MAX_DAYS:
            raise InvalidArgument("working time is counted over at most thirty years")
        total = 0
        for day in range(first - 1, last + 2):
            for span in self.spans(day):
                total += max(min(span.end, end) - max(span.start, start), 0)
        return total

    def spans(self, day: int) -> list[Span]:
        """The working time of a local date (its ordinal), in order of time."""
        known = self._spans.get(day)
        if known is None:
            if len(self._spans) >= MAX_CACHED:
                self._spans.clear()
            known = self._spans[day] = self._spans_of(day)
        return known

    def _spans_of(self, day: int) -> list[Span]:
        if not date.min.toordinal() + 2 <= day <= date.max.toordinal() - 2:
            return []
        hours = self.calendar.hours_on(date.fromordinal(day))
        if not hours:
            return []
        midnight = (day - _EPOCH_DAY) * DAY
        spans: list[Span] = []
        for start, end, offset in self._pieces(midnight + _WESTMOST, midnight + DAY + _EASTMOST):
            for each in hours:
                first = max(midnight + each.start * MINUTE - offset, start)
                last = min(midnight + each.end * MINUTE - offset, end)
                if first < last:
                    spans.append(Span(first, last))
        spans.sort()
        return spans

    def _pieces(self, start: int, end: int) -> list[tuple[int, int, int]]:
        """[start, end) cut where the zone's offset changes: (start, end, offset) in µs."""
        pieces: list[tuple[int, int, int]] = []
        begin, offset = start, self._offset(start)
        at = start
        while at < end:
            following = min(at + _PROBE, end)
            other = self._offset(following)
            if other != offset:
                change = self._change_between(at, following, offset)
                pieces.append((begin, change, offset))
                begin, offset = change, other
            at = following
        pieces.append((begin, end, offset))
        return pieces

    def _change_between(self, low: int, high: int, offset: int) -> int:
        """The first second at which the offset is no longer `offset`, by bisection."""
        while high - low > MICRO:
            middle = (low + high) // 2 // MICRO * MICRO
            if self._offset(middle) == offset:
                low = middle
            else:
                high = middle
        return high

    def _offset(self, moment: int) -> int:
        local = (_EPOCH + timedelta(microseconds=moment)).astimezone(self._zone)
        offset = local.utcoffset()
        assert offset is not None
        return offset // timedelta(microseconds=1)

    def _day_of(self, moment: int) -> int:
        """The ordinal of the local date at a moment."""
        if not FIRST_MOMENT <= moment <= LAST_MOMENT:
            raise InvalidArgument("the moment lies outside the years that calendars reach")
        try:
            return (_EPOCH + timedelta(microseconds=moment)).astimezone(self._zone).toordinal()
        except OverflowError:
            raise InvalidArgument("the moment lies outside the years 1 to 9999") from None

    def _nothing(self) -> InvalidArgument:
        return InvalidArgument(
            f"the calendar '{self.calendar.id}' does not have that much working time within thirty years; "
            "check the duration and the calendar's working hours"
        )
