"""ActivateJob: a worker takes one job for a time; then it may be given to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import Command, Context, Handler, Stream
from commands.instances import find_job, not_thrown, stream_of
from domain.bpmn.model import JobDefinition
from domain.errors import InvalidState
from domain.process_instance import events as e
from domain.process_instance import task_listeners
from domain.process_instance.state import ProcessInstance


class ActivateJob(Command, frozen=True, kw_only=True):
    """timeout: µs that the worker has; fetch_variables: the names it wants, None for all it can see."""

    job_key: int
    worker: str
    timeout: int
    fetch_variables: list[str] | None = None


class ListenedTask(msgspec.Struct, frozen=True):
    """The user task whose transition a listener decides about, as it would be. Dates in µs, 0: none."""

    key: int
    action: str
    assignee: str
    candidate_groups: list[str]
    candidate_users: list[str]
    due: int
    follow_up: int
    priority: int
    form_key: int
    changed: list[str]


class ActivatedJob(msgspec.Struct, frozen=True):
    """All a worker needs. deadline: µs since the Unix epoch."""

    job_key: int
    type: str
    instance_key: int
    definition_key: int
    bpmn_process_id: str
    version: int
    element_id: str
    element_instance_key: int
    root_key: int
    headers: dict[str, str]
    worker: str
    retries: int
    deadline: int
    variables: dict[str, Any]
    tenant: str
    tags: list[str] = []
    business_id: str = ""
    kind: str = "BPMN_ELEMENT"
    moment: str = "UNSPECIFIED"
    task: ListenedTask | None = None


def decide(command: ActivateJob, context: Context, streams: Sequence[Stream]) -> ActivatedJob:
    """Give the job to the worker. Raises InvalidState if it is held, blocked, or not due yet."""
    (stream,) = streams
    job = find_job(stream, command.job_key)
    state = stream.state
    not_thrown(job, command.job_key)
    if job.deadline > context.now or job.available_at > context.now or job.incident or job.retries <= 0:
        raise InvalidState(
            f"the job '{command.job_key}' cannot be taken now: it is held by a worker, waits, or is blocked"
        )
    element = state.elements[job.element]
    node = context.definitions.process(state.definition_key).nodes[element.element_id]
    if job.role is not None:
        headers = job.role.headers
    else:
        headers = node.definition.headers if isinstance(node.definition, JobDefinition) else {}
    visible = state.scope_variables(job.element)
    wanted = command.fetch_variables
    deadline = context.now + command.timeout
    stream.emit(e.JobActivated(job.local, command.worker, deadline))
    return ActivatedJob(
        command.job_key,
        job.type,
        state.key,
        state.definition_key,
        state.bpmn_process_id,
        state.version,
        element.element_id,
        state.key + job.element,
        state.root_key,
        headers,
        command.worker,
        job.retries,
        deadline,
        dict(visible) if wanted is None else {name: visible[name] for name in wanted if name in visible},
        state.tenant,
        state.tags,
        state.business_id,
        job.role.kind if job.role is not None else "BPMN_ELEMENT",
        job.role.moment if job.role is not None else "UNSPECIFIED",
        _task(state, element.task) if element.task else None,
    )


def _task(state: ProcessInstance, local: int) -> ListenedTask:
    task = state.tasks[local]
    action = task.wanted.action if task.wanted is not None else ""
    return ListenedTask(
        state.key + local,
        action,
        **task_listeners.seen(task),
        form_key=task.form_key,
        changed=task_listeners.changed(task),
    )


HANDLER = Handler(stream_of("job_key"), decide, ActivatedJob)
