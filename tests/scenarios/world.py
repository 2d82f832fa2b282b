"""What a scenario is played in: the engine alone, or a server over HTTP. Both do and show the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

START = 1_800_000_000_000_000
"""The time at which each scenario begins (µs): 2027-01-15T08:00:00Z."""


class Refused(Exception):
    """A command was refused; the text has its code and its message."""


class Visit(NamedTuple):
    """One element instance that was entered. state: active, completed or terminated."""

    element: str
    state: str


class OpenIncident(NamedTuple):
    """An incident that waits for help."""

    element: str
    type: str
    message: str


class World(Protocol):
    """Commands raise Refused. An element instance is meant by its element's id; nth (from 1) picks among several."""

    def deploy(self, resources: Sequence[tuple[str, str]]) -> None:
        """Deploy files (name, content)."""

    def start(self, process: str, variables: Mapping[str, Any]) -> None:
        """Start an instance."""

    def complete(
        self, element: str, nth: int, variables: Mapping[str, Any], job_type: str = "", result: Any = None
    ) -> None:
        """Complete the job or user task of an element instance. job_type: its job of this type (that of a listener);
        result: of the job, as the v2 API takes it."""

    def fail(
        self, element: str, nth: int, retries: int, message: str, variables: Mapping[str, Any], job_type: str = ""
    ) -> None:
        """Fail the job of an element instance."""

    def throw_error(self, element: str, nth: int, code: str, message: str, variables: Mapping[str, Any]) -> None:
        """Throw a BPMN error from the job of an element instance."""

    def advance(self, until: int) -> None:
        """Let time pass until a moment (µs), firing each timer at its time."""

    def now(self) -> int:
        """The time (µs)."""

    def set_variables(self, element: str, nth: int, variables: Mapping[str, Any], local: bool) -> None:
        """Set variables at an element instance ("": the process instance)."""

    def set_retries(self, element: str, nth: int, retries: int) -> None:
        """Set the retries of a job."""

    def resolve(self, element: str, nth: int) -> None:
        """Resolve the incident at an element."""

    def assign(self, element: str, nth: int, assignee: str) -> None:
        """Give the user task of an element instance to somebody ("": release it)."""

    def update(self, element: str, nth: int, changes: Mapping[str, Any]) -> None:
        """Change the user task of an element instance; the changeset of the v2 API."""

    def cancel(self, process: str) -> None:
        """Cancel the (first) instance of a process ("": the instance that was started first)."""

    def suspend(self, process: str, reason: str) -> None:
        """Let the (first) instance of a process stand still ("": the instance that was started first)."""

    def resume(self, process: str, reason: str) -> None:
        """Let it go on."""

    def publish(self, name: str, key: str, time_to_live: int, message_id: str, variables: Mapping[str, Any]) -> None:
        """Publish a message (time to live in µs)."""

    def broadcast(self, name: str, variables: Mapping[str, Any]) -> None:
        """Broadcast a signal."""

    # --- what can be seen ---

    def waiting(self) -> list[str]:
        """Element ids of the active element instances that contain no others."""

    def incidents(self) -> list[OpenIncident]:
        """The open incidents."""

    def variables(self) -> dict[str, Any]:
        """The variables of the first instance's own scope."""

    def sees(self, element: str) -> dict[str, Any]:
        """The variables visible at an active element instance."""

    def task(self, element: str) -> dict[str, Any]:
        """The user task of an active element instance: state, assignee, candidateGroups, candidateUsers, priority."""

    def visits(self) -> list[Visit]:
        """The element instances in the order in which they were entered, instance by instance."""

    def states(self) -> list[tuple[str, str]]:
        """(process id, state) of the instances, in the order of their start."""
