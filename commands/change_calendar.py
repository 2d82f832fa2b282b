"""DefineCalendar, UpdateCalendar, DeleteCalendar: business calendars, in force at once, every version in the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import CALENDAR, Command, Context, Handler, Route, Stream, StreamRef
from domain.calendar.events import CalendarDeleted, calendar_stream, defined
from domain.calendar.model import Calendar, Hours, MakeUpDay, check_calendar
from domain.errors import AlreadyExists, InvalidState, NotFound


class DefineCalendar(Command, frozen=True, kw_only=True):
    """A calendar that does not exist yet. week: seven lists, Monday first."""

    calendar_id: str
    zone: str
    week: list[list[Hours]]
    name: str = ""
    holidays: dict[str, str] = {}
    make_up_days: dict[str, MakeUpDay] = {}
    day_minutes: int = 0


class UpdateCalendar(Command, frozen=True, kw_only=True):
    """None leaves a field as it is. add_holidays: put in beside those that are there; expected_version: refuse if the
    calendar is of another version (0: any)."""

    calendar_id: str
    zone: str | None = None
    week: list[list[Hours]] | None = None
    name: str | None = None
    holidays: dict[str, str] | None = None
    make_up_days: dict[str, MakeUpDay] | None = None
    day_minutes: int | None = None
    add_holidays: dict[str, str] = {}
    expected_version: int = 0


class DeleteCalendar(Command, frozen=True, kw_only=True):
    """Waits that are open keep their deadlines."""

    calendar_id: str


class CalendarVersion(msgspec.Struct, frozen=True):
    """The calendar as it is in force now."""

    calendar: Calendar


def streams(command: Any, context: Context, _route: Route) -> Sequence[StreamRef]:
    """The calendar's stream."""
    return (StreamRef(CALENDAR, calendar_stream(context.meta.tenant, command.calendar_id)),)


def _define(stream: Stream, context: Context, calendar: Calendar) -> CalendarVersion:
    checked = check_calendar(calendar)
    stream.emit(defined(checked, stream.state.version + 1, context.new_key()))
    return CalendarVersion(stream.state.calendar)


def decide_define(command: DefineCalendar, context: Context, streams: Sequence[Stream]) -> CalendarVersion:
    """The first version, or the next after the calendar was deleted."""
    (stream,) = streams
    if stream.state.calendar is not None:
        raise AlreadyExists(f"there is a calendar '{command.calendar_id}' already; change it, or choose another id")
    values = (command.name, command.holidays, command.make_up_days, command.day_minutes)
    return _define(stream, context, Calendar(command.calendar_id, command.zone, command.week, *values))


def decide_update(command: UpdateCalendar, context: Context, streams: Sequence[Stream]) -> CalendarVersion:
    """The next version, unless nothing changes."""
    (stream,) = streams
    before = _existing(stream, command.calendar_id)
    if command.expected_version and command.expected_version != before.version:
        raise InvalidState(
            f"the calendar '{before.id}' is at version {before.version}, not {command.expected_version}; "
            "somebody changed it meanwhile: look at it again"
        )
    names = ("zone", "week", "name", "holidays", "make_up_days", "day_minutes")
    changes = {name: value for name in names if (value := getattr(command, name)) is not None}
    if command.add_holidays:
        worked = before.make_up_days if command.make_up_days is None else command.make_up_days
        added = {day: name for day, name in command.add_holidays.items() if day not in worked}
        changes["holidays"] = {**changes.get("holidays", before.holidays), **added}
    after = check_calendar(msgspec.structs.replace(before, **changes))
    return CalendarVersion(before) if after == before else _define(stream, context, after)


def decide_delete(command: DeleteCalendar, context: Context, streams: Sequence[Stream]) -> None:
    """The calendar is gone; its stream stays."""
    (stream,) = streams
    _existing(stream, command.calendar_id)
    stream.emit(CalendarDeleted(command.calendar_id, stream.state.version + 1, context.new_key()))


def _existing(stream: Stream, calendar_id: str) -> Calendar:
    calendar: Calendar | None = stream.state.calendar
    if calendar is None:
        raise NotFound(f"there is no calendar '{calendar_id}'")
    return calendar


DEFINE = Handler(streams, decide_define, CalendarVersion)
UPDATE = Handler(streams, decide_update, CalendarVersion)
DELETE = Handler(streams, decide_delete)
