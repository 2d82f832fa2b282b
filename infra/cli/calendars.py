"""`flowledger calendar …`: business calendars; public holidays of a country are taken from the `holidays` library."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from domain.calendar.model import STANDARD, WEEKDAYS, write_hours
from domain.errors import InvalidArgument
from infra.cli.client import Client
from infra.cli.options import Address, AsJson, read_variables
from infra.cli.output import console, print_json, show_rows

MAX_YEARS = 20

CalendarId = Annotated[str, typer.Argument(metavar="ID", help="The calendar's id.")]


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    topic = typer.Typer(help="Business calendars: working hours, holidays, deadlines.", no_args_is_help=True)
    for name, command in (
        ("list", list_calendars),
        ("show", show),
        ("create", create),
        ("update", update),
        ("delete", delete),
        ("import-holidays", import_holidays),
        ("due", due),
    ):
        topic.command(name)(command)
    app.add_typer(topic, name="calendar")


def list_calendars(address: Address = "", as_json: AsJson = False) -> None:
    """All calendars."""
    with Client(address) as client:
        found = client.post("/calendars/search")
    if as_json:
        print_json(found)
        return
    columns = ("calendarId", "name", "version", "timeZone", "workingDayMinutes")
    rows = ([each[c] for c in columns] + [len(each["holidays"])] for each in found["items"])
    show_rows(("id", "name", "version", "zone", "minutes a day", "holidays"), rows, "No calendar.")


def show(calendar: CalendarId, address: Address = "") -> None:
    """One calendar, as JSON."""
    with Client(address) as client:
        print_json(client.get(_path(calendar)))


def create(
    calendar: CalendarId,
    zone: Annotated[str, typer.Option("--zone", metavar="ZONE", help="IANA time zone, such as Asia/Shanghai.")] = "UTC",
    hours: Annotated[
        list[str] | None,
        typer.Option("--hours", metavar="DAYS=HOURS", help="For example mon-fri=09:00-12:00,13:00-18:00; repeatable."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What people call it.")] = "",
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The whole calendar as JSON instead.", exists=True)
    ] = None,
    address: Address = "",
) -> None:
    """Define a calendar; Monday to Friday from 09:00 to 18:00 unless --hours or --file says otherwise."""
    if file is not None:
        body = {**read_variables(f"@{file}"), "calendarId": calendar}
    else:
        body = {"calendarId": calendar, "timeZone": zone, "name": name, "workingHours": _week(hours or [])}
    with Client(address) as client:
        _said("defined", client.post("/calendars", body))


def update(
    calendar: CalendarId,
    file: Annotated[Path, typer.Option("--file", "-f", help="What changes, as JSON.", exists=True)],
    address: Address = "",
) -> None:
    """Change a calendar; what the file leaves out stays."""
    with Client(address) as client:
        _said("changed", client.patch(_path(calendar), read_variables(f"@{file}")))


def delete(calendar: CalendarId, address: Address = "") -> None:
    """Delete a calendar; deadlines that were computed with it stay."""
    with Client(address) as client:
        client.delete(_path(calendar))
    console().print(f"calendar {calendar} deleted")


def import_holidays(
    calendar: CalendarId,
    country: Annotated[str, typer.Option("--country", metavar="CODE", help="ISO 3166 code, such as CN or DE.")],
    years: Annotated[str, typer.Option("--years", metavar="YEARS", help="2026 or 2026-2028.")] = "",
    subdivision: Annotated[str, typer.Option("--subdivision", metavar="CODE", help="A state or province.")] = "",
    language: Annotated[str, typer.Option("--language", metavar="CODE", help="Of the names, such as en_US.")] = "",
    address: Address = "",
) -> None:
    """Add the public holidays of a country to a calendar, as dates of its own.

    They are recorded as they are known today: look at them, for governments decide late. Make-up days are not in the
    library; dates that the calendar has as make-up days are left as they are.
    """
    found = public_holidays(country, _years(years or str(datetime.now().astimezone().year)), subdivision, language)
    with Client(address) as client:
        body = {"addHolidays": [{"date": day, "name": name} for day, name in found.items()]}
        changed = client.patch(_path(calendar), body)
    _said(f"{len(found)} holidays, so it is now", changed)


def due(
    calendar: CalendarId,
    duration: Annotated[str, typer.Argument(metavar="LIMIT", help="For example '1 working day' or PT4H.")],
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="ISO 8601; now without it.")] = "",
    warn_before: Annotated[str, typer.Option("--warn-before", metavar="LIMIT", help="20%% or a duration.")] = "",
    escalate_after: Annotated[str, typer.Option("--escalate-after", metavar="LIMITS", help="With commas.")] = "",
    address: Address = "",
) -> None:
    """Compute a deadline."""
    given = {"start": start, "duration": duration, "warnBefore": warn_before, "escalateAfter": escalate_after}
    with Client(address) as client:
        print_json(client.post(f"{_path(calendar)}/due", {name: text for name, text in given.items() if text}))


def public_holidays(country: str, years: range, subdivision: str = "", language: str = "") -> dict[str, str]:
    """Date → name of the public holidays of a country. Raises InvalidArgument."""
    import holidays  # takes its time, and the other commands need it not

    code = country.upper()
    try:
        found = holidays.country_holidays(code, subdiv=subdivision or None, years=years, language=language or None)
    except Exception as error:  # the library answers unknown countries with an error that says it is unfinished
        raise InvalidArgument(f"no holidays are known of '{country}' {subdivision}: {error}", "country") from error
    return {day.isoformat(): name for day, name in sorted(found.items())}


def _years(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        years = range(int(first), int(last or first) + 1)
    except ValueError:
        raise InvalidArgument(f"'{text}' are no years, such as 2026 or 2026-2028", "years") from None
    if not 1 <= len(years) <= MAX_YEARS:
        raise InvalidArgument(f"'{text}' are not 1 to {MAX_YEARS} years", "years")
    return years


def _week(given: list[str]) -> dict[str, list[str]]:
    """The hours of each weekday from texts such as "mon-fri=09:00-18:00"."""
    if not given:
        return {day: [write_hours(h) for h in STANDARD.week[i]] for i, day in enumerate(WEEKDAYS)}
    week: dict[str, list[str]] = {}
    short = [day[:3] for day in WEEKDAYS]
    for text in given:
        days, equals, hours = text.partition("=")
        first, _, last = days.strip().lower().partition("-")
        try:
            chosen = WEEKDAYS[short.index(first[:3]) : short.index((last or first)[:3]) + 1]
        except ValueError:
            chosen = ()
        if not equals or not chosen:
            raise InvalidArgument(f"'{text}' is not DAYS=HOURS, such as mon-fri=09:00-12:00,13:00-18:00", "hours")
        for day in chosen:
            week[day] = [each.strip() for each in hours.split(",") if each.strip()]
    return week


def _path(calendar: str) -> str:
    return f"/calendars/{quote(calendar, safe='')}"


def _said(what: str, calendar: dict[str, Any]) -> None:
    console().print(f"{what} calendar {calendar['calendarId']} version {calendar['version']}")
