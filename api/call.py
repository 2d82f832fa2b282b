"""One request in a handler's hands: its key, query, body and meta; carrying out commands; and answers."""

from __future__ import annotations

import base64
import binascii
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.reading import decode, read_body, require_json
from api.services import Services
from api.shell import trace_id_of
from commands.bus_batch import Outcome
from commands.handling import Command, Meta
from domain.errors import InvalidArgument
from domain.events import encode_json
from domain.keys import Key, parse_key

T = TypeVar("T", bound=msgspec.Struct)

POSITION = "Flowledger-Position"
MIN_POSITION = "Flowledger-Min-Position"
IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_COMMAND_ID = 200
DEFAULT_TENANT = "<default>"


class Call:
    """A request and the services to serve it with."""

    __slots__ = ("request", "services")

    def __init__(self, request: Request, services: Services) -> None:
        self.request = request
        self.services = services

    def key(self, name: str) -> Key:
        """The key in the path. Raises InvalidArgument naming it."""
        return parse_key(self.request.path_params[name], name)

    def flag(self, name: str, default: bool) -> bool:
        """A query parameter that is true or false."""
        text = self.request.query_params.get(name)
        if text is None:
            return default
        if text.lower() not in ("true", "false"):
            raise InvalidArgument(f"the query parameter '{name}' must be true or false, not {text!r}", name)
        return text.lower() == "true"

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A query parameter that is a whole number from `low` to `high`."""
        number = self.optional_number(name, low, high)
        return default if number is None else number

    def optional_number(self, name: str, low: int, high: int) -> int | None:
        """Like `number`, None where the parameter is absent."""
        text = self.request.query_params.get(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 19 or not low <= int(text) <= high:
            rule = f"the query parameter '{name}' must be a whole number from {low} to {high}, not {text!r}"
            raise InvalidArgument(rule, name)
        return int(text)

    def meta(self) -> Meta:
        """Who asks, and under which command id and trace.

        The actor is the user name of a Basic Authorization header, NOT verified: until identity is in place anyone
        on this machine may say any name.
        """
        headers = self.request.headers
        command_id = headers.get(IDEMPOTENCY_KEY, "")
        if len(command_id) > MAX_COMMAND_ID or not command_id.isprintable():
            rule = f"{IDEMPOTENCY_KEY} has at most {MAX_COMMAND_ID} printable characters"
            raise InvalidArgument(rule, IDEMPOTENCY_KEY)
        return Meta(self.actor(), "", command_id, trace_id_of(headers.get("traceparent")))

    def actor(self) -> str:
        """The user name of a Basic Authorization header, "" without one. Not verified."""
        scheme, _, credentials = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            name = base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidArgument(
                "the Authorization header must hold 'Basic ' and base64 of user:password", "Authorization"
            ) from error
        if "\0" in name:
            raise InvalidArgument("the user name must not contain the character U+0000", "Authorization")
        return name

    async def body(self, record: type[T]) -> T:
        """The request's JSON body as a record. Raises InvalidArgument, BodyTooLarge, UnsupportedMediaType."""
        content = await read_body(self.request, self.services.settings.max_body)
        if content or self.request.headers.get("content-type"):
            require_json(self.request)
        return decode(content, record)

    async def optional_body(self, record: type[T]) -> T:
        """Like `body`, but an empty body (or `null`) stands for the record with its defaults."""
        content = await read_body(self.request, self.services.settings.max_body)
        if not content or content == b"null":
            return record()
        require_json(self.request)
        return decode(content, record)

    async def execute(self, command: Command) -> Outcome:
        """Carry out a command; its durable outcome."""
        return await self.services.bus.execute(command, self.meta())


def answer(content: Any, position: int | None = None, status: int = 200) -> Response:
    """A JSON answer; `content` is a record, dict or list, or bytes that are JSON already."""
    encoded = content if isinstance(content, bytes) else encode_json(content)
    headers = {} if position is None else {POSITION: str(position)}
    return Response(encoded, status, headers, "application/json")


def done(outcome: Outcome) -> Response:
    """204 with the log position of the write."""
    return Response(status_code=204, headers={POSITION: str(outcome.position)})


def tenant_of(tenant_id: str | None) -> str:
    """The tenant that a request names; only the default one exists until identity is in place."""
    if tenant_id not in (None, "", DEFAULT_TENANT):
        raise InvalidArgument(f"the tenant '{tenant_id}' is not known; there is only '{DEFAULT_TENANT}'", "tenantId")
    return ""


def unsupported(value: object, field: str, instead: str) -> None:
    """Refuse an option of the v2 API that is not supported yet, if the request uses it."""
    if value:
        raise InvalidArgument(f"'{field}' is not supported by this server yet; {instead}", field)
