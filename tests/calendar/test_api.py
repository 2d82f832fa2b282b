"""Calendars over HTTP and the command line, on a real server."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from infra.cli.calendars import public_holidays
from infra.cli.main import app
from infra.serving import RunningServer
from tests.api.client import Client
from tests.api.conftest import api, api_server  # noqa: F401 - fixtures

WEEK = {day: ["09:00-12:00", "13:00-18:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


def body(calendar: str, **more: object) -> dict[str, object]:
    return {"calendarId": calendar, "timeZone": "Asia/Shanghai", "workingHours": WEEK, **more}


def test_a_calendar_from_its_definition_to_its_end(api: Client) -> None:  # noqa: F811
    made = api.http.post("/calendars", json=body("life", name="办公室"))
    assert made.status_code == 201
    assert made.json()["version"] == 1
    assert made.json()["workingDayMinutes"] == 480
    assert api.http.post("/calendars", json=body("life")).status_code == 409
    change = {"holidays": [{"date": "2026-10-01", "name": "国庆节"}], "expectedVersion": 1}
    assert api.http.patch("/calendars/life", json=change).json()["version"] == 2
    stale = api.http.patch("/calendars/life", json={"name": "x", "expectedVersion": 1})
    assert stale.status_code == 409
    assert "version 2" in stale.json()["detail"]
    same = api.http.patch("/calendars/life", json={"name": "办公室"}).json()
    assert same["version"] == 2, "nothing changed"
    added = {"addHolidays": [{"date": "2026-10-02", "name": "国庆节"}]}
    assert len(api.http.patch("/calendars/life", json=added).json()["holidays"]) == 2
    assert api.http.get("/calendars/life").json()["version"] == 3
    found = api.http.post("/calendars/search", json={"filter": {"calendarId": "life"}}).json()
    assert [each["calendarId"] for each in found["items"]] == ["life"]
    assert api.http.delete("/calendars/life").status_code == 204
    assert api.http.get("/calendars/life").status_code == 404
    assert api.http.post("/calendars", json=body("life")).json()["version"] == 5


def test_a_default_calendar_is_there(api: Client) -> None:  # noqa: F811
    found = api.http.get("/calendars/default").json()
    assert (found["timeZone"], found["version"]) == ("UTC", 0)
    assert found["workingHours"]["friday"] == ["09:00-18:00"]
    assert "default" in [each["calendarId"] for each in api.http.post("/calendars/search").json()["items"]]


def test_a_deadline(api: Client) -> None:  # noqa: F811
    api.http.post("/calendars", json=body("cn", holidays=[{"date": "2026-10-01"}]))
    asked = {
        "start": "2026-09-30T17:00+08:00",
        "duration": "2 working hours",
        "warnBefore": "50%",
        "escalateAfter": "PT1H",
    }
    found = api.http.post("/calendars/cn/due", json=asked).json()
    assert found["dueDate"] == "2026-10-02T02:00:00.000Z"
    assert found["warnAt"] == "2026-10-02T01:00:00.000Z"
    assert found["escalations"] == ["2026-10-02T03:00:00.000Z"]
    assert found["workingMinutes"] == 120


@pytest.mark.parametrize(
    ("method", "path", "sent", "said"),
    [
        ("POST", "/calendars", body("x", workingHours={"mon": []}), "monday"),
        ("POST", "/calendars", body("x", workingHours={"monday": ["9-18"]}), "09:00-12:30"),
        ("POST", "/calendars", body("x", timeZone="Nowhere"), "Europe/Berlin"),
        ("POST", "/calendars", body("x", holidays=[{"date": "1.10.2026"}]), "2026-10-01"),
        ("POST", "/calendars/default/due", {"duration": "1 day"}, "1 working day"),
        ("POST", "/calendars/default/due", {"duration": "PT1H", "warnBefore": "x"}, "20%"),
        ("POST", "/calendars/default/due", {"duration": "PT1H", "start": "now"}, "now"),
    ],
)
def test_refusals_say_what_would_be_right(api: Client, method: str, path: str, sent: object, said: str) -> None:  # noqa: F811
    refused = api.http.request(method, path, json=sent)
    assert refused.status_code == 400
    assert said in refused.json()["detail"]


def test_public_holidays_are_imported_as_dates(api_server: RunningServer, api: Client) -> None:  # noqa: F811
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["calendar", *arguments, "--address", api_server.address])
        assert result.exit_code == 0, result.output
        return result.output

    run("create", "de", "--zone", "Europe/Berlin", "--hours", "mon-thu=08:00-16:30", "--hours", "fri=08:00-13:00")
    run("import-holidays", "de", "--country", "DE", "--years", "2026-2027", "--subdivision", "BY")
    found = api.http.get("/calendars/de").json()
    assert {"2026-12-25", "2027-01-06"} <= {each["date"] for each in found["holidays"]}
    assert found["workingDayMinutes"] == 510
    assert '"dueDate": "2026-12-28' in run("due", "de", "1 working hour", "--start", "2026-12-24T17:00+01:00")
    assert "de" in run("list")
    run("delete", "de")


def test_holidays_of_a_country_that_is_none_are_refused() -> None:
    with pytest.raises(Exception, match="XX"):
        public_holidays("XX", range(2026, 2027))
