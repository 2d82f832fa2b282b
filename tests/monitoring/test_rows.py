"""Events → rows: what monitoring keeps of an instance's events."""

from __future__ import annotations

from typing import Any

import pytest

from domain.events import REGISTRY, Event, Recorded, encode_json
from domain.process_instance import events as e
from projections.monitoring.instance import DIMENSIONS, Dimensions
from projections.monitoring.rows import COLUMNS, Folding, stored_state, untaken
from tests.architecture.test_registries import GOLDEN
from tests.monitoring.histories import KEY, START, history

BEGIN = e.InstanceCreated(7, "expense", 3, {"department": "sales", "amount": 12}, [1, 2], tags=["trial"])


def rows_of(*events: Event, actor: str = "", dimensions: Dimensions = DIMENSIONS) -> dict[str, list[dict[str, Any]]]:
    folded = Folding(lambda before: [], dimensions).fold(history(*events, actor=actor))
    assert folded.refused == []
    return {table: [dict(zip(COLUMNS[table], row, strict=True)) for row in rows] for table, rows in folded.rows.items()}


def task(local: int = 3, assignee: str = "", due: int = 0) -> list[Event]:
    return [
        e.ElementActivated(local, "review", 0, "to_review", 2),
        e.UserTaskCreated(local + 1, local, "review", assignee, due=due),
    ]


def second(number: float) -> float:
    return START / 1_000_000 + number


def test_every_event_is_taken_or_ignored() -> None:
    assert untaken() == set(), "name them in projections/monitoring/facts.py: in FOLDS or in IGNORED"


@pytest.mark.parametrize("topic", sorted(topic for topic in REGISTRY.topics() if topic.startswith("pi.")))
def test_what_the_event_table_keeps_of_an_event_reads_back(topic: str) -> None:
    envelope, event = REGISTRY.decode(topic, (GOLDEN / f"{topic}.json").read_bytes().rstrip(b"\n"))
    thin = Folding(lambda before: [])._slim[type(event)]
    slim = event if thin is None else thin(event)
    back, again = REGISTRY.decode(topic, stored_state(envelope.at, envelope.actor, envelope.tenant, encode_json(slim)))
    assert (back.at, back.actor, back.tenant, again) == (envelope.at, envelope.actor, envelope.tenant, slim)


def test_a_task_that_was_claimed_and_approved() -> None:
    rows = rows_of(
        BEGIN,
        e.ElementPassed(2, "start", 0),
        *task(due=START + 90_000_000),
        e.UserTaskAssigned(4, "ann"),
        e.UserTaskCompleted(4, "complete"),
        e.VariablesSet(0, {"decision": "approve", "secret": "x"}, [5, 6], 3),
        e.ElementCompleted(3),
        e.InstanceCompleted(),
        actor="ann",
    )
    start, visit = rows["visits"]
    assert (start["element_id"], start["kind"], start["state"], start["source"]) == ("start", 1, 1, "")
    assert (visit["created_at"], visit["claimed_at"], visit["ended_at"]) == (second(3), second(5), second(8))
    assert (visit["due_at"], visit["assignee"], visit["actor"]) == (second(90), "ann", "ann")
    assert (visit["outcome"], visit["reason"], visit["source"], visit["flow"]) == ("approved", "", "start", "to_review")
    assert (visit["department"], visit["label"], visit["number"], visit["kind"]) == ("sales", "trial", 1, 3)
    (instance,) = rows["instances"]
    assert (instance["state"], instance["path"], instance["initiator"]) == (2, ["start", "review"], "ann")
    assert (instance["started_at"], instance["ended_at"]) == (second(1), second(9))
    assert not any("secret" in row["detail"] or "amount" in row["detail"] for row in rows["events"])


