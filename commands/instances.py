"""What the commands on a process instance share: finding its parts by key, and running its execution."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from commands.handling import Context, Definitions, Route, Stream, StreamRef, instance_ref
from domain.bpmn.model import Binding, Moment
from domain.calendar.arithmetic import Clockwork
from domain.errors import InvalidArgument, InvalidState, NotFound
from domain.process_definition.lookup import CallableProcess, DeployedDecision
from domain.process_instance import events as e
from domain.process_instance import task_listeners
from domain.process_instance.execution import Execution, Surroundings
from domain.process_instance.state import ROOT, Incident, InstanceStatus, Job, ProcessInstance, UserTask

P = TypeVar("P", Job, UserTask, Incident)


class Transition(msgspec.Struct, frozen=True):
    """The answer to a command on a user task whose listeners decide first. moment: what they are asked about."""

    task_key: int
    moment: str


TRANSITION: Any = Transition | None
"""Result type of such commands: None when it is done already."""


def ask_listeners(
    stream: Stream, context: Context, key: int, moment: Moment, asked: Callable[[], e.UserTaskTransitionStarted]
) -> Transition | None:
    """Whether a user task has listeners of a moment: then what is `asked` waits for them."""
    state: ProcessInstance = stream.state
    element = state.elements[state.tasks[key - state.key].element]
    node = context.definitions.process(state.definition_key).nodes[element.element_id]
    if not task_listeners.listened_to(node, moment):
        return None
    x = execution(stream, context)
    task_listeners.begin(x, asked())
    x.run()
    return Transition(key, moment)


Streams = Callable[[Any, Context, Route], Sequence[StreamRef]]

STATUS_WORDS = {
    InstanceStatus.COMPLETED: "completed",
    InstanceStatus.TERMINATED: "cancelled",
}


def stream_of(key_field: str) -> Streams:
    """The stream of the instance that the key in `key_field` belongs to."""

    def streams(command: Any, _context: Context, route: Route) -> Sequence[StreamRef]:
        return (instance_ref(route(getattr(command, key_field))),)

    return streams


def execution(stream: Stream, context: Context) -> Execution:
    """The engine at work on a loaded instance."""
    state: ProcessInstance = stream.state
    definitions = context.definitions
    surroundings = Surroundings(
        context.now, context.new_key, _Deployed(definitions, state.tenant, state.definition_key)
    )
    return Execution(state, stream.emit, definitions.process(state.definition_key), surroundings)


class _Deployed:
    """What is deployed, as one instance sees it (domain.process_definition.lookup.Lookup)."""

    __slots__ = ("_definition_key", "_definitions", "_tenant")

    def __init__(self, definitions: Definitions, tenant: str, definition_key: int) -> None:
        self._definitions = definitions
        self._tenant = tenant
        self._definition_key = definition_key

    def find_form(self, form_id: str) -> int:
        return self._definitions.find_form(self._tenant, form_id)

    def find_calendar(self, calendar_id: str) -> Clockwork | None:
        return self._definitions.find_calendar(self._tenant, calendar_id)

    def find_process(self, process_id: str, binding: Binding, version_tag: str) -> CallableProcess | None:
        key = self._definitions.find_called(self._tenant, process_id, binding, version_tag, self._definition_key)
        if not key:
            return None
        return CallableProcess(key, bool(self._definitions.process(key).root.start))

    def find_decision(self, decision_id: str, binding: Binding, version_tag: str) -> DeployedDecision | None:
        return self._definitions.find_decision(self._tenant, decision_id, binding, version_tag, self._definition_key)


def end_instance(stream: Stream, context: Context, reason: str) -> None:
    """Terminate all that is active in an active instance, innermost first, then the instance."""
    x = execution(stream, context)
    x.terminate_children(ROOT)
    stream.emit(e.InstanceTerminated(reason, x.ending(ROOT)))


def active_instance(stream: Stream, what: str, key: int) -> ProcessInstance:
    """The instance, which must be active. Raises NotFound or InvalidState."""
    state: ProcessInstance = stream.state
    if state.status is InstanceStatus.NEW:
        raise NotFound(f"no {what} with key '{key}' exists")
    if state.status is not InstanceStatus.ACTIVE:
        word = STATUS_WORDS[state.status]
        raise InvalidState(f"the process instance '{state.key}' is {word}; nothing in it can be changed")
    return state


def not_suspended(state: ProcessInstance) -> None:
    """Raises InvalidState if the instance stands still."""
    if state.suspended:
        why = f" ({state.suspension_reason})" if state.suspension_reason else ""
        raise InvalidState(f"the process instance '{state.key}' is suspended{why}; resume it first")


def find_job(stream: Stream, key: int, *, even_suspended: bool = False) -> Job:
    """The open job with this key. Raises NotFound, or InvalidState if its instance is suspended."""
    state: ProcessInstance = stream.state
    return _open_part(state, key, "job", state.jobs, "completed or cancelled", even_suspended)


def not_thrown(job: Job, key: int) -> None:
    """Raises InvalidState if the worker of this job has thrown an error that is not dealt with yet."""
    if job.error_code:
        what = "resolve its incident first" if job.incident else "it is on its way to the calling instance"
        raise InvalidState(f"the job '{key}' threw the error '{job.error_code}'; {what}")


def find_task(stream: Stream, key: int) -> UserTask:
    """The open user task with this key. Raises NotFound, or InvalidState if its instance is suspended."""
    state: ProcessInstance = stream.state
    return _open_part(state, key, "user task", state.tasks, "completed or cancelled")


def find_idle_task(stream: Stream, key: int) -> UserTask:
    """The open user task with this key, of which nothing is asked now. Raises NotFound or InvalidState."""
    task = find_task(stream, key)
    if task.moment:
        raise InvalidState(
            f"the user task '{key}' is {task.moment}: its listeners have not decided yet; try again when they have"
        )
    return task


def find_incident(stream: Stream, key: int) -> Incident:
    """The open incident with this key. Raises NotFound, or InvalidState if its instance is suspended."""
    state: ProcessInstance = stream.state
    return _open_part(state, key, "incident", state.incidents, "resolved")


def _open_part(
    state: ProcessInstance, key: int, what: str, parts: Mapping[int, P], end: str, even_suspended: bool = False
) -> P:
    """A part of an instance in any state: in one that ended nothing is open."""
    if state.status is InstanceStatus.NEW:
        raise NotFound(f"no {what} with key '{key}' exists")
    part = parts.get(key - state.key)
    if part is None:
        raise NotFound(f"no {what} with key '{key}' is open; it may be {end} already")
    if not even_suspended:
        not_suspended(state)
    return part


MAX_VARIABLE_NAME = 32_768


def check_variables(variables: dict[str, Any]) -> dict[str, Any]:
    """Variables from outside, checked: each has a name."""
    for name in variables:
        if not name or len(name) > MAX_VARIABLE_NAME:
            raise InvalidArgument(
                f"a variable's name has 1 to {MAX_VARIABLE_NAME} characters, not {len(name)}", "variables"
            )
    return variables
