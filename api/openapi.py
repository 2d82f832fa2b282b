"""The OpenAPI 3.1 document and a plain page that shows it, both made of the operations' table and their records."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from api.operations import Operation

POSITION_HEADER = {
    "Flowledger-Position": {
        "description": "The log position that this answer reflects: of the write, or what the read models had reached.",
        "schema": {"type": "integer"},
    }
}
IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Carries out the request once: a repeat with the same key and body gets the first outcome.",
    "schema": {"type": "string", "maxLength": 200},
}
MIN_POSITION = {
    "name": "Flowledger-Min-Position",
    "in": "header",
    "description": "Wait (bounded) until the answer reflects at least this position of the log; 504 if it cannot.",
    "schema": {"type": "integer", "minimum": 0},
}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem detail.",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "field": {"type": "string", "description": "The property, parameter or header to blame."},
        "findings": {"type": "array", "items": {"type": "object"}, "description": "What is wrong with a model."},
    },
}
FILES = {
    "type": "object",
    "required": ["resources"],
    "properties": {"resources": {"type": "array", "items": {"type": "string", "format": "binary"}}},
}
ABOUT = (
    "Compatible in path and shape with the Orchestration Cluster REST API v2 of Camunda 8. Errors are RFC 9457 problem "
    "details. Requests are not authenticated yet: the user name of a Basic Authorization header is recorded as the "
    "actor of what a request does, and NOT verified. A W3C traceparent header is recorded too. Numbers are exact."
)
_REF = "#/components/schemas/{name}"
_PARAMETER = re.compile(r"\{(\w+)\}")


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The OpenAPI document."""
    records = {operation.body for operation in operations if operation.body is not None}
    records |= {operation.answer for operation in operations if isinstance(operation.answer, type)}
    ordered = sorted(records, key=lambda record: str(record.__name__))
    schemas, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    components["ProblemDetail"] = PROBLEM
    named = dict(zip(ordered, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = operation.prefix + operation.path
        paths.setdefault(path, {})[operation.method.lower()] = _describe(operation, named)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flowledger",
            "version": version,
            "description": ABOUT,
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _describe(operation: Operation, named: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    text = (operation.handler.__doc__ or "").strip()
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in operation.query.items()]
    if operation.writes:
        parameters.append(IDEMPOTENCY)
    if operation.reads:
        parameters.append(MIN_POSITION)
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": text.split("\n")[0],
        "description": " ".join(text.split()),
        "parameters": parameters,
        "responses": _responses(operation, named),
    }
    if operation.body is not None:
        described["requestBody"] = {
            "required": not operation.optional_body,
            "content": {"application/json": {"schema": named[operation.body]}},
        }
    if operation.multipart:
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": FILES}}}
    return described


def _responses(operation: Operation, named: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    headers = POSITION_HEADER if operation.writes or operation.reads else {}
    responses: dict[str, Any] = {}
    if operation.answer is None:
        responses["204"] = {"description": "Done.", "headers": headers}
    else:
        schema = named[operation.answer] if isinstance(operation.answer, type) else operation.answer
        content = {operation.answer_type: {"schema": schema}}
        responses["200"] = {"description": "The answer.", "headers": headers, "content": content}
    errors = set(operation.errors) | {400, 500}
    if operation.body is not None:
        errors |= {413, 415}
    if operation.writes:
        errors |= {403, 422, 503}
    if operation.reads:
        errors |= {503, 504}
    if "{" in operation.path:
        errors.add(404)
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="ProblemDetail")}}}
    for status in sorted(errors):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses


PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Flowledger API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1d2330 }}
h2 {{ margin-top: 2rem; border-bottom: 1px solid #ccd }} code {{ font-size: .95em }}
details {{ margin: .3rem 0; border: 1px solid #dde; border-radius: 6px; padding: .3rem .7rem }}
summary {{ cursor: pointer }} .verb {{ display: inline-block; width: 4.5em; font-weight: 600 }}
table {{ border-collapse: collapse }} td {{ padding: .1rem .8rem .1rem 0; vertical-align: top }}
</style></head><body>
<h1>Flowledger API {version}</h1>
<p>{about}</p>
<p>The same as a document for tools: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>
{sections}
</body></html>
"""


def page(operations: Sequence[Operation], version: str) -> str:
    """A page without scripts or anything from elsewhere that lists all operations."""
    spec = document(operations, version)
    schemas = spec["components"]["schemas"]
    by_tag: dict[str, list[str]] = {}
    for path, methods in spec["paths"].items():
        for method, described in methods.items():
            entry = _entry(path, method, described, schemas)
            by_tag.setdefault(described["tags"][0], []).append(entry)
    sections = "\n".join(f"<h2>{html.escape(tag)}</h2>\n" + "\n".join(found) for tag, found in by_tag.items())
    return _PAGE.format(version=html.escape(version), about=html.escape(ABOUT), sections=sections)


def _entry(path: str, method: str, described: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = [(p["name"], p["in"], p.get("description", "")) for p in described["parameters"]]
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    record = schemas.get(body.get("$ref", "").rpartition("/")[2], {})
    required = record.get("required", [])
    for name, schema in record.get("properties", {}).items():
        rows.append((name, "body, required" if name in required else "body", _type(schema)))
    table = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    statuses = ", ".join(described["responses"])
    return (
        f'<details><summary><span class="verb">{method.upper()}</span> <code>{html.escape(path)}</code> '
        f"{html.escape(described['summary'])}</summary><p>{html.escape(described['description'])}</p>"
        f"<table>{table}</table><p>Answers {statuses}.</p></details>"
    )


def _type(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    return str(schema.get("type") or schema.get("$ref", "").rpartition("/")[2] or "anything")
