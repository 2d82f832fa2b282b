"""Calling other processes, and what an instance owes another: a delivery is owed from the event that begins it until an
event settles it, and a follow-up command makes it (commands/deliveries.py)."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import Event


class ChildCalled(Event, frozen=True):
    """A call activity calls a process: an instance of this definition is to be started for it."""

    topic: ClassVar[str] = "pi.child_called.1"
    local: int
    element: int
    element_id: str
    definition_key: int


class ChildStarted(Event, frozen=True):
    """The called instance came to be, in the same transaction; `delivery` is the local of the call."""

    topic: ClassVar[str] = "pi.child_started.1"
    delivery: int
    child_key: int


class ChildCompleted(Event, frozen=True):
    """The called instance completed and came back to its call activity."""

    topic: ClassVar[str] = "pi.child_completed.1"
    element: int
    child_key: int


class ChildAbandoned(Event, frozen=True):
    """The call activity was ended from outside: the called instance is to be terminated."""

    topic: ClassVar[str] = "pi.child_abandoned.1"
    local: int
    element: int
    child_key: int


class ReturnOwed(Event, frozen=True):
    """A called instance completed: its caller is to go on with its variables."""

    topic: ClassVar[str] = "pi.return_owed.1"
    local: int
    parent_key: int
    parent_element: int


class ThrownToCaller(Event, frozen=True):
    """Nothing in the instance catches an error or escalation: the callers are asked, the nearest first.

    kind: "error" or "escalation". caller_key, caller_element: who is asked now. job: that threw it, 0 for an event.
    """

    topic: ClassVar[str] = "pi.thrown_to_caller.1"
    local: int
    element: int
    element_id: str
    kind: str
    code: str
    caller_key: int
    caller_element: int
    message: str = ""
    variables: dict[str, Any] = {}
    job: int = 0


class DeliverySettled(Event, frozen=True):
    """What was owed to another instance was delivered, or is owed no more."""

    topic: ClassVar[str] = "pi.delivery_settled.1"
    delivery: int
