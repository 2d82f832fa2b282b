"""What keeps an instance from going on."""

from __future__ import annotations

from typing import ClassVar

from domain.events import Event


class IncidentRaised(Event, frozen=True):
    """The instance cannot go on at this element without help. type: Camunda's names (JOB_NO_RETRIES …)."""

    topic: ClassVar[str] = "pi.incident_raised.1"
    local: int
    element: int
    element_id: str
    type: str
    message: str
    job: int = 0


class IncidentResolved(Event, frozen=True):
    """Somebody asked to try again; what was blocked is tried anew."""

    topic: ClassVar[str] = "pi.incident_resolved.1"
    incident: int
