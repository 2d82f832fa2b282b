"""CompleteJob: the worker did its work; the instance goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import check_variables, execution, find_job, stream_of
from domain.errors import InvalidState
from domain.process_instance import events as e
from domain.process_instance import listeners
from domain.process_instance.state import JobKind


class CompleteJob(Command, frozen=True, kw_only=True):
    """The job and what it resulted in."""

    job_key: int
    variables: dict[str, Any] = {}


def decide(command: CompleteJob, context: Context, streams: Sequence[Stream]) -> None:
    """Complete the job, take in its variables, and run to the next wait state."""
    (stream,) = streams
    job = find_job(stream, command.job_key)
    if job.error_code:
        raise InvalidState(
            f"the job '{command.job_key}' threw the error '{job.error_code}' and has an incident to resolve"
        )
    variables = check_variables(command.variables)
    element = job.element
    role = job.role
    stream.emit(e.JobCompleted(job.local))
    x = execution(stream, context)
    if role is not None and role.kind == JobKind.EXECUTION_LISTENER:
        listeners.completed(x, element, role.moment, variables)
    else:
        x.complete_with(element, variables)
    x.run()


HANDLER = Handler(stream_of("job_key"), decide)
