"""The shipped examples and the models of the benchmark run on the engine as their READMEs say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.trigger_timer import TriggerTimer
from domain.process_instance.state import InstanceStatus
from tests.engine.harness import Engine

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("expense-claim", "expense-review", "expense-amendment", "expense-payment")
CLAIM = {"initiator": "li.na", "department": "Sales", "title": "Trade fair", "category": "travel", "purpose": "Stand"}
ORDER = {
    "id": "O-1",
    "customer": {"id": "C-7"},
    "lines": [{"sku": "PUMP-10", "quantity": 2, "price": Decimal("349.5")}],
}


class Walk:
    """One instance of one model."""

    def __init__(self, model: str, process_id: str, **variables: Any) -> None:
        self.engine = Engine()
        self.engine.deploy((ROOT / model).read_text("utf-8"))
        self.engine.definitions.forms = {form: number for number, form in enumerate(FORMS, start=1)}
        self.key: int = self.engine.do(CreateInstance(bpmn_process_id=process_id, variables=variables)).instance_key

    def complete(self, element_id: str, **variables: Any) -> None:
        self.engine.do(CompleteUserTask(task_key=self.engine.task(self.key, element_id), variables=variables))

    def work(self, **variables: Any) -> None:
        self.engine.do(CompleteJob(job_key=self.engine.job(self.key), variables=variables))

    def let_timer_fire(self) -> None:
        timer = next(iter(self.engine.state(self.key).timers.values()))
        self.engine.now = timer.due
        self.engine.do(TriggerTimer(instance_key=self.key, timer=timer.local))

    def waits_at(self) -> str:
        return self.engine.waiting(self.key)[-1]

    def is_completed(self) -> bool:
        return self.engine.state(self.key).status is InstanceStatus.COMPLETED

    def variables(self) -> dict[str, Any]:
        return self.engine.variables(self.key)


def claim(amount: int) -> Walk:
    return Walk("examples/expense-claim/expense-claim.bpmn", "expense-claim", amount=amount, **CLAIM)


def order() -> Walk:
    return Walk("examples/order-to-cash/order-to-cash.bpmn", "order-to-cash", order=ORDER)


def test_a_claim_above_5000_goes_to_the_finance_director_before_it_is_paid() -> None:
    walk = claim(7200)
    walk.complete("department_review", decision="approve", comment="Agreed.")
    walk.complete("finance_review", decision="approve")
    assert walk.waits_at() == "director_review"
    walk.complete("director_review", decision="approve")
    walk.complete("cashier_payment", paymentReference="SEPA-1", paidOn="2026-11-23")
    assert walk.is_completed()
    assert walk.variables()["departmentComment"] == "Agreed."
    assert walk.variables()["paymentReference"] == "SEPA-1"


def test_a_claim_of_5000_is_paid_without_the_director() -> None:
    walk = claim(5000)
    walk.complete("department_review", decision="approve")
    walk.complete("finance_review", decision="approve")
    assert walk.waits_at() == "cashier_payment"


@pytest.mark.parametrize("rejecting", ["department_review", "finance_review", "director_review"])
def test_a_rejection_brings_the_claim_back_with_its_reason(rejecting: str) -> None:
    walk = claim(7200)
    while walk.waits_at() != rejecting:
        walk.complete(walk.waits_at(), decision="approve")
    walk.complete(rejecting, decision="reject", reason="The receipt is missing.")
    assert walk.waits_at() == "amend_claim"
    assert walk.variables()["rejectionReason"] == "The receipt is missing."


def test_an_amended_claim_is_reviewed_from_the_start_with_its_new_amount() -> None:
    walk = claim(7200)
    walk.complete("department_review", decision="reject", reason="Too much.")
    walk.complete("amend_claim", amendment="resubmit", amount=4800)
    walk.complete("department_review", decision="approve")
    walk.complete("finance_review", decision="approve")
    assert walk.waits_at() == "cashier_payment"
    assert (walk.variables()["amount"], walk.variables()["round"]) == (4800, 2)


def test_a_rejected_claim_can_be_withdrawn() -> None:
    walk = claim(100)
    walk.complete("department_review", decision="reject", reason="Not ours.")
    walk.complete("amend_claim", amendment="withdraw")
    assert walk.is_completed()


def test_a_review_without_a_decision_approves_nothing() -> None:
    walk = claim(100)
    walk.complete("department_review")
    assert walk.waits_at() == "amend_claim"


def test_a_late_review_is_counted_as_reminded_and_stays_open() -> None:
    walk = claim(100)
    walk.let_timer_fire()
    assert walk.variables()["reminders"] == 1
    walk.complete("department_review", decision="approve")
    assert walk.waits_at() == "finance_review"


def test_an_order_is_charged_then_shipped_and_invoiced() -> None:
    walk = order()
    walk.work(reservation={"complete": True, "id": "R-1"})
    walk.work(payment={"id": "P-1"})
    walk.work(shipment={"trackingNumber": "TRACK-1"})
    walk.work(invoice={"number": "INV-1"})
    assert walk.is_completed()
    found = walk.variables()
    assert found["orderTotal"] == 699
    assert (found["trackingNumber"], found["invoiceNumber"]) == ("TRACK-1", "INV-1")


def test_an_order_out_of_stock_waits_as_long_as_the_warehouse_said_and_tries_again() -> None:
    walk = order()
    walk.work(reservation={"complete": False, "retryAfter": "PT10S"})
    before = walk.engine.now
    walk.let_timer_fire()
    assert walk.engine.now - before == 10_000_000
    assert walk.waits_at() == "reserve_stock"


def test_an_order_not_paid_within_a_day_gives_its_goods_back() -> None:
    walk = order()
    walk.work(reservation={"complete": True, "id": "R-1"})
    walk.let_timer_fire()
    assert walk.waits_at() == "release_stock"
    walk.work(released=True)
    assert walk.is_completed()


@pytest.mark.parametrize("amount", [4200, 8400])
def test_the_approval_of_the_benchmark_ends_after_three_tasks_on_both_ways(amount: int) -> None:
    walk = Walk("bench/models/approval.bpmn", "approval", amount=amount)
    for element_id in ("review", "finance_check", "legal_check"):
        walk.complete(element_id)
    assert walk.is_completed()


def test_the_one_task_process_of_the_benchmark_ends_with_its_job() -> None:
    walk = Walk("bench/models/one_task.bpmn", "one_task")
    walk.work()
    assert walk.is_completed()
