"""Jobs: workers take them, and complete, fail or refuse them."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response

from api.answers import activated_job
from api.bodies import JobActivation, JobCompletion, JobError, JobFailure, JobUpdate, Search
from api.call import Call, answer, done, tenant_of, unsupported
from api.job_activation import Wanted
from api.job_results import job_result
from api.operations import Operation
from api.reads import search
from api.schemas import JOBS, PAGE_OF_ITEMS
from commands.bus_batch import Outcome
from commands.complete_job import CompleteJob
from commands.fail_job import FailJob
from commands.handling import Meta
from commands.throw_job_error import ThrowJobError
from commands.update_job import UpdateJob
from domain.errors import InvalidArgument
from projections.queries import Entity

MICROSECONDS_PER_MS = 1000
NO_LEASES = "leave it out"


async def activate_jobs(call: Call) -> Response:
    """Take jobs of a type for a time; waits for some (long polling).

    The answer comes as soon as there is at least one job, or empty after requestTimeout (0: the default of 10 s;
    negative: at once).
    """
    body = await call.body(JobActivation)
    for tenant in body.tenant_ids or ():
        tenant_of(tenant)
    unsupported(body.with_lease, "withLease", NO_LEASES)
    asking = call.meta()
    wait = body.request_timeout or 0
    settings = call.services.settings
    patience = min(wait / 1000, settings.max_request_timeout) if wait else settings.default_request_timeout
    wanted = Wanted(
        worker=body.worker or "",
        timeout=body.timeout * MICROSECONDS_PER_MS,
        limit=body.max_jobs_to_activate,
        fetch=body.fetch_variable or None,
        meta=Meta(asking.actor, asking.tenant, "", asking.trace_id),  # the commands are many: no id of their own
        once=wait < 0,
    )
    outcomes = await _while_connected(call, call.services.jobs.activate(body.type, wanted, patience))
    position = max((outcome.position for outcome in outcomes), default=None)
    return answer({"jobs": [activated_job(outcome.result) for outcome in outcomes]}, position)


async def _while_connected(call: Call, activating: Any) -> list[Outcome]:
    """The result, unless the client goes away: then waiting for it is cancelled, so that no job is given to nobody."""
    work = asyncio.ensure_future(activating)
    gone = asyncio.ensure_future(_disconnected(call))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.wait((work,))
            return []
        return work.result()  # type: ignore[no-any-return]
    finally:
        gone.cancel()
        if not work.done():
            work.cancel()


async def _disconnected(call: Call) -> None:
    while (await call.request.receive())["type"] != "http.disconnect":
        pass


async def complete_job(call: Call) -> Response:
    """Report a job as done; its instance goes on."""
    key = call.key("jobKey")
    body = await call.optional_body(JobCompletion)
    unsupported(body.job_lease_token, "jobLeaseToken", NO_LEASES)
    unsupported(body.business_id, "businessId", "give it when the instance is created")
    return done(
        await call.execute(CompleteJob(job_key=key, variables=body.variables or {}, result=job_result(body.result)))
    )


async def fail_job(call: Call) -> Response:
    """Report that a job could not be done; with no retries left, an incident is raised."""
    key = call.key("jobKey")
    body = await call.optional_body(JobFailure)
    unsupported(body.job_lease_token, "jobLeaseToken", NO_LEASES)
    command = FailJob(
        job_key=key,
        retries=body.retries or 0,
        message=body.error_message or "",
        back_off=(body.retry_back_off or 0) * MICROSECONDS_PER_MS,
        variables=body.variables or {},
    )
    return done(await call.execute(command))


async def throw_job_error(call: Call) -> Response:
    """Report a BPMN error, which an error event of the model may catch."""
    key = call.key("jobKey")
    body = await call.body(JobError)
    unsupported(body.job_lease_token, "jobLeaseToken", NO_LEASES)
    command = ThrowJobError(
        job_key=key, error_code=body.error_code, message=body.error_message or "", variables=body.variables or {}
    )
    return done(await call.execute(command))


async def update_job(call: Call) -> Response:
    """Change a job's retries, or how long its worker may still hold it."""
    key = call.key("jobKey")
    body = await call.body(JobUpdate)
    unsupported(body.job_lease_token, "jobLeaseToken", NO_LEASES)
    changes = body.changeset
    unsupported(changes.priority is not None, "changeset.priority", "jobs are taken in the order they arose")
    if changes.retries is None and changes.timeout is None:
        raise InvalidArgument("'changeset' must have 'retries' or 'timeout'", "changeset")
    timeout = None if changes.timeout is None else changes.timeout * MICROSECONDS_PER_MS
    return done(await call.execute(UpdateJob(job_key=key, retries=changes.retries, timeout=timeout)))


async def search_jobs(call: Call) -> Response:
    """Search jobs of all states."""
    return await search(call, Entity.JOBS)


OPERATIONS = (
    Operation("POST", "/jobs/activation", activate_jobs, "Job", JobActivation, answer=JOBS, errors=(503,)),
    Operation(
        "POST", "/jobs/{jobKey}/completion", complete_job, "Job", JobCompletion, True, writes=True, errors=(409,)
    ),
    Operation("POST", "/jobs/{jobKey}/failure", fail_job, "Job", JobFailure, True, writes=True, errors=(409,)),
    Operation("POST", "/jobs/{jobKey}/error", throw_job_error, "Job", JobError, writes=True, errors=(409,)),
    Operation("POST", "/jobs/search", search_jobs, "Job", Search, True, answer=PAGE_OF_ITEMS, reads=True),
    Operation("PATCH", "/jobs/{jobKey}", update_job, "Job", JobUpdate, writes=True, errors=(409,)),
)
