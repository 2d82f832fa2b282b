"""Read model: one row per job. Workers take jobs from the wait-state index; this is what people search."""

from __future__ import annotations

from enum import IntEnum

from domain.events import encode_json
from domain.process_instance import events as e
from projections.rows import MICROSECONDS_PER_MS, Changes, ColumnType, Handlers, Row, Source, Table


class JobState(IntEnum):
    """The v2 API's JobStateEnum. A job in a worker's hands keeps its state; its deadline tells."""

    CREATED = 0
    COMPLETED = 1
    CANCELED = 2
    FAILED = 3
    ERROR_THROWN = 4
    RETRIES_UPDATED = 5
    TIMED_OUT = 6
    MIGRATED = 7
    PRIORITY_UPDATED = 8
    TIMEOUT_UPDATED = 9


class KindOfJob(IntEnum):
    """The v2 API's JobKindEnum."""

    BPMN_ELEMENT = 0
    EXECUTION_LISTENER = 1
    TASK_LISTENER = 2
    AD_HOC_SUB_PROCESS = 3


class ListenerEvent(IntEnum):
    """The v2 API's JobListenerEventTypeEnum."""

    UNSPECIFIED = 0
    START = 1
    END = 2
    CREATING = 3
    ASSIGNING = 4
    UPDATING = 5
    COMPLETING = 6
    CANCELING = 7
    BEFORE_ALL = 8
    CANCEL = 9


TABLE = Table(
    "jobs",
    ("instance_key", "key"),
    {
        "instance_key": ColumnType.BIGINT,
        "key": ColumnType.BIGINT,
        "element_key": ColumnType.BIGINT,
        "created": ColumnType.BIGINT,
        "updated": ColumnType.BIGINT,
        "ended": ColumnType.BIGINT,
        "deadline": ColumnType.BIGINT,
        "retries": ColumnType.INTEGER,
        "state": ColumnType.SMALLINT,
        "element_id": ColumnType.TEXT,
        "type": ColumnType.TEXT,
        "worker": ColumnType.TEXT,
        "error_code": ColumnType.TEXT,
        "error_message": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
        "kind": ColumnType.SMALLINT,
        "listener_event": ColumnType.SMALLINT,
        "denied_reason": ColumnType.TEXT,
        "headers": ColumnType.TEXT,
    },
    closing_state=JobState.CANCELED,
    keeps_state=JobState.ERROR_THROWN,
    closed_by_element=True,
)


_PLAIN = e.JobRole()


def created(changes: Changes, source: Source, event: e.JobCreated) -> None:
    """Work became available."""
    key = source.key + event.local
    role = event.role or _PLAIN
    row = {
        "instance_key": source.key,
        "key": key,
        "element_key": source.key + event.element,
        "created": source.at,
        "updated": source.at,
        "ended": None,
        "deadline": None,
        "retries": event.retries,
        "state": JobState.CREATED.value,
        "element_id": event.element_id,
        "type": event.type,
        "worker": None,
        "error_code": None,
        "error_message": None,
        "tenant": source.tenant,
        "kind": KindOfJob[role.kind].value,
        "listener_event": ListenerEvent[role.moment].value,
        "denied_reason": None,
        "headers": encode_json(role.headers).decode() if role.headers else None,
    }
    changes["jobs"].insert((source.key, key), row)


def activated(changes: Changes, source: Source, event: e.JobActivated) -> None:
    """A worker holds the job until its deadline."""
    deadline = event.deadline // MICROSECONDS_PER_MS
    _update(changes, source, event.job, {"worker": event.worker, "deadline": deadline, "updated": source.at})


def completed(changes: Changes, source: Source, event: e.JobCompleted) -> None:
    """The worker is done."""
    values: Row = {"state": JobState.COMPLETED.value, "ended": source.at, "updated": source.at}
    if event.denial is not None:
        values["denied_reason"] = event.denial
    _update(changes, source, event.job, values)


def failed(changes: Changes, source: Source, event: e.JobFailed) -> None:
    """The worker gave up this attempt."""
    values = {
        "state": JobState.FAILED.value,
        "retries": event.retries,
        "error_message": event.message or None,
        "deadline": None,
        "updated": source.at,
    }
    _update(changes, source, event.job, values)


def error_thrown(changes: Changes, source: Source, event: e.JobErrorThrown) -> None:
    """The worker reported a BPMN error; if it is caught, the element ends and the job with it."""
    values = {
        "state": JobState.ERROR_THROWN.value,
        "error_code": event.code,
        "error_message": event.message or None,
        "deadline": None,
        "updated": source.at,
    }
    _update(changes, source, event.job, values)


def updated(changes: Changes, source: Source, event: e.JobUpdated) -> None:
    """Somebody changed its retries or its deadline."""
    values = {"state": JobState.RETRIES_UPDATED.value, "retries": event.retries, "updated": source.at}
    if event.deadline:
        values |= {"state": JobState.TIMEOUT_UPDATED.value, "deadline": event.deadline // MICROSECONDS_PER_MS}
    _update(changes, source, event.job, values)


def _update(changes: Changes, source: Source, local: int, values: Row) -> None:
    changes["jobs"].update((source.key, source.key + local), values)


HANDLERS: Handlers = {
    e.JobCreated: created,
    e.JobActivated: activated,
    e.JobCompleted: completed,
    e.JobFailed: failed,
    e.JobErrorThrown: error_thrown,
    e.JobUpdated: updated,
}
