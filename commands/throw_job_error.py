"""ThrowJobError: the worker reports a business error (BPMN error) by its code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import check_variables, execution, find_job, not_thrown, stream_of
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, ErrorType
from domain.process_instance.state import JobKind
from domain.process_instance.throwing import ERROR, throw_to_caller
from domain.process_instance.variables import set_in


class ThrowJobError(Command, frozen=True, kw_only=True):
    """The job, the error's code, and variables that are set at the element."""

    job_key: int
    error_code: str
    message: str = ""
    variables: dict[str, Any] = {}


def decide(command: ThrowJobError, context: Context, streams: Sequence[Stream]) -> None:
    """Record the error; the nearest error event catches it, and where none does an incident arises."""
    (stream,) = streams
    job = find_job(stream, command.job_key)
    if job.incident:
        raise InvalidState(f"the job '{command.job_key}' has an incident; resolve it first")
    not_thrown(job, command.job_key)
    if job.role is not None and job.role.kind in (JobKind.EXECUTION_LISTENER, JobKind.TASK_LISTENER):
        raise InvalidState(
            f"the job '{command.job_key}' is that of a listener ({job.role.kind}), which throws no BPMN errors; "
            "complete it, or fail it"
        )
    if not command.error_code:
        raise InvalidArgument("errorCode must name the error, it was empty", "errorCode")
    variables = check_variables(command.variables)
    element, local = job.element, job.local
    x = execution(stream, context)
    if x.throw_error(element, command.error_code, variables, by_job=local, said=command.message):
        x.run()
        return
    stream.emit(e.JobErrorThrown(local, command.error_code, command.message))
    if throw_to_caller(x, element, ERROR, command.error_code, variables, by_job=local, said=command.message):
        return
    if variables:
        set_in(x, element, variables, element)
    said = f" ({command.message})" if command.message else ""
    message = f"the error '{command.error_code}'{said} was thrown, but no error event in the model catches it"
    x.raise_incident(element, Blocked(ErrorType.UNHANDLED_ERROR_EVENT, message), local)
    x.run()


HANDLER = Handler(stream_of("job_key"), decide)
