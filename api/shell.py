"""The ASGI shell around the application: who may ask at all, what no answer may lack, and what no answer may tell.

* The Host header must name this server (DNS rebinding); a browser page of another origin may not write (closed CORS).
* Every answer carries the security headers.
* An unexpected error is logged under a trace id and answered without internals.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import CrossOrigin, MisdirectedRequest, problem, problem_of
from domain.errors import DomainError

log = logging.getLogger("flowledger.api")

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
JSON_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
NO_STORE = (b"cache-control", b"no-store")


def trace_id_of(traceparent: str | None) -> str:
    """The trace id in a W3C `traceparent` header, "" if there is none or it is malformed (then it is ignored)."""
    if not traceparent:
        return ""
    parts = traceparent.split("-")
    if len(parts) < 4 or len(parts[0]) != 2 or len(parts[1]) != 32:
        return ""
    trace_id = parts[1].lower()
    if any(digit not in "0123456789abcdef" for digit in trace_id) or trace_id == "0" * 32:
        return ""
    return trace_id


def host_name(host: str) -> str:
    """A Host header's name without its port, lower case; `[::1]` keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


class Shell:
    """ASGI middleware; see the module's text. allowed_hosts: lower case, without port; empty: any."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self.app = app
        self._hosts = frozenset(allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; other scopes (lifespan) pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _add_headers(message)
            await send(message)

        try:
            self._admit(Request(scope))
            await self.app(scope, receive, send_guarded)
        except DomainError as error:
            await problem_of(error, scope["path"])(scope, receive, send_guarded)
        except Exception:
            trace_id = trace_id_of(Request(scope).headers.get("traceparent")) or secrets.token_hex(16)
            log.exception("%s %s failed unexpectedly (trace %s)", scope["method"], scope["path"], trace_id)
            if started:
                raise
            detail = f"Something went wrong that should not have; the server's log tells more under trace {trace_id}."
            response = problem(500, "INTERNAL", detail, scope["path"], traceId=trace_id)
            await response(scope, receive, send_guarded)

    def _admit(self, request: Request) -> None:
        headers = request.headers
        host = headers.get("host", "")
        if self._hosts and host_name(host) not in self._hosts:
            known = ", ".join(sorted(self._hosts))
            raise MisdirectedRequest(f"this server is not '{host}'; it answers to {known}")
        if request.method in SAFE_METHODS:
            return
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") or (
            origin is not None and origin.partition("://")[2] != host
        ):
            raise CrossOrigin(f"pages of {origin or 'another site'} may not write here")


def _add_headers(message: Message) -> None:
    headers = message.setdefault("headers", [])
    present = {name for name, _ in headers}
    headers.extend(SECURITY_HEADERS)
    if JSON_POLICY[0] not in present:
        headers.append(JSON_POLICY)
    if NO_STORE[0] not in present:
        headers.append(NO_STORE)
