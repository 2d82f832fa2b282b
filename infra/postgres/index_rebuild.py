"""Rebuilding what is written beside the events from the events alone: wait states, key blocks, definition index.

For repairs: writers wait while it runs (about 60,000 events a second), then find the tables as if they had never been
otherwise. `command_ids` is not among them: outcomes are kept nowhere else, and a repeat after their loss would be
carried out again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from commands.codec import definition_rows
from commands.handling import FAMILY, StreamRef
from domain.calendar.events import EVENTS as CALENDARS
from domain.events import REGISTRY
from domain.process_definition.events import EVENTS as DEPLOYMENTS
from domain.process_instance.wait_states import wait_change
from infra.postgres.message_rows import MessageRow, MessageRows, SignalRow, StartRow, SubscriptionRow
from infra.postgres.wait_rows import Rows, WaitRows

INDEXED = (*DEPLOYMENTS, *CALENDARS)
"""Events that have rows in the definition index."""
_PAGE = 5_000
_LOG = """
SELECT originator_id, originator_version, topic, state, notification_id FROM stored_events ORDER BY notification_id
"""
_JOBS = ("instance_key", "local", "element", "available_at", "tenant", "type")
_TIMERS = ("instance_key", "local", "element", "due")
_SUBSCRIPTIONS = ("instance_key", "local", *SubscriptionRow._fields)
_MESSAGES = ("message_key", *MessageRow._fields)
_SIGNALS = ("key", "local", *SignalRow._fields)
_BLOCKS = ("block", "instance_key")
_DELIVERIES = ("instance_key", "local", "kind", "peer")
_DEFINITIONS = (
    "tenant",
    "kind",
    "id",
    "version",
    "key",
    "stream",
    "stream_version",
    "deployment_key",
    "version_tag",
)


def rebuild_index(url: str) -> dict[str, int]:
    """Replace the tables by what the log says, in one transaction; the rows of each. Raises LogCorrupt."""
    with psycopg.connect(url) as connection:
        # Not the writers' advisory lock: a statement that waits for that one has its snapshot already, and would not
        # see the new rows. A table lock is waited for before.
        connection.execute("LOCK TABLE stored_events IN SHARE ROW EXCLUSIVE MODE")
        waits, definitions = _replay(connection)
        jobs = [
            (key, local, row.element, row.at, row.tenant, row.type)
            for key, rows in waits.jobs.items()
            for local, row in rows.put.items()
        ]
        timers = [
            (key, local, row.element, row.at) for key, rows in waits.timers.items() for local, row in rows.put.items()
        ]
        deliveries = [(*row, *owed) for row, owed in waits.deliveries.items()]
        return {
            "wait_jobs": _replace(connection, "wait_jobs", _JOBS, jobs),
            "wait_timers": _replace(connection, "wait_timers", _TIMERS, timers),
            "wait_deliveries": _replace(connection, "wait_deliveries", _DELIVERIES, deliveries),
            **_replace_messages(connection, waits.messages or MessageRows()),
            "key_blocks": _replace(connection, "key_blocks", _BLOCKS, waits.blocks),
            "definition_index": _replace(connection, "definition_index", _DEFINITIONS, definitions),
        }


def _replace_messages(connection: psycopg.Connection[Any], rows: MessageRows) -> dict[str, int]:
    messages = [(key, *row[:-1], list(row.taken)) for key, row in rows.put_messages.items()]
    starts = [row for of_process in rows.starts.values() for row in of_process.values()]
    subscriptions = [(*key, *row) for key, row in rows.put_subscriptions.items()]
    signals = [(*key, *row) for key, row in rows.put_signals.items()]
    return {
        "wait_subscriptions": _replace(connection, "wait_subscriptions", _SUBSCRIPTIONS, subscriptions),
        "wait_messages": _replace(connection, "wait_messages", _MESSAGES, messages),
        "wait_signals": _replace(connection, "wait_signals", _SIGNALS, signals),
        "start_events": _replace(connection, "start_events", StartRow._fields, starts),
    }


def _replay(connection: psycopg.Connection[Any]) -> tuple[WaitRows, list[tuple[Any, ...]]]:
    """What is open at the end of the log. Changes of rows that are closed are forgotten page by page."""
    waits = WaitRows()
    definitions: list[tuple[Any, ...]] = []
    with connection.cursor(name="log", binary=True) as cursor:
        cursor.itersize = _PAGE
        for number, (stream, version, topic, state, position) in enumerate(cursor.execute(_LOG)):
            envelope, event = REGISTRY.decode(topic, state)
            change = wait_change(event)
            if change is not None:
                waits.add(stream.int, envelope.tenant, (change,), position)
            if isinstance(event, INDEXED):
                definitions += definition_rows(envelope.tenant, StreamRef(FAMILY, stream), version, event)
            if number % _PAGE == 0:
                _forget_closed(waits.jobs)
                _forget_closed(waits.timers)
                waits.settled.clear()
                if waits.messages is not None:
                    waits.messages.forget_closed()
    return waits, definitions


def _forget_closed(table: dict[int, Rows]) -> None:
    for key in [key for key, rows in table.items() if not rows.put]:
        del table[key]
    for rows in table.values():
        rows.move.clear()
        rows.drop.clear()


def _replace(
    connection: psycopg.Connection[Any], table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> int:
    """DELETE rather than TRUNCATE: readers go on with the old rows until the commit."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    count = 0
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
    return count
