"""What can happen to a business calendar: one event stream per (tenant, calendar id), every version whole."""

from __future__ import annotations

from typing import ClassVar, assert_never, cast
from uuid import UUID, uuid5

import msgspec

from domain.calendar.model import Calendar, MakeUpDay, read_hours, write_hours
from domain.events import REGISTRY, Event

CALENDAR = "calendar"
_NAMESPACE = UUID("0c6a7e0e-8f43-5f0d-9a34-27b6a1f5b8c2")


def calendar_stream(tenant: str, calendar_id: str) -> UUID:
    """The originator id of a calendar's stream."""
    return uuid5(_NAMESPACE, f"{CALENDAR}:{tenant}:{calendar_id}")


class CalendarDefined(Event, frozen=True):
    """A version of a calendar is in force from now on. week: working hours ("09:00-18:00") by weekday, Monday first;
    holidays: date → name; make_up_days: date → working hours; day_minutes: of "1 working day" (0: as most weekdays)."""

    topic: ClassVar[str] = "calendar.defined.1"
    calendar_id: str
    version: int
    calendar_key: int
    zone: str
    week: list[list[str]]
    holidays: dict[str, str]
    make_up_days: dict[str, list[str]]
    make_up_names: dict[str, str]
    name: str = ""
    day_minutes: int = 0


class CalendarDeleted(Event, frozen=True):
    """The calendar is in force no more; deadlines that were computed with it stay."""

    topic: ClassVar[str] = "calendar.deleted.1"
    calendar_id: str
    version: int
    calendar_key: int


class CalendarStream(msgspec.Struct):
    """The state: the calendar in force (None: there is none, or it was deleted) and how many versions there were."""

    calendar: Calendar | None = None
    version: int = 0


def evolve(state: CalendarStream, event: Event, at: int = 0) -> None:
    """Apply one event."""
    happened = cast("CalendarDefined | CalendarDeleted", event)
    match happened:
        case CalendarDefined():
            state.version = happened.version
            state.calendar = _calendar(happened)
        case CalendarDeleted():
            state.version = happened.version
            state.calendar = None
        case _:
            assert_never(happened)


def defined(calendar: Calendar, version: int, key: int) -> CalendarDefined:
    """The event that puts a (checked) calendar in force."""
    return CalendarDefined(
        calendar.id,
        version,
        key,
        calendar.zone,
        [[write_hours(hours) for hours in day] for day in calendar.week],
        calendar.holidays,
        {day: [write_hours(hours) for hours in made_up.hours] for day, made_up in calendar.make_up_days.items()},
        {day: made_up.name for day, made_up in calendar.make_up_days.items() if made_up.name},
        calendar.name,
        calendar.day_minutes,
    )


def _calendar(event: CalendarDefined) -> Calendar:
    return Calendar(
        event.calendar_id,
        event.zone,
        [[read_hours(text, "week") for text in day] for day in event.week],
        event.name,
        event.holidays,
        {
            day: MakeUpDay([read_hours(text, day) for text in hours], event.make_up_names.get(day, ""))
            for day, hours in event.make_up_days.items()
        },
        event.day_minutes,
        event.version,
    )


EVENTS: tuple[type[Event], ...] = (CalendarDefined, CalendarDeleted)
REGISTRY.register(EVENTS)
