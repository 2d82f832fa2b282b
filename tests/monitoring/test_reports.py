"""Every report against figures counted by other means: by hand for small histories, from the events for random ones."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from typing import Any

import msgspec
import pytest

from bench.monitoring_events import instances
from domain.events import Envelope, Event, Recorded
from domain.keys import EPOCH_SECONDS, TIME_SHIFT, stream_id
from domain.process_definition.events import ProcessDeployed, family_stream
from domain.process_instance import events as e
from infra.clickhouse.calendars import ensure_calendar
from infra.clickhouse.connection import OBJECTS, ClickHouse, HttpClickHouse
from projections.monitoring.report import Question, statement
from projections.monitoring.reports import REPORTS
from projections.monitoring.working_time import calendar_name
from tests.monitoring.histories import write
from tests.monitoring.recount import count_board, random_history

MINUTE, HOUR, DAY = 60, 3_600, 86_400
MONDAY = 1_780_272_000
"""2026-06-01, a Monday, 00:00 UTC."""
NOW = (MONDAY + 14 * DAY) * 1000


def ask(store: ClickHouse, name: str, now: int = NOW, **asked: Any) -> list[dict[str, Any]]:
    """A report's rows, decoded as its record."""
    report = REPORTS[name]
    question = Question(now, calendar=calendar_name("", "default"), **asked)
    text, parameters = statement(report, question)
    lines = b"".join(store.stream(text, OBJECTS, parameters))
    return [msgspec.to_builtins(row) for row in msgspec.json.Decoder(report.row).decode_lines(lines)]


class Story:
    """One instance told by hand. Times are seconds after MONDAY; each `at` moves the clock."""

    def __init__(self, number: int, at: int, process: str = "expense", version: int = 1, **more: Any) -> None:
        seconds = MONDAY + at - EPOCH_SECONDS
        self.key = seconds * 100 << TIME_SHIFT | number << 12
        self.events: list[tuple[int, str, Event]] = []
        self.local = 2
        self.last = 0
        department = more.pop("department", "sales")
        self.tell(at, e.InstanceCreated(7, process, version, {"department": department}, [1], **more), "ann")

    def tell(self, at: int, event: Event, actor: str = "") -> None:
        self.events.append((at, actor, event))

    def next(self) -> int:
        self.local += 1
        return self.local

    def passed(self, at: int, element: str) -> Story:
        local = self.next()
        self.tell(at, e.ElementPassed(local, element, 0, "", self.last))
        self.last = local
        return self

    def task(self, element: str, created: int, claimed: int = 0, done: int = 0, due: int = 0, **said: Any) -> Story:
        local, task = self.next(), self.next()
        self.tell(created, e.ElementActivated(local, element, 0, "", self.last))
        self.tell(created, e.UserTaskCreated(task, local, element, due=(MONDAY + due) * 1_000_000 if due else 0))
        if claimed:
            self.tell(claimed, e.UserTaskAssigned(task, "bob", "claim"), "bob")
        if done:
            self.tell(done, e.UserTaskCompleted(task, "complete"), "bob")
            if said:
                self.tell(done, e.VariablesSet(0, said, [self.next() for _ in said], local), "bob")
            self.tell(done, e.ElementCompleted(local), "bob")
        self.last = local
        return self

    def incident(self, element: str, at: int, resolved: int = 0) -> Story:
        local, job, number = self.next(), self.next(), self.next()
        self.tell(at, e.ElementActivated(local, element, 0, "", self.last))
        self.tell(at, e.JobCreated(job, local, element, "pay", 1))
        self.tell(at, e.JobFailed(job, 0, message="the bank is closed"))
        self.tell(at, e.IncidentRaised(number, local, element, "JOB_NO_RETRIES", "the bank is closed", job))
        if resolved:
            self.tell(resolved, e.IncidentResolved(number), "root")
            self.tell(resolved, e.JobCompleted(job), "w")
            self.tell(resolved, e.ElementCompleted(local), "w")
        self.last = local
        return self

    def end(self, at: int) -> Story:
        self.tell(at, e.InstanceCompleted())
        return self

    def cancel(self, at: int) -> Story:
        self.tell(at, e.InstanceTerminated("by hand"), "root")
        return self

    def recorded(self) -> list[Recorded]:
        self.events.sort(key=lambda item: item[0])
        told = enumerate(self.events, 1)
        stream = stream_id(self.key)
        return [Recorded(stream, n, 0, Envelope((MONDAY + at) * 1_000_000, who), event) for n, (at, who, event) in told]


