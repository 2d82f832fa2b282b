"""Read model: one row per version of a form, with its schema."""

from __future__ import annotations

from domain.process_definition.events import FormDeployed
from projections.rows import Changes, ColumnType, Handlers, Source, Table

TABLE = Table(
    "forms",
    ("key",),
    {
        "key": ColumnType.BIGINT,
        "deployment_key": ColumnType.BIGINT,
        "deployed": ColumnType.BIGINT,
        "version": ColumnType.INTEGER,
        "id": ColumnType.TEXT,
        "version_tag": ColumnType.TEXT,
        "resource_name": ColumnType.TEXT,
        "checksum": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
        "source": ColumnType.TEXT,
    },
)


def deployed(changes: Changes, source: Source, event: FormDeployed) -> None:
    """A version is there."""
    row = {
        "key": event.form_key,
        "deployment_key": event.deployment_key,
        "deployed": source.at,
        "version": event.version,
        "id": event.form_id,
        "version_tag": event.version_tag or None,
        "resource_name": event.resource_name,
        "checksum": event.checksum,
        "tenant": source.tenant,
        "source": event.source,
    }
    changes["forms"].insert((event.form_key,), row)


HANDLERS: Handlers = {FormDeployed: deployed}
