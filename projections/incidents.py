"""Read model: one row per incident; an open one is what keeps an instance from going on."""

from __future__ import annotations

from enum import IntEnum

from domain.process_instance import events as e
from projections.rows import Changes, ColumnType, Handlers, Source, Table


class IncidentState(IntEnum):
    """The v2 API's incident states."""

    ACTIVE = 0
    RESOLVED = 1
    PENDING = 2
    MIGRATED = 3
    UNKNOWN = 4


TABLE = Table(
    "incidents",
    ("instance_key", "key"),
    {
        "instance_key": ColumnType.BIGINT,
        "key": ColumnType.BIGINT,
        "element_key": ColumnType.BIGINT,
        "created": ColumnType.BIGINT,
        "ended": ColumnType.BIGINT,
        "job_key": ColumnType.BIGINT,
        "state": ColumnType.SMALLINT,
        "element_id": ColumnType.TEXT,
        "type": ColumnType.TEXT,
        "message": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
    closing_state=IncidentState.RESOLVED,
    closed_by_element=True,
)


def raised(changes: Changes, source: Source, event: e.IncidentRaised) -> None:
    """The instance cannot go on at an element."""
    key = source.key + event.local
    row = {
        "instance_key": source.key,
        "key": key,
        "element_key": source.key + event.element,
        "created": source.at,
        "ended": None,
        "job_key": source.key + event.job if event.job else None,
        "state": IncidentState.ACTIVE.value,
        "element_id": event.element_id,
        "type": event.type,
        "message": event.message,
        "tenant": source.tenant,
    }
    changes["incidents"].insert((source.key, key), row)


def resolved(changes: Changes, source: Source, event: e.IncidentResolved) -> None:
    """What was blocked is tried anew."""
    key = source.key + event.incident
    changes["incidents"].update((source.key, key), {"state": IncidentState.RESOLVED.value, "ended": source.at})


HANDLERS: Handlers = {e.IncidentRaised: raised, e.IncidentResolved: resolved}
