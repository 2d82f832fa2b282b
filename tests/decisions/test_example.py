"""The shipped example: its tables say what its examples say, and its process asks them."""

from __future__ import annotations

from datetime import datetime

from domain.dmn import check_model, parse_dmn
from tests.api.client import Client
from tests.decisions.commandline import Run
from tests.e2e.platform import ROOT

FOLDER = ROOT / "examples" / "purchase-approval"
FILES = ("purchase-approval.bpmn", "purchase-approval.dmn", "purchase-approval.form")
MONITORS = {"title": "Monitors", "amount": 800, "category": "IT", "supplierKnown": True, "supplierRating": "A"}


def deploy(api: Client) -> None:
    found = api.deploy(*((name, (FOLDER / name).read_bytes()) for name in FILES))
    assert "warnings" not in found


def test_the_tables_have_no_conflict_and_no_gap() -> None:
    found = check_model(parse_dmn((FOLDER / "purchase-approval.dmn").read_bytes()))
    assert {name: findings for name, findings in found.items() if findings} == {}


def test_the_examples_pass(run: Run) -> None:
    code, out, _ = run("dmn", "test", str(FOLDER / "purchase-approval.dmn"))
    assert code == 0, out
    assert "8 passed, 0 failed" in out


def test_the_task_goes_to_the_group_that_the_table_names_and_is_due_when_it_says(api: Client) -> None:
    deploy(api)
    key = api.start("purchase-approval", MONITORS)["processInstanceKey"]
    (task,) = api.search("user-tasks", processInstanceKey=key)
    assert task["candidateGroups"] == ["it-board"]
    due, created = (datetime.fromisoformat(task[name]) for name in ("dueDate", "creationDate"))
    assert round((due - created).total_seconds()) == 3 * 86_400
    decided = api.search("decision-instances", processInstanceKey=key)
    assert [item["decisionDefinitionName"] for item in decided] == ["Supplier risk", "Approval level"]
    api.ok("POST", f"/user-tasks/{task['userTaskKey']}/completion", {"variables": {"decision": "approve"}})
    (end,) = api.search("element-instances", processInstanceKey=key, type="END_EVENT")
    assert end["elementId"] == "purchase_approved"


def test_a_purchase_without_a_decision_is_rejected(api: Client) -> None:
    deploy(api)
    key = api.start("purchase-approval", {**MONITORS, "amount": 9000})["processInstanceKey"]
    (task,) = api.search("user-tasks", processInstanceKey=key)
    assert task["candidateGroups"] == ["finance-directors"]
    api.ok("POST", f"/user-tasks/{task['userTaskKey']}/completion", {})
    (end,) = api.search("element-instances", processInstanceKey=key, type="END_EVENT")
    assert end["elementId"] == "purchase_rejected"
