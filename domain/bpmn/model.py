"""The immutable model of an executable process: flow nodes, sequence flows, and what each task or event is set up with.

Nodes refer to each other by id; `ProcessModel.nodes` finds them. Flow scopes (the process itself, embedded
subprocesses) are nodes too: the process has the id of the process and type PROCESS.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from domain.feel import Expression


class ElementType(StrEnum):
    """The kinds of elements, by the names of the v2 API."""

    PROCESS = "PROCESS"
    SUB_PROCESS = "SUB_PROCESS"
    EVENT_SUB_PROCESS = "EVENT_SUB_PROCESS"
    START_EVENT = "START_EVENT"
    END_EVENT = "END_EVENT"
    INTERMEDIATE_CATCH_EVENT = "INTERMEDIATE_CATCH_EVENT"
    INTERMEDIATE_THROW_EVENT = "INTERMEDIATE_THROW_EVENT"
    BOUNDARY_EVENT = "BOUNDARY_EVENT"
    TASK = "TASK"
    MANUAL_TASK = "MANUAL_TASK"
    USER_TASK = "USER_TASK"
    SERVICE_TASK = "SERVICE_TASK"
    SCRIPT_TASK = "SCRIPT_TASK"
    BUSINESS_RULE_TASK = "BUSINESS_RULE_TASK"
    CALL_ACTIVITY = "CALL_ACTIVITY"
    SEND_TASK = "SEND_TASK"
    RECEIVE_TASK = "RECEIVE_TASK"
    EXCLUSIVE_GATEWAY = "EXCLUSIVE_GATEWAY"
    PARALLEL_GATEWAY = "PARALLEL_GATEWAY"
    INCLUSIVE_GATEWAY = "INCLUSIVE_GATEWAY"
    EVENT_BASED_GATEWAY = "EVENT_BASED_GATEWAY"


class Attribute(msgspec.Struct, frozen=True):
    """A value in the model: FEEL where the text begins with "=", the text itself otherwise."""

    text: str
    expression: Expression | None = None


class VariableMapping(msgspec.Struct, frozen=True):
    """One zeebe:input or zeebe:output: the source's value becomes `target` (a dotted path makes contexts)."""

    source: Attribute
    target: tuple[str, ...]


class Moment(StrEnum):
    """When a listener is asked, by the names of the v2 API: in the life of an element, and of a user task."""

    BEFORE_ALL = "BEFORE_ALL"
    START = "START"
    END = "END"
    CREATING = "CREATING"
    ASSIGNING = "ASSIGNING"
    UPDATING = "UPDATING"
    COMPLETING = "COMPLETING"
    CANCELING = "CANCELING"


class Listener(msgspec.Struct, frozen=True):
    """zeebe:executionListener or zeebe:taskListener: a job that must be done before the element goes on."""

    moment: Moment
    type: Attribute
    retries: Attribute
    headers: dict[str, str] = {}


class JobDefinition(msgspec.Struct, frozen=True):
    """zeebe:taskDefinition and zeebe:taskHeaders."""

    type: Attribute
    retries: Attribute
    headers: dict[str, str] = {}


class UserTaskDefinition(msgspec.Struct, frozen=True):
    """zeebe:userTask with assignment, schedule, priority and form; None where the model says nothing."""

    assignee: Attribute | None = None
    candidate_groups: Attribute | None = None
    candidate_users: Attribute | None = None
    due: Attribute | None = None
    follow_up: Attribute | None = None
    priority: Attribute | None = None
    form_id: Attribute | None = None
    external_form: Attribute | None = None
    headers: dict[str, str] = {}
    listeners: tuple[Listener, ...] = ()


class ScriptDefinition(msgspec.Struct, frozen=True):
    """zeebe:script: a FEEL expression and the variable that gets its value."""

    expression: Attribute
    result_variable: str


class Binding(StrEnum):
    """Which version of a called decision (or form, or process) is meant."""

    LATEST = "latest"
    DEPLOYMENT = "deployment"
    VERSION_TAG = "versionTag"


class CalledDecision(msgspec.Struct, frozen=True):
    """zeebe:calledDecision: the decision to evaluate and the variable that gets its output."""

    decision_id: Attribute
    result_variable: str
    binding: Binding = Binding.LATEST
    version_tag: str = ""


class CalledElement(msgspec.Struct, frozen=True):
    """zeebe:calledElement: the process to call, and whether all variables go down to it and come back from it."""

    process_id: Attribute
    binding: Binding = Binding.LATEST
    version_tag: str = ""
    all_parent_variables: bool = True
    all_child_variables: bool = True