def put(store: ClickHouse, *stories: Story) -> None:
    events = [event for story in stories for event in story.recorded()]
    write(store, [msgspec.structs.replace(event, position=number) for number, event in enumerate(events, 1)])
    ensure_calendar(store)


@pytest.fixture(scope="module")
def told(module_store: ClickHouse) -> ClickHouse:
    """Two weeks of two processes."""
    nine = 9 * HOUR
    put(
        module_store,
        # Monday 9:00 to 12:00: the review waits 1 h, takes 1 h; then 1 h of two parallel tasks, one of 30 minutes.
        Story(1, nine).passed(nine, "start").task("review", nine, nine + HOUR, nine + 2 * HOUR, decision="approve")
        .task("legal", nine + 2 * HOUR, nine + 2 * HOUR, nine + 3 * HOUR)
        .task("finance", nine + 2 * HOUR, nine + 2 * HOUR, nine + 2 * HOUR + 30 * MINUTE).end(nine + 3 * HOUR),
        # Friday 17:00 to Monday 10:00: rejected, late, seen again.
        Story(2, 4 * DAY + 17 * HOUR, department="it")
        .passed(4 * DAY + 17 * HOUR, "start")
        .task("review", 4 * DAY + 17 * HOUR, 4 * DAY + 17 * HOUR + 1800, 7 * DAY + nine, due=5 * DAY, decision="reject", reason="too dear")
        .task("review", 7 * DAY + nine, 7 * DAY + nine, 7 * DAY + 10 * HOUR, decision="approve").end(7 * DAY + 10 * HOUR),
        # Cancelled after an hour.
        Story(3, DAY).passed(DAY, "start").task("review", DAY).cancel(DAY + HOUR),
        # Still running: late, not claimed; and one with an incident.
        Story(4, 8 * DAY, version=2).passed(8 * DAY, "start").task("review", 8 * DAY, due=9 * DAY),
        Story(5, 9 * DAY, version=2).passed(9 * DAY, "start").incident("pay", 9 * DAY + HOUR),
        Story(6, 9 * DAY, process="order").passed(9 * DAY, "start").incident("pay", 9 * DAY, 9 * DAY + HOUR).end(9 * DAY + HOUR),
        # A trial: in no official figure.
        Story(7, 9 * DAY, tags=["trial"]).passed(9 * DAY, "start").task("review", 9 * DAY, 0, 9 * DAY + 1, decision="reject").end(9 * DAY + 1),
    )  # fmt: skip
    return module_store


def test_board(told: ClickHouse) -> None:
    rows = ask(told, "board", by="version", since=(MONDAY + 7 * DAY) * 1000)
    assert [(row["bpmnProcessId"], row["version"]) for row in rows] == [("expense", 1), ("expense", 2)]
    first, second = rows
    assert (first["running"], first["rejected"]) == (0, 1)
    counted = {name: second[name] for name in ("running", "waiting", "unclaimed", "jobs", "overdue", "incidents")}
    assert counted == {"running": 2, "waiting": 1, "unclaimed": 1, "jobs": 1, "overdue": 1, "incidents": 1}
    assert second["oldestWaitSeconds"] == 6 * DAY
    (all_of_it,) = ask(told, "board", since=(MONDAY + 8 * DAY) * 1000)
    assert (all_of_it["running"], all_of_it["rejected"]) == (2, 0)
    trial = ask(told, "board", label="trial", since=MONDAY * 1000)
    assert [row["rejected"] for row in trial] == [1]
    departments = ask(told, "board", by="department", since=MONDAY * 1000, definition="expense")
    assert {row["department"]: (row["running"], row["rejected"]) for row in departments} == {
        "sales": (2, 0),
        "it": (0, 1),
    }


