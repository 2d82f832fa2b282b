"""What is thrown and caught inside an instance: errors, escalations, compensation."""

from __future__ import annotations

from typing import ClassVar

from domain.events import Event


class ErrorThrown(Event, frozen=True):
    """An end event threw a BPMN error; `caught_by` is the id of the event that caught it."""

    topic: ClassVar[str] = "pi.error_thrown.1"
    element: int
    element_id: str
    code: str
    caught_by: str


class EscalationThrown(Event, frozen=True):
    """An event threw an escalation; `caught_by` is the id of the event that caught it, "" if none did."""

    topic: ClassVar[str] = "pi.escalation_thrown.1"
    element: int
    element_id: str
    code: str
    caught_by: str = ""


class CompensationRegistered(Event, frozen=True):
    """An activity that can be undone is completing: by the activity `handler`, or (a scope without one, "") by undoing
    what was completed inside it."""

    topic: ClassVar[str] = "pi.compensation_registered.1"
    element: int
    handler: str = ""


class CompensationTriggered(Event, frozen=True):
    """A throw event undoes what was completed in a scope: `handlers` run one after another inside `element`.

    activity: only what this activity did, "" for all.
    """

    topic: ClassVar[str] = "pi.compensation_triggered.1"
    element: int
    scope: int
    handlers: list[str]
    activity: str = ""
