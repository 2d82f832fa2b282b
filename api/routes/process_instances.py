"""Process instances: start, follow, cancel."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from api.answers import started_instance
from api.bodies import Operation as Reference
from api.bodies import ProcessInstanceCreation, Reasoned, Search
from api.call import Call, answer, done, tenant_of, unsupported
from api.commits import Ended
from api.errors import RequestTimeout
from api.operations import Operation
from api.reads import get, got, own_position, reached, search, settle
from api.schemas import ITEM, ITEMS, LIST, PAGE_OF_ITEMS
from commands.cancel_instance import CancelInstance
from commands.create_instance import CreateInstance, InstanceStarted
from commands.suspend_instance import ResumeInstance, SuspendInstance
from domain.errors import InvalidArgument, InvalidState, NotFound
from domain.events import decode_json
from domain.keys import parse_key
from projections.queries import MAX_LIMIT, Entity, SearchRequest

LOOK_EVERY = 1.0
"""Seconds between looks whether an awaited instance has ended: another server may have committed its end."""


async def create_process_instance(call: Call) -> Response:
    """Start an instance of a process definition, by key, or by id and version (the latest by default).

    With awaitCompletion the answer comes when the instance has ended, with its variables (those in fetchVariables, or
    all); 504 after requestTimeout, and the instance goes on.
    """
    body = await call.body(ProcessInstanceCreation)
    tenant = tenant_of(body.tenant_id)
    unsupported(body.start_instructions, "startInstructions", "instances start at their start event")
    unsupported(body.runtime_instructions, "runtimeInstructions", "leave it out")
    command = CreateInstance(
        definition_key=_definition_key(body),
        bpmn_process_id=body.process_definition_id or "",
        version=body.process_definition_version,
        variables=body.variables or {},
        business_id=body.business_id or "",
        tags=list(body.tags or ()),
    )
    outcome = await call.execute(command)
    started: InstanceStarted = outcome.result
    variables: dict[str, Any] = {}
    position = outcome.position
    if body.await_completion:
        wait = body.request_timeout or 0
        settings = call.services.settings
        timeout = min(wait / 1000, settings.max_request_timeout) if wait > 0 else settings.default_request_timeout
        position = await _completed(call, started.instance_key, timeout)
        variables = await _root_variables(call, started.instance_key, position, body.fetch_variables)
    return answer(started_instance(command, started, tenant, variables), position)


def _definition_key(body: ProcessInstanceCreation) -> int:
    """The definition's key, 0 where the request names it by id."""
    if (body.process_definition_key is None) == (body.process_definition_id is None):
        raise InvalidArgument(
            "name the process definition either by 'processDefinitionKey' or by 'processDefinitionId'",
            "processDefinitionKey" if body.process_definition_key is not None else "processDefinitionId",
        )
    if body.process_definition_id is not None:
        return 0
    return parse_key(body.process_definition_key, "processDefinitionKey")


async def _completed(call: Call, key: int, timeout: float) -> int:
    """Wait until the instance has completed; the log position of that.

    Raises RequestTimeout after `timeout` seconds, InvalidState if it was cancelled.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    while (left := until - loop.time()) > 0:
        ended = await call.services.commits.wait_ended(key, min(left, LOOK_EVERY))
        if ended is None:
            ended = await _ended_elsewhere(call, key)
        if ended is not None:
            if not ended.completed:
                raise InvalidState(f"the process instance '{key}' was cancelled before it completed")
            return ended.position
        if call.services.commits.is_closed:
            raise RequestTimeout(f"this server stops; the process instance '{key}' goes on, but cannot be awaited here")
    raise RequestTimeout(f"the process instance '{key}' has not completed within {timeout:g} s; it goes on")


async def _ended_elsewhere(call: Call, key: int) -> Ended | None:
    queries = call.services.queries
    try:
        instance = await queries.get(Entity.PROCESS_INSTANCES, key)
    except NotFound:
        return None
    if instance["state"] not in ("COMPLETED", "TERMINATED"):
        return None
    return Ended((await queries.freshness()).position, instance["state"] == "COMPLETED")


async def _root_variables(call: Call, key: int, position: int, names: list[str] | None) -> dict[str, Any]:
    """The variables of the instance's root scope, as of `position` or later."""
    queries = call.services.queries
    if not await queries.wait_for(position, call.services.settings.min_position_wait):
        raise RequestTimeout(f"the process instance '{key}' has completed, but its variables cannot be read yet")
    wanted: dict[str, Any] = {"processInstanceKey": str(key), "scopeKey": str(key)}
    if names:
        wanted["name"] = {"$in": names}
    request = SearchRequest(wanted, page={"limit": MAX_LIMIT})
    result = await queries.search(Entity.VARIABLES, request, truncate_values=False)
    return {item["name"]: decode_json(item["value"]) for item in result.items}