def test_state_at_a_past_moment(told: ClickHouse) -> None:
    rows = ask(told, "state", extra={"at": (MONDAY + 9 * HOUR + 30 * MINUTE) * 1000})
    assert [(row["elementId"], row["open"], row["waiting"], row["oldestSeconds"]) for row in rows] == [
        ("review", 1, 1, 30 * MINUTE)
    ]
    rows = ask(told, "state", extra={"at": (MONDAY + 6 * DAY) * 1000})
    assert [(row["elementId"], row["open"], row["waiting"], row["overdue"]) for row in rows] == [("review", 1, 0, 1)]
    assert ask(told, "state", extra={"at": (MONDAY - 1) * 1000}) == []


def test_durations(told: ClickHouse) -> None:
    expense, order = ask(told, "durations")
    clock = [3 * HOUR, 2 * DAY + 17 * HOUR]
    assert (expense["count"], expense["meanSeconds"], expense["maxSeconds"]) == (2, statistics.mean(clock), max(clock))
    assert expense["meanWorkingSeconds"] == statistics.mean([3 * HOUR, 2 * HOUR])
    assert (order["count"], order["meanSeconds"], order["p95Seconds"]) == (1, HOUR, HOUR)
    (only,) = ask(told, "durations", department="it")
    assert (only["count"], only["p50WorkingSeconds"]) == (1, 2 * HOUR)
    assert ask(told, "durations", department="-") == []
    assert [row["version"] for row in ask(told, "durations", by="version")] == [1, 1]


def test_trend_and_throughput(told: ClickHouse) -> None:
    trend = ask(told, "trend", interval="week", definition="expense")
    assert [(row["period"], row["count"]) for row in trend] == [("2026-06-01", 1), ("2026-06-08", 1)]
    through = ask(told, "throughput", interval="day", definition="expense")
    assert {row["period"]: (row["started"], row["completed"], row["terminated"]) for row in through} == {
        "2026-06-01": (1, 1, 0),
        "2026-06-02": (1, 0, 1),
        "2026-06-05": (1, 0, 0),
        "2026-06-08": (0, 1, 0),
        "2026-06-09": (1, 0, 0),
        "2026-06-10": (1, 0, 0),
    }


def test_elements(told: ClickHouse) -> None:
    rows = {row["elementId"]: row for row in ask(told, "elements", definition="expense", version=1)}
    review = rows["review"]
    waits, handles = [HOUR, 1800, 0], [HOUR, 2 * DAY + 15 * HOUR + 1800, HOUR]
    assert (review["count"], review["kind"], review["overdue"], review["repeats"]) == (3, "userTask", 1, 1)
    assert review["waitSeconds"] == statistics.mean(waits)
    assert review["handleSeconds"] == statistics.mean(handles)
    assert review["waitWorkingSeconds"] == statistics.mean([HOUR, 1800, 0])
    assert review["handleWorkingSeconds"] == statistics.mean([HOUR, 1800, HOUR])
    everything = sum(waits) + sum(handles) + HOUR + 1800
    assert review["share"] == pytest.approx((sum(waits) + sum(handles)) / everything)
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1)
    assert sum(row["workingShare"] for row in rows.values()) == pytest.approx(1)


def test_bottlenecks_share_out_parallel_time(told: ClickHouse) -> None:
    rows = ask(told, "bottlenecks", definition="expense", until=(MONDAY + 2 * DAY) * 1000)
    found = {row["elementId"]: (row["secondsPerInstance"], row["share"]) for row in rows}
    assert found["review"] == (2 * HOUR, pytest.approx(2 / 3))
    assert found["legal"] == (15 * MINUTE + 30 * MINUTE, pytest.approx(0.25))
    assert found["finance"] == (15 * MINUTE, pytest.approx(1 / 12))


