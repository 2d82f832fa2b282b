"""FailJob: the worker could not do its work; it is tried again while retries are left, else an incident arises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import check_variables, execution, find_job, not_thrown, stream_of
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, ErrorType
from domain.process_instance.state import JobKind
from domain.process_instance.variables import set_in

MAX_MESSAGE = 10_000
NO_RETRIES: dict[str, ErrorType] = {
    JobKind.BPMN_ELEMENT: ErrorType.JOB_NO_RETRIES,
    JobKind.EXECUTION_LISTENER: ErrorType.EXECUTION_LISTENER_NO_RETRIES,
    JobKind.TASK_LISTENER: ErrorType.TASK_LISTENER_NO_RETRIES,
    JobKind.AD_HOC_SUB_PROCESS: ErrorType.AD_HOC_SUB_PROCESS_NO_RETRIES,
}


class FailJob(Command, frozen=True, kw_only=True):
    """retries: how many are left now; back_off: µs to wait before the next; variables are set at the element."""

    job_key: int
    retries: int = 0
    message: str = ""
    back_off: int = 0
    variables: dict[str, Any] = {}


def decide(command: FailJob, context: Context, streams: Sequence[Stream]) -> None:
    """Record the failure; without retries left, raise an incident."""
    (stream,) = streams
    job = find_job(stream, command.job_key)
    if job.incident:
        raise InvalidState(f"the job '{command.job_key}' has an incident; resolve it first")
    not_thrown(job, command.job_key)
    if command.retries < 0:
        raise InvalidArgument(f"retries must be 0 or more, not {command.retries}", "retries")
    if command.back_off < 0:
        raise InvalidArgument(f"retryBackOff must be 0 or more, not {command.back_off // 1000}", "retryBackOff")
    variables = check_variables(command.variables)
    message = command.message[:MAX_MESSAGE]
    element, local = job.element, job.local
    kind = job.role.kind if job.role is not None else JobKind.BPMN_ELEMENT
    retry_at = context.now + command.back_off if command.back_off else 0
    stream.emit(e.JobFailed(local, command.retries, retry_at, message))
    x = execution(stream, context)
    if variables:
        set_in(x, element, variables, element)
    if command.retries == 0:
        x.raise_incident(element, Blocked(NO_RETRIES[kind], message or "no more retries left"), local)
    x.run()


HANDLER = Handler(stream_of("job_key"), decide)
