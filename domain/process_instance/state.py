"""The state of a process instance; evolve/ says how each event changes it.

The state is a tree of element instances (local 0 is the instance's own root scope) with their jobs, user tasks,
timers and incidents. It is a msgspec struct of plain values: equal states compare equal, and a snapshot is its
encoding.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from domain.keys import BLOCK_SIZE
from domain.process_instance.events.jobs import JobRole
from domain.process_instance.lifecycle import Phase

ROOT = 0


class InstanceStatus(IntEnum):
    """The instance as a whole."""

    NEW = 0
    ACTIVE = 1
    COMPLETED = 2
    TERMINATED = 3


class ElementInstance(msgspec.Struct):
    """One activation of an element. `children` counts active element instances directly inside (of a scope);
    `compensable` is what was completed inside and can be undone, `handlers` what a throw event still has to undo;
    `arrived` counts tokens that wait at joining gateways inside: gateway id → flow id → tokens. Of a call activity
    `called` is the delivery that is to start its child, `child` the child's key once it runs. `listened` counts the
    listeners of the present moment that have done their job."""

    local: int
    element_id: str
    scope: int
    phase: Phase = Phase.ENTERED
    children: int = 0
    variables: dict[str, Any] | None = None
    variable_locals: dict[str, int] | None = None
    arrived: dict[str, dict[str, int]] | None = None
    job: int = 0
    task: int = 0
    timers: list[int] | None = None
    subscriptions: list[int] | None = None
    incidents: list[int] | None = None
    body: bool = False
    loop: Loop | None = None
    compensable: list[Compensable] | None = None
    handlers: list[str] | None = None
    called: int = 0
    child: int = 0
    listened: int = 0


class Compensable(msgspec.Struct):
    """A completed activity that can be undone, by its handler or else by undoing `inside`, which it completed."""

    element_id: str
    handler: str
    inside: list[Compensable] = []

    def handlers(self) -> list[str]:
        """Ids of the activities that undo it, the last completed first (BPMN 2.0 §13.5.5)."""
        if self.handler:
            return [self.handler]
        return [handler for part in reversed(self.inside) for handler in part.handlers()]


class Loop(msgspec.Struct):
    """How far a loop is. items: None for a standard loop. started, ended: inner instances; outputs by index."""

    items: list[Any] | None
    started: int = 0
    ended: int = 0
    outputs: dict[int, Any] = {}


class JobKind(StrEnum):
    """What a job is for, by the names of the v2 API."""

    BPMN_ELEMENT = "BPMN_ELEMENT"
    EXECUTION_LISTENER = "EXECUTION_LISTENER"
    TASK_LISTENER = "TASK_LISTENER"
    AD_HOC_SUB_PROCESS = "AD_HOC_SUB_PROCESS"


class Job(msgspec.Struct):
    """Work for a worker. deadline: until when the worker holds it (0: free). available_at: not before (back-off)."""

    local: int
    element: int
    type: str
    retries: int
    worker: str = ""
    deadline: int = 0
    available_at: int = 0
    incident: int = 0
    error_code: str = ""
    role: JobRole | None = None


class Wanted(msgspec.Struct):
    """What was asked of a user task, with what its listeners corrected so far; None: left as it is. variables: to be
    set when it is done, at the element itself if `at_element`."""

    assignee: str | None = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None
    action: str = ""
    variables: dict[str, Any] | None = None
    at_element: bool = False


class UserTask(msgspec.Struct):
    """Something a person has to do. moment: the transition that its listeners are asked about (CREATING, ASSIGNING,
    UPDATING, COMPLETING), "" when it simply is there."""

    local: int
    element: int
    assignee: str = ""
    candidate_groups: list[str] = []
    candidate_users: list[str] = []
    due: int = 0
    follow_up: int = 0
    priority: int = 50
    form_key: int = 0
    moment: str = ""
    wanted: Wanted | None = None


class Timer(msgspec.Struct):
    """A running timer on behalf of element instance `element`; `element_id` names the timer event."""

    local: int
    element: int
    element_id: str
    due: int
    remaining: int
    cycle: str


class Subscription(msgspec.Struct):
    """An element instance waits for what event `element_id` catches; kind: as in the event SubscriptionOpened.
    heard: log position of the last signal that met it."""

    local: int
    element: int
    element_id: str
    kind: str
    name: str = ""
    key: str = ""
    heard: int = 0


class Trigger(msgspec.Struct):
    """What started the instance: its start event, and the variables that the event's output mappings work on."""

    element_id: str
    variables: dict[str, Any] | None = None


class Thrown(msgspec.Struct):
    """An error or escalation (kind) on its way through the callers; job: that threw it, 0 for an event."""

    kind: str
    code: str
    message: str
    variables: dict[str, Any]
    job: int


class Delivery(msgspec.Struct):
    """What this instance owes another, on behalf of element instance `element`.

    kind: "call" (an instance of `definition_key` is to be started), "return" (to the caller), "cancel" (a child is to
    be terminated), "throw" (`thrown`, to a caller). peer, peer_element: the other instance's key and the element
    instance there; 0 where there is none.
    """

    local: int
    kind: str
    element: int
    peer: int = 0
    peer_element: int = 0
    element_id: str = ""
    definition_key: int = 0
    thrown: Thrown | None = None


class Incident(msgspec.Struct):
    """Why the instance cannot go on at an element."""

    local: int
    element: int
    type: str
    job: int = 0


class ProcessInstance(msgspec.Struct):
    """The aggregate's state. `next_local`/`local_end` are the free numbers of the current key block. `depth` is how
    many callers are above it; `result` holds the variables of a called instance that completed until its caller has
    them. suspended: it stands still (suspension.py). `signals` are those it threw that not everybody has heard yet
    (they outlive it)."""

    key: int
    status: InstanceStatus = InstanceStatus.NEW
    definition_key: int = 0
    bpmn_process_id: str = ""
    version: int = 0
    tenant: str = ""
    business_id: str = ""
    tags: list[str] = []
    parent_key: int = 0
    parent_element: int = 0
    root_key: int = 0
    created_at: int = 0
    next_local: int = 1
    local_end: int = BLOCK_SIZE
    elements: dict[int, ElementInstance] = {}
    jobs: dict[int, Job] = {}
    tasks: dict[int, UserTask] = {}
    timers: dict[int, Timer] = {}
    incidents: dict[int, Incident] = {}
    subscriptions: dict[int, Subscription] = {}
    deliveries: dict[int, Delivery] = {}
    depth: int = 0
    result: dict[str, Any] | None = None
    suspended: bool = False
    suspension_reason: str = ""
    trigger: Trigger | None = None
    signals: list[int] = []

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status > InstanceStatus.ACTIVE and not self.deliveries and not self.signals

    def scope_variables(self, local: int) -> Mapping[str, Any]:
        """What an expression at this element instance sees: its own variables over those of its scopes."""
        layers = []
        elements = self.elements
        while True:
            element = elements[local]
            if element.variables:
                layers.append(element.variables)
            if local == ROOT:
                break
            local = element.scope
        if len(layers) == 1:
            return layers[0]
        visible: dict[str, Any] = {}
        for layer in reversed(layers):
            visible.update(layer)
        return visible

    def waits(self, local: int) -> int:
        """How many jobs and timers an element instance has, for which the wait-state index has rows."""
        element = self.elements[local]
        return len(element.timers or ()) + bool(element.job)

    def is_inside(self, local: int, ancestor: int) -> bool:
        """Whether element instance `local` is `ancestor` or lies within it."""
        while local != ancestor:
            if local == ROOT:
                return False
            local = self.elements[local].scope
        return True