def test_rejections_overdue_and_incidents(told: ClickHouse) -> None:
    (rejection,) = ask(told, "rejections")
    assert (rejection["elementId"], rejection["reason"], rejection["count"]) == ("review", "too dear", 1)
    assert (rejection["share"], rejection["rate"]) == (1, pytest.approx(1 / 3))
    (late,) = ask(told, "overdue")
    assert (late["elementId"], late["lateSeconds"], late["due"]) == ("review", 5 * DAY, "2026-06-10T00:00:00Z")
    open_, resolved = ask(told, "incidents")
    assert (open_["bpmnProcessId"], open_["open"], open_["resolved"], open_["meanSeconds"]) == ("expense", 1, 0, None)
    assert (resolved["bpmnProcessId"], resolved["open"], resolved["meanSeconds"]) == ("order", 0, HOUR)
    assert resolved["message"] == "the bank is closed"


def test_flow_and_variants(told: ClickHouse) -> None:
    edges = {(row["source"], row["target"]): row["count"] for row in ask(told, "flow", definition="expense", version=1)}
    assert edges == {
        ("", "start"): 3,
        ("start", "review"): 3,
        ("review", "legal"): 1,
        ("legal", "finance"): 1,
        ("review", "review"): 1,
    }
    variants = ask(told, "variants", definition="expense")
    assert [(row["path"], row["count"], row["share"]) for row in variants] == [
        (["start", "review", "legal", "finance"], 1, 0.5),
        (["start", "review", "review"], 1, 0.5),
    ]


def test_weekly_report(told: ClickHouse) -> None:
    first, second, orders = sorted(ask(told, "weekly-report"), key=lambda row: (row["bpmnProcessId"], row["week"]))
    assert (first["week"], first["started"], first["completed"], first["terminated"]) == ("2026-06-01", 3, 1, 1)
    assert (first["meanSeconds"], first["rejections"], first["measures"]) == (3 * HOUR, 0, 1)
    assert (second["week"], second["started"], second["completed"], second["incidents"]) == ("2026-06-08", 2, 1, 1)
    assert (second["rejections"], second["rejectionRate"], second["overdue"]) == (1, 0.5, 1)
    assert second["reasons"] == ["too dear"]
    assert (orders["bpmnProcessId"], orders["incidents"], orders["measures"]) == ("order", 1, 1)


INSTANCES = {"state": "", "element": "", "outcome": "", "reason": "", "instance": 0, "after": 0}


def listed(store: ClickHouse, **asked: Any) -> list[str]:
    """Business-free: when the found instances began, in hours after MONDAY."""
    extra = {name: asked.pop(name, INSTANCES[name]) for name in INSTANCES}
    return [row["started"][5:13] for row in ask(store, "instances", extra=extra, **asked)]


