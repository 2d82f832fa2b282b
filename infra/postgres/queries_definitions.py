"""Queries about what was deployed: sources, forms, deployments, statistics over a definition's instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidArgument
from domain.events import decode_json
from domain.keys import parse_key
from infra.postgres.queries_base import QueryBase
from infra.postgres.queries_fields import show_key
from infra.postgres.queries_filter import FilterCompiler
from infra.postgres.queries_lookup import Rows
from infra.postgres.queries_search import from_clause
from projections.element_instances import ElementState
from projections.queries import DEFAULT_TENANT, Entity, Item, SearchRequest, Tenants

STATISTICS = (
    f"count(*) FILTER (WHERE e.state = {ElementState.ACTIVE.value} AND i.key IS NULL), "
    f"count(*) FILTER (WHERE e.state = {ElementState.TERMINATED.value}), "
    f"count(*) FILTER (WHERE e.state = {ElementState.ACTIVE.value} AND i.key IS NOT NULL), "
    f"count(*) FILTER (WHERE e.state = {ElementState.COMPLETED.value})"
)
_STATISTICS_NAMES = ("elementId", "active", "canceled", "incidents", "completed")


def statistics_source(schema: str) -> str:
    """The open incident of element instance e, if any, as i."""
    return (
        f"LEFT JOIN LATERAL (SELECT n.key FROM {schema}.incidents n WHERE n.instance_key = e.instance_key "  # noqa: S608
        "AND n.element_key = e.key AND n.ended IS NULL LIMIT 1) AS i ON TRUE"
    )


def statistics_items(rows: Rows) -> list[Item]:
    """The v2 API's element statistics."""
    return [dict(zip(_STATISTICS_NAMES, row, strict=True)) for row in rows]


