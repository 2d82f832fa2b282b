"""Read models: which messages are waited for, by instances and by start events, and which ones were correlated."""

from __future__ import annotations

from enum import IntEnum

from domain.messages import events as m
from domain.process_definition.events import ProcessDeployed
from domain.process_instance import events as e
from projections.rows import Changes, ColumnType, Handlers, Row, Source, Table


class SubscriptionState(IntEnum):
    """The v2 API's MessageSubscriptionStateEnum."""

    CREATED = 0
    CORRELATED = 1
    DELETED = 2
    MIGRATED = 3


class SubscriptionType(IntEnum):
    """The v2 API's MessageSubscriptionTypeEnum."""

    PROCESS_EVENT = 0
    START_EVENT = 1


SUBSCRIPTIONS = Table(
    "message_subscriptions",
    ("owner_key", "key"),
    {
        "owner_key": ColumnType.BIGINT,
        "key": ColumnType.BIGINT,
        "instance_key": ColumnType.BIGINT,
        "definition_key": ColumnType.BIGINT,
        "element_key": ColumnType.BIGINT,
        "updated": ColumnType.BIGINT,
        "type": ColumnType.SMALLINT,
        "state": ColumnType.SMALLINT,
        "element_id": ColumnType.TEXT,
        "name": ColumnType.TEXT,
        "correlation_key": ColumnType.TEXT,
        "process_id": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
)
CORRELATED = Table(
    "correlated_messages",
    ("message_key", "instance_key"),
    {
        "message_key": ColumnType.BIGINT,
        "instance_key": ColumnType.BIGINT,
        "definition_key": ColumnType.BIGINT,
        "root_key": ColumnType.BIGINT,
        "element_key": ColumnType.BIGINT,
        "subscription_key": ColumnType.BIGINT,
        "correlated": ColumnType.BIGINT,
        "element_id": ColumnType.TEXT,
        "name": ColumnType.TEXT,
        "correlation_key": ColumnType.TEXT,
        "process_id": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
)


def opened(changes: Changes, source: Source, event: e.SubscriptionOpened) -> None:
    """An instance waits for a message."""
    if event.kind != "message":
        return
    _insert(
        changes,
        source,
        (source.key, source.key + event.local),
        {
            "instance_key": source.key,
            "definition_key": None,
            "element_key": source.key + event.element,
            "type": SubscriptionType.PROCESS_EVENT.value,
            "element_id": event.element_id,
            "name": event.name,
            "correlation_key": event.key,
            "process_id": event.process_id,
        },
    )


def met(changes: Changes, source: Source, event: e.SubscriptionMet) -> None:
    """A message came (or something else happened that has no row here)."""
    if event.source_key and not event.position:
        values: Row = {"updated": source.at}
        if event.closes:
            values["state"] = SubscriptionState.CORRELATED.value
        changes["message_subscriptions"].update((source.key, source.key + event.subscription), values)


def closed(changes: Changes, source: Source, event: e.SubscriptionClosed) -> None:
    """It is waited for no more."""
    values: Row = {"updated": source.at, "state": SubscriptionState.DELETED.value}
    changes["message_subscriptions"].update((source.key, source.key + event.subscription), values)


def deployed(changes: Changes, source: Source, event: ProcessDeployed) -> None:
    """A version waits for messages that start instances, until the next one is deployed."""
    for number, start in enumerate(event.starts, 1):
        if start.kind == "message":
            _insert(
                changes,
                source,
                (event.definition_key, event.definition_key + number),
                {
                    "instance_key": None,
                    "definition_key": event.definition_key,
                    "element_key": None,
                    "type": SubscriptionType.START_EVENT.value,
                    "element_id": start.element_id,
                    "name": start.name,
                    "correlation_key": None,
                    "process_id": event.bpmn_process_id,
                },
            )


def _insert(changes: Changes, source: Source, key: tuple[int, int], row: Row) -> None:
    common = {"owner_key": key[0], "key": key[1], "updated": source.at, "tenant": source.tenant}
    changes["message_subscriptions"].insert(key, {**row, **common, "state": SubscriptionState.CREATED.value})


def correlated(changes: Changes, source: Source, event: m.MessageCorrelated) -> None:
    """An instance took the message, or was started by it."""
    row = {
        "message_key": source.key,
        "instance_key": event.instance_key,
        "definition_key": event.definition_key,
        "root_key": event.root_key or event.instance_key,
        "element_key": event.element_key or None,
        "subscription_key": event.subscription_key,
        "correlated": source.at,
        "element_id": event.element_id,
        "name": event.name,
        "correlation_key": event.key or None,
        "process_id": event.process_id,
        "tenant": source.tenant,
    }
    changes["correlated_messages"].insert((source.key, event.instance_key), row)


HANDLERS: Handlers = {
    e.SubscriptionOpened: opened,
    e.SubscriptionMet: met,
    e.SubscriptionClosed: closed,
    ProcessDeployed: deployed,
    m.MessageCorrelated: correlated,
}
