"""What is thrown and caught inside an instance: errors, escalations, compensation."""

from __future__ import annotations

from typing import Any, ClassVar

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


class SignalThrown(Event, frozen=True):
    """An event broadcast a signal: all who waited for it in the log before this event hear it. Its key is `local`."""

    topic: ClassVar[str] = "pi.signal_thrown.1"
    local: int
    element: int
    element_id: str
    name: str
    variables: dict[str, Any] = {}


class SignalHeard(Event, frozen=True):
    """Everybody who waited for the signal that was thrown as `signal` has heard it. (The instance may be over.)"""

    topic: ClassVar[str] = "pi.signal_heard.1"
    signal: int


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
