"""Business calendars, and the deadlines that they make."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.responses import Response

from api.bodies import Body, Name, Text
from api.call import Call, answer, done
from api.operations import Operation
from api.schemas import ITEM, PAGE_OF_ITEMS
from commands.change_calendar import DefineCalendar, DeleteCalendar, UpdateCalendar
from domain.bpmn.timers import parse_moment
from domain.calendar.arithmetic import MINUTE, Clockwork
from domain.calendar.duration import deadline, parse_levels, parse_limit, parse_warning
from domain.calendar.model import WEEKDAYS, Calendar, Hours, MakeUpDay, read_hours, write_hours
from domain.errors import InvalidArgument, NotFound
from projections.time import iso

Intervals = Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=24)]
MICROSECONDS_PER_MS = 1000


class Holiday(Body, frozen=True):
    """A date (YYYY-MM-DD) on which nobody works."""

    date: str
    name: Text = ""


class MakeUp(Body, frozen=True):
    """A date (YYYY-MM-DD) on which work is done, at these hours ("09:00-18:00")."""

    date: str
    working_hours: Intervals
    name: Text = ""


class CalendarBody(Body, frozen=True):
    """POST /calendars. workingHours: weekday ("monday") → hours such as "09:00-12:30"; a weekday left out is free."""

    calendar_id: Name
    time_zone: Name
    working_hours: dict[str, Intervals]
    name: Text = ""
    holidays: list[Holiday] = []
    make_up_days: list[MakeUp] = []
    working_day_minutes: Annotated[int, Meta(ge=1, le=1440)] | None = None


class CalendarChange(Body, frozen=True):
    """PATCH /calendars/{id}: what is left out stays. addHolidays come beside those that are there;
    expectedVersion: refuse if somebody changed the calendar meanwhile; workingDayMinutes 0: as most weekdays."""

    time_zone: Name | None = None
    working_hours: dict[str, Intervals] | None = None
    name: Text | None = None
    holidays: list[Holiday] | None = None
    make_up_days: list[MakeUp] | None = None
    working_day_minutes: Annotated[int, Meta(ge=0, le=1440)] | None = None
    add_holidays: list[Holiday] = []
    expected_version: Annotated[int, Meta(ge=0)] = 0


class CalendarFilter(Body, frozen=True):
    """Which calendars are wanted."""

    calendar_id: Text | None = None


class CalendarPage(Body, frozen=True):
    """How many, after how many."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    from_: Annotated[int, Meta(ge=0)] = msgspec.field(default=0, name="from")


class CalendarSearch(Body, frozen=True):
    """POST /calendars/search."""

    filter: CalendarFilter = CalendarFilter()
    page: CalendarPage = CalendarPage()


class DueBody(Body, frozen=True):
    """What a limit means. start: ISO 8601, now without it; the texts are those of flowledger:timeLimit."""

    duration: Name
    start: Text | None = None
    warn_before: Text | None = None
    escalate_after: Text | None = None


async def create_calendar(call: Call) -> Response:
    """Define a business calendar."""
    body = await call.body(CalendarBody)
    command = DefineCalendar(
        calendar_id=body.calendar_id,
        zone=body.time_zone,
        week=_week(body.working_hours),
        name=body.name,
        holidays=_holidays(body.holidays, "holidays"),
        make_up_days=_make_up_days(body.make_up_days),
        day_minutes=body.working_day_minutes or 0,
    )
    outcome = await call.execute(command)
    return answer(shown(outcome.result.calendar), outcome.position, 201)


async def get_calendar(call: Call) -> Response:
    """A calendar as it is in force."""
    return answer(shown(await _found(call)))


async def update_calendar(call: Call) -> Response:
    """Change a calendar, at once for all deadlines that are computed from now on."""
    body = await call.body(CalendarChange)
    command = UpdateCalendar(
        calendar_id=_id(call),
        zone=body.time_zone,
        week=None if body.working_hours is None else _week(body.working_hours),
        name=body.name,
        holidays=None if body.holidays is None else _holidays(body.holidays, "holidays"),
        make_up_days=None if body.make_up_days is None else _make_up_days(body.make_up_days),
        day_minutes=body.working_day_minutes,
        add_holidays=_holidays(body.add_holidays, "addHolidays"),
        expected_version=body.expected_version,
    )
    outcome = await call.execute(command)
    return answer(shown(outcome.result.calendar), outcome.position)


async def delete_calendar(call: Call) -> Response:
    """Delete a calendar; deadlines that were computed with it stay."""
    return done(await call.execute(DeleteCalendar(calendar_id=_id(call))))


