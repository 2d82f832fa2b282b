"""The FastAPI application: all operations, the error handling and the documentation around the services it is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from starlette.requests import Request
from starlette.responses import Response

from api import errors
from api.call import answer
from api.commits import Commits
from api.job_activation import JobDesk
from api.openapi import PAGE_POLICY, document, page
from api.operations import route_of
from api.routes import OPERATIONS
from api.services import Services
from api.shell import Shell
from domain.events import encode_json


def create_app(services: Services) -> FastAPI:
    """The application. Makes `services.commits` and `services.jobs`, and listens to the bus; does no I/O itself.

    When the server is told to stop, call `services.drain()` first: it ends all long polls.
    """
    settings = services.settings
    services.commits = Commits()
    services.jobs = JobDesk(services.bus, services.log, services.clock, settings.job_poll_interval)
    services.bus.add_listener(services.commits.on_commit)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        services.commits.bind(asyncio.get_running_loop(), services.jobs.on_jobs)
        yield
        services.drain()

    app = FastAPI(
        title="Flowledger",
        version=settings.version,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    for operation in OPERATIONS:
        app.router.routes.append(route_of(operation, services))
    _add_documentation(app, settings.version)
    errors.install(app)
    app.add_middleware(Shell, allowed_hosts=settings.allowed_hosts)
    return app


def _add_documentation(app: FastAPI, version: str) -> None:
    spec = encode_json(document(OPERATIONS, version))
    shown = page(OPERATIONS, version)

    async def openapi(_request: Request) -> Response:
        return answer(spec)

    async def docs(_request: Request) -> Response:
        return HTMLResponse(shown, headers={"Content-Security-Policy": PAGE_POLICY})

    app.router.add_route("/openapi.json", openapi, ["GET"])
    app.router.add_route("/docs", docs, ["GET"])
