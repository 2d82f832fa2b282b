"""Read model: one row per user task; the open ones are the inbox."""

from __future__ import annotations

from enum import IntEnum

from domain.process_instance import events as e
from projections.rows import MICROSECONDS_PER_MS, Changes, ColumnType, Handlers, Row, Source, Table


class TaskState(IntEnum):
    """The v2 API's UserTaskStateEnum."""

    CREATED = 0
    COMPLETED = 1
    CANCELED = 2
    FAILED = 3
    CREATING = 4
    ASSIGNING = 5
    UPDATING = 6
    COMPLETING = 7
    CANCELING = 8


TABLE = Table(
    "user_tasks",
    ("instance_key", "key"),
    {
        "instance_key": ColumnType.BIGINT,
        "key": ColumnType.BIGINT,
        "element_key": ColumnType.BIGINT,
        "created": ColumnType.BIGINT,
        "ended": ColumnType.BIGINT,
        "due": ColumnType.BIGINT,
        "follow_up": ColumnType.BIGINT,
        "form_key": ColumnType.BIGINT,
        "priority": ColumnType.INTEGER,
        "state": ColumnType.SMALLINT,
        "element_id": ColumnType.TEXT,
        "assignee": ColumnType.TEXT,
        "candidate_groups": ColumnType.TEXTS,
        "candidate_users": ColumnType.TEXTS,
        "external_form": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
    closing_state=TaskState.CANCELED,
    closed_by_element=True,
)


def _ms(microseconds: int) -> int | None:
    return microseconds // MICROSECONDS_PER_MS if microseconds else None


def created(changes: Changes, source: Source, event: e.UserTaskCreated) -> None:
    """A person has something to do."""
    key = source.key + event.local
    row = {
        "instance_key": source.key,
        "key": key,
        "element_key": source.key + event.element,
        "created": source.at,
        "ended": None,
        "due": _ms(event.due),
        "follow_up": _ms(event.follow_up),
        "form_key": event.form_key or None,
        "priority": event.priority,
        "state": TaskState.CREATED.value,
        "element_id": event.element_id,
        "assignee": event.assignee or None,
        "candidate_groups": event.candidate_groups or None,
        "candidate_users": event.candidate_users or None,
        "external_form": event.external_form or None,
        "tenant": source.tenant,
    }
    changes["user_tasks"].insert((source.key, key), row)


def assigned(changes: Changes, source: Source, event: e.UserTaskAssigned) -> None:
    """The task has another assignee, or none."""
    _update(changes, source, event.task, {"assignee": event.assignee or None})


def updated(changes: Changes, source: Source, event: e.UserTaskUpdated) -> None:
    """Attributes changed; None means untouched."""
    values: Row = {}
    if event.candidate_groups is not None:
        values["candidate_groups"] = event.candidate_groups or None
    if event.candidate_users is not None:
        values["candidate_users"] = event.candidate_users or None
    if event.due is not None:
        values["due"] = _ms(event.due)
    if event.follow_up is not None:
        values["follow_up"] = _ms(event.follow_up)
    if event.priority is not None:
        values["priority"] = event.priority
    if values:
        _update(changes, source, event.task, values)


def transition_started(changes: Changes, source: Source, event: e.UserTaskTransitionStarted) -> None:
    """Its listeners are asked whether it may change so."""
    _update(changes, source, event.task, {"state": TaskState[event.moment].value})


def transition_ended(changes: Changes, source: Source, event: e.UserTaskTransitionEnded) -> None:
    """They have decided."""
    _update(changes, source, event.task, {"state": TaskState.CREATED.value})


def completed(changes: Changes, source: Source, event: e.UserTaskCompleted) -> None:
    """The person is done."""
    _update(changes, source, event.task, {"state": TaskState.COMPLETED.value, "ended": source.at})


def _update(changes: Changes, source: Source, local: int, values: Row) -> None:
    changes["user_tasks"].update((source.key, source.key + local), values)


HANDLERS: Handlers = {
    e.UserTaskCreated: created,
    e.UserTaskAssigned: assigned,
    e.UserTaskUpdated: updated,
    e.UserTaskCompleted: completed,
    e.UserTaskTransitionStarted: transition_started,
    e.UserTaskTransitionEnded: transition_ended,
}