class DefinitionQueries(QueryBase):
    """The part of projections.queries.Queries that is about definitions."""

    async def definition_xml(self, definition_key: int, tenants: Tenants = None) -> str:
        """See Queries.definition_xml."""
        row = await self._lookup.row("process_definitions", "process definition", definition_key, ("source",), tenants)
        return str(row[0])

    async def requirements_xml(self, requirements_key: int, tenants: Tenants = None) -> str:
        """See Queries.requirements_xml."""
        title = "decision requirements graph"
        row = await self._lookup.row("decision_requirements", title, requirements_key, ("source",), tenants)
        return str(row[0])

    async def start_form(self, definition_key: int, tenants: Tenants = None) -> Item | None:
        """See Queries.start_form."""
        columns = ("start_form", "tenant")
        title = "process definition"
        form_id, tenant = await self._lookup.row("process_definitions", title, definition_key, columns, tenants)
        if not form_id:
            return None
        rows = await self.fetch(
            f"SELECT key FROM {self._schema}.forms WHERE tenant = %s AND id = %s ORDER BY version DESC LIMIT 1",  # noqa: S608
            (tenant, form_id),
        )
        return await self.get(Entity.FORMS, rows[0][0], tenants) if rows else None

    async def task_form(self, task_key: int, tenants: Tenants = None) -> Item | None:
        """See Queries.task_form."""
        row = await self._lookup.part("user_tasks", "user task", task_key, ("form_key",), tenants)
        return await self.get(Entity.FORMS, row[0], tenants) if row[0] else None

    async def decision_instance(self, id: str, tenants: Tenants = None) -> Item:
        """See Queries.decision_instance."""
        evaluation, _, number = id.partition("-")
        key = parse_key(evaluation, "decisionEvaluationInstanceKey")
        if not number.isascii() or not number.isdigit() or len(number) > 4:
            raise InvalidArgument(
                f"'decisionEvaluationInstanceKey' must be like \"2251799813684367-1\", not {id!r}",
                "decisionEvaluationInstanceKey",
            )
        filter = {"decisionEvaluationKey": str(key), "decisionEvaluationInstanceKey": f"{key}-{int(number)}"}
        found = await self.search(Entity.DECISION_INSTANCES, SearchRequest(filter=filter), tenants)
        if not found.items:
            raise self._lookup.missing("decision instance", key)
        source = f"{self._schema}.decision_instances WHERE evaluation_key = %s AND number = %s"
        rows = await self.fetch(f"SELECT inputs, rules FROM {source}", (key, int(number)))  # noqa: S608 - own names
        inputs, rules = rows[0]
        return found.items[0] | {"evaluatedInputs": decode_json(inputs), "matchedRules": decode_json(rules)}

    async def definition_statistics(
        self, definition_key: int, filter: dict[str, Any], tenants: Tenants = None
    ) -> list[Item]:
        """See Queries.definition_statistics."""
        await self._lookup.row("process_definitions", "process definition", definition_key, ("key",), tenants)
        entity = self._entities[Entity.PROCESS_INSTANCES]
        where = FilterCompiler(entity, self._schema).compile(filter, tenants)
        text = (
            f"SELECT e.element_id, {STATISTICS} FROM {from_clause(entity, where.joins)} "  # noqa: S608 - own identifiers
            f"JOIN {self._schema}.element_instances e ON e.instance_key = t.instance_key "
            f"{statistics_source(self._schema)} WHERE t.definition_key = %s AND {where.sql} "
            "GROUP BY e.element_id ORDER BY e.element_id"
        )
        return statistics_items(await self.fetch(text, [definition_key, *where.parameters]))

    async def deployment(self, deployment_key: int, tenants: Tenants = None) -> Item:
        """See Queries.deployment."""
        items: list[Item] = []
        found: list[str] = []
        for member, (columns, source) in _DEPLOYED.items():
            text = f"SELECT t.tenant, {columns} FROM {source.format(schema=self._schema)} ORDER BY t.key"  # noqa: S608
            for tenant, *values in await self.fetch(text, (deployment_key,)):
                if tenants is None or tenant in tenants:
                    found.append(tenant)
                    names = _DEPLOYED_NAMES[member]
                    shown = (show_key(v) if n.endswith("Key") else v for n, v in zip(names, values, strict=True))
                    about = dict(zip(names, shown, strict=True)) | {"tenantId": tenant or DEFAULT_TENANT}
                    items.append(dict.fromkeys((*_DEPLOYED, "resource")) | {member: about})
        if not items:
            raise self._lookup.missing("deployment", deployment_key)
        return {
            "deploymentKey": str(deployment_key),
            "tenantId": found[0] or DEFAULT_TENANT,
            "deployments": items,
        }


_DEPLOYED: Mapping[str, tuple[str, str]] = {
    "processDefinition": (
        "t.id, t.version, t.resource_name, t.key",
        "{schema}.process_definitions t WHERE t.deployment_key = %s",
    ),
    "decisionDefinition": (
        "t.id, t.version, coalesce(t.name, t.id), r.id, t.key, r.key",
        "{schema}.decisions t JOIN {schema}.decision_requirements r ON r.key = t.requirements_key "
        "WHERE t.deployment_key = %s",
    ),
    "decisionRequirements": (
        "t.id, coalesce(t.name, t.id), t.version, t.resource_name, t.key",
        "{schema}.decision_requirements t WHERE t.deployment_key = %s",
    ),
    "form": ("t.id, t.version, t.resource_name, t.key", "{schema}.forms t WHERE t.deployment_key = %s"),
}
_DEPLOYED_NAMES: Mapping[str, tuple[str, ...]] = {
    "processDefinition": (
        "processDefinitionId",
        "processDefinitionVersion",
        "resourceName",
        "processDefinitionKey",
    ),
    "decisionDefinition": (
        "decisionDefinitionId",
        "version",
        "name",
        "decisionRequirementsId",
        "decisionDefinitionKey",
        "decisionRequirementsKey",
    ),
    "decisionRequirements": (
        "decisionRequirementsId",
        "decisionRequirementsName",
        "version",
        "resourceName",
        "decisionRequirementsKey",
    ),
    "form": ("formId", "version", "resourceName", "formKey"),
}
