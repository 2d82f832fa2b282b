"""Errors → RFC 9457 problem details, in one place: which status each code of the domain's error tree answers, and what
the problem says beyond it.

    domain/errors.py code ──► (status, title) ──► application/problem+json {type, title, status, detail, instance, …}

Titles are the words that Camunda's clients know (RESOURCE_EXHAUSTED makes them back off and try again).
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from domain.errors import (
    DomainError,
    Finding,
    IdempotencyMismatch,
    InvalidArgument,
    InvalidModel,
    Overloaded,
    StorageUnavailable,
)
from domain.events import encode_json
from domain.feel import FeelBudgetExceeded, FeelSyntaxError

log = logging.getLogger("flowledger.api")

MEDIA_TYPE = "application/problem+json"

STATUS: dict[str, tuple[int, str]] = {
    "NOT_FOUND": (404, "NOT_FOUND"),
    "INVALID_STATE": (409, "INVALID_STATE"),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT"),
    "INVALID_MODEL": (400, "INVALID_MODEL"),
    "ALREADY_EXISTS": (409, "ALREADY_EXISTS"),
    "IDEMPOTENCY_MISMATCH": (422, "IDEMPOTENCY_MISMATCH"),
    "FORBIDDEN": (403, "FORBIDDEN"),
    "EXPRESSION_ERROR": (400, "INVALID_ARGUMENT"),
    "OVERLOADED": (503, "RESOURCE_EXHAUSTED"),
    "STORAGE_UNAVAILABLE": (503, "STORAGE_UNAVAILABLE"),
    "PROJECTION_BEHIND": (504, "DEADLINE_EXCEEDED"),
    "REQUEST_TIMEOUT": (504, "DEADLINE_EXCEEDED"),
    "BODY_TOO_LARGE": (413, "BODY_TOO_LARGE"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "UNSUPPORTED_MEDIA_TYPE"),
    "MISDIRECTED_REQUEST": (421, "MISDIRECTED_REQUEST"),
}
INTERNAL = (500, "INTERNAL")
MAX_DETAIL = 20_000


class ApiError(DomainError):
    """Root of the errors that only the HTTP side knows."""


class BodyTooLarge(ApiError):
    """The body exceeds its limit (413)."""

    code = "BODY_TOO_LARGE"


class UnsupportedMediaType(ApiError):
    """The body is of another kind than the operation reads (415)."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class MisdirectedRequest(ApiError):
    """The Host header names another server: DNS rebinding, or a proxy that was not declared (421)."""

    code = "MISDIRECTED_REQUEST"


class CrossOrigin(ApiError):
    """A page of another origin tried to write (403)."""

    code = "FORBIDDEN"


class ProjectionBehind(ApiError):
    """The read models did not reach the demanded position in time (504)."""

    code = "PROJECTION_BEHIND"


class RequestTimeout(ApiError):
    """What was awaited did not happen in time; it may still happen (504)."""

    code = "REQUEST_TIMEOUT"


def problem(status: int, title: str, detail: str, instance: str, **members: Any) -> Response:
    """A problem detail; `members` are extensions (field, findings, traceId)."""
    kind = title.lower().replace("_", "-")
    content = {
        "type": f"urn:flowledger:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail[:MAX_DETAIL],
        "instance": instance,
        **members,
    }
    return Response(encode_json(content), status, media_type=MEDIA_TYPE)


def problem_of(error: DomainError, instance: str) -> Response:
    """The problem detail of an error that Flowledger raised on purpose; `instance` is the request's path."""
    status, title = STATUS.get(error.code, INTERNAL)
    if status == INTERNAL[0]:
        log.error("%s answered with an internal error: %s", instance, error, exc_info=error)
        return problem(status, title, "The server could not do this; its log tells more.", instance)
    members: dict[str, Any] = {}
    if isinstance(error, InvalidModel):
        members["findings"] = [finding_json(finding) for finding in error.findings]
    if isinstance(error, InvalidArgument) and error.field:
        members["field"] = error.field
    if isinstance(error, FeelSyntaxError):
        members |= {"field": "expression", "line": error.line, "column": error.column, "expected": error.expected}
    if isinstance(error, FeelBudgetExceeded):
        members |= {"field": "expression", "limit": error.limit, "allowed": error.allowed}
    if isinstance(error, IdempotencyMismatch):
        members["field"] = "Idempotency-Key"
    response = problem(status, title, str(error), instance, **members)
    if isinstance(error, Overloaded | StorageUnavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding about a model, as answers show it."""
    return {
        "elementId": finding.element_id,
        "message": finding.message,
        "line": finding.line or None,
        "severity": finding.severity,
        "rule": finding.rule or None,
    }


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    return problem_of(error, request.url.path)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Starlette's own refusals: unknown paths (404), wrong methods (405), unreadable multipart bodies (400)."""
    assert isinstance(error, HTTPException)
    path = request.url.path
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            detail = f"there is nothing at '{path}'; /openapi.json lists all operations"
        case 405:
            headers["Allow"] = _allowed_methods(request)
            detail = f"'{path}' does not take {request.method}; it takes {headers['Allow']}"
        case _:
            detail = str(error.detail)
    title = HTTPStatus(error.status_code).name
    response = problem(error.status_code, title, detail, path)
    response.headers.update(headers)
    return response


def _allowed_methods(request: Request) -> str:
    """All methods that some route takes at the request's path (a single route knows only its own)."""
    methods: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return ", ".join(sorted(methods))


def install(app: FastAPI) -> None:
    """Make every error that leaves a route a problem detail."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
