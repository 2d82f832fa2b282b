"""What all queries stand on: a pool of asynchronous connections, searches, single items, the read models' position."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from domain.errors import Overloaded, StorageUnavailable
from infra.postgres.queries_entities import ENTITIES
from infra.postgres.queries_lookup import Lookup, Rows
from infra.postgres.queries_search import Search, Shown, in_schema
from infra.postgres.queries_watch import PositionWatcher
from infra.postgres.read_models_sink import SCHEMA, TRACKING, checked_schema
from projections.queries import TRUNCATE_AT, Entity, Freshness, Item, SearchRequest, SearchResult, Tenants

POOL_SIZE = 8
POOL_WAITING = 200
POOL_SECONDS = 10.0
STATEMENT_SECONDS = 30


class QueryBase:
    """The pool, and what the groups of queries share."""

    def __init__(self, url: str, schema: str = SCHEMA, pool_size: int = POOL_SIZE) -> None:
        self._schema = checked_schema(schema)
        self._pool = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            max_waiting=POOL_WAITING,
            timeout=POOL_SECONDS,
            open=False,
            kwargs={"autocommit": True, "options": f"-c statement_timeout={STATEMENT_SECONDS}s"},
        )
        self._entities = {name: in_schema(entity, schema) for name, entity in ENTITIES.items()}
        self._shown = {name: Shown.of(entity.fields) for name, entity in self._entities.items()}
        self._lookup = Lookup(self.fetch, self._schema)
        self._watcher = PositionWatcher(self._position)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[tuple[Any, ...]]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise Overloaded(f"no database connection became free within {POOL_SECONDS:.0f} s") from error
        except psycopg.errors.QueryCanceled as error:
            raise Overloaded(f"the query took longer than {STATEMENT_SECONDS} s: narrow its filter") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            self._watcher.reached = 0  # a server that crashed may have lost the last rows: they are projected again
            await self._pool.check()  # the other connections are likely dead too: one failure, not eight
            raise StorageUnavailable(f"the database cannot be reached: {error}") from error

    async def fetch(self, text: str | bytes, parameters: Sequence[Any] = ()) -> Rows:
        """The rows of one statement."""
        async with self._connection() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute(text.encode() if isinstance(text, str) else text, parameters)
            return await cursor.fetchall()

    async def search(
        self, entity: Entity, request: SearchRequest, tenants: Tenants = None, truncate_values: bool = True
    ) -> SearchResult:
        """See Queries.search."""
        search = Search(self._entities[entity], self._shown[entity], self._schema, request, tenants)
        result = await self._run(search)
        if entity is Entity.VARIABLES:
            show_values(result.items, truncate_values)
        return result

    async def _run(self, search: Search) -> SearchResult:
        async with self._connection() as connection, connection.cursor(binary=True) as cursor:
            # asked first: what is fetched afterwards shows at least this position
            freshness = _freshness(await self._tracking(cursor))
            await cursor.execute(*search.rows())
            rows = await cursor.fetchall()
            seen = search.page.offset + len(rows)
            whole = search.page.cursor is None and len(rows) < search.page.limit and (rows or not search.page.offset)
            if not whole:
                await cursor.execute(*search.count())
                counted = await cursor.fetchone()
                seen = int(counted[0]) if counted else 0
        items, page = search.answer(seen, rows)
        return SearchResult(items, page, freshness)

    async def get(self, entity: Entity, key: int, tenants: Tenants = None) -> Item:
        """See Queries.get."""
        known = self._entities[entity]
        request = SearchRequest(filter={known.key_field: str(key)}, page={"limit": 1})
        search = Search(known, self._shown[entity], self._schema, request, tenants)
        rows = await self.fetch(*search.rows())
        if not rows:
            raise self._lookup.missing(known.title, key)
        items, _ = search.answer(1, rows)
        if entity is Entity.VARIABLES:
            show_values(items, truncate=False)
        return items[0]

    async def freshness(self) -> Freshness:
        """See Queries.freshness."""
        async with self._connection() as connection, connection.cursor(binary=True) as cursor:
            return _freshness(await self._tracking(cursor))

    async def _tracking(self, cursor: psycopg.AsyncCursor[tuple[Any, ...]]) -> tuple[Any, ...] | None:
        """The lowest of all sources: the read models reflect what every source has passed."""
        columns = "min(notification_id), min(reflects_at)"
        text = f"SELECT {columns} FROM {self._schema}.tracking WHERE application_name = %s HAVING count(*) > 0"  # noqa: S608
        await cursor.execute(text.encode(), (TRACKING,))
        return await cursor.fetchone()

    async def _position(self) -> int:
        return (await self.freshness()).position


def _freshness(row: tuple[Any, ...] | None) -> Freshness:
    return Freshness(int(row[0]), int(row[1])) if row else Freshness(0, 0)


def show_values(items: list[Item], truncate: bool) -> None:
    """Cut long values of found variables, and say which were cut."""
    for item in items:
        value = item["value"]
        item["isTruncated"] = truncate and len(value) > TRUNCATE_AT
        if item["isTruncated"]:
            item["value"] = value[:TRUNCATE_AT]
