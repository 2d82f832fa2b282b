"""The read side's queries (projections/queries.py) on PostgreSQL: the groups of queries put together."""

from __future__ import annotations

from infra.postgres.queries_definitions import DefinitionQueries
from infra.postgres.queries_instances import InstanceQueries


class PostgresQueries(InstanceQueries, DefinitionQueries):
    """projections.queries.Queries. Open it in the event loop that uses it: `async with PostgresQueries(url) as q`."""

    async def open(self) -> PostgresQueries:
        """Connect (in the background; the first query waits for it)."""
        await self._pool.open()
        return self

    async def close(self) -> None:
        """See Queries.close."""
        await self._watcher.close()
        await self._pool.close()

    async def __aenter__(self) -> PostgresQueries:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def lag(self) -> int:
        """See Queries.lag."""
        return max(await self.head() - await self._position(), 0)

    async def head(self) -> int:
        """See Queries.head."""
        return int((await self.fetch("SELECT coalesce(max(notification_id), 0) FROM stored_events"))[0][0])

    async def wait_for(self, position: int, timeout: float) -> bool:
        """See Queries.wait_for."""
        return await self._watcher.wait_for(position, timeout)
