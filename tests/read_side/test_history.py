"""The history of an instance, and its state at any version."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import InvalidArgument
from domain.process_instance import events as e
from domain.process_instance.evolve import APPLIERS
from projections.history import history_page, state_as_of
from projections.history_words import WORDS
from tests.read_side.conftest import Ask
from tests.read_side.streams import SECOND, START, Log, new_key, recorded, service_task, started, user_task

KEY = 4096 * 500
NAMES = {"review": "Review the claim", "work": ""}
EVENTS = [
    started(7, variables={"amount": 10, "note": None}),
    *user_task(20, candidate_groups=["finance"]),
    e.VariablesSet(0, {"amount": 20, "new": True}, [1, 30]),
    e.VariablesSet(20, {"amount": "local"}, [31]),
    e.UserTaskAssigned(21, "kim"),
    e.UserTaskCompleted(21),
    e.ElementCompleted(20),
    *service_task(40),
    e.TimerStarted(42, 40, "reminder", START + 3600 * SECOND),
    e.JobFailed(41, 0, 0, "no money"),
    e.IncidentRaised(43, 40, "work", "JOB_NO_RETRIES", "no money", 41),
]


def page(after: int = 0, limit: int = 100) -> dict[str, object]:
    return history_page(recorded(KEY, EVENTS), after, limit, NAMES)


def test_every_event_of_an_instance_has_words() -> None:
    assert set(WORDS) == set(APPLIERS)


def test_each_entry_says_who_when_what_and_where() -> None:
    entries = history_page(recorded(KEY, EVENTS, "acme"), 0, 100, NAMES)["items"]
    assert entries[2] == {
        "version": 3,
        "position": 3,
        "timestamp": "2027-01-15T08:00:02.000Z",
        "timestampMicros": START + 2 * SECOND,
        "actor": "demo",
        "tenantId": "acme",
        "commandId": None,
        "traceId": None,
        "topic": "pi.user_task_created.1",
        "type": "UserTaskCreated",
        "elementId": "review",
        "elementName": "Review the claim",
        "elementInstanceKey": str(KEY + 20),
        "description": "Task Review the claim for finance",
        "variables": [],
    }


def test_entries_about_parts_are_traced_to_their_element() -> None:
    entries = history_page(recorded(KEY, EVENTS), 0, 100, NAMES)["items"]
    assert [entry["elementId"] for entry in entries[5:8]] == ["review"] * 3
    assert entries[-2]["description"] == "Job of work failed, 0 retries left: no money"
    assert entries[-1]["description"] == "Incident JOB_NO_RETRIES at work: no money"


def test_variables_show_their_value_before_and_after_per_scope() -> None:
    entries = history_page(recorded(KEY, EVENTS), 0, 100, NAMES)["items"]
    scope = str(KEY)
    assert entries[0]["variables"] == [
        {"name": "amount", "scopeKey": scope, "after": 10},
        {"name": "note", "scopeKey": scope, "after": None},
    ]
    assert entries[3]["variables"] == [
        {"name": "amount", "scopeKey": scope, "before": 10, "after": 20},
        {"name": "new", "scopeKey": scope, "after": True},
    ]
    assert entries[4]["variables"] == [{"name": "amount", "scopeKey": str(KEY + 20), "after": "local"}]


def test_pages_follow_each_other_and_know_what_was_before() -> None:
    whole = page()["items"]
    assert isinstance(whole, list)
    joined = [
        entry
        for after in range(0, len(EVENTS), 3)
        for entry in history_page(recorded(KEY, EVENTS), after, 3, NAMES)["items"]
    ]
    assert joined == whole
    last = history_page(recorded(KEY, EVENTS), 3, 2, NAMES)["page"]
    assert last == {"totalItems": 13, "hasMoreTotalItems": False, "startCursor": "4", "endCursor": "5"}


def test_the_state_at_a_version_shows_what_was_active_and_waiting() -> None:
    early = state_as_of(recorded(KEY, EVENTS)[:6], NAMES)
    assert [(item["elementId"], item["phase"]) for item in early["elements"]] == [
        ("review-process", "WAITING"),
        ("review", "WAITING"),
    ]
    assert early["elements"][0]["variables"] == {"amount": 20, "note": None, "new": True}
    assert early["elements"][1]["variables"] == {"amount": "local"}
    (task,) = early["userTasks"]
    assert (task["userTaskKey"], task["assignee"]) == (str(KEY + 21), "kim")

    late = state_as_of(recorded(KEY, EVENTS), NAMES)
    assert late["userTasks"] == []
    assert [job["retries"] for job in late["jobs"]] == [0]
    assert late["timers"][0]["dueDate"] == "2027-01-15T09:00:00.000Z"
    assert late["incidents"][0]["errorType"] == "JOB_NO_RETRIES"
    assert (late["version"], late["state"]) == (13, "ACTIVE")


def test_history_and_state_come_from_the_log(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition, key = log.deploy(), new_key()
    log.append(key, started(definition, variables={"amount": 1}), *user_task(20), actor="ann")
    log.append(key, e.VariablesSet(0, {"amount": 2}, [1]), actor="bob")
    caught_up()
    found = ask.run(ask.queries.history(key, after=2, limit=5))
    assert [(item["actor"], item["elementName"]) for item in found["items"]] == [
        ("ann", "Review the claim"),
        ("bob", "Review of a claim"),
    ]
    assert ask.run(ask.queries.state_at(key, 1))["elements"][0]["variables"] == {"amount": 1}
    assert ask.run(ask.queries.state_at(key))["version"] == 4
    with pytest.raises(InvalidArgument, match="'version' must be from 1 to 4, not 9"):
        ask.run(ask.queries.state_at(key, 9))
    with pytest.raises(InvalidArgument, match="'limit'"):
        ask.run(ask.queries.history(key, limit=0))
