"""What keeps an instance from going on."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim
from domain.process_instance.state import Incident, ProcessInstance


def _incident_raised(state: ProcessInstance, event: e.IncidentRaised, _: int) -> None:
    state.incidents[event.local] = Incident(event.local, event.element, event.type, event.job)
    element = state.elements[event.element]
    element.incidents = [*(element.incidents or ()), event.local]
    if event.job and event.job in state.jobs:
        state.jobs[event.job].incident = event.local
    claim(state, event.local)


def _incident_resolved(state: ProcessInstance, event: e.IncidentResolved, _: int) -> None:
    incident = state.incidents.pop(event.incident)
    element = state.elements[incident.element]
    element.incidents = [local for local in element.incidents or () if local != event.incident] or None
    job = state.jobs.get(incident.job)
    if job is not None:
        job.incident, job.error_code = 0, ""


APPLIERS: Appliers = {
    e.IncidentRaised: _incident_raised,
    e.IncidentResolved: _incident_resolved,
}
