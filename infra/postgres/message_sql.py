"""The parts of the append statement that write the index of messages, signals and start events (append_sql.py)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.postgres.append_parts import Fragment, Part
from infra.postgres.binary import bytea_array, int8_array, text_array
from infra.postgres.message_rows import SEPARATOR, MessageRows

_POSITION = "coalesce((SELECT min(notification_id) FROM ins), 0) + u.position"
_INT8, _TEXT = "int8", "text"

_FRAGMENTS: dict[Part, Fragment] = {
    Part.PUT_SUBSCRIPTIONS: Fragment(
        "put_subscriptions",
        (_INT8,) * 4 + (_TEXT,) * 5,
        "INSERT INTO wait_subscriptions"
        " (instance_key, local, position, heard, kind, tenant, name, key, process_id)"
        " SELECT u.instance_key, u.local, @position, u.heard, u.kind, u.tenant, u.name, u.key, u.process_id"
        " FROM unnest({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})"
        " AS u(instance_key, local, position, heard, kind, tenant, name, key, process_id)",
    ),
    Part.MOVE_SUBSCRIPTIONS: Fragment(
        "move_subscriptions",
        (_INT8,) * 3 + (_TEXT, _INT8),
        "UPDATE wait_subscriptions AS w SET heard = greatest(w.heard, u.heard),"
        " kind = coalesce(nullif(u.kind, ''), w.kind),"
        " position = CASE WHEN u.position < 0 THEN w.position ELSE @position END"
        " FROM unnest({0}, {1}, {2}, {3}, {4}) AS u(instance_key, local, heard, kind, position)"
        " WHERE w.instance_key = u.instance_key AND w.local = u.local",
    ),
    Part.DROP_SUBSCRIPTIONS: Fragment(
        "drop_subscriptions",
        (_INT8,) * 2,
        "DELETE FROM wait_subscriptions AS w USING unnest({0}, {1}) AS u(instance_key, local)"
        " WHERE w.instance_key = u.instance_key AND w.local = u.local",
    ),
    Part.PUT_MESSAGES: Fragment(
        "put_messages",
        (_INT8,) * 3 + (_TEXT,) * 5,
        "INSERT INTO wait_messages (message_key, position, expires_at, tenant, name, key, message_id, taken)"
        " SELECT u.message_key, @position, u.expires_at, u.tenant, u.name, u.key, u.message_id,"
        " string_to_array(u.taken, E'\\x1f')"
        " FROM unnest({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7})"
        " AS u(message_key, position, expires_at, tenant, name, key, message_id, taken)",
    ),
    Part.TAKE_MESSAGES: Fragment(
        "take_messages",
        (_INT8, _TEXT),
        "UPDATE wait_messages AS w SET taken = w.taken || string_to_array(u.taken, E'\\x1f')"
        " FROM unnest({0}, {1}) AS u(message_key, taken) WHERE w.message_key = u.message_key",
    ),
    Part.DROP_MESSAGES: Fragment(
        "drop_messages",
        (_INT8,),
        "DELETE FROM wait_messages AS w USING unnest({0}) AS u(message_key) WHERE w.message_key = u.message_key",
    ),
    Part.PUT_SIGNALS: Fragment(
        "put_signals",
        (_INT8,) * 3 + (_TEXT,) * 2 + ("bytea",),
        "INSERT INTO wait_signals (key, local, position, tenant, name, variables)"
        " SELECT u.key, u.local, @position, u.tenant, u.name, u.variables"
        " FROM unnest({0}, {1}, {2}, {3}, {4}, {5}) AS u(key, local, position, tenant, name, variables)",
    ),
    Part.DROP_SIGNALS: Fragment(
        "drop_signals",
        (_INT8,) * 2,
        "DELETE FROM wait_signals AS w USING unnest({0}, {1}) AS u(key, local)"
        " WHERE w.key = u.key AND w.local = u.local",
    ),
    Part.REPLACE_STARTS: Fragment(
        "drop_starts",
        (_TEXT,) * 2,
        "DELETE FROM start_events AS w USING unnest({0}, {1}) AS u(tenant, process_id)"
        " WHERE w.tenant = u.tenant AND w.process_id = u.process_id",
    ),
    Part.PUT_STARTS: Fragment(
        "put_starts",
        (_INT8, _TEXT) + (_INT8,) * 3 + (_TEXT,) * 5,
        "INSERT INTO start_events"
        " (definition_key, element_id, position, due, remaining, cycle, kind, name, tenant, process_id)"
        " SELECT u.definition_key, u.element_id, @position, u.due, u.remaining, u.cycle, u.kind, u.name,"
        " u.tenant, u.process_id FROM unnest({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9})"
        " AS u(definition_key, element_id, position, due, remaining, cycle, kind, name, tenant, process_id)",
    ),
    Part.MOVE_STARTS: Fragment(
        "move_starts",
        (_INT8, _TEXT, _INT8, _INT8),
        "UPDATE start_events AS w SET due = u.due, remaining = u.remaining"
        " FROM unnest({0}, {1}, {2}, {3}) AS u(definition_key, element_id, due, remaining)"
        " WHERE w.definition_key = u.definition_key AND w.element_id = u.element_id",
    ),
}

MESSAGE_FRAGMENTS: Mapping[Part, Fragment] = {
    part: fragment._replace(sql=fragment.sql.replace("@position", _POSITION)) for part, fragment in _FRAGMENTS.items()
}

_ARRAYS = {_INT8: int8_array, _TEXT: text_array, "bytea": bytea_array}


def encode_messages(rows: MessageRows, parameters: list[bytes]) -> Part:
    """The parts that these changes need; their parameters are added in the order of MESSAGE_FRAGMENTS."""
    starts = [row for of_process in rows.starts.values() for row in of_process.values()]
    taken = [(key, SEPARATOR.join(processes)) for key, processes in rows.take.items()]
    moved = [
        (*key, to.heard, to.kind, -1 if to.position is None else to.position)
        for key, to in rows.move_subscriptions.items()
    ]
    messages = [(key, *row[:-1], SEPARATOR.join(row.taken)) for key, row in rows.put_messages.items()]
    tables: tuple[tuple[Part, Sequence[tuple[object, ...]]], ...] = (
        (Part.PUT_SUBSCRIPTIONS, [(*key, *row) for key, row in rows.put_subscriptions.items()]),
        (Part.MOVE_SUBSCRIPTIONS, moved),
        (Part.DROP_SUBSCRIPTIONS, rows.drop_subscriptions),
        (Part.PUT_MESSAGES, messages),
        (Part.TAKE_MESSAGES, taken),
        (Part.DROP_MESSAGES, [(key,) for key in rows.drop_messages]),
        (Part.PUT_SIGNALS, [(*key, *row) for key, row in rows.put_signals.items()]),
        (Part.DROP_SIGNALS, rows.drop_signals),
        (Part.REPLACE_STARTS, list(rows.starts)),
        (Part.PUT_STARTS, starts),
        (Part.MOVE_STARTS, [(*key, *to) for key, to in rows.move_starts.items()]),
    )
    parts = Part.EVENTS
    for part, table in tables:
        if table:
            parts |= part
            columns = zip(*table, strict=True)
            types = MESSAGE_FRAGMENTS[part].types
            parameters += [_ARRAYS[kind](column) for kind, column in zip(types, columns, strict=True)]  # type: ignore[operator]
    return parts