async def search_process_instances(call: Call) -> Response:
    """Search process instances of all states."""
    return await search(call, Entity.PROCESS_INSTANCES)


async def get_process_instance(call: Call) -> Response:
    """A process instance by its key."""
    return await get(call, Entity.PROCESS_INSTANCES, "processInstanceKey")


async def cancel_process_instance(call: Call) -> Response:
    """End a process instance with all that is active in it."""
    key = call.key("processInstanceKey")
    await call.optional_body(Reference)
    return done(await call.execute(CancelInstance(instance_key=key)))


async def suspend_process_instance(call: Call) -> Response:
    """Let an instance stand still: no job is handed out or completed, no timer fires, until it is resumed."""
    key = call.key("processInstanceKey")
    body = await call.optional_body(Reasoned)
    return done(await call.execute(SuspendInstance(instance_key=key, reason=body.reason or "")))


async def resume_process_instance(call: Call) -> Response:
    """Let a suspended instance go on; timers that were due meanwhile fire at once."""
    key = call.key("processInstanceKey")
    body = await call.optional_body(Reasoned)
    return done(await call.execute(ResumeInstance(instance_key=key, reason=body.reason or "")))


async def get_process_instance_statistics(call: Call) -> Response:
    """Per element: how many instances of it are active, completed, canceled, or have an incident."""
    key = call.key("processInstanceKey")
    position = await reached(call, own_position(call, key))
    return answer({"items": await call.services.queries.element_statistics(key)}, position)


async def get_process_instance_sequence_flows(call: Call) -> Response:
    """The sequence flows that the instance has taken."""
    key = call.key("processInstanceKey")
    position = await reached(call, own_position(call, key))
    return answer({"items": await call.services.queries.sequence_flows(key)}, position)


async def get_process_instance_call_hierarchy(call: Call) -> Response:
    """The instance and those that called it, the outermost first."""
    key = call.key("processInstanceKey")
    position = await reached(call, own_position(call, key))
    return await got(call, position, call.services.queries.call_hierarchy(key))


async def search_process_instance_incidents(call: Call) -> Response:
    """Search the incidents of a process instance."""
    key = call.key("processInstanceKey")
    own = own_position(call, key)
    await settle(call, own)
    await call.services.queries.get(Entity.PROCESS_INSTANCES, key)
    return await search(call, Entity.INCIDENTS, own, processInstanceKey=str(key))


TAG = "Process instance"
INSTANCE = "/process-instances/{processInstanceKey}"
OPERATIONS = (
    Operation(
        "POST",
        "/process-instances",
        create_process_instance,
        TAG,
        ProcessInstanceCreation,
        answer=ITEM,
        writes=True,
        errors=(404, 409, 504),
    ),
    Operation(
        "POST", "/process-instances/search", search_process_instances, TAG, Search, True, PAGE_OF_ITEMS, reads=True
    ),
    Operation("GET", INSTANCE, get_process_instance, TAG, answer=ITEM, reads=True),
    Operation(
        "POST", f"{INSTANCE}/cancellation", cancel_process_instance, TAG, Reference, True, writes=True, errors=(409,)
    ),
    Operation(
        "POST", f"{INSTANCE}/suspension", suspend_process_instance, TAG, Reasoned, True, writes=True, errors=(409,)
    ),
    Operation(
        "POST", f"{INSTANCE}/resumption", resume_process_instance, TAG, Reasoned, True, writes=True, errors=(409,)
    ),
    Operation(
        "GET",
        f"{INSTANCE}/statistics/element-instances",
        get_process_instance_statistics,
        TAG,
        answer=ITEMS,
        reads=True,
    ),
    Operation("GET", f"{INSTANCE}/sequence-flows", get_process_instance_sequence_flows, TAG, answer=ITEMS, reads=True),
    Operation("GET", f"{INSTANCE}/call-hierarchy", get_process_instance_call_hierarchy, TAG, answer=LIST, reads=True),
    Operation(
        "POST",
        f"{INSTANCE}/incidents/search",
        search_process_instance_incidents,
        TAG,
        Search,
        optional_body=True,
        answer=PAGE_OF_ITEMS,
        reads=True,
    ),
)
