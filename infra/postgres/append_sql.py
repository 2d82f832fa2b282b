"""The one statement that appends a batch: events, wait states, command ids, definitions and snapshots, by unnest.

The statement is put together from parts, so that the common batch pays only for what it needs; each combination is
prepared once per connection. Parameters are binary arrays (infra/postgres/binary.py), numbered in order of the parts.
"""

from __future__ import annotations

from functools import cache

from infra.postgres.append_parts import Fragment, Part
from infra.postgres.message_sql import MESSAGE_FRAGMENTS

_EVENTS = Fragment(
    "ins",
    ("uuid", "int8", "text", "bytea"),
    "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
    " SELECT u.id, u.version, u.topic, u.state"
    " FROM unnest({0}, {1}, {2}, {3}) WITH ORDINALITY AS u(id, version, topic, state, n) ORDER BY u.n"
    " RETURNING notification_id",
)

_MOVE = (
    "UPDATE {table} AS w SET {column} = u.at FROM unnest({{0}}, {{1}}, {{2}}) AS u(instance_key, local, at)"
    " WHERE w.instance_key = u.instance_key AND w.local = u.local"
)
_UNLESS_DROPPED = (
    " AND NOT EXISTS (SELECT FROM {drop} AS d WHERE d.instance_key = u.instance_key AND d.local = u.local)"
)
_DROP = (
    "DELETE FROM {table} AS w USING unnest({{0}}, {{1}}, {{2}}, {{3}}) AS u(instance_key, low, high, element)"
    " WHERE w.instance_key = u.instance_key AND w.local BETWEEN u.low AND u.high"
    " AND (u.element = -1 OR w.element = u.element) RETURNING w.instance_key, w.local"
)
_INT8X3, _INT8X4 = ("int8",) * 3, ("int8",) * 4

_FRAGMENTS: dict[Part, Fragment] = {
    Part.PUT_JOBS: Fragment(
        "put_jobs",
        ("int8", "int8", "int8", "int8", "text", "text"),
        "INSERT INTO wait_jobs (instance_key, local, element, available_at, tenant, type)"
        " SELECT * FROM unnest({0}, {1}, {2}, {3}, {4}, {5})",
    ),
    Part.DROP_JOBS: Fragment("drop_jobs", _INT8X4, _DROP.format(table="wait_jobs")),
    Part.MOVE_JOBS: Fragment("move_jobs", _INT8X3, _MOVE.format(table="wait_jobs", column="available_at")),
    Part.PUT_TIMERS: Fragment(
        "put_timers",
        _INT8X4,
        "INSERT INTO wait_timers (instance_key, local, element, due) SELECT * FROM unnest({0}, {1}, {2}, {3})",
    ),
    Part.DROP_TIMERS: Fragment("drop_timers", _INT8X4, _DROP.format(table="wait_timers")),
    Part.MOVE_TIMERS: Fragment("move_timers", _INT8X3, _MOVE.format(table="wait_timers", column="due")),
    Part.BLOCKS: Fragment(
        "put_blocks",
        ("int8", "int8"),
        "INSERT INTO key_blocks (block, instance_key) SELECT * FROM unnest({0}, {1})",
    ),
    Part.PUT_DELIVERIES: Fragment(
        "put_deliveries",
        ("int8", "int8", "text", "int8"),
        "INSERT INTO wait_deliveries (instance_key, local, kind, peer) SELECT * FROM unnest({0}, {1}, {2}, {3})",
    ),
    Part.DROP_DELIVERIES: Fragment(
        "drop_deliveries",
        ("int8", "int8"),
        "DELETE FROM wait_deliveries AS w USING unnest({0}, {1}) AS u(instance_key, local)"
        " WHERE w.instance_key = u.instance_key AND w.local = u.local",
    ),
    **MESSAGE_FRAGMENTS,
    Part.COMMANDS: Fragment(
        "put_commands",
        ("text", "text", "bytea", "bytea", "int8", "int8"),
        # last: 0-based index of the command's last event in the batch, -1 if it has none; then its position is given
        "INSERT INTO command_ids (tenant, command_id, body_hash, result, position)"
        " SELECT u.tenant, u.id, u.hash, u.result,"
        " CASE WHEN u.last < 0 THEN u.position ELSE (SELECT min(notification_id) FROM ins) + u.last END"
        " FROM unnest({0}, {1}, {2}, {3}, {4}, {5}) AS u(tenant, id, hash, result, last, position)",
    ),
    Part.DEFINITIONS: Fragment(
        "put_definitions",
        ("text", "text", "text", "int8", "int8", "uuid", "int8", "int8", "text"),
        "INSERT INTO definition_index"
        " (tenant, kind, id, version, key, stream, stream_version, deployment_key, version_tag)"
        " SELECT * FROM unnest({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})",
    ),
    Part.SNAPSHOTS: Fragment(
        "put_snapshots",
        ("uuid", "int8", "text", "bytea"),
        "INSERT INTO stored_snapshots (originator_id, originator_version, topic, state)"
        " SELECT * FROM unnest({0}, {1}, {2}, {3}) ON CONFLICT DO NOTHING"
        "), drop_snapshots AS ("
        "DELETE FROM stored_snapshots AS s USING unnest({0}, {1}) AS u(id, version)"
        " WHERE s.originator_id = u.id AND s.originator_version < u.version",
    ),
}

PARAMETER_ORDER: tuple[Part, ...] = tuple(_FRAGMENTS)


@cache
def append_statement(parts: Part) -> bytes:
    """The SQL for these parts; it returns one row: lowest and highest notification id, and how many."""
    fragments = [_EVENTS]
    for part, fragment in _FRAGMENTS.items():
        if part in parts:
            fragments.append(_ordered(part, fragment, parts))
    number = 0
    clauses = []
    for fragment in fragments:
        names = [f"${number + i}::{kind}[]" for i, kind in enumerate(fragment.types, start=1)]
        number += len(names)
        clauses.append(f"{fragment.name} AS ({fragment.sql.format(*names)})")
    result = "SELECT min(notification_id), max(notification_id), count(*) FROM ins"
    return " ".join(("WITH", ", ".join(clauses), result)).encode()


def _ordered(part: Part, fragment: Fragment, parts: Part) -> Fragment:
    """With DROP_FIRST a move looks at what the drop returned, which makes PostgreSQL carry out the drop before it."""
    drop = {Part.MOVE_JOBS: Part.DROP_JOBS, Part.MOVE_TIMERS: Part.DROP_TIMERS}.get(part)
    if drop is None or Part.DROP_FIRST not in parts or drop not in parts:
        return fragment
    return fragment._replace(sql=fragment.sql + _UNLESS_DROPPED.format(drop=_FRAGMENTS[drop].name))