@pytest.mark.parametrize(
    ("action", "variables", "outcome"),
    [
        ("reject", {}, "rejected"),
        ("complete", {"decision": "Reject"}, "rejected"),
        ("complete", {"outcome": "send back"}, "rework"),
        ("complete", {"approved": True}, "approved"),
        ("complete", {"approved": False}, "rejected"),
        ("complete", {"decision": "escalate"}, "escalate"),
        ("approve", {"decision": "reject"}, "approved"),
        ("complete", {"approved": "yes", "decision": 3}, ""),
    ],
)
def test_how_a_tasks_outcome_is_read(action: str, variables: dict[str, Any], outcome: str) -> None:
    said = {**variables, "reason": " the receipt\n is missing "}
    done = [e.UserTaskCompleted(4, action), e.VariablesSet(0, said, [7, 8, 9], 3), e.ElementCompleted(3)]
    rows = rows_of(BEGIN, *task(), *done)
    assert rows["visits"][-1]["outcome"] == outcome
    assert rows["visits"][-1]["reason"] == "the receipt is missing"
    assert rows["instances"][-1]["rejections"] == (outcome == "rejected")


def test_a_released_task_waits_again_and_an_earlier_due_date_counts() -> None:
    done = [e.UserTaskAssigned(4, "ann"), e.UserTaskAssigned(4, ""), e.UserTaskUpdated(4, due=START + 5_000_000)]
    rows = rows_of(BEGIN, *task(due=START + 90_000_000), *done)
    visit = rows["visits"][-1]
    assert (visit["claimed_at"], visit["assignee"], visit["due_at"]) == (0, "", second(5))


def test_a_job_that_failed_raised_an_incident_and_was_helped() -> None:
    rows = rows_of(
        BEGIN,
        e.ElementActivated(2, "pay", 0),
        e.JobCreated(3, 2, "pay", "pay", 1),
        e.JobActivated(3, "w1", START),
        e.JobFailed(3, 0, message="down"),
        e.IncidentRaised(4, 2, "pay", "JOB_NO_RETRIES", "down", 3),
        e.IncidentResolved(4),
        e.JobActivated(3, "w2", START),
        e.JobCompleted(3),
        e.ElementCompleted(2),
        actor="root",
    )
    (visit,) = rows["visits"]
    assert (visit["kind"], visit["failures"], visit["claimed_at"], visit["actor"]) == (4, 1, second(8), "w2")
    (incident,) = rows["incidents"]
    assert (incident["type"], incident["created_at"], incident["ended_at"]) == ("JOB_NO_RETRIES", second(6), second(7))
    (step,) = rows["interventions"]
    assert (step["kind"], step["actor"], step["element_id"]) == ("resolve_incident", "root", "pay")


def test_a_cancelled_instance_ends_what_is_open_in_it() -> None:
    rows = rows_of(
        BEGIN, *task(), e.IncidentRaised(5, 3, "review", "X", "m"), e.InstanceTerminated("no use"), actor="a"
    )
    assert [visit["state"] for visit in rows["visits"]] == [2]
    assert rows["incidents"][0]["ended_at"] == second(5)
    assert rows["instances"][0]["state"] == 3
    assert [(step["kind"], step["reason"]) for step in rows["interventions"]] == [("cancel", "no use")]


def test_the_body_of_a_loop_is_a_scope_and_its_inner_visits_are_numbered() -> None:
    body = e.ElementActivated(2, "review", 0, body=True)
    rows = rows_of(BEGIN, body, e.ElementActivated(3, "review", 2), e.ElementActivated(4, "review", 2))
    assert [(visit["kind"], visit["number"]) for visit in rows["visits"]] == [(5, 1), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    ("variables", "department"),
    [({"applicant": {"department": "it"}}, "it"), ({"applicant": {"department": {"name": "law"}}}, "law"), ({}, "")],
)
def test_dimensions_may_have_a_path(variables: dict[str, Any], department: str) -> None:
    begin = e.InstanceCreated(7, "p", 1, variables, [1])
    rows = rows_of(begin, dimensions=Dimensions("applicant.department", "applicant.name"))
    assert rows["instances"][0]["department"] == department


def test_a_gap_or_an_event_without_a_beginning_is_refused() -> None:
    events = history(BEGIN, *task())
    folded = Folding(lambda before: []).fold([events[0], events[2]])
    assert [refused.recorded.version for refused in folded.refused] == [3]


def test_repeats_are_left_out() -> None:
    folding = Folding(lambda before: [])
    events: list[Recorded] = history(BEGIN, *task())
    assert len(folding.fold(events).rows["events"]) == 3
    assert folding.fold(events).rows == {table: [] for table in COLUMNS}
    assert KEY in folding._known
