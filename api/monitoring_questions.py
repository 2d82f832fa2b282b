"""Questions to the monitoring store in query parameters, and the links from a figure to the instances behind it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from api.call import Call
from api.operations import PREFIX
from api.times import micros_of
from domain.errors import InvalidArgument
from domain.keys import parse_key
from projections.monitoring.report import GROUPS, INTERVALS, LABELS, MAX_ROWS, NONE, Question, Report
from projections.monitoring.working_time import calendar_name
from projections.time import iso

PATH = "/monitoring"
FORMATS = ("json", "csv", "xlsx", "parquet")
EXPORT_ROWS = 1_000_000
DEFAULT_ROWS = 1_000
MAX_DEFINITION_VERSION = (1 << 31) - 1
MICROSECONDS_PER_MS = 1_000
_TEXT: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}


def parameters(report: Report) -> dict[str, dict[str, Any]]:
    """The query parameters that a report knows: name → JSON schema."""
    found: dict[str, dict[str, Any]] = {
        "definitionId": {**_TEXT, "description": "Only this process."},
        "version": {"type": "integer", "minimum": 1, "description": "Only this version of it."},
        "department": {**_TEXT, "description": f"Only this department; '{NONE}': those without one."},
        "since": {**_TIME, "description": "The period's begin."},
        "until": {**_TIME, "description": "The period's end, not included."},
        "label": {**_TEXT, "enum": list(LABELS), "default": "official", "description": "Which instances count."},
        "limit": {"type": "integer", "minimum": 1, "maximum": EXPORT_ROWS, "default": DEFAULT_ROWS},
        "format": {**_TEXT, "enum": list(FORMATS), "default": "json"},
    }
    if report.groups:
        found["by"] = {**_TEXT, "enum": list(GROUPS), "default": "definition"}
    if report.intervals:
        found["interval"] = {**_TEXT, "enum": list(INTERVALS), "default": "day"}
    if report.uses_calendar:
        found["calendar"] = {**_TEXT, "default": "default", "description": "Business calendar of working time."}
    return found | {name: dict(parameter.schema) for name, parameter in report.extra.items()}


def question_of(call: Call, report: Report) -> Question:
    """The question that a request asks. Raises InvalidArgument naming the parameter."""
    known = parameters(report)
    asked = call.request.query_params
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
            raise InvalidArgument(f"'{report.name}' has no parameter '{name}'; {hint}", name)
    now = call.services.clock.now() // MICROSECONDS_PER_MS
    since, until = _moment(call, "since"), _moment(call, "until")
    if since and until and until <= since:
        raise InvalidArgument("'until' must be after 'since'", "until")
    return Question(
        now=now,
        definition=asked.get("definitionId", ""),
        version=call.number("version", 0, 1, MAX_DEFINITION_VERSION),
        department=asked.get("department", ""),
        since=since or (now - report.days * 86_400_000 if report.days else 0),
        until=until,
        label=_choice(call, "label", tuple(LABELS), "official"),
        by=_choice(call, "by", tuple(GROUPS), "definition"),
        interval=_choice(call, "interval", tuple(INTERVALS), "day"),
        calendar=_calendar(call) if report.uses_calendar else "",
        limit=call.number("limit", DEFAULT_ROWS, 1, EXPORT_ROWS if format_of(call) != "json" else MAX_ROWS),
        extra=_extra(call, report, now),
    )


def format_of(call: Call) -> str:
    """The format that a request wants."""
    return _choice(call, "format", FORMATS, "json")


def _choice(call: Call, name: str, choices: tuple[str, ...], default: str) -> str:
    text = call.request.query_params.get(name, default)
    if text not in choices:
        raise InvalidArgument(f"'{name}' must be one of {', '.join(filter(None, choices))}, not {text!r}", name)
    return text


def _moment(call: Call, name: str) -> int:
    """Milliseconds; 0 where it is not given."""
    micros = micros_of(call.request.query_params.get(name), name)
    return (micros or 0) // MICROSECONDS_PER_MS


def _calendar(call: Call) -> str:
    calendar_id = call.request.query_params.get("calendar", "")
    clockwork = call.services.calendars.find("", calendar_id)
    if clockwork is None:
        raise InvalidArgument(f"there is no calendar '{calendar_id}'; GET {PREFIX}/calendars lists them", "calendar")
    return calendar_name("", clockwork.calendar.id)


def _extra(call: Call, report: Report, now: int) -> dict[str, Any]:
    """The report's own parameters, by the names that its text uses."""
    found: dict[str, Any] = {}
    for name, parameter in report.extra.items():
        text = call.request.query_params.get(name, "")
        if parameter.required and not text:
            raise InvalidArgument(f"'{report.name}' needs '{name}'", name)
        match parameter.kind:
            case "key":
                found[parameter.variable] = int(parse_key(text, name)) if text else 0
            case "time":
                found[parameter.variable] = _moment(call, name) or now
            case "choice":
                found[parameter.variable] = _choice(call, name, ("", *parameter.schema["enum"]), "")
            case _:
                found[parameter.variable] = text
    return found


def reflected(position: int, reflects_at: int) -> dict[str, Any]:
    """What an answer says of its freshness."""
    return {"position": position, "at": iso(reflects_at) if reflects_at else None}


def drill_link(report: Report, question: Question, row: Mapping[str, Any]) -> str | None:
    """The address of the instances behind a row."""
    if not report.drill:
        return None
    found: dict[str, Any] = {"label": question.label} if question.label != "official" else {}
    if question.since:
        found["since"] = iso(question.since)
    if question.until:
        found["until"] = iso(question.until)
    if question.definition:
        found["definitionId"] = question.definition
    if question.version:
        found["version"] = question.version
    if question.department:
        found["department"] = question.department
    for name, source in report.drill.items():
        value = source[1:] if source.startswith("=") else row[source]
        if name in ("period", "week"):
            found |= _period(value, name if name == "week" else question.interval)
        elif name == "department":
            if question.by == "department":
                found[name] = value or NONE
        elif name == "version":
            if value:
                found[name] = value
        elif name == "reason":
            found[name] = value or NONE
        elif value != "":
            found[name] = value
    return f"{PREFIX}{PATH}/instances?{urlencode(found)}"


def _period(first_day: str, interval: str) -> dict[str, str]:
    begin = datetime.fromisoformat(first_day).replace(tzinfo=UTC)
    end = begin + timedelta(days=7 if interval == "week" else 1)
    return {"since": begin.isoformat().replace("+00:00", "Z"), "until": end.isoformat().replace("+00:00", "Z")}
