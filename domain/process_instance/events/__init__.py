"""What can happen to a process instance. Fields named `local`, `scope`, `element`, `job` … are locals:
offsets from the instance key (domain/keys.py); 0 is the instance itself (the root scope) or "none". Times are
microseconds since the Unix epoch, 0 is "none". `flow` and `source` say which sequence flow and which element instance
led here: analytics reads the exact flow graph from them.

A released event never changes its meaning: append a field with a default, or add a version and an upcaster.
"""

from __future__ import annotations

from domain.events import REGISTRY, Event
from domain.process_instance.events.calls import (
    ChildAbandoned,
    ChildCalled,
    ChildCompleted,
    ChildStarted,
    DeliverySettled,
    ReturnOwed,
    ThrownToCaller,
)
from domain.process_instance.events.decisions import (
    DecisionEvaluated,
)
from domain.process_instance.events.elements import (
    ElementActivated,
    ElementCompleted,
    ElementPassed,
    ElementTerminated,
    ListenersStarted,
    LoopInnerEnded,
    LoopStarted,
    TokenArrived,
    TokensDiscarded,
)
from domain.process_instance.events.incidents import (
    IncidentRaised,
    IncidentResolved,
)
from domain.process_instance.events.instance import (
    InstanceCompleted,
    InstanceCreated,
    InstanceTerminated,
    KeyBlockReserved,
    VariablesSet,
)
from domain.process_instance.events.jobs import (
    NEVER,
    JobActivated,
    JobCompleted,
    JobCreated,
    JobErrorThrown,
    JobFailed,
    JobRole,
    JobUpdated,
)
from domain.process_instance.events.operations import (
    Available,
    InstanceResumed,
    InstanceSuspended,
)
from domain.process_instance.events.thrown import (
    CompensationRegistered,
    CompensationTriggered,
    ErrorThrown,
    EscalationThrown,
)
from domain.process_instance.events.user_tasks import (
    UserTaskAssigned,
    UserTaskCompleted,
    UserTaskCorrected,
    UserTaskCreated,
    UserTaskTransitionEnded,
    UserTaskTransitionStarted,
    UserTaskUpdated,
)
from domain.process_instance.events.waits import (
    SubscriptionClosed,
    SubscriptionMet,
    SubscriptionOpened,
    TimerCanceled,
    TimerStarted,
    TimerTriggered,
)

__all__ = [
    "EVENTS",
    "NEVER",
    "Available",
    "ChildAbandoned",
    "ChildCalled",
    "ChildCompleted",
    "ChildStarted",
    "CompensationRegistered",
    "CompensationTriggered",
    "DecisionEvaluated",
    "DeliverySettled",
    "ElementActivated",
    "ElementCompleted",
    "ElementPassed",
    "ElementTerminated",
    "ErrorThrown",
    "EscalationThrown",
    "IncidentRaised",
    "IncidentResolved",
    "InstanceCompleted",
    "InstanceCreated",
    "InstanceResumed",
    "InstanceSuspended",
    "InstanceTerminated",
    "JobActivated",
    "JobCompleted",
    "JobCreated",
    "JobErrorThrown",
    "JobFailed",
    "JobRole",
    "JobUpdated",
    "KeyBlockReserved",
    "ListenersStarted",
    "LoopInnerEnded",
    "LoopStarted",
    "ReturnOwed",
    "SubscriptionClosed",
    "SubscriptionMet",
    "SubscriptionOpened",
    "ThrownToCaller",
    "TimerCanceled",
    "TimerStarted",
    "TimerTriggered",
    "TokenArrived",
    "TokensDiscarded",
    "UserTaskAssigned",
    "UserTaskCompleted",
    "UserTaskCorrected",
    "UserTaskCreated",
    "UserTaskTransitionEnded",
    "UserTaskTransitionStarted",
    "UserTaskUpdated",
    "VariablesSet",
]

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
    ListenersStarted,
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
    UserTaskTransitionStarted,
    UserTaskCorrected,
    UserTaskTransitionEnded,
    DecisionEvaluated,
    ChildCalled,
    ChildStarted,
    ChildCompleted,
    ChildAbandoned,
    ReturnOwed,
    ThrownToCaller,
    DeliverySettled,
    TimerStarted,
    TimerTriggered,
    IncidentRaised,
    IncidentResolved,
    InstanceCompleted,
    InstanceTerminated,
    InstanceSuspended,
    InstanceResumed,
)
REGISTRY.register(EVENTS)
