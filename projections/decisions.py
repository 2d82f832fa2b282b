"""Read models: one row per version of a decision requirements graph, and one per decision in it."""

from __future__ import annotations

from domain.process_definition.events import DecisionDeployed, DecisionsDeployed
from projections.rows import Changes, ColumnType, Handlers, Source, Table

REQUIREMENTS = Table(
    "decision_requirements",
    ("key",),
    {
        "key": ColumnType.BIGINT,
        "deployment_key": ColumnType.BIGINT,
        "deployed": ColumnType.BIGINT,
        "version": ColumnType.INTEGER,
        "id": ColumnType.TEXT,
        "name": ColumnType.TEXT,
        "version_tag": ColumnType.TEXT,
        "resource_name": ColumnType.TEXT,
        "checksum": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
        "source": ColumnType.TEXT,
    },
)

DECISIONS = Table(
    "decisions",
    ("key",),
    {
        "key": ColumnType.BIGINT,
        "requirements_key": ColumnType.BIGINT,
        "deployment_key": ColumnType.BIGINT,
        "version": ColumnType.INTEGER,
        "id": ColumnType.TEXT,
        "name": ColumnType.TEXT,
        "version_tag": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
    },
)


def deployed(changes: Changes, source: Source, event: DecisionsDeployed) -> None:
    """A version of a graph is there."""
    row = {
        "key": event.requirements_key,
        "deployment_key": event.deployment_key,
        "deployed": source.at,
        "version": event.version,
        "id": event.requirements_id,
        "name": event.name or None,
        "version_tag": event.version_tag or None,
        "resource_name": event.resource_name,
        "checksum": event.checksum,
        "tenant": source.tenant,
        "source": event.source,
    }
    changes["decision_requirements"].insert((event.requirements_key,), row)


def decision_deployed(changes: Changes, source: Source, event: DecisionDeployed) -> None:
    """A version of one decision is there."""
    row = {
        "key": event.decision_key,
        "requirements_key": event.requirements_key,
        "deployment_key": event.deployment_key,
        "version": event.version,
        "id": event.decision_id,
        "name": event.name or None,
        "version_tag": event.version_tag or None,
        "tenant": source.tenant,
    }
    changes["decisions"].insert((event.decision_key,), row)


HANDLERS: Handlers = {DecisionsDeployed: deployed, DecisionDeployed: decision_deployed}
