"""What can happen to a process instance. Fields named `local`, `scope`, `element`, `job` … are locals:
offsets from the instance key (domain/keys.py); 0 is the instance itself (the root scope) or "none". Times are
microseconds since the Unix epoch, 0 is "none". `flow` and `source` say which sequence flow and which element instance
led here: analytics reads the exact flow graph from them.

A released event never changes its meaning: append a field with a default, or add a version and an upcaster.
"""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import REGISTRY, Event

NEVER = (1 << 63) - 1
"""A time that does not come (µs): `available_at` of a job that an incident blocks."""


class InstanceCreated(Event, frozen=True):
    """An instance of a definition came to be; `variables[i]` (in order) got the key of `variable_locals[i]`."""

    topic: ClassVar[str] = "pi.created.1"
    definition_key: int
    bpmn_process_id: str
    version: int
    variables: dict[str, Any]
    variable_locals: list[int]
    business_id: str = ""
    tags: list[str] = []
    parent_key: int = 0
    parent_element: int = 0
    root_key: int = 0
    tenant: str = ""


class KeyBlockReserved(Event, frozen=True):
    """The instance may number its parts in [offset, offset + 4096) too."""

    topic: ClassVar[str] = "pi.key_block_reserved.1"
    offset: int


class ElementActivated(Event, frozen=True):
    """An element instance was entered and will stay (a wait state, a scope, or an incident on entering).

    body: it is the body of a loop, which the inner instances of the same element run in.
    """

    topic: ClassVar[str] = "pi.element_activated.1"
    local: int
    element_id: str
    scope: int
    flow: str = ""
    source: int = 0
    body: bool = False


class ElementPassed(Event, frozen=True):
    """An element was entered and completed at the same moment (events, gateways, undefined tasks)."""

    topic: ClassVar[str] = "pi.element_passed.1"
    local: int
    element_id: str
    scope: int
    flow: str = ""
    source: int = 0


class TokenArrived(Event, frozen=True):
    """A token waits at a joining gateway for the other incoming flows."""

    topic: ClassVar[str] = "pi.token_arrived.1"
    element_id: str
    scope: int
    flow: str
    source: int = 0


class TokensDiscarded(Event, frozen=True):
    """The tokens that waited at joining gateways of a scope are gone (a terminate end event ended it)."""

    topic: ClassVar[str] = "pi.tokens_discarded.1"
    scope: int


class SubscriptionOpened(Event, frozen=True):
    """An element instance waits for something on behalf of event `element_id`; kind: "condition".

    It ends with the element instance, or when it was met and its event happens only once.
    """

    topic: ClassVar[str] = "pi.subscription_opened.1"
    local: int
    element: int
    element_id: str
    kind: str


class SubscriptionMet(Event, frozen=True):
    """What was waited for happened; closes: it is waited for no more."""

    topic: ClassVar[str] = "pi.subscription_met.1"
    subscription: int
    closes: bool = True


class SubscriptionClosed(Event, frozen=True):
    """It is waited for no more, without having happened (an interrupting event subprocess took the scope over)."""

    topic: ClassVar[str] = "pi.subscription_closed.1"
    subscription: int


class TimerCanceled(Event, frozen=True):
    """The timer runs no more, without having fired (an interrupting event subprocess took the scope over)."""

    topic: ClassVar[str] = "pi.timer_canceled.1"
    timer: int


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


class LoopStarted(Event, frozen=True):
    """The body of a loop begins; `items` is the collection of a multi-instance activity, None for a standard loop."""

    topic: ClassVar[str] = "pi.loop_started.1"
    element: int
    items: list[Any] | None


class LoopInnerEnded(Event, frozen=True):
    """An inner instance of a loop is done; `index` counts from 0, `output` goes to the output collection."""

    topic: ClassVar[str] = "pi.loop_inner_ended.1"
    element: int
    index: int
    output: Any = None


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


class ElementCompleted(Event, frozen=True):
    """An element instance finished regularly. waits: how many jobs and timers ended with it."""

    topic: ClassVar[str] = "pi.element_completed.1"
    local: int
    waits: int = 0


class ElementTerminated(Event, frozen=True):
    """An element instance was ended from outside; its job, user task, timers and incidents ended with it.

    waits: how many jobs and timers those were.
    """

    topic: ClassVar[str] = "pi.element_terminated.1"
    local: int
    waits: int = 0


class VariablesSet(Event, frozen=True):
    """Variables of one scope were created or overwritten; `locals[i]` is the key of the i-th; `source` set them."""

    topic: ClassVar[str] = "pi.variables_set.1"
    scope: int
    variables: dict[str, Any]
    locals: list[int]
    source: int = 0


class JobCreated(Event, frozen=True):
    """Work for an external worker became available."""

    topic: ClassVar[str] = "pi.job_created.1"
    local: int
    element: int
    element_id: str
    type: str
    retries: int


class JobActivated(Event, frozen=True):
    """A worker took the job; after `deadline` another may."""

    topic: ClassVar[str] = "pi.job_activated.1"
    job: int
    worker: str
    deadline: int