async def search_calendars(call: Call) -> Response:
    """All calendars in force, by id; read from the log itself, so always up to date."""
    body = await call.optional_body(CalendarSearch)
    everything = await asyncio.to_thread(call.services.calendars.all, call.meta().tenant)
    wanted = [each for each in everything if body.filter.calendar_id in (None, each.id)]
    first = body.page.from_
    items = [shown(each) for each in wanted[first : first + body.page.limit]]
    page = {"totalItems": len(wanted), "hasMoreTotalItems": False, "startCursor": None, "endCursor": None}
    return answer({"items": items, "page": page})


async def compute_due(call: Call) -> Response:
    """The deadline that a time limit makes: due, when it warns, when it escalates, and the working time until then."""
    body = await call.body(DueBody)
    clockwork = Clockwork(await _found(call))
    start = call.services.clock.now() if body.start is None else parse_moment(body.start)
    limit = _read("duration", parse_limit, body.duration)
    warning = _read("warnBefore", parse_warning, body.warn_before) if body.warn_before else None
    levels = _read("escalateAfter", parse_levels, body.escalate_after) if body.escalate_after else []
    found = await asyncio.to_thread(deadline, start, limit, warning, levels, lambda: clockwork)
    return answer(
        {
            "start": _time(start),
            "dueDate": _time(found.due),
            "warnAt": _time(found.warn_at) if found.warn_at else None,
            "escalations": [_time(at) for at in found.escalations],
            "workingMinutes": clockwork.between(start, found.due) / MINUTE,
            "calendarId": clockwork.calendar.id,
            "calendarVersion": clockwork.calendar.version,
        }
    )


def _read(field: str, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except InvalidArgument as error:
        raise InvalidArgument(str(error), field) from error


def _time(moment: int) -> str:
    return iso(moment // MICROSECONDS_PER_MS)


def _id(call: Call) -> str:
    return str(call.request.path_params["calendarId"])


async def _found(call: Call) -> Calendar:
    calendar = await asyncio.to_thread(call.services.calendars.get, call.meta().tenant, _id(call))
    if calendar is None:
        raise NotFound(f"there is no calendar '{_id(call)}'")
    return calendar


def _week(hours: dict[str, list[str]]) -> list[list[Hours]]:
    for day in hours:
        if day not in WEEKDAYS:
            raise InvalidArgument(f"'{day}' is no weekday; they are {', '.join(WEEKDAYS)}", "workingHours")
    return [[read_hours(text, f"workingHours.{day}") for text in hours.get(day, ())] for day in WEEKDAYS]


def _holidays(given: list[Holiday], field: str) -> dict[str, str]:
    found = {each.date: each.name for each in given}
    _once(len(found), [each.date for each in given], field)
    return found


def _make_up_days(given: list[MakeUp]) -> dict[str, MakeUpDay]:
    found = {
        each.date: MakeUpDay([read_hours(text, f"makeUpDays.{each.date}") for text in each.working_hours], each.name)
        for each in given
    }
    _once(len(found), [each.date for each in given], "makeUpDays")
    return found


def _once(count: int, dates: list[str], field: str) -> None:
    if count != len(dates):
        twice = next(day for day in dates if dates.count(day) > 1)
        raise InvalidArgument(f"the date {twice} is given twice", field)


def shown(calendar: Calendar) -> dict[str, Any]:
    """A calendar as JSON."""
    week = {day: [write_hours(each) for each in hours] for day, hours in zip(WEEKDAYS, calendar.week, strict=True)}
    return {
        "calendarId": calendar.id,
        "name": calendar.name,
        "version": calendar.version,
        "timeZone": calendar.zone,
        "workingHours": week,
        "workingDayMinutes": calendar.working_day,
        "holidays": [{"date": day, "name": name} for day, name in calendar.holidays.items()],
        "makeUpDays": [
            {"date": day, "name": made_up.name, "workingHours": [write_hours(each) for each in made_up.hours]}
            for day, made_up in calendar.make_up_days.items()
        ],
    }


TAG = "Calendar"
ONE = "/calendars/{calendarId}"
OPERATIONS = (
    Operation("POST", "/calendars", create_calendar, TAG, CalendarBody, answer=ITEM, writes=True, errors=(409,)),
    Operation("POST", "/calendars/search", search_calendars, TAG, CalendarSearch, True, PAGE_OF_ITEMS),
    Operation("GET", ONE, get_calendar, TAG, answer=ITEM, errors=(404,)),
    Operation("PATCH", ONE, update_calendar, TAG, CalendarChange, answer=ITEM, writes=True, errors=(404, 409)),
    Operation("DELETE", ONE, delete_calendar, TAG, writes=True, errors=(404,)),
    Operation("POST", f"{ONE}/due", compute_due, TAG, DueBody, answer=ITEM, errors=(404,)),
)
