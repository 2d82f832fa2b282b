"""Read models: one row per version of a process, and one per element of it (what instances, tasks and incidents join
for names and types)."""

from __future__ import annotations

from domain.bpmn import ProcessModel, load_model
from domain.bpmn.model import JobDefinition, UserTaskDefinition
from domain.events import encode_json
from domain.process_definition.events import ProcessDeployed
from projections.rows import Changes, ColumnType, Handlers, Source, Table

TABLE = Table(
    "process_definitions",
    ("key",),
    {
        "key": ColumnType.BIGINT,
        "deployment_key": ColumnType.BIGINT,
        "deployed": ColumnType.BIGINT,
        "version": ColumnType.INTEGER,
        "has_start_form": ColumnType.BOOLEAN,
        "id": ColumnType.TEXT,
        "name": ColumnType.TEXT,
        "version_tag": ColumnType.TEXT,
        "resource_name": ColumnType.TEXT,
        "start_form": ColumnType.TEXT,
        "checksum": ColumnType.TEXT,
        "tenant": ColumnType.TEXT,
        "source": ColumnType.TEXT,
    },
)

ELEMENTS = Table(
    "definition_elements",
    ("definition_key", "element_id"),
    {
        "definition_key": ColumnType.BIGINT,
        "element_id": ColumnType.TEXT,
        "type": ColumnType.TEXT,
        "name": ColumnType.TEXT,
        "headers": ColumnType.TEXT,
    },
)


def deployed(changes: Changes, source: Source, event: ProcessDeployed) -> None:
    """A version is there. Raises InvalidModel if its source cannot be read any more (then it is set aside)."""
    model = load_model(event.source.encode(), event.bpmn_process_id, event.resource_name)
    row = {
        "key": event.definition_key,
        "deployment_key": event.deployment_key,
        "deployed": source.at,
        "version": event.version,
        "has_start_form": bool(model.start_form),
        "id": event.bpmn_process_id,
        "name": event.name or model.name or None,
        "version_tag": event.version_tag or None,
        "resource_name": event.resource_name,
        "start_form": model.start_form or None,
        "checksum": event.checksum,
        "tenant": source.tenant,
        "source": event.source,
    }
    changes["process_definitions"].insert((event.definition_key,), row)
    _put_elements(changes, event.definition_key, model)


def _put_elements(changes: Changes, definition_key: int, model: ProcessModel) -> None:
    table = changes["definition_elements"]
    for node in model.nodes.values():
        definition = node.definition
        headers = definition.headers if isinstance(definition, JobDefinition | UserTaskDefinition) else {}
        row = {
            "definition_key": definition_key,
            "element_id": node.id,
            "type": node.type.value,
            "name": node.name or None,
            "headers": encode_json(headers).decode() if headers else None,
        }
        table.insert((definition_key, node.id), row)


HANDLERS: Handlers = {ProcessDeployed: deployed}