class JobCompleted(Event, frozen=True):
    """The worker reported the job as done."""

    topic: ClassVar[str] = "pi.job_completed.1"
    job: int


class JobFailed(Event, frozen=True):
    """The worker reported failure; `retries` are left, the next may start at `retry_at`."""

    topic: ClassVar[str] = "pi.job_failed.1"
    job: int
    retries: int
    retry_at: int = 0
    message: str = ""


class JobErrorThrown(Event, frozen=True):
    """The worker reported a BPMN error."""

    topic: ClassVar[str] = "pi.job_error_thrown.1"
    job: int
    code: str
    message: str = ""
    caught_by: str = ""


class JobUpdated(Event, frozen=True):
    """The job's retries or its deadline were changed from outside (deadline 0: unchanged).

    available_at: from when a worker may take it now; NEVER while an incident blocks it.
    """

    topic: ClassVar[str] = "pi.job_updated.1"
    job: int
    retries: int
    available_at: int
    deadline: int = 0


class UserTaskCreated(Event, frozen=True):
    """A person has something to do. form_key: key of the deployed form or 0; external_form: one elsewhere."""

    topic: ClassVar[str] = "pi.user_task_created.1"
    local: int
    element: int
    element_id: str
    assignee: str = ""
    candidate_groups: list[str] = []
    candidate_users: list[str] = []
    due: int = 0
    follow_up: int = 0
    priority: int = 50
    form_key: int = 0
    external_form: str = ""


class UserTaskAssigned(Event, frozen=True):
    """The task has a (new) assignee; "" means it was released. action: the caller's word for it."""

    topic: ClassVar[str] = "pi.user_task_assigned.1"
    task: int
    assignee: str
    action: str = ""


class UserTaskUpdated(Event, frozen=True):
    """Attributes of the task changed; fields left at None were not touched."""

    topic: ClassVar[str] = "pi.user_task_updated.1"
    task: int
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None
    action: str = ""


class UserTaskCompleted(Event, frozen=True):
    """The person finished the task."""

    topic: ClassVar[str] = "pi.user_task_completed.1"
    task: int
    action: str = ""


class DecisionEvaluated(Event, frozen=True):
    """A business rule task evaluated a decision. `evaluated` has the decisions in order of evaluation, the asked one
    last: {id, name, kind, inputs: [{id, name, value}], matchedRules: [{id, index, outputs}], output}.
    failure: why there is no proper output ("" where there is), in the decision `failed_decision`."""

    topic: ClassVar[str] = "pi.decision_evaluated.1"
    local: int
    element: int
    element_id: str
    decision_id: str
    decision_key: int
    requirements_key: int
    version: int
    output: Any
    evaluated: list[dict[str, Any]]
    failure: str = ""
    failed_decision: str = ""


class TimerStarted(Event, frozen=True):
    """A timer runs on behalf of an element instance (`element`: the catch event itself, or a boundary event's host).

    remaining: how often it may still fire (-1: endless); cycle: the repeating interval or cron text, "" for one shot.
    """

    topic: ClassVar[str] = "pi.timer_started.1"
    local: int
    element: int
    element_id: str
    due: int
    remaining: int = 1
    cycle: str = ""


class TimerTriggered(Event, frozen=True):
    """A timer fired; `next_due` is its next time, 0 when it was the last."""

    topic: ClassVar[str] = "pi.timer_triggered.1"
    timer: int
    next_due: int = 0
    remaining: int = 0


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


class InstanceCompleted(Event, frozen=True):
    """All work is done. waits: how many timers (of event subprocesses) ended with it."""

    topic: ClassVar[str] = "pi.completed.1"
    waits: int = 0


class InstanceTerminated(Event, frozen=True):
    """The instance was cancelled. waits: how many timers (of event subprocesses) ended with it."""

    topic: ClassVar[str] = "pi.terminated.1"
    reason: str = ""
    waits: int = 0


EVENTS: tuple[type[Event], ...] = (
    InstanceCreated,
    KeyBlockReserved,
    ElementActivated,
    ElementPassed,
    TokenArrived,
    TokensDiscarded,
    SubscriptionOpened,
    SubscriptionMet,
    SubscriptionClosed,
    TimerCanceled,
    CompensationRegistered,
    CompensationTriggered,
    LoopStarted,
    LoopInnerEnded,
    ErrorThrown,
    EscalationThrown,
    ElementCompleted,
    ElementTerminated,
    VariablesSet,
    JobCreated,
    JobActivated,
    JobCompleted,
    JobFailed,
    JobErrorThrown,
    JobUpdated,
    UserTaskCreated,
    UserTaskAssigned,
    UserTaskUpdated,
    UserTaskCompleted,
    DecisionEvaluated,
    TimerStarted,
    TimerTriggered,
    IncidentRaised,
    IncidentResolved,
    InstanceCompleted,
    InstanceTerminated,
)
REGISTRY.register(EVENTS)