class TimerKind(StrEnum):
    """Which of the three timer definitions an event has."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


class TimerDefinition(msgspec.Struct, frozen=True):
    """bpmn:timerEventDefinition."""

    kind: TimerKind
    value: Attribute


class MessageDefinition(msgspec.Struct, frozen=True):
    """bpmn:messageEventDefinition (or a receive task) with its bpmn:message: the name, and zeebe:subscription's
    correlation key, which is evaluated when the wait begins. Start events of a process have no use for the key."""

    name: Attribute
    correlation_key: Attribute | None = None


class SignalDefinition(msgspec.Struct, frozen=True):
    """bpmn:signalEventDefinition with the name of its bpmn:signal."""

    name: Attribute


class ErrorDefinition(msgspec.Struct, frozen=True):
    """bpmn:errorEventDefinition; without a code it catches every error."""

    code: Attribute | None = None


class EscalationDefinition(msgspec.Struct, frozen=True):
    """bpmn:escalationEventDefinition; without a code it catches every escalation."""

    code: Attribute | None = None


class ConditionalDefinition(msgspec.Struct, frozen=True):
    """bpmn:conditionalEventDefinition: happens when a variable changes and the condition holds."""

    condition: Attribute


class CompensationDefinition(msgspec.Struct, frozen=True):
    """bpmn:compensateEventDefinition; a throw event with an `activity` compensates only that one."""

    activity: str = ""


class LinkDefinition(msgspec.Struct, frozen=True):
    """bpmn:linkEventDefinition: a throw event leads on at the catch event with the same name in its scope."""

    name: str


EventDefinition = (
    TimerDefinition
    | MessageDefinition
    | SignalDefinition
    | ConditionalDefinition
    | ErrorDefinition
    | EscalationDefinition
    | LinkDefinition
    | CompensationDefinition
)
Definition = JobDefinition | UserTaskDefinition | ScriptDefinition | CalledDecision | CalledElement | EventDefinition


class MultiInstance(msgspec.Struct, frozen=True):
    """bpmn:multiInstanceLoopCharacteristics with zeebe:loopCharacteristics."""

    sequential: bool
    input_collection: Attribute
    input_element: str = ""
    output_collection: str = ""
    output_element: Attribute | None = None
    completion_condition: Attribute | None = None


class StandardLoop(msgspec.Struct, frozen=True):
    """bpmn:standardLoopCharacteristics: again while `condition` holds, at most `maximum` times (0: no limit)."""

    condition: Attribute
    test_before: bool = False
    maximum: int = 0


class SequenceFlow(msgspec.Struct, frozen=True):
    """A sequence flow; `condition` is None where it has none."""

    id: str
    source: str
    target: str
    condition: Attribute | None = None
    name: str = ""
    line: int = 0


class FlowNode(msgspec.Struct, frozen=True):
    """A flow node, or the process itself. scope: id of the flow scope it lies in ("" for the process).

    compensation: id of the activity that undoes this one, "" if none does.
    """

    id: str
    type: ElementType
    name: str = ""
    scope: str = ""
    line: int = 0
    incoming: tuple[str, ...] = ()
    outgoing: tuple[SequenceFlow, ...] = ()
    default_flow: str = ""
    definition: Definition | None = None
    inputs: tuple[VariableMapping, ...] = ()
    outputs: tuple[VariableMapping, ...] = ()
    loop: MultiInstance | StandardLoop | None = None
    listeners: tuple[Listener, ...] = ()
    # events
    terminates: bool = False
    attached_to: str = ""
    interrupting: bool = True
    boundary: tuple[str, ...] = ()
    compensation: str = ""
    for_compensation: bool = False
    # scopes; starts: the start events of a process that wait for something (message, signal, timer, condition)
    start: str = ""
    starts: tuple[str, ...] = ()
    event_subprocesses: tuple[str, ...] = ()


class ProcessModel(msgspec.Struct, frozen=True):
    """An executable process. joins: for inclusive gateways, which incoming flows are reached from where."""

    id: str
    name: str
    version_tag: str
    nodes: Mapping[str, FlowNode]
    flows: Mapping[str, SequenceFlow]
    start_form: str = ""
    joins: Mapping[str, Mapping[str, frozenset[str]]] = {}

    @property
    def root(self) -> FlowNode:
        """The process as a flow scope."""
        return self.nodes[self.id]
