"""Monitoring over HTTP: a real server and log, the embedded store behind its HTTP interface, the real writer."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from domain.events import encode_json
from infra.clickhouse.process import run_monitoring
from infra.clickhouse.server import folder_of, located
from infra.embedded.postgres import EmbeddedPostgres
from infra.serving import RunningServer
from infra.settings import Settings
from projections.monitoring.reports import REPORTS
from tests.api.client import Client
from tests.conftest import _fresh_database
from tests.engine.harness import END_EVENT, START_EVENT, flow, process, user

MODEL = process(
    START_EVENT + user("review") + END_EVENT + flow("start", "review") + flow("review", "end"), "purchase"
)  # fmt: skip


class Platform:
    """A server whose monitoring process is a thread (the engine that it owns is the session's)."""

    def __init__(self, client: Client, server: RunningServer) -> None:
        self.client = client
        self.server = server

    def get(self, path: str, **query: Any) -> httpx.Response:
        position = str(self.server.platform.core.bus.status.position)
        return self.client.http.get(path, params=query, headers={"Flowledger-Min-Position": position})

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        response = self.get(path, **query)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()["items"]
        return found


@pytest.fixture(scope="module")
def platform(
    postgres: EmbeddedPostgres, store_server: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("data")
    url = f"{store_server.url.rpartition('/')[0]}/test_api"
    for database in _fresh_database(postgres):
        settings = Settings(database_url=database, data_dir=folder, clickhouse=url)
        stop = threading.Event()
        with RunningServer(settings) as server, httpx.Client(base_url=server.address + "/v2", timeout=60) as http:
            writer = threading.Thread(target=run_monitoring, args=(settings, stop))
            writer.start()
            client = Client(http, lambda: server.platform.core.bus.status.position)
            try:
                client.deploy(("purchase.bpmn", MODEL.encode()))
                _await_store(http)
                yield Platform(client, server)
            finally:
                stop.set()
                writer.join(30)


def _await_store(http: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while http.get("/monitoring").status_code != 200:
        assert time.monotonic() < deadline, "the writer did not set up the store"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def floor(platform: Platform) -> Platform:
    """Five instances: two approved, one rejected with a reason that a spreadsheet would run, one cancelled, one open."""
    client = platform.client
    for number in range(5):
        client.start("purchase", {"department": "sales" if number < 3 else "it"}, businessId=f"=order {number}")
    tasks = sorted(client.search("user-tasks"), key=lambda task: int(task["userTaskKey"]))
    words = [{"decision": "approve"}, {"decision": "approve"}, {"decision": "reject", "reason": '=HYPERLINK("x")'}]
    for task, said in zip(tasks, words, strict=False):
        client.ok("POST", f"/user-tasks/{task['userTaskKey']}/completion", {"variables": said})
    client.ok("POST", f"/process-instances/{tasks[3]['processInstanceKey']}/cancellation")
    return platform


def test_the_board_and_how_fresh_it_is(floor: Platform) -> None:
    response = floor.get("/monitoring/board")
    answer = response.json()
    (row,) = answer["items"]
    assert (row["running"], row["waiting"], row["rejected"], row["unclaimed"]) == (1, 1, 1, 1)
    assert answer["reflects"]["position"] == int(response.headers["Flowledger-Position"])
    assert answer["reflects"]["position"] >= floor.server.platform.core.bus.status.position
    assert answer["reflects"]["at"].endswith("Z")
    departments = floor.items("/monitoring/board", by="department")
    assert {row["department"]: row["rejected"] for row in departments} == {"sales": 1, "it": 0}


@pytest.mark.parametrize("name", sorted(set(REPORTS) - {"visits"}))
def test_each_report_answers_and_its_rows_lead_to_the_instances_behind_them(floor: Platform, name: str) -> None:
    report = REPORTS[name]
    asked = {"definitionId": "purchase"} if report.needs_definition else {}
    rows = floor.items(f"/monitoring/{name}", **asked)
    assert rows or name in ("overdue", "incidents")
    for row in rows:
        assert ("instances" in row) == bool(report.drill)
        if report.drill:
            parts = urlsplit(row["instances"])
            behind = floor.items(parts.path.removeprefix("/v2"), **dict(parse_qsl(parts.query)))
            assert behind
            if name == "board":
                assert len(behind) == row["running"]
            if name in ("durations", "trend"):
                assert len(behind) == row["count"]


def test_the_handling_record_of_an_instance(floor: Platform) -> None:
    (rejected,) = floor.items("/monitoring/instances", state="rejected")
    visits = floor.items("/monitoring/visits", processInstanceKey=rejected["processInstanceKey"])
    assert [(visit["elementId"], visit["outcome"]) for visit in visits] == [
        ("start", ""),
        ("review", "rejected"),
        ("end", ""),
    ]
    assert floor.get("/monitoring/visits").json()["detail"] == "'visits' needs 'processInstanceKey'"


def test_csv_is_safe_in_spreadsheets(floor: Platform) -> None:
    response = floor.get("/monitoring/rejections", format="csv")
    assert response.headers["Content-Disposition"] == 'attachment; filename="rejections.csv"'
    head, row = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    found = dict(zip(head, row, strict=True))
    assert (found["reason"], found["count"]) == ('\'=HYPERLINK("x")', "1")
    assert int(response.headers["Flowledger-Position"]) > 0


def test_xlsx_and_parquet_hold_the_rows(floor: Platform, store_server: Any) -> None:
    from openpyxl import load_workbook

    wanted = floor.items("/monitoring/instances")
    book = load_workbook(io.BytesIO(floor.get("/monitoring/instances", format="xlsx").content))
    head, *rows = book.active.values
    assert [row[head.index("processInstanceKey")] for row in rows] == [item["processInstanceKey"] for item in wanted]
    assert {row[head.index("businessId")][0] for row in rows} == {"'"}
    parquet = floor.get("/monitoring/instances", format="parquet").content
    path = Path(floor.server.platform._settings.data_dir) / "rows.parquet"
    path.write_bytes(parquet)
    count = store_server.engine.run(f"SELECT count(), any(startsWith(businessId, '=')) FROM file('{path}', Parquet)")
    assert count == b"5\t1\n"


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ({"sinse": "x"}, "sinse", "did you mean 'since'?"),
        ({"since": "yesterday"}, "since", "must be a date and time"),
        ({"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until", "must be after 'since'"),
        ({"by": "person"}, "by", "must be one of definition, version, department"),
        ({"label": "all "}, "label", "official, trial, sample, all"),
        ({"limit": "0"}, "limit", "from 1 to 10000"),
        ({"format": "pdf"}, "format", "json, csv, xlsx, parquet"),
        ({"calendar": "nobody's"}, "calendar", "there is no calendar"),
    ],
)
def test_a_wrong_question_names_the_parameter(
    platform: Platform, query: dict[str, str], field: str, words: str
) -> None:
    response = platform.get("/monitoring/durations", **query)
    assert response.status_code == 400
    assert response.json()["field"] == field
    assert words in response.json()["detail"]


def test_reports_that_need_a_process_say_so(platform: Platform) -> None:
    assert platform.get("/monitoring/flow").json()["field"] == "definitionId"


def test_the_list_of_reports(platform: Platform) -> None:
    found = {item["name"]: item for item in platform.items("/monitoring")}
    assert set(found) == set(REPORTS)
    assert "calendar" in found["durations"]["parameters"]
    assert "calendar" not in found["board"]["parameters"]


def test_working_time_follows_a_calendar_that_is_defined(floor: Platform) -> None:
    always = {
        day: ["00:00-24:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    }
    floor.client.http.post(
        "/calendars",
        content=encode_json({"calendarId": "always", "timeZone": "UTC", "workingHours": always}),
        headers={"content-type": "application/json"},
    ).raise_for_status()
    (row,) = floor.items("/monitoring/durations", calendar="always")
    assert row["meanWorkingSeconds"] == pytest.approx(row["meanSeconds"])


def test_without_a_store_the_answer_says_how_to_get_one(postgres: EmbeddedPostgres, tmp_path: Path) -> None:
    for database in _fresh_database(postgres):
        with RunningServer(Settings(database_url=database, data_dir=tmp_path)) as server:
            response = httpx.get(server.address + "/v2/monitoring/board")
    assert response.status_code == 503
    assert "flowledger monitoring" in response.json()["detail"]
    assert folder_of(tmp_path).name == "monitoring"
    with pytest.raises(Exception, match="does not run"):
        located(folder_of(tmp_path))
