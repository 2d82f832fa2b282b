"""What monitoring knows of one instance: the visits of its elements, its incidents, how it goes. facts.py folds it.

Times are milliseconds since the Unix epoch; 0 is "not (yet)". `Dimensions` say what is taken from start variables.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from domain.process_instance import events as e

MAX_PATH = 1_000
MAX_TEXT = 500


class Kind(IntEnum):
    """What a visit is. PASSED: entered and left at once (gateways, events, undefined tasks). WAIT: it waits for a
    timer, a message, a condition. SCOPE: other elements run inside of it (a subprocess, the body of a loop)."""

    PASSED = 1
    WAIT = 2
    USER_TASK = 3
    JOB = 4
    SCOPE = 5


class VisitState(IntEnum):
    """Whether an element is still there, and how it ended."""

    OPEN = 0
    COMPLETED = 1
    TERMINATED = 2


class RunState(IntEnum):
    """How an instance goes."""

    RUNNING = 1
    COMPLETED = 2
    TERMINATED = 3


class Dimensions(NamedTuple):
    """Names of start variables: by which figures are grouped (department), and who began (initiator; where the variable
    is missing, the actor of the start). A name may have a path: `applicant.department`."""

    department: str = "department"
    initiator: str = "initiator"

    @property
    def names(self) -> frozenset[str]:
        """The variables that are needed."""
        return frozenset({self.department.partition(".")[0], self.initiator.partition(".")[0]})


DIMENSIONS = Dimensions()


class Visit:
    """One stay of a token in an element. number: the how-many-th visit of the element in this instance.

    claimed: since when somebody (a worker, an assignee) has been at it; 0 while nobody is.
    """

    __slots__ = (
        "actor", "assignee", "body", "breached", "claimed", "created", "due", "element_id", "ended", "failures", "flow",
        "kind", "level", "local", "number", "outcome", "part", "reason", "source", "state", "version", "warned",
    )  # fmt: skip

    def __init__(self, local: int, element_id: str, number: int, source: str, flow: str, created: int) -> None:
        self.local = local
        self.element_id = element_id
        self.number = number
        self.source = source
        self.flow = flow
        self.created = created
        self.kind = Kind.WAIT
        self.state = VisitState.OPEN
        self.claimed = self.ended = self.due = self.warned = self.breached = 0
        self.level = self.failures = 0
        self.assignee = self.actor = self.outcome = self.reason = ""
        self.part = 0
        self.version = 0


class Incident:
    """Why an instance could not go on, and since when."""

    __slots__ = ("created", "element", "element_id", "ended", "local", "message", "type", "version")

    def __init__(self, event: e.IncidentRaised, at: int) -> None:
        self.local = event.local
        self.element = event.element
        self.element_id = event.element_id
        self.type = event.type
        self.message = event.message[:MAX_TEXT]
        self.created = at
        self.ended = 0
        self.version = 0


class Intervention(NamedTuple):
    """Somebody stepped in from outside."""

    version: int
    at: int
    kind: str
    actor: str
    element_id: str
    reason: str


class Instance:
    """All of it. `changed_*` name what changed since rows were last taken (rows.py takes and clears them)."""

    __slots__ = (
        "breaches", "business_id", "changed", "changed_incidents", "changed_visits", "completing", "created",
        "definition_key", "definition_version", "department", "elements", "ended", "incident_count", "incidents",
        "initiator", "intervention_count", "interventions", "key", "label", "numbers", "parent_key", "parts",
        "process_id", "reason", "rejections", "reworks", "root_key", "row_version", "state", "tenant", "version",
        "visits",
    )  # fmt: skip

    def __init__(self, key: int) -> None:
        self.key = key
        self.version = 0
        self.row_version = 0
        self.tenant = self.process_id = self.business_id = ""
        self.department = self.initiator = self.label = self.reason = ""
        self.definition_key = self.definition_version = self.parent_key = self.root_key = 0
        self.created = self.ended = 0
        self.state = RunState.RUNNING
        self.rejections = self.reworks = self.breaches = self.incident_count = self.intervention_count = 0
        self.elements: dict[int, str] = {}
        """local → element id of everything entered, in order."""
        self.numbers: dict[str, int] = {}
        self.visits: dict[int, Visit] = {}
        """The open ones, by local."""
        self.parts: dict[int, int] = {}
        """local of an open job or user task → local of its element."""
        self.incidents: dict[int, Incident] = {}
        self.completing = 0
        """The element whose user task was just completed: the next variables that it sets are the completion's."""
        self.changed = False
        self.changed_visits: dict[int, Visit] = {}
        self.changed_incidents: dict[int, Incident] = {}
        self.interventions: list[Intervention] = []

    @property
    def weight(self) -> int:
        """Roughly what it takes in memory, in entries."""
        return 4 + len(self.elements) + 4 * len(self.visits) + 2 * len(self.incidents)

    def path(self) -> list[str]:
        """The elements in the order in which they were entered; the first 1,000 of them."""
        found = list(self.elements.values())
        return found if len(found) <= MAX_PATH else [*found[:MAX_PATH], "…"]
