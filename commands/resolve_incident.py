"""ResolveIncident: try again what an incident blocked."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import execution, find_incident, stream_of
from domain.process_instance import events as e


class ResolveIncident(Command, frozen=True, kw_only=True):
    """The incident. What caused it should be mended before: variables, the job's retries, a form, …"""

    incident_key: int


def decide(command: ResolveIncident, context: Context, streams: Sequence[Stream]) -> None:
    """Record the resolution and run the blocked phase again; a job gets at least one retry and is open to workers."""
    (stream,) = streams
    incident = find_incident(stream, command.incident_key)
    element, job_local = incident.element, incident.job
    stream.emit(e.IncidentResolved(incident.local))
    job = stream.state.jobs.get(job_local)
    if job is not None:
        stream.emit(e.JobUpdated(job.local, max(job.retries, 1), context.now))
        return
    x = execution(stream, context)
    x.retry(element)
    x.run()


HANDLER = Handler(stream_of("incident_key"), decide)
