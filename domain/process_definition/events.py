"""What can happen to a family of deployed resources (all versions of one BPMN process id, form id or decision id).

A family's stream carries every version with its source text, so any definition can be read back from the log as it
was deployed. The stream's originator id is `family_stream(kind, tenant, id)`.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID, uuid5

import msgspec

from domain.events import REGISTRY, Event

PROCESS = "process"
FORM = "form"
DECISION = "decision"
REQUIREMENTS = "requirements"

_NAMESPACE = UUID("6a1c1a52-5d0e-5b7c-9a0d-6c1f0f2c7d11")


def family_stream(kind: str, tenant: str, family_id: str) -> UUID:
    """The originator id of a family's stream; kind is PROCESS, FORM, DECISION or REQUIREMENTS."""
    return uuid5(_NAMESPACE, f"{kind}:{tenant}:{family_id}")


class StartEvent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What starts instances of a version, from its deployment until that of the next version.

    kind: "message" or "signal" (called `name`), "condition" (`name` is the FEEL expression) or "timer": first due at
    `due` (µs), `remaining` times (-1: endless), `cycle` is the repeating interval or cron text.
    """

    element_id: str
    kind: str
    name: str = ""
    due: int = 0
    remaining: int = 0
    cycle: str = ""


class ProcessDeployed(Event, frozen=True):
    """A version of a process definition was deployed. checksum: SHA-256 (hex) of `source`; source: the BPMN XML."""

    topic: ClassVar[str] = "definition.process_deployed.1"
    definition_key: int
    bpmn_process_id: str
    version: int
    deployment_key: int
    resource_name: str
    checksum: str
    source: str
    name: str = ""
    version_tag: str = ""
    starts: list[StartEvent] = []


class FormDeployed(Event, frozen=True):
    """A version of a form (form-js schema, JSON text) was deployed."""

    topic: ClassVar[str] = "definition.form_deployed.1"
    form_key: int
    form_id: str
    version: int
    deployment_key: int
    resource_name: str
    checksum: str
    source: str
    version_tag: str = ""


class DecisionsDeployed(Event, frozen=True):
    """A version of a decision requirements graph (DMN XML) was deployed, with a key and version for each decision.

    imports: the texts of the files that it imports, so that it can be compiled from this event alone.
    """

    topic: ClassVar[str] = "definition.decisions_deployed.1"
    requirements_key: int
    requirements_id: str
    version: int
    deployment_key: int
    resource_name: str
    checksum: str
    source: str
    decision_ids: list[str]
    decision_keys: list[int]
    decision_versions: list[int]
    name: str = ""
    version_tag: str = ""
    imports: list[str] = []


class DecisionDeployed(Event, frozen=True):
    """A version of one decision was deployed, as part of a requirements graph (whose event has the source).

    Decisions have families of their own, as a decision may move from one graph to another and still count on.
    """

    topic: ClassVar[str] = "definition.decision_deployed.1"
    decision_key: int
    decision_id: str
    version: int
    deployment_key: int
    requirements_key: int
    requirements_id: str
    resource_name: str
    name: str = ""
    version_tag: str = ""


EVENTS: tuple[type[Event], ...] = (ProcessDeployed, FormDeployed, DecisionsDeployed, DecisionDeployed)
REGISTRY.register(EVENTS)
