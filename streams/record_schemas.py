"""What is published, for those who read it: a JSON Schema for each type of record, and the AsyncAPI document.

Both are made from the same tables as the records themselves. `python -m tests.golden.write` writes them to docs/schemas
and docs/asyncapi.yaml; a test sees to it that they are what the code says, and validates what is really sent.
"""

from __future__ import annotations

import inspect
from typing import Any

from domain.events import REGISTRY, Event
from streams.command_records import COMMAND_SCHEMA, RESULT_SCHEMA
from streams.record_fields import KEY_SCHEMA, TIME_SCHEMA, Schema, fields_of, schema_of
from streams.records import UNREADABLE_TYPE, WATERMARK_TYPE, type_of

DIALECT = "https://json-schema.org/draft/2020-12/schema"
POSITION: Schema = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,18})$"}

HEADERS: Schema = {
    "type": "object",
    "description": "CloudEvents 1.0, Kafka binary content mode",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_position", "ce_previous"],
    "properties": {
        "content-type": {"const": "application/json"},
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "stream:version; the same when a record is repeated"},
        "ce_source": {"const": "/flowledger"},
        "ce_type": {"type": "string"},
        "ce_subject": {"type": "string", "description": "instance key; UUID of a definition's stream"},
        "ce_time": TIME_SCHEMA,
        "ce_version": POSITION | {"description": "number of the event in its stream, from 1, without gaps"},
        "ce_position": POSITION | {"description": "place in the log; ascends within a partition"},
        "ce_previous": POSITION | {"description": "position of the event before this one in the partition; 0: none"},
        "ce_upto": POSITION | {"description": "all of the partition's events up to here have been sent"},
        "ce_uptotime": TIME_SCHEMA,
        "ce_tenant": {"type": "string", "description": "absent: the default tenant"},
        "ce_actor": {"type": "string"},
        "ce_commandid": {"type": "string"},
        "ce_traceparent": {"type": "string", "description": "W3C trace context"},
        "ce_traceid": {"type": "string", "description": "a trace id of another form"},
        "ce_dataref": {"type": "string", "description": "the event is not in the value, it stands in the log"},
    },
}


def schema_of_type(type: str) -> Schema:
    """The JSON Schema of a type's value."""
    return schemas()[type]


def schemas() -> dict[str, Schema]:
    """The JSON Schema of every type's value, by type."""
    found = {type_of(topic): _event_schema(type_of(topic), kind) for topic, kind in sorted(REGISTRY.topics().items())}
    found[WATERMARK_TYPE] = {
        "$schema": DIALECT,
        "$id": f"urn:flowledger:{WATERMARK_TYPE}",
        "title": "Watermark",
        "description": "All events of this partition up to this position have been sent. It has no key.",
        "type": "object",
        "properties": {"position": POSITION},
        "required": ["position"],
    }
    return found


def _event_schema(type: str, kind: type[Event]) -> Schema:
    return {
        "$schema": DIALECT,
        "$id": f"urn:flowledger:{type}",
        "title": kind.__name__,
        "description": inspect.cleandoc(kind.__doc__ or ""),
        **schema_of(fields_of(kind)),
    }


def asyncapi(version: str) -> dict[str, Any]:
    """The AsyncAPI 3 document. version: of Flowledger."""
    types = schemas()
    event_messages = {type: _message(type, schema) for type, schema in types.items()}
    event_messages[UNREADABLE_TYPE] = {
        "name": UNREADABLE_TYPE,
        "title": "Unreadable",
        "summary": "An event that the relay could not decode; it stands in the log (ce_dataref).",
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {"type": "null"},
    }
    key = {"kafka": {"key": {"type": "string", "description": "instance key, or UUID of a definition's stream"}}}
    for message in event_messages.values():
        message["bindings"] = key
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Flowledger",
            "version": version,
            "description": "What Flowledger publishes to Kafka and takes from it. Topic names begin with "
            "FLOWLEDGER_KAFKA_PREFIX.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            "events": {
                "address": "flowledger.events",
                "description": "Every event of the log, in order for each instance, at least once.",
                "messages": {type: {"$ref": f"#/components/messages/{type}"} for type in event_messages},
            },
            "commands": {
                "address": "flowledger.commands",
                "description": "What others want done.",
                "messages": {"command": {"$ref": "#/components/messages/command"}},
            },
            "commandResults": {
                "address": "flowledger.command-results",
                "description": "What came of each command, at least once.",
                "messages": {"commandResult": {"$ref": "#/components/messages/commandResult"}},
            },
        },
        "operations": {
            "publishEvents": {"action": "send", "channel": {"$ref": "#/channels/events"}},
            "takeCommands": {"action": "receive", "channel": {"$ref": "#/channels/commands"}},
            "publishResults": {"action": "send", "channel": {"$ref": "#/channels/commandResults"}},
        },
        "components": {
            "messages": {
                **event_messages,
                "command": {"name": "command", "payload": {"$ref": "#/components/schemas/Command"}},
                "commandResult": {"name": "commandResult", "payload": {"$ref": "#/components/schemas/CommandResult"}},
            },
            "schemas": {
                "Headers": HEADERS,
                "Key": KEY_SCHEMA,
                "Command": COMMAND_SCHEMA,
                "CommandResult": RESULT_SCHEMA,
            },
        },
    }


def _message(type: str, schema: Schema) -> dict[str, Any]:
    return {
        "name": type,
        "title": schema["title"],
        "summary": schema["description"],
        "headers": {"$ref": "#/components/schemas/Headers"},
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"schemas/{type}.json"},
        },
    }
