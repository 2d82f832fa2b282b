"""Commands on user tasks whose listeners decide first: the answer waits for their decision, as in Camunda.

204 when it is done, 409 with the reason when a listener denied it, 504 when they have not decided in time (they still
may). Who does not want to wait sends `Prefer: respond-async` (RFC 7240) and gets 202.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from starlette.responses import Response

from api.call import POSITION, Call, done
from api.commits import Watch
from api.errors import RequestTimeout
from commands.bus_batch import Emission, Outcome
from commands.handling import Command
from commands.instances import Transition
from domain.errors import InvalidState, NotFound
from domain.events import Event
from domain.keys import instance_key_of
from domain.process_instance import events as e
from projections.queries import Entity, SearchRequest

LOOK_EVERY = 1.0
"""Seconds between looks at the read models: another server may have committed the decision."""


class Decision(NamedTuple):
    """What became of it. position: of the log; denied: None where it was done, else the reason."""

    position: int
    denied: str | None = None
    canceled: bool = False


async def execute(call: Call, key: int, command: Command) -> Response:
    """Carry out a command on a user task (or on the variables at its element); wait for its listeners."""
    with call.services.commits.watch(instance_key_of(key)) as watch:
        outcome = await call.execute(command)
        transition: Transition | None = outcome.result
        if transition is None:
            return done(outcome)
        if "respond-async" in call.request.headers.get("prefer", ""):
            return Response(status_code=202, headers={POSITION: str(outcome.position)})
        decision = await _decided(call, watch, outcome, transition)
    what = f"{transition.moment} of the user task '{transition.task_key}'"
    if decision.canceled:
        raise InvalidState(f"{what} did not come about: the task was cancelled meanwhile")
    if decision.denied is not None:
        reason = f"; the reason: {decision.denied}" if decision.denied else ""
        raise InvalidState(f"{what} was denied by a task listener{reason}")
    return Response(status_code=204, headers={POSITION: str(decision.position)})


async def _decided(call: Call, watch: Watch, outcome: Outcome, transition: Transition) -> Decision:
    loop = asyncio.get_running_loop()
    until = loop.time() + call.services.settings.default_request_timeout
    while (left := until - loop.time()) > 0 and not call.services.commits.is_closed:
        emission = await watch.next(min(left, LOOK_EVERY))
        if emission is None:
            decision = await _decided_elsewhere(call, outcome, transition)
        else:
            decision = _decision_in(emission, outcome.position, transition)
        if decision is not None:
            return decision
    raise RequestTimeout(
        f"the listeners of the user task '{transition.task_key}' have not decided in time; it stays {transition.moment}"
    )


def _decision_in(emission: Emission, after: int, transition: Transition) -> Decision | None:
    local = transition.task_key - emission.ref.key
    for position, event in enumerate(emission.events, emission.position):
        if position > after and (decision := _decision(event, local, position)) is not None:
            return decision
    return None


def _decision(event: Event, local: int, position: int) -> Decision | None:
    match event:
        case e.UserTaskTransitionEnded(task=task) if task == local:
            return Decision(position, event.reason if event.denied else None)
        case e.UserTaskCompleted(task=task) if task == local:
            return Decision(position)
        case e.InstanceTerminated():
            return Decision(position, canceled=True)
        case _:
            return None


async def _decided_elsewhere(call: Call, outcome: Outcome, transition: Transition) -> Decision | None:
    """The decision as the read models have it, None while there is none (or they are behind)."""
    queries = call.services.queries
    position = (await queries.freshness()).position
    if position < outcome.position:
        return None
    try:
        task = await queries.get(Entity.USER_TASKS, transition.task_key)
    except NotFound:
        return None
    if task["state"] == transition.moment:
        return None
    if task["state"] == "CANCELED":
        return Decision(position, canceled=True)
    wanted = {
        "elementInstanceKey": task["elementInstanceKey"],
        "kind": "TASK_LISTENER",
        "listenerEventType": transition.moment,
    }
    sort = [{"field": "jobKey", "order": "DESC"}]
    found = (await queries.search(Entity.JOBS, SearchRequest(wanted, sort=sort, page={"limit": 1}))).items
    denied = bool(found) and found[0]["isDenied"]
    return Decision(position, (found[0]["deniedReason"] or "") if denied else None)