def test_the_instances_behind_a_figure(told: ClickHouse) -> None:
    assert len(listed(told)) == 6
    assert listed(told, state="running") == ["06-09T00", "06-10T00"]
    assert listed(told, state="overdue") == ["06-09T00"]
    assert listed(told, state="incident", definition="expense") == ["06-10T00"]
    assert listed(told, state="rejected") == ["06-05T17"]
    assert listed(told, state="terminated", since=(MONDAY + DAY) * 1000, until=(MONDAY + 2 * DAY) * 1000) == [
        "06-02T00"
    ]
    assert listed(told, state="completed", since=(MONDAY + 7 * DAY) * 1000, definition="expense") == ["06-05T17"]
    assert listed(told, reason="too dear") == ["06-05T17"]
    assert listed(told, outcome="rejected", reason="-") == []
    assert listed(told, element="legal") == ["06-01T09"]
    keys = [row["processInstanceKey"] for row in ask(told, "instances", extra=INSTANCES)]
    pages = ask(told, "instances", extra={**INSTANCES, "after": int(keys[2])}, limit=2)
    assert [row["processInstanceKey"] for row in pages] == keys[3:5]
    (one,) = ask(told, "instances", extra={**INSTANCES, "instance": int(keys[1])})
    assert (one["state"], one["durationSeconds"], one["interventions"]) == ("terminated", HOUR, 1)
    visits = ask(told, "visits", extra={"instance": int(keys[0])})
    assert [(row["elementId"], row["actor"], row["outcome"]) for row in visits] == [
        ("start", "", ""),
        ("review", "bob", "approved"),
        ("legal", "bob", ""),
        ("finance", "bob", ""),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_the_board_equals_a_recount_of_the_log(store: ClickHouse, seed: int) -> None:
    events = random_history(seed, 40, 600)
    write(store, events, 77)
    now = events[-1].envelope.at // 1000
    since = events[0].envelope.at // 1000
    expected = count_board(events, now, since)
    rows = ask(store, "board", now, since=since)
    names = ("running", "waiting", "jobs", "overdue", "rejected", "incidents")
    found = {row["bpmnProcessId"]: Counter({name: row[name] for name in names}) for row in rows}
    assert found == {
        process: Counter({name: counts[name] for name in names})
        for process, counts in expected.items()
        if any(counts.values())
    }


def test_durations_and_edges_of_many_instances_equal_a_recount(store: ClickHouse) -> None:
    events: list[Recorded] = []
    took: dict[str, list[float]] = defaultdict(list)
    edges: Counter[tuple[str, str, str]] = Counter()
    for own in instances(400):
        events += own
        begin = own[0].event
        assert isinstance(begin, e.InstanceCreated)
        if isinstance(own[-1].event, e.InstanceCompleted):
            took[begin.bpmn_process_id].append((own[-1].envelope.at // 1000 - own[0].envelope.at // 1000) / 1000)
        names = {0: ""}
        for item in own:
            if isinstance(item.event, e.ElementPassed | e.ElementActivated):
                names[item.event.local] = item.event.element_id
                edges[begin.bpmn_process_id, names[item.event.source], item.event.element_id] += 1
    write(store, events)
    ensure_calendar(store)
    rows = ask(store, "durations", events[-1].envelope.at // 1000)
    assert {row["bpmnProcessId"]: row["count"] for row in rows} == {name: len(times) for name, times in took.items()}
    for row in rows:
        times = took[row["bpmnProcessId"]]
        assert row["meanSeconds"] == pytest.approx(statistics.mean(times))
        assert sum(time <= row["p95Seconds"] for time in times) / len(times) >= 0.95
        assert sum(time < row["p95Seconds"] for time in times) / len(times) <= 0.95
    found = {
        (process, row["source"], row["target"]): 0 for process in took for row in ask(store, "flow", definition=process)
    }
    for process in took:
        for row in ask(store, "flow", definition=process):
            found[process, row["source"], row["target"]] += row["count"]
    assert found == edges


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_report_can_be_asked_with_every_filter(store: ClickHouse, over_http: HttpClickHouse, name: str) -> None:
    report = REPORTS[name]
    ensure_calendar(store)
    extra = {parameter.variable: 0 if parameter.kind in ("key", "time") else "" for parameter in report.extra.values()}
    filters: dict[str, Any] = {
        "definition": "x", "version": 1, "department": "y", "since": 1, "until": NOW, "label": "all", "limit": 5,
        "tenants": ["a", "b"], "by": "department", "interval": "week",
    }  # fmt: skip
    assert ask(store, name, extra=extra, **filters) == []
    assert ask(over_http, name, extra=extra, **filters) == []


def test_gateways_are_left_out_of_variants(store: ClickHouse) -> None:
    source = (
        '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">'
        '<bpmn:process id="expense" isExecutable="true"><bpmn:startEvent id="start"/><bpmn:exclusiveGateway id="split"/>'
        '<bpmn:endEvent id="end"/><bpmn:sequenceFlow id="a" sourceRef="start" targetRef="split"/>'
        '<bpmn:sequenceFlow id="b" sourceRef="split" targetRef="end"/></bpmn:process></bpmn:definitions>'
    )
    deployed = ProcessDeployed(7, "expense", 1, 8, "e.bpmn", "x", source)
    story = Story(1, 0).passed(0, "start").passed(0, "split").passed(0, "end").end(1)
    events = [
        Recorded(family_stream("process", "", "expense"), 1, 1, Envelope(MONDAY * 1_000_000), deployed),
        *story.recorded(),
    ]
    write(store, [msgspec.structs.replace(event, position=number) for number, event in enumerate(events, 1)])
    assert [row["path"] for row in ask(store, "variants", definition="expense")] == [["start", "end"]]
    assert store.rows("SELECT element_id, type FROM elements ORDER BY 1")[0][0] == "end"
