"""Messages and signals: publish, correlate, broadcast; conditional start events; what is waited for."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from api.bodies import ConditionalEvaluation, MessageCorrelation, MessagePublication, Search, SignalBroadcast
from api.call import DEFAULT_TENANT, Call, answer, tenant_of
from api.errors import RequestTimeout
from api.operations import Operation
from api.reads import search
from api.schemas import ITEM, PAGE_OF_ITEMS
from commands.broadcast_signal import BroadcastSignal
from commands.correlate_message import ExpireMessage
from commands.handling import Meta
from commands.publish_message import PublishMessage
from commands.start_by_condition import StartByCondition
from domain.errors import NotFound
from domain.keys import EPOCH_SECONDS, TICKS_PER_SECOND, compose_key, parse_key
from projections.queries import Entity

MICROSECONDS_PER_MS = 1000
CORRELATION_SECONDS = 10.0
"""How long a caller waits until its message was looked at."""


async def publish_message(call: Call) -> Response:
    """Publish a message for whoever waits for its name and correlation key, now or within timeToLive (ms)."""
    body = await call.body(MessagePublication)
    tenant = tenant_of(body.tenant_id)
    command = PublishMessage(
        name=body.name,
        key=body.correlation_key or "",
        time_to_live=(body.time_to_live or 0) * MICROSECONDS_PER_MS,
        message_id=body.message_id or "",
        variables=body.variables or {},
        business_id=body.business_id or "",
    )
    outcome = await call.execute(command)
    content = {"tenantId": tenant or DEFAULT_TENANT, "messageKey": str(outcome.result.message_key)}
    return answer(content, outcome.position)


async def correlate_message(call: Call) -> Response:
    """Publish a message and wait until an instance took it, or was started by it; 404 if none does."""
    body = await call.body(MessageCorrelation)
    tenant = tenant_of(body.tenant_id)
    command = PublishMessage(
        name=body.name,
        key=body.correlation_key or "",
        variables=body.variables or {},
        business_id=body.business_id or "",
    )
    published = await call.execute(command)
    key = published.result.message_key
    if call.services.messages is not None:
        try:
            await asyncio.wait_for(asyncio.wrap_future(call.services.messages.considered()), CORRELATION_SECONDS)
        except TimeoutError as error:
            raise RequestTimeout(
                f"the message '{key}' was published, but not looked at within {CORRELATION_SECONDS:g} s"
            ) from error
    asking = call.meta()
    taken = await call.services.bus.execute(
        ExpireMessage(message_key=key), Meta(asking.actor, asking.tenant, "", asking.trace_id)
    )
    if not taken.result.instances:
        with_key = f" with correlation key '{command.key}'" if command.key else ""
        raise NotFound(f"nothing waits for the message '{command.name}'{with_key}; it is not kept")
    content = {
        "tenantId": tenant or DEFAULT_TENANT,
        "messageKey": str(key),
        "processInstanceKey": str(taken.result.instances[0]),
    }
    return answer(content, max(published.position, taken.position))


async def broadcast_signal(call: Call) -> Response:
    """Broadcast a signal to everybody who waits for its name now, and start what it starts."""
    body = await call.body(SignalBroadcast)
    tenant = tenant_of(body.tenant_id)
    outcome = await call.execute(BroadcastSignal(name=body.signal_name, variables=body.variables or {}))
    content = {"tenantId": tenant or DEFAULT_TENANT, "signalKey": str(outcome.result.signal_key)}
    return answer(content, outcome.position)


async def evaluate_conditionals(call: Call) -> Response:
    """Evaluate the conditional start events of all processes (or of one), and start an instance for each that holds.

    The evaluation's key is that of the first instance, or made from the time where none was started: nothing was
    recorded then.
    """
    body = await call.body(ConditionalEvaluation)
    tenant = tenant_of(body.tenant_id)
    key = parse_key(body.process_definition_key, "processDefinitionKey") if body.process_definition_key else 0
    asking = call.meta()
    starts = await asyncio.to_thread(call.services.log.start_subscriptions, "condition", tenant, None, key)
    if key and not starts:
        raise NotFound(f"the process definition '{key}' has no conditional start event in force")
    started: list[dict[str, Any]] = []
    position = 0
    for start in starts:
        once = f"{asking.command_id}:{start.definition_key}:{start.element_id}" if asking.command_id else ""
        command = StartByCondition(
            definition_key=start.definition_key, element_id=start.element_id, variables=body.variables
        )
        outcome = await call.services.bus.execute(command, Meta(asking.actor, tenant, once, asking.trace_id))
        position = max(position, outcome.position)
        if outcome.result.instance_key:
            keys = (outcome.result.definition_key, outcome.result.instance_key)
            started.append({"processDefinitionKey": str(keys[0]), "processInstanceKey": str(keys[1])})
    seconds = call.services.clock.now() / 1_000_000 - EPOCH_SECONDS
    unrecorded = str(compose_key(max(int(seconds * TICKS_PER_SECOND), 1), 0, 0))
    first = started[0]["processInstanceKey"] if started else unrecorded
    content = {
        "conditionalEvaluationKey": first,
        "tenantId": tenant or DEFAULT_TENANT,
        "processInstances": started,
    }
    return answer(content, position)


async def search_message_subscriptions(call: Call) -> Response:
    """Search what messages are waited for, by instances and by start events."""
    return await search(call, Entity.MESSAGE_SUBSCRIPTIONS)


async def search_correlated_message_subscriptions(call: Call) -> Response:
    """Search the messages that instances took, or that started them."""
    return await search(call, Entity.CORRELATED_MESSAGE_SUBSCRIPTIONS)


MESSAGE, SIGNAL = "Message", "Signal"
OPERATIONS = (
    Operation(
        "POST",
        "/messages/publication",
        publish_message,
        MESSAGE,
        MessagePublication,
        answer=ITEM,
        writes=True,
        errors=(409,),
    ),
    Operation(
        "POST",
        "/messages/correlation",
        correlate_message,
        MESSAGE,
        MessageCorrelation,
        answer=ITEM,
        writes=True,
        errors=(404, 504),
    ),
    Operation("POST", "/signals/broadcast", broadcast_signal, SIGNAL, SignalBroadcast, answer=ITEM, writes=True),
    Operation(
        "POST",
        "/conditionals/evaluation",
        evaluate_conditionals,
        "Conditional",
        ConditionalEvaluation,
        answer=ITEM,
        writes=True,
        errors=(404,),
    ),
    Operation(
        "POST",
        "/message-subscriptions/search",
        search_message_subscriptions,
        MESSAGE,
        Search,
        True,
        answer=PAGE_OF_ITEMS,
        reads=True,
    ),
    Operation(
        "POST",
        "/correlated-message-subscriptions/search",
        search_correlated_message_subscriptions,
        MESSAGE,
        Search,
        True,
        answer=PAGE_OF_ITEMS,
        reads=True,
    ),
)
