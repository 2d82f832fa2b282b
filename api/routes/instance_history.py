"""What happened in an instance, event by event, and how it stood at any moment: straight from the log, never behind."""

from __future__ import annotations

from starlette.responses import Response

from api.call import Call, answer
from api.operations import Operation
from api.reads import got, reached
from api.schemas import ITEM, PAGE_OF_ITEMS

MAX_VERSION = (1 << 31) - 1
MAX_EVENTS = 1_000


async def get_process_instance_history(call: Call) -> Response:
    """Every event of an instance in order: when, who, what, at which element, and what it changed.

    Query: `after` (a version; only later events) and `limit` (up to 1,000).
    """
    key = call.key("processInstanceKey")
    after = call.number("after", 0, 0, MAX_VERSION)
    limit = call.number("limit", 100, 1, MAX_EVENTS)
    position = await reached(call)
    return await got(call, position, call.services.queries.history(key, after, limit))


async def get_process_instance_state(call: Call) -> Response:
    """An instance as it stood after the event `version` (now, without one): elements, variables, jobs, tasks …"""
    key = call.key("processInstanceKey")
    version = call.optional_number("version", 1, MAX_VERSION)
    position = await reached(call)
    return answer(await call.services.queries.state_at(key, version), position)


INSTANCE = "/process-instances/{processInstanceKey}"
COUNT = {"type": "integer", "minimum": 0}
OPERATIONS = (
    Operation(
        "GET",
        f"{INSTANCE}/history",
        get_process_instance_history,
        "Process instance",
        answer=PAGE_OF_ITEMS,
        reads=True,
        query={"after": COUNT, "limit": {"type": "integer", "minimum": 1, "maximum": MAX_EVENTS, "default": 100}},
    ),
    Operation(
        "GET",
        f"{INSTANCE}/state",
        get_process_instance_state,
        "Process instance",
        answer=ITEM,
        reads=True,
        query={"version": {"type": "integer", "minimum": 1}},
    ),
)
