"""An operation of the API: its method and path, the handler, and what its documentation says. The modules in
api/routes list theirs in literal tables; `route_of` makes FastAPI routes of them.

Handlers read their bodies themselves (api/reading.py: msgspec, no pydantic), so a route calls the handler directly.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.call import Call
from api.services import Services

Handler = Callable[[Call], Awaitable[Response]]
PREFIX = "/v2"


class Operation(NamedTuple):
    """One operation. The handler's docstring is its description.

    body: the record of its JSON body; optional_body: it may be empty; multipart: it takes files instead.
    answer: a record (or its JSON schema) of the answer, None for 204. reads, writes: which Flowledger headers it knows.
    query: parameter name → JSON schema. errors: statuses beyond those that follow from the rest.
    """

    method: str
    path: str
    handler: Handler
    tag: str
    body: type[Any] | None = None
    optional_body: bool = False
    answer: Any = None
    answer_type: str = "application/json"
    reads: bool = False
    writes: bool = False
    multipart: bool = False
    query: Mapping[str, dict[str, Any]] = MappingProxyType({})
    errors: tuple[int, ...] = ()
    prefix: str = PREFIX

    @property
    def name(self) -> str:
        """The operation id: the handler's name in camelCase."""
        head, *rest = self.handler.__name__.split("_")
        return head + "".join(word.title() for word in rest)


class DirectRoute(APIRoute):
    """A FastAPI route whose endpoint takes the request and gives the response: nothing is validated between."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself."""
        return self.endpoint


def route_of(operation: Operation, services: Services) -> DirectRoute:
    """The route that serves an operation."""
    handler = operation.handler

    async def endpoint(request: Request) -> Response:
        return await handler(Call(request, services))

    return DirectRoute(
        operation.prefix + operation.path,
        endpoint,
        methods=[operation.method],
        name=operation.name,
        response_model=None,
        include_in_schema=False,
    )
