"""Finding single rows: parts of instances by key, the scopes around an element instance, who owns a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from domain.errors import NotFound
from domain.keys import instance_key_of
from infra.postgres.queries_filter import Where
from projections.queries import Tenants

Rows = list[tuple[Any, ...]]
Fetch = Callable[[str, Sequence[Any]], Awaitable[Rows]]


class Lookup:
    """Lookups in one schema of read models; `fetch` runs a statement."""

    def __init__(self, fetch: Fetch, schema: str) -> None:
        self._fetch = fetch
        self._schema = schema

    @staticmethod
    def missing(title: str, key: int) -> NotFound:
        """The error for a key that leads nowhere. It may also be too new: reads lag behind writes."""
        return NotFound(f"there is no {title} with key {key} (or it is not shown yet: reads follow writes)")

    async def row(self, table: str, title: str, key: int, columns: Sequence[str], tenants: Tenants) -> tuple[Any, ...]:
        """Columns of a row by its `key` (definitions, forms). Raises NotFound."""
        return await self._one(f"{table} WHERE key = %s", title, key, columns, [key], tenants)

    async def part(self, table: str, title: str, key: int, columns: Sequence[str], tenants: Tenants) -> tuple[Any, ...]:
        """Columns of a part of an instance by its key. Raises NotFound."""
        block = int(instance_key_of(key))
        where = (
            f"{table} WHERE instance_key = coalesce((SELECT b.instance_key FROM {self._schema}.key_blocks b "  # noqa: S608
            "WHERE b.block = %s), %s) AND key = %s"
        )
        return await self._one(where, title, key, columns, [block, block, key], tenants)

    async def instance(self, key: int, columns: Sequence[str], tenants: Tenants) -> tuple[Any, ...]:
        """Columns of a process instance. Raises NotFound."""
        return await self._one(
            "process_instances WHERE instance_key = %s", "process instance", key, columns, [key], tenants
        )

    async def _one(
        self, where: str, title: str, key: int, columns: Sequence[str], parameters: list[Any], tenants: Tenants
    ) -> tuple[Any, ...]:
        text = f"SELECT {', '.join(columns)} FROM {self._schema}.{where}"  # noqa: S608 - own identifiers
        if tenants is not None:
            text += " AND tenant = ANY(%s::text[])"
            parameters = [*parameters, list(tenants)]
        rows = await self._fetch(text, parameters)
        if not rows:
            raise self.missing(title, key)
        return rows[0]

    async def scopes(self, instance_key: int, element_key: int) -> list[int]:
        """The element instance and the scopes around it, the instance last."""
        text = (
            "WITH RECURSIVE scope (key, depth) AS ("  # noqa: S608 - own identifiers
            "SELECT %s::bigint, 0 UNION ALL "
            f"SELECT e.scope_key, s.depth + 1 FROM scope s JOIN {self._schema}.element_instances e "
            "ON e.instance_key = %s AND e.key = s.key WHERE s.depth < 1000) "
            "SELECT key FROM scope ORDER BY depth"
        )
        rows = await self._fetch(text, (element_key, instance_key))
        keys = [int(row[0]) for row in rows]
        return keys if instance_key in keys else [*keys, instance_key]

    def visible_variables(self, instance_key: int, scopes: list[int], effective: bool) -> Where:
        """Variables (t) of these scopes, innermost first; effective: not those that an inner one hides."""
        sql = "t.instance_key = %s AND t.scope_key = ANY(%s::bigint[])"
        parameters: list[Any] = [instance_key, scopes]
        if effective:
            sql += (
                f" AND NOT EXISTS (SELECT FROM {self._schema}.variables v WHERE v.instance_key = t.instance_key "
                "AND v.name = t.name AND array_position(%s::bigint[], v.scope_key) "
                "< array_position(%s::bigint[], t.scope_key))"
            )
            parameters += [scopes, scopes]
        return Where(sql, parameters, frozenset())
