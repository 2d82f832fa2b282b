"""Read model: one row per element instance (the process itself is the process instance's row). `is_body`: the body of
a loop, inside of which the inner instances of the same element run."""

from __future__ import annotations

from enum import IntEnum

from domain.process_instance import events as e
from projections.rows import Changes, ColumnType, Handlers, Source, Table


class ElementState(IntEnum):
    """The v2 API's element instance states."""

    ACTIVE = 0
    COMPLETED = 1
    TERMINATED = 2


TABLE = Table(
    "element_instances",
    ("instance_key", "key"),
    {
        "instance_key": ColumnType.BIGINT,
        "key": ColumnType.BIGINT,
        "scope_key": ColumnType.BIGINT,
        "started": ColumnType.BIGINT,
        "ended": ColumnType.BIGINT,
        "state": ColumnType.SMALLINT,
        "is_body": ColumnType.BOOLEAN,
        "element_id": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
    closing_state=ElementState.TERMINATED,
)


def activated(changes: Changes, source: Source, event: e.ElementActivated) -> None:
    """An element was entered and stays."""
    _enter(changes, source, event, None, ElementState.ACTIVE)


def passed(changes: Changes, source: Source, event: e.ElementPassed) -> None:
    """An element was entered and completed at the same moment."""
    _enter(changes, source, event, source.at, ElementState.COMPLETED)


def _enter(
    changes: Changes,
    source: Source,
    event: e.ElementActivated | e.ElementPassed,
    ended: int | None,
    state: ElementState,
) -> None:
    key = source.key + event.local
    row = {
        "instance_key": source.key,
        "key": key,
        "scope_key": source.key + event.scope,
        "started": source.at,
        "ended": ended,
        "state": state.value,
        "is_body": isinstance(event, e.ElementActivated) and event.body,
        "element_id": event.element_id,
        "tenant": source.tenant,
    }
    changes["element_instances"].insert((source.key, key), row)


def completed(changes: Changes, source: Source, event: e.ElementCompleted) -> None:
    """The element finished; whatever is still open at it ends."""
    _end(changes, source, event.local, ElementState.COMPLETED)


def terminated(changes: Changes, source: Source, event: e.ElementTerminated) -> None:
    """The element was ended from outside; whatever is still open at it ends."""
    _end(changes, source, event.local, ElementState.TERMINATED)


def _end(changes: Changes, source: Source, local: int, state: ElementState) -> None:
    key = source.key + local
    changes["element_instances"].update((source.key, key), {"ended": source.at, "state": state.value})
    changes.end_element(source.key, key, source.at)


HANDLERS: Handlers = {
    e.ElementActivated: activated,
    e.ElementPassed: passed,
    e.ElementCompleted: completed,
    e.ElementTerminated: terminated,
}
