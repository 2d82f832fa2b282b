"""UpdateJob: change how often a job may still be tried, or how long its worker may hold it."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import find_job, stream_of
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e
from domain.process_instance import suspension
from domain.process_instance.state import ProcessInstance


class UpdateJob(Command, frozen=True, kw_only=True):
    """retries: the new count; timeout: µs from now that the worker may hold it; None leaves each as it is."""

    job_key: int
    retries: int | None = None
    timeout: int | None = None


def decide(command: UpdateJob, context: Context, streams: Sequence[Stream]) -> None:
    """Record the change."""
    (stream,) = streams
    state: ProcessInstance = stream.state
    job = find_job(stream, command.job_key, even_suspended=True)
    if command.retries is None and command.timeout is None:
        raise InvalidArgument("the changeset needs 'retries' or 'timeout'", "changeset")
    if command.retries is not None and command.retries < 1:
        raise InvalidArgument(f"retries must be 1 or more, not {command.retries}", "changeset.retries")
    if command.timeout is not None:
        if command.timeout < 0:
            raise InvalidArgument("timeout must be 0 or more", "changeset.timeout")
        if not job.deadline:
            raise InvalidState(f"the job '{command.job_key}' is not held by a worker; it has no timeout to change")
    deadline = context.now + command.timeout if command.timeout is not None else 0
    available = e.NEVER if job.incident else (deadline or job.deadline or job.available_at)
    retries = job.retries if command.retries is None else command.retries
    stream.emit(e.JobUpdated(job.local, retries, available, deadline))
    if state.suspended:
        stream.emit(suspension.suspended(state, state.suspension_reason))


HANDLER = Handler(stream_of("job_key"), decide)
