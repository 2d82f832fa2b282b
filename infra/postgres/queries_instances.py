"""Queries about one instance: what the log tells (flows taken, history, state then) and counts per element."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import InvalidArgument, NotFound
from domain.events import REGISTRY, Recorded
from domain.keys import stream_id
from domain.process_instance import events as e
from infra.postgres.queries_base import QueryBase, show_values
from infra.postgres.queries_definitions import STATISTICS, statistics_items, statistics_source
from infra.postgres.queries_search import Search
from projections.history import ElementNames, history_page, state_as_of
from projections.queries import DEFAULT_TENANT, MAX_LIMIT, Entity, Item, SearchRequest, SearchResult, Tenants

MAX_CALL_DEPTH = 1_000


class InstanceQueries(QueryBase):
    """The part of projections.queries.Queries that is about one instance."""

    async def _stream(self, instance_key: int, tenants: Tenants) -> list[Recorded]:
        """All events of an instance. Raises NotFound, also where its tenant may not be seen."""
        stream = stream_id(instance_key)
        rows = await self.fetch(
            "SELECT originator_version, notification_id, topic, state FROM stored_events "
            "WHERE originator_id = %s ORDER BY originator_version",
            (stream,),
        )
        events = [
            Recorded(stream, version, position, *REGISTRY.decode(topic, state))
            for version, position, topic, state in rows
        ]
        if not events or not isinstance(events[0].event, e.InstanceCreated):
            raise NotFound(f"there is no process instance with key {instance_key}")
        if tenants is not None and events[0].envelope.tenant not in tenants:
            raise NotFound(f"there is no process instance with key {instance_key}")
        return events

    async def _names(self, events: Sequence[Recorded]) -> ElementNames:
        created = events[0].event
        assert isinstance(created, e.InstanceCreated)
        text = (
            f"SELECT element_id, coalesce(name, '') FROM {self._schema}.definition_elements WHERE definition_key = %s"  # noqa: S608
        )
        return dict(await self.fetch(text, (created.definition_key,)))

    async def sequence_flows(self, instance_key: int, tenants: Tenants = None) -> list[Item]:
        """See Queries.sequence_flows."""
        events = await self._stream(instance_key, tenants)
        first = events[0]
        created = first.event
        assert isinstance(created, e.InstanceCreated)
        entering = (e.ElementActivated, e.ElementPassed, e.TokenArrived)
        taken = dict.fromkeys(
            recorded.event.flow for recorded in events if isinstance(recorded.event, entering) and recorded.event.flow
        )
        about = {
            "processInstanceKey": str(instance_key),
            "rootProcessInstanceKey": str(created.root_key or instance_key),
            "processDefinitionKey": str(created.definition_key),
            "processDefinitionId": created.bpmn_process_id,
            "tenantId": first.envelope.tenant or DEFAULT_TENANT,
        }
        return [{"sequenceFlowId": flow, "elementId": flow, **about} for flow in taken]

    async def element_statistics(self, instance_key: int, tenants: Tenants = None) -> list[Item]:
        """See Queries.element_statistics."""
        await self._lookup.instance(instance_key, ("instance_key",), tenants)
        text = (
            f"SELECT e.element_id, {STATISTICS} FROM {self._schema}.element_instances e "  # noqa: S608 - own identifiers
            f"{statistics_source(self._schema)} WHERE e.instance_key = %s GROUP BY e.element_id ORDER BY e.element_id"
        )
        return statistics_items(await self.fetch(text, (instance_key,)))

    async def call_hierarchy(self, instance_key: int, tenants: Tenants = None) -> list[Item]:
        """See Queries.call_hierarchy."""
        await self._lookup.instance(instance_key, ("instance_key",), tenants)
        text = (
            "WITH RECURSIVE caller (key, depth) AS (SELECT %s::bigint, 0 UNION ALL "  # noqa: S608 - own identifiers
            f"SELECT p.parent_key, c.depth + 1 FROM caller c JOIN {self._schema}.process_instances p "
            f"ON p.instance_key = c.key WHERE p.parent_key IS NOT NULL AND c.depth < {MAX_CALL_DEPTH}) "
            "SELECT p.instance_key, p.definition_key, coalesce(d.name, d.id, '') FROM caller c "
            f"JOIN {self._schema}.process_instances p ON p.instance_key = c.key "
            f"LEFT JOIN {self._schema}.process_definitions d ON d.key = p.definition_key ORDER BY c.depth DESC"
        )
        names = ("processInstanceKey", "processDefinitionKey", "processDefinitionName")
        return [dict(zip(names, map(str, row), strict=True)) for row in await self.fetch(text, (instance_key,))]

    async def history(self, instance_key: int, after: int = 0, limit: int = 100, tenants: Tenants = None) -> Item:
        """See Queries.history."""
        if not 1 <= limit <= MAX_LIMIT:
            raise InvalidArgument(f"'limit' must be from 1 to {MAX_LIMIT}, not {limit}", "limit")
        events = await self._stream(instance_key, tenants)
        return history_page(events, after, limit, await self._names(events))

    async def state_at(self, instance_key: int, version: int | None = None, tenants: Tenants = None) -> Item:
        """See Queries.state_at."""
        events = await self._stream(instance_key, tenants)
        last = len(events) if version is None else version
        if not 1 <= last <= len(events):
            raise InvalidArgument(f"'version' must be from 1 to {len(events)}, not {version}", "version")
        return state_as_of(events[:last], await self._names(events))

    async def search_task_variables(
        self,
        task_key: int,
        request: SearchRequest,
        tenants: Tenants = None,
        effective: bool = False,
        truncate_values: bool = True,
    ) -> SearchResult:
        """See Queries.search_task_variables."""
        task = await self._lookup.part("user_tasks", "user task", task_key, ("instance_key", "element_key"), tenants)
        scopes = await self._lookup.scopes(int(task[0]), int(task[1]))
        visible = self._lookup.visible_variables(int(task[0]), scopes, effective)
        name = Entity.VARIABLES
        search = Search(self._entities[name], self._shown[name], self._schema, request, tenants, visible)
        result = await self._run(search)
        show_values(result.items, truncate_values)
        return result
