"""Read model: one row per process instance. Whether it has an incident is asked of the incidents, not counted here."""

from __future__ import annotations

from enum import IntEnum

from domain.process_instance import events as e
from projections.rows import Changes, ColumnType, Handlers, Source, Table


class InstanceState(IntEnum):
    """The v2 API's ProcessInstanceStateEnum."""

    ACTIVE = 0
    COMPLETED = 1
    TERMINATED = 2
    SUSPENDED = 3


TABLE = Table(
    "process_instances",
    ("instance_key",),
    {
        "instance_key": ColumnType.BIGINT,
        "definition_key": ColumnType.BIGINT,
        "started": ColumnType.BIGINT,
        "ended": ColumnType.BIGINT,
        "parent_key": ColumnType.BIGINT,
        "parent_element_key": ColumnType.BIGINT,
        "root_key": ColumnType.BIGINT,
        "state": ColumnType.SMALLINT,
        "business_id": ColumnType.TEXT,
        "tags": ColumnType.TEXTS,
        "tenant": ColumnType.TEXT,
    },
)


def created(changes: Changes, source: Source, event: e.InstanceCreated) -> None:
    """The row begins; root_key is NULL where the instance is its own root."""
    parent_element = event.parent_key + event.parent_element if event.parent_key else None
    row = {
        "instance_key": source.key,
        "definition_key": event.definition_key,
        "started": source.at,
        "ended": None,
        "parent_key": event.parent_key or None,
        "parent_element_key": parent_element,
        "root_key": event.root_key if event.root_key not in (0, source.key) else None,
        "state": InstanceState.ACTIVE.value,
        "business_id": event.business_id or None,
        "tags": event.tags or None,
        "tenant": source.tenant,
    }
    changes["process_instances"].insert((source.key,), row)


def completed(changes: Changes, source: Source, event: e.InstanceCompleted) -> None:
    """The row ends, and with it all that was open in the instance."""
    _end(changes, source, InstanceState.COMPLETED)


def terminated(changes: Changes, source: Source, event: e.InstanceTerminated) -> None:
    """The row ends, and with it all that was open in the instance."""
    _end(changes, source, InstanceState.TERMINATED)


def suspended(changes: Changes, source: Source, event: e.InstanceSuspended) -> None:
    """It stands still."""
    changes["process_instances"].update((source.key,), {"state": InstanceState.SUSPENDED.value})


def resumed(changes: Changes, source: Source, event: e.InstanceResumed) -> None:
    """It goes on."""
    changes["process_instances"].update((source.key,), {"state": InstanceState.ACTIVE.value})


def _end(changes: Changes, source: Source, state: InstanceState) -> None:
    changes["process_instances"].update((source.key,), {"ended": source.at, "state": state.value})
    changes.end_instance(source.key, source.at)


HANDLERS: Handlers = {
    e.InstanceCreated: created,
    e.InstanceCompleted: completed,
    e.InstanceTerminated: terminated,
    e.InstanceSuspended: suspended,
    e.InstanceResumed: resumed,
}
