"""The server itself: topology, status, who asks, how fresh the read models are, and the clock."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

from starlette.responses import Response

from api.bodies import ClockPin
from api.call import DEFAULT_TENANT, Call, answer
from api.operations import Operation
from api.schemas import ITEM
from domain.errors import Forbidden

MICROSECONDS_PER_MS = 1000
ANONYMOUS = "anonymous"
"""Who asks where the request does not say: v2 clients demand a name."""


async def get_topology(call: Call) -> Response:
    """The cluster as v2 clients expect it: one broker with one partition."""
    server = call.request.scope.get("server") or ("localhost", 0)
    version = call.services.settings.version
    healthy = call.services.ready()
    partition = {
        "partitionId": 1,
        "role": "leader",
        "health": "healthy" if healthy else "unhealthy",
        "state": "active",
    }
    broker = {
        "nodeId": 0,
        "brokerId": "0",
        "host": server[0] or socket.gethostname(),
        "port": server[1] or 0,
        "partitions": [partition],
        "version": version,
    }
    topology: dict[str, Any] = {
        "brokers": [broker],
        "clusterId": None,
        "clusterSize": 1,
        "partitionsCount": 1,
        "replicationFactor": 1,
        "gatewayVersion": version,
        "lastCompletedChangeId": "-1",
    }
    return answer(topology)


async def get_status(call: Call) -> Response:
    """204 if the server can serve requests, else 503."""
    return Response(status_code=204 if call.services.ready() else 503)


async def get_livez(call: Call) -> Response:
    """200 as long as the process answers at all."""
    return answer({"status": "alive"})


async def get_readyz(call: Call) -> Response:
    """200 if the server can serve requests, else 503."""
    ready = call.services.ready()
    return answer({"status": "ready" if ready else "not ready"}, status=200 if ready else 503)


async def get_license(call: Call) -> Response:
    """The licence as v2 clients expect it: Flowledger needs none."""
    return answer({"validLicense": True, "licenseType": "unknown", "isCommercial": False, "expiresAt": None})


async def get_authentication(call: Call) -> Response:
    """Who asks. Until identity is in place: the user name that the request gives, unverified."""
    name = call.actor()
    return answer(
        {
            "username": name or ANONYMOUS,
            "displayName": name or None,
            "email": None,
            "authorizedComponents": ["*"],
            "tenants": [{"tenantId": DEFAULT_TENANT, "name": "Default", "description": None}],
            "groups": [],
            "roles": [],
            "salesPlanType": None,
            "c8Links": {},
            "canLogout": False,
        }
    )


async def get_freshness(call: Call) -> Response:
    """How far the read models are: the position they show and its time (ms), the log's head, the events between."""
    queries = call.services.queries
    head = await queries.head()
    fresh = await queries.freshness()
    lag = max(head - fresh.position, 0)
    content = {"position": fresh.position, "reflectsAt": fresh.reflects_at or None, "head": head, "lag": lag}
    return answer(content, fresh.position)


async def get_clock(call: Call) -> Response:
    """The engine's time (ms), when the next timer of an instance or start event is due (null: none), and whether this
    server has nothing left to do for what it committed: every message and signal reached whom it could. The log
    position is of then: reads that demand it see what followed from timers that fired, messages and signals."""
    services = call.services
    now = services.clock.now()
    settled = services.messages is None or services.messages.is_settled
    *dues, position = await asyncio.to_thread(
        lambda: (services.log.next_timer(), services.log.next_start(), services.log.last_position())
    )
    due = min((due for due in dues if due is not None), default=None)
    content = {
        "timestamp": now // MICROSECONDS_PER_MS,
        "nextTimer": None if due is None else -(-due // MICROSECONDS_PER_MS),
        "settled": settled,
    }
    return answer(content, position)


async def pin_clock(call: Call) -> Response:
    """Let the engine's clock stand still at a time; only where the server allows it."""
    _require_clock_control(call)
    body = await call.body(ClockPin)
    call.services.clock.pin(body.timestamp * MICROSECONDS_PER_MS)
    return Response(status_code=204)


async def reset_clock(call: Call) -> Response:
    """Let the engine's clock follow the wall clock again; only where the server allows it."""
    _require_clock_control(call)
    call.services.clock.reset()
    return Response(status_code=204)


def _require_clock_control(call: Call) -> None:
    if not call.services.settings.clock_control:
        raise Forbidden("the clock of this server cannot be changed: clock control is for tests, and switched off")


TAG = "System"
OPERATIONS = (
    Operation("GET", "/topology", get_topology, TAG, answer=ITEM),
    Operation("GET", "/status", get_status, TAG, errors=(503,)),
    Operation("GET", "/license", get_license, TAG, answer=ITEM),
    Operation("GET", "/authentication/me", get_authentication, TAG, answer=ITEM),
    Operation("GET", "/system/freshness", get_freshness, TAG, answer=ITEM),
    Operation("GET", "/clock", get_clock, TAG, answer=ITEM),
    Operation("PUT", "/clock", pin_clock, TAG, ClockPin, errors=(403,)),
    Operation("POST", "/clock/reset", reset_clock, TAG, errors=(403,)),
    Operation("GET", "/livez", get_livez, TAG, answer=ITEM, prefix=""),
    Operation("GET", "/readyz", get_readyz, TAG, answer=ITEM, errors=(503,), prefix=""),
)
