"""Projections as functions: events in, net row changes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain.events import Event
from domain.process_instance import events as e
from projections.element_instances import ElementState
from projections.jobs import JobState
from projections.process_instances import InstanceState
from projections.registry import ProjectionFailed, project, unprojected
from projections.rows import Changes
from projections.user_tasks import TaskState
from tests.read_side.streams import SECOND, START, one_task_instance, recorded, service_task, started, user_task

KEY = 4096 * 1000
DEFINITION = 77
MS = START // 1000


def changes(events: Sequence[Event], tenant: str = "", first: int = 1) -> Changes:
    return project(recorded(KEY, events, tenant, first))


def inserted(changed: Changes, table: str) -> list[dict[str, Any]]:
    return list(changed[table].inserts.values())


def test_every_event_is_projected_or_named_as_ignored() -> None:
    assert unprojected() == set()


def test_an_instance_that_runs_through_in_one_batch_is_one_insert_per_row() -> None:
    changed = changes(one_task_instance(DEFINITION))
    assert [len(table.inserts) for table in changed.tables.values() if table.inserts] == [1, 3, 2, 1]
    assert all(not table.updates for table in changed.tables.values())
    (instance,) = inserted(changed, "process_instances")
    assert (instance["state"], instance["started"], instance["ended"]) == (InstanceState.COMPLETED, MS, MS + 8000)
    (job,) = inserted(changed, "jobs")
    assert (job["state"], job["worker"], job["ended"]) == (JobState.COMPLETED, "worker-1", MS + 5000)


def test_the_same_instance_over_two_batches_is_inserts_then_updates_of_single_columns() -> None:
    events = one_task_instance(DEFINITION)
    changed = changes(events[5:], first=6)
    assert changed["jobs"].updates == {
        (KEY, KEY + 12): {"state": JobState.COMPLETED, "ended": MS + 5000, "updated": MS + 5000}
    }
    assert changed["element_instances"].updates == {
        (KEY, KEY + 11): {"ended": MS + 6000, "state": ElementState.COMPLETED}
    }
    assert len(changed["element_instances"].inserts) == 1  # the end event


def test_several_updates_of_a_row_are_one_and_the_last_value_wins() -> None:
    changed = changes([e.JobActivated(12, "a", START), e.JobFailed(12, 2, 0, "no"), e.JobActivated(12, "b", START)])
    (values,) = changed["jobs"].updates.values()
    assert values == {
        "worker": "b",
        "deadline": MS,
        "updated": MS + 2000,
        "state": JobState.FAILED,
        "retries": 2,
        "error_message": "no",
    }


def test_values_of_variables_are_compact_exact_json() -> None:
    variables = {"a": {"x": [1, None]}, "n": 12345678901234567890, "s": "日"}
    rows = inserted(changes([started(DEFINITION, variables=variables)]), "variables")
    assert [row["value"] for row in rows] == ['{"x":[1,null]}', "12345678901234567890", '"日"']
    assert {row["scope_key"] for row in rows} == {KEY}


def test_an_overwritten_variable_is_written_once_with_its_last_value() -> None:
    changed = changes([e.VariablesSet(5, {"x": 1}, [9]), e.VariablesSet(5, {"x": 2}, [9])])
    (row,) = inserted(changed, "variables")
    assert (row["key"], row["scope_key"], row["value"]) == (KEY + 9, KEY + 5, "2")


def test_a_released_task_has_no_assignee_and_untouched_attributes_stay() -> None:
    created = user_task(3, assignee="kim", candidate_groups=["g"], due=START + SECOND)
    updated = e.UserTaskUpdated(4, candidate_groups=[], priority=70)
    (row,) = inserted(changes([*created, e.UserTaskAssigned(4, ""), updated]), "user_tasks")
    assert (row["assignee"], row["candidate_groups"], row["priority"]) == (None, None, 70)
    assert (row["due"], row["state"]) == (MS + 1000, TaskState.CREATED)


def test_a_due_date_that_is_taken_away_is_gone() -> None:
    (values,) = changes([e.UserTaskUpdated(4, due=0)])["user_tasks"].updates.values()
    assert values == {"due": None}


def test_what_ended_elements_and_instances_leave_open_is_noted_for_the_writer() -> None:
    changed = changes([*service_task(3), e.ElementTerminated(3), e.InstanceTerminated()])
    assert changed.ended_elements == {(KEY, KEY + 3): MS + 2000}
    assert changed.ended_instances == {KEY: MS + 3000}


def test_rows_belong_to_the_tenant_of_the_event() -> None:
    changed = changes(one_task_instance(DEFINITION), tenant="acme")
    tenants = {row["tenant"] for table in changed.tables.values() for row in table.inserts.values()}
    assert tenants == {"acme"}


def test_a_child_instance_names_its_parent_and_root() -> None:
    child = started(DEFINITION, parent_key=4096, parent_element=7, root_key=4096, business_id="b", tags=["t"])
    (row,) = inserted(changes([child]), "process_instances")
    assert (row["parent_key"], row["parent_element_key"], row["root_key"]) == (4096, 4103, 4096)
    assert (row["business_id"], row["tags"]) == ("b", ["t"])


def test_the_body_of_a_loop_is_told_from_the_instances_inside() -> None:
    body, inner = e.ElementActivated(3, "each", 0, body=True), e.ElementActivated(4, "each", 3)
    rows = inserted(changes([body, inner]), "element_instances")
    assert [(row["is_body"], row["scope_key"]) for row in rows] == [(True, KEY), (False, KEY + 3)]


def test_a_later_key_block_is_noted_with_its_owner() -> None:
    changed = changes([e.KeyBlockReserved(8192)])
    assert inserted(changed, "key_blocks") == [{"block": KEY + 8192, "instance_key": KEY}]


def test_an_event_that_cannot_be_projected_is_named() -> None:
    class Strange(Event, frozen=True):
        topic = "pi.strange.1"

    with pytest.raises(ProjectionFailed, match=r"pi\.strange\.1 at position 2") as failed:
        changes([started(DEFINITION), Strange()])
    assert failed.value.recorded.version == 2


def test_streams_to_leave_out_are_left_out() -> None:
    events = recorded(KEY, one_task_instance(DEFINITION))
    changed = project(events, without={events[0].stream})
    assert not any(table.inserts or table.updates for table in changed.tables.values())
