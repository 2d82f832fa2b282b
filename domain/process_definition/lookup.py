"""What an executing instance may ask about deployed forms, decisions and processes; `commands` provides it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from domain.bpmn.model import Binding
from domain.calendar.arithmetic import Clockwork
from domain.dmn import Decisions


class DecisionVersion(NamedTuple):
    """One version of a decision: its key and number."""

    key: int
    version: int


class DeployedDecision(NamedTuple):
    """A decision as deployed: its compiled requirements graph, the keys of its version, and the versions of all
    decisions of the graph by id."""

    decisions: Decisions
    decision_id: str
    decision_key: int
    requirements_key: int
    version: int
    graph: Mapping[str, DecisionVersion] = {}


class CallableProcess(NamedTuple):
    """A process definition that a call activity means. has_none_start: whether it can be started without an event."""

    definition_key: int
    has_none_start: bool


class Lookup(Protocol):
    """Deployed resources as one instance sees them (its tenant, its definition's deployment)."""

    def find_form(self, form_id: str) -> int:
        """The key of the latest form with this id, 0 if there is none."""
        ...

    def find_calendar(self, calendar_id: str) -> Clockwork | None:
        """The business calendar with this id ("": the default one), None if there is none."""
        ...

    def find_process(self, process_id: str, binding: Binding, version_tag: str) -> CallableProcess | None:
        """The process that a binding means: the latest, that of the same deployment, or the latest with a tag."""
        ...

    def find_decision(self, decision_id: str, binding: Binding, version_tag: str) -> DeployedDecision | None:
        """The decision that a binding means: the latest, that of the same deployment, or the latest with a tag."""
        ...
