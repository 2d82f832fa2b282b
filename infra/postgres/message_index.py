"""The MessageIndex port on PostgreSQL: what the matcher and the start timers ask (commands/message_ports.py)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from commands.message_ports import (
    Candidates,
    DueStart,
    KeptMessage,
    OpenSubscription,
    PendingSignal,
    StartSubscription,
    Topic,
)
from domain.events import decode_json

_AT_TOPIC = "{a}.tenant = {b}.tenant AND {a}.name = {b}.name AND md5({a}.key) = md5({b}.key) AND {a}.key = {b}.key"
_START = "s.kind = 'message' AND s.tenant = m.tenant AND md5(s.name) = md5(m.name) AND s.name = m.name"
_CORRELATABLE = f"""
SELECT DISTINCT tenant, name, key FROM (
    SELECT m.tenant, m.name, m.key FROM wait_messages AS m WHERE m.position > %(after)s AND (
        EXISTS (
            SELECT FROM wait_subscriptions AS s WHERE s.kind = 'message' AND {_AT_TOPIC.format(a="s", b="m")}
            AND NOT s.process_id = ANY (m.taken)
        )
        OR EXISTS (SELECT FROM start_events AS s WHERE {_START} AND NOT s.process_id = ANY (m.taken))
    )
    UNION ALL
    SELECT s.tenant, s.name, s.key FROM wait_subscriptions AS s
    WHERE s.kind = 'message' AND s.position > %(after)s AND EXISTS (
        SELECT FROM wait_messages AS m WHERE {_AT_TOPIC.format(a="m", b="s")} AND NOT s.process_id = ANY (m.taken)
    )
    UNION ALL
    SELECT m.tenant, m.name, m.key FROM start_events AS s JOIN wait_messages AS m ON {_START}
    WHERE (%(held)s OR s.position > %(after)s) AND NOT s.process_id = ANY (m.taken)
) AS found
WHERE NOT %(pages)s OR (tenant, name, key) > (%(tenant)s, %(name)s, %(key)s)
ORDER BY tenant, name, key LIMIT %(limit)s
"""  # noqa: S608 - own text
_TOPICS = "unnest(%(tenants)s::text[], %(names)s::text[], %(keys)s::text[]) WITH ORDINALITY AS t(tenant, name, key, n)"
_HELD = """
t.key <> '' AND EXISTS (
    SELECT FROM wait_subscriptions AS h WHERE h.kind = 'start' AND h.tenant = t.tenant
    AND md5(h.process_id) = md5(s.process_id) AND md5(h.key) = md5(t.key)
)
"""
_FITS = "NOT s.process_id = ANY (m.taken) AND (m.expires_at <> 0 OR s.position < m.position)"
# Only what still fits something counts against the limit: what is taken already must not hide what is behind it.
_CANDIDATES = f"""
WITH kept AS MATERIALIZED (
    SELECT t.n, k.* FROM {_TOPICS} CROSS JOIN LATERAL (
        SELECT m.* FROM wait_messages AS m WHERE {_AT_TOPIC.format(a="m", b="t")} AND (
            EXISTS (
                SELECT FROM wait_subscriptions AS s
                WHERE s.kind = 'message' AND {_AT_TOPIC.format(a="s", b="t")} AND {_FITS}
            )
            OR EXISTS (
                SELECT FROM start_events AS s WHERE {_START} AND NOT s.process_id = ANY (m.taken) AND NOT ({_HELD})
            )
        ) ORDER BY m.position LIMIT %(limit)s
    ) AS k
)
SELECT n, 0, message_key, 0::bigint, position, expires_at = 0, taken, '', '' FROM kept
UNION ALL
SELECT t.n, 1, w.instance_key, w.local, w.position, false, NULL, w.process_id, ''
FROM {_TOPICS} CROSS JOIN LATERAL (
    SELECT s.* FROM wait_subscriptions AS s WHERE s.kind = 'message' AND {_AT_TOPIC.format(a="s", b="t")}
    AND EXISTS (SELECT FROM kept AS m WHERE m.n = t.n AND {_FITS})
    ORDER BY s.position, s.instance_key, s.local LIMIT %(limit)s
) AS w
UNION ALL
SELECT t.n, 2, s.definition_key, 0, s.position, {_HELD}, NULL, s.process_id, s.element_id
FROM {_TOPICS} JOIN start_events AS s
ON s.kind = 'message' AND s.tenant = t.tenant AND md5(s.name) = md5(t.name) AND s.name = t.name
ORDER BY 1, 2, 5, 3, 4
"""  # noqa: S608 - own text
_PASSING = """
SELECT message_key, tenant, name, key FROM wait_messages WHERE expires_at = 0 AND position <= %s
ORDER BY position LIMIT %s
"""
_EXPIRED = """
SELECT message_key FROM wait_messages WHERE expires_at > 0 AND expires_at <= %s ORDER BY expires_at LIMIT %s
"""
_SIGNALS = "SELECT key, local, tenant, name, position, variables FROM wait_signals ORDER BY position LIMIT %s"
_TARGETS = """
SELECT instance_key, local, process_id, position FROM wait_subscriptions
WHERE kind = 'signal' AND tenant = %s AND name = %s AND position < %s AND heard < %s
ORDER BY instance_key, local LIMIT %s
"""
_STARTS = """
SELECT definition_key, element_id, process_id, name FROM start_events
WHERE kind = %(kind)s AND tenant = %(tenant)s AND (%(name)s::text IS NULL OR name = %(name)s)
AND (%(key)s::bigint = 0 OR definition_key = %(key)s) ORDER BY definition_key, element_id
"""
_DUE_STARTS = """
SELECT definition_key, element_id, tenant, due, remaining, cycle FROM start_events WHERE due > 0 AND due <= %s
ORDER BY due, definition_key, element_id LIMIT %s
"""


class PostgresMessageIndex:
    """Implements `commands.message_ports.MessageIndex` over `_rows` of the log."""

    @abstractmethod
    def _rows(self, query: str, parameters: Any) -> list[tuple[Any, ...]]:
        """The rows that a query gives."""

    def correlatable(self, after: int, limit: int, held: bool = False, beyond: Topic | None = None) -> Sequence[Topic]:
        """By the indexes on position: what is old on both sides is not looked at."""
        tenant, name, key = beyond or ("", "", "")
        found = self._rows(
            _CORRELATABLE,
            {
                "after": after,
                "held": held,
                "pages": beyond is not None,
                "tenant": tenant,
                "name": name,
                "key": key,
                "limit": limit,
            },
        )
        return [Topic(*row) for row in found]

    def candidates(self, topics: Sequence[Topic], limit: int) -> Sequence[Candidates]:
        """One statement for all topics."""
        messages: list[list[KeptMessage]] = [[] for _ in topics]
        waiting: list[list[OpenSubscription]] = [[] for _ in topics]
        starts: list[list[StartSubscription]] = [[] for _ in topics]
        if topics:
            tenants, names, keys = (list(column) for column in zip(*topics, strict=True))
            parameters = {"tenants": tenants, "names": names, "keys": keys, "limit": limit}
            for n, kind, key, local, position, flag, taken, process_id, element_id in self._rows(
                _CANDIDATES, parameters
            ):
                if kind == 0:
                    messages[n - 1].append(KeptMessage(key, position, flag, frozenset(taken)))
                elif kind == 1:
                    waiting[n - 1].append(OpenSubscription(key, local, process_id, position))
                else:
                    start = StartSubscription(key, element_id, process_id, topics[n - 1].name, flag)
                    starts[n - 1].append(start)
        return [Candidates(*of_topic) for of_topic in zip(topics, messages, waiting, starts, strict=True)]

    def passing_messages(self, until: int, limit: int) -> Sequence[tuple[int, Topic]]:
        """By the index on position."""
        return [(key, Topic(*topic)) for key, *topic in self._rows(_PASSING, (until, limit))]

    def expired_messages(self, now: int, limit: int) -> Sequence[int]:
        """By the index on expires_at."""
        return [key for (key,) in self._rows(_EXPIRED, (now, limit))]

    def next_expiry(self, after: int) -> int | None:
        """By the index on expires_at."""
        query = "SELECT min(expires_at) FROM wait_messages WHERE expires_at > 0 AND expires_at > %s"
        ((due,),) = self._rows(query, (after,))
        return None if due is None else int(due)

    def pending_signals(self, limit: int) -> Sequence[PendingSignal]:
        """By the index on position."""
        return [
            PendingSignal(key, local, tenant, name, position, decode_json(variables))
            for key, local, tenant, name, position, variables in self._rows(_SIGNALS, (limit,))
        ]

    def signal_targets(self, signal: PendingSignal, limit: int) -> Sequence[OpenSubscription]:
        """By the index on (tenant, name)."""
        parameters = (signal.tenant, signal.name, signal.position, signal.position, limit)
        return [OpenSubscription(*row) for row in self._rows(_TARGETS, parameters)]

    def start_subscriptions(
        self, kind: str, tenant: str, name: str | None = None, definition_key: int = 0
    ) -> Sequence[StartSubscription]:
        """A small table."""
        parameters = {"kind": kind, "tenant": tenant, "name": name, "key": definition_key}
        return [StartSubscription(*row) for row in self._rows(_STARTS, parameters)]

    def due_starts(self, now: int, limit: int) -> Sequence[DueStart]:
        """By the index on due."""
        return [DueStart(*row) for row in self._rows(_DUE_STARTS, (now, limit))]

    def next_start(self, after: int = -1) -> int | None:
        """By the index on due."""
        ((due,),) = self._rows("SELECT min(due) FROM start_events WHERE due > 0 AND due > %s", (after,))
        return None if due is None else int(due)
