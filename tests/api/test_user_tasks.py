"""User tasks over HTTP: found, assigned, changed, completed, with their forms and variables."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Client, model, problem, unique


@pytest.fixture
def review(api: Client) -> str:
    """The id of a freshly deployed process with one user task, and of its form."""
    name = unique("review")
    api.deploy(
        (f"{name}.bpmn", model("user_task.bpmn", ID=name, FORM=name)), (f"{name}.form", model("review.form", FORM=name))
    )
    return name


@pytest.fixture
def task(api: Client, review: str) -> Any:
    """The open user task of a new instance."""
    started = api.start(review, {"amount": 7, "who": {"name": "Ada"}})
    (found,) = api.search("user-tasks", processInstanceKey=started["processInstanceKey"])
    return found


def path(task: Any, rest: str = "") -> str:
    return f"/user-tasks/{task['userTaskKey']}{rest}"


def test_a_new_task_says_all_about_itself(task: Any, review: str) -> None:
    assert (task["state"], task["name"], task["elementId"]) == ("CREATED", "Review it", "review")
    assert (task["assignee"], task["candidateGroups"], task["candidateUsers"]) == (None, ["reviewers"], [])
    assert (task["processDefinitionId"], task["processName"], task["priority"]) == (review, "Review", 50)
    assert task["formKey"] is not None


def test_completing_a_task_ends_its_instance_with_what_was_entered(api: Client, task: Any) -> None:
    api.ok("POST", path(task, "/completion"), {"variables": {"approved": True, "note": "fine"}, "action": "approve"})

    assert api.ok("GET", path(task))["state"] == "COMPLETED"
    instance = api.ok("GET", f"/process-instances/{task['processInstanceKey']}")
    assert (instance["state"], instance["hasIncident"]) == ("COMPLETED", False)
    found = api.search("variables", processInstanceKey=task["processInstanceKey"], name={"$in": ["approved", "note"]})
    assert {variable["name"]: variable["value"] for variable in found} == {"approved": "true", "note": '"fine"'}


def test_a_task_can_be_completed_without_a_body(api: Client, task: Any) -> None:
    api.ok("POST", path(task, "/completion"))
    assert api.ok("GET", path(task))["state"] == "COMPLETED"


def test_a_task_is_assigned_taken_over_and_released(api: Client, task: Any) -> None:
    api.ok("POST", path(task, "/assignment"), {"assignee": "ada"})
    assert api.ok("GET", path(task))["assignee"] == "ada"
    refused = api.call("POST", path(task, "/assignment"), {"assignee": "bob", "allowOverride": False})
    assert "is assigned to 'ada' already" in problem(refused, 409, "INVALID_STATE")["detail"]
    api.ok("POST", path(task, "/assignment"), {"assignee": "bob"})
    assert api.ok("GET", path(task))["assignee"] == "bob"
    api.ok("DELETE", path(task, "/assignee"))
    assert api.ok("GET", path(task))["assignee"] is None


def test_a_tasks_candidates_dates_and_priority_change(api: Client, task: Any) -> None:
    changes = {
        "candidateGroups": ["bosses"],
        "candidateUsers": ["ada", "bob"],
        "dueDate": "2027-01-31T18:00:00+01:00",
        "followUpDate": "2027-01-30T08:00:00Z",
        "priority": 80,
        "unknownIsIgnored": 1,
    }
    api.ok("PATCH", path(task), {"changeset": changes})
    changed = api.ok("GET", path(task))
    assert (changed["candidateGroups"], changed["candidateUsers"]) == (["bosses"], ["ada", "bob"])
    assert (changed["dueDate"], changed["followUpDate"]) == ("2027-01-31T17:00:00.000Z", "2027-01-30T08:00:00.000Z")
    assert changed["priority"] == 80

    api.ok("PATCH", path(task), {"changeset": {"candidateGroups": [], "dueDate": "", "followUpDate": None}})
    cleared = api.ok("GET", path(task))
    assert (cleared["candidateGroups"], cleared["dueDate"]) == ([], None)
    assert (cleared["followUpDate"], cleared["priority"]) == ("2027-01-30T08:00:00.000Z", 80)


def test_a_task_shows_its_form(api: Client, task: Any, review: str) -> None:
    form = api.ok("GET", path(task, "/form"))
    assert (form["formId"], form["version"], form["formKey"]) == (review, 1, task["formKey"])
    assert '"approved"' in form["schema"]


def test_a_task_sees_the_variables_of_its_scopes(api: Client, task: Any) -> None:
    found = api.ok("POST", path(task, "/variables/search"), {"sort": [{"field": "name"}]})
    assert [(item["name"], item["value"]) for item in found["items"]] == [
        ("amount", "7"),
        ("two", "2"),
        ("who", '{"name":"Ada"}'),
    ]
    effective = api.ok("POST", path(task, "/effective-variables/search"))
    assert effective["page"]["totalItems"] == 3


def test_tasks_are_searched_by_many_criteria(api: Client, review: str, task: Any) -> None:
    key = task["processInstanceKey"]
    for criteria in (
        {"processDefinitionId": review},
        {"processInstanceKey": {"$eq": key}, "state": {"$in": ["CREATED", "COMPLETED"]}},
        {"processInstanceKey": key, "candidateGroup": "reviewers"},
        {"processInstanceKey": key, "elementId": {"$like": "rev*"}},
        {"processInstanceKey": key, "priority": {"$gte": 50, "$lte": 50}},
        {"processInstanceKey": key, "assignee": {"$exists": False}},
        {"processInstanceKey": key, "processInstanceVariables": [{"name": "amount", "value": "7"}]},
    ):
        assert [found["userTaskKey"] for found in api.search("user-tasks", **criteria)] == [task["userTaskKey"]], (
            criteria
        )
    assert api.search("user-tasks", processInstanceKey=key, candidateGroup="others") == []


def test_a_completed_task_cannot_be_completed_again(api: Client, task: Any) -> None:
    api.ok("POST", path(task, "/completion"))
    refused = api.call("POST", path(task, "/completion"))
    assert "it may be completed or cancelled already" in problem(refused, 404, "NOT_FOUND")["detail"]


@pytest.mark.parametrize(
    ("changes", "field", "detail"),
    [
        ({"priority": 101}, "changeset.priority", "'changeset.priority' must be a whole number <= 100"),
        ({"priority": "high"}, "changeset.priority", "'changeset.priority' must be a whole number or null, not text"),
        (
            {"dueDate": "tomorrow"},
            "changeset.dueDate",
            "'changeset.dueDate' must be a date and time like 2026-11-23T17:00:00Z, not 'tomorrow'",
        ),
        (
            {"dueDate": "2027-01-01T10:00:00"},
            "changeset.dueDate",
            "'changeset.dueDate' needs a time zone, like 2026-11-23T17:00:00Z or …+01:00; '2027-01-01T10:00:00' has none",
        ),
        (
            {"candidateUsers": ["ada", 7]},
            "changeset.candidateUsers[1]",
            "'changeset.candidateUsers[1]' must be text, not a whole number",
        ),
    ],
)
def test_a_wrong_change_is_refused_by_name(
    api: Client, task: Any, changes: dict[str, Any], field: str, detail: str
) -> None:
    found = problem(api.call("PATCH", path(task), {"changeset": changes}), 400, "INVALID_ARGUMENT")
    assert (found["field"], found["detail"]) == (field, detail)


def test_a_change_needs_a_changeset_and_an_assignment_an_assignee(api: Client, task: Any) -> None:
    assert problem(api.call("PATCH", path(task), {}), 400, "INVALID_ARGUMENT")["field"] == "changeset"
    assert problem(api.call("POST", path(task, "/assignment"), {}), 400, "INVALID_ARGUMENT")["field"] == "assignee"
    empty = api.call("POST", path(task, "/assignment"), {"assignee": ""})
    assert problem(empty, 400, "INVALID_ARGUMENT")["field"] == "assignee"


@pytest.mark.parametrize(
    ("method", "rest"),
    [("GET", ""), ("GET", "/form"), ("POST", "/completion"), ("DELETE", "/assignee"), ("POST", "/variables/search")],
)
def test_an_unknown_task_is_not_found(api: Client, method: str, rest: str) -> None:
    problem(api.call(method, f"/user-tasks/4097{rest}"), 404, "NOT_FOUND")
