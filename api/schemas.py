"""JSON schemas of answers, for the OpenAPI document; their items have the shapes of the v2 API."""

from __future__ import annotations

from typing import Any

ITEM: dict[str, Any] = {"type": "object", "additionalProperties": True}
ITEMS: dict[str, Any] = {"type": "object", "properties": {"items": {"type": "array", "items": ITEM}}}
PAGE_OF_ITEMS: dict[str, Any] = {
    "type": "object",
    "required": ["items", "page"],
    "properties": {
        "items": {"type": "array", "items": ITEM},
        "page": {
            "type": "object",
            "properties": {
                "totalItems": {"type": "integer"},
                "hasMoreTotalItems": {"type": "boolean", "description": "There are more than totalItems says."},
                "startCursor": {"type": ["string", "null"]},
                "endCursor": {"type": ["string", "null"]},
            },
        },
    },
}
JOBS: dict[str, Any] = {"type": "object", "properties": {"jobs": {"type": "array", "items": ITEM}}}
FORM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "formKey": {"type": "string"},
        "formId": {"type": "string"},
        "version": {"type": "integer"},
        "schema": {"type": "string", "description": "The form-js schema, JSON as text."},
        "tenantId": {"type": "string"},
    },
}
EXPRESSION_RESULT: dict[str, Any] = {
    "type": "object",
    "required": ["expression", "result", "warnings", "referencedSecrets"],
    "properties": {
        "expression": {"type": "string"},
        "result": {"description": "Any JSON value; dates, times and durations are ISO texts."},
        "warnings": {
            "type": "array",
            "items": ITEM,
            "description": "Why something became null: message, line, column.",
        },
        "referencedSecrets": {"type": "array", "items": ITEM, "description": "Always empty: there are no secrets."},
    },
}
LIST: dict[str, Any] = {"type": "array", "items": ITEM}
TEXT: dict[str, Any] = {"type": "string"}
TRUNCATE: dict[str, Any] = {"truncateValues": {"type": "boolean", "default": True}}
